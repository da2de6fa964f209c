"""Secrets in Secrets Manager. Loads botocore when it cannot be asked without."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.domain.errors import Unavailable

if TYPE_CHECKING:
    from shared.adapters.aws.clients import Clients
    from shared.adapters.aws.signed import Plain

SERVICE = "secretsmanager"

KEPT_SECONDS = 300.0
"""How long a value is used before it is fetched again, so that a rotated secret is picked up."""


@dataclass(frozen=True, slots=True)
class _Kept:
    value: str
    until: float


class Secrets:
    """Secret texts by ARN, kept for five minutes. Calls block: they happen while a process starts."""

    def __init__(
        self, asked: "Clients | Plain | None" = None, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Nothing is opened before the first call.

        Args:
            asked: who asks: clients, those of the process when None, or one signed request.
            monotonic: seconds that only grow.
        """
        self._asked = asked
        self._monotonic = monotonic
        self._kept: dict[str, _Kept] = {}
        self._lock = threading.Lock()

    def text(self, arn: str, field: str = "") -> str:
        """The secret, whole; or, when it is a JSON object and `field` is named, that field of it.

        Raises:
            Unavailable: it cannot be fetched, is binary, or has no such field. The text names neither value nor ARN.
        """
        whole = self._whole(arn)
        if not field or not whole.lstrip().startswith("{"):
            return whole
        try:
            parts = json.loads(whole)
        except ValueError:
            # Not chained: a decoding error carries the whole text.
            raise Unavailable("a secret looks like JSON but cannot be read as such", code="malformed_secret") from None
        if field not in parts:
            raise Unavailable(f"a secret has no field {field!r}", code="malformed_secret")
        return str(parts[field])

    def _whole(self, arn: str) -> str:
        with self._lock:
            kept = self._kept.get(arn)
            if kept is None or kept.until <= self._monotonic():
                kept = _Kept(self._fetch(arn), self._monotonic() + KEPT_SECONDS)
                self._kept[arn] = kept
            return kept.value

    def _fetch(self, arn: str) -> str:
        answer = self._answer(arn)
        if "SecretString" not in answer:
            raise Unavailable("a secret is binary; text was expected", code="malformed_secret")
        return str(answer["SecretString"])

    def _answer(self, arn: str) -> dict[str, Any]:
        from shared.adapters.aws.signed import Plain

        if isinstance(self._asked, Plain):
            return self._asked.call("fetching a secret", f"{SERVICE}.GetSecretValue", {"SecretId": arn})
        return _by_client(self._asked, arn)


def _by_client(given: "Clients | None", arn: str) -> dict[str, Any]:
    from botocore.exceptions import BotoCoreError, ClientError

    from shared.adapters.aws.calls import translated
    from shared.adapters.aws.clients import clients

    try:
        answer: dict[str, Any] = (given or clients()).get(SERVICE).get_secret_value(SecretId=arn)
    except (ClientError, BotoCoreError) as error:
        raise translated(error, "fetching a secret") from error
    return answer
