"""Secrets in Secrets Manager."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from shared.adapters.aws.calls import translated
from shared.adapters.aws.clients import Clients, clients
from shared.domain.errors import Unavailable

KEPT_SECONDS = 300.0
"""How long a value is used before it is fetched again, so that a rotated secret is picked up."""


@dataclass(frozen=True, slots=True)
class _Kept:
    value: str
    until: float


class Secrets:
    """Secret texts by ARN, kept for five minutes. Calls block: they happen while a process starts."""

    def __init__(self, clients: Clients | None = None, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Nothing is opened before the first call.

        Args:
            clients: those of the process when None.
            monotonic: seconds that only grow.
        """
        self._clients = clients
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
        try:
            answer = (self._clients or clients()).get("secretsmanager").get_secret_value(SecretId=arn)
        except (ClientError, BotoCoreError) as error:
            raise translated(error, "fetching a secret") from error
        if "SecretString" not in answer:
            raise Unavailable("a secret is binary; text was expected", code="malformed_secret")
        return str(answer["SecretString"])
