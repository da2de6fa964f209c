"""One signed request to an AWS service that speaks JSON, by the standard library alone.

A function's first request often needs one secret and nothing else of AWS. Through botocore that costs some 110 ms of a
start: 130 modules, a client made of the service's model, its endpoint rules. On Lambda all of that ends in one POST to
one address, whose signature (AWS Signature Version 4) is five HMACs. Where more is configured than a function on Lambda
is given, `Plain.of` says so, and botocore does the work. Tests compare signatures and addresses with botocore's.
"""

import hashlib
import hmac
import json
import random
import re
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from shared.adapters.aws.answers import ATTEMPTS, CONNECT_SECONDS, READ_SECONDS, refused
from shared.domain.errors import Outage

ALGORITHM = "AWS4-HMAC-SHA256"
CONTENT_TYPE = "application/x-amz-json-1.1"
STANDARD_REGION = re.compile(r"(?:us|eu|ap|sa|ca|me|af|il|mx)-\w+-\d+")
"""Regions below amazonaws.com: the pattern of botocore's own table. Others have names and rules of their own."""
LONGEST = 1 << 20
"""Bytes of an answer that are read; a secret has 64 KB at the most."""


@dataclass(frozen=True, slots=True)
class Plain:
    """Where a process calls one service, and as whom."""

    service: str
    region: str
    address: str
    """Scheme, host and port."""
    access_key: str
    secret_key: str
    session_token: str = ""

    @classmethod
    def of(
        cls, service: str, *, region: str, access_key: str, secret_key: str, session_token: str = "", given: str = ""
    ) -> "Plain | None":
        """The place, or None when finding it, or who is asking, takes more than is known here.

        Args:
            service: its name in addresses and signatures.
            region: for example eu-west-1.
            access_key: with `secret_key` and, for a role, `session_token`, the credentials.
            secret_key: see `access_key`.
            session_token: see `access_key`.
            given: address of a stand-in; it has no path.
        """
        if not (region and access_key and secret_key):
            return None
        if given:
            parts = urlsplit(given)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
                return None
            address = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        elif STANDARD_REGION.fullmatch(region):
            address = f"https://{service}.{region}.amazonaws.com"
        else:
            return None
        return cls(service, region, address, access_key, secret_key, session_token)

    def headers(self, target: str, body: bytes, now: datetime) -> dict[str, str]:
        """The headers of a POST to `/`, signed.

        Follows "Create a signed AWS API request", AWS Identity and Access Management User Guide.

        Args:
            target: interface and operation: 'secretsmanager.GetSecretValue'.
            body: what is sent.
            now: in UTC; AWS takes five minutes to either side.
        """
        moment = now.strftime("%Y%m%dT%H%M%SZ")
        headers = {
            "content-type": CONTENT_TYPE,
            "host": self._host(),
            "x-amz-date": moment,
            **({"x-amz-security-token": self.session_token} if self.session_token else {}),
            "x-amz-target": target,
        }
        names = ";".join(headers)
        lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
        request = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
        scope = f"{moment[:8]}/{self.region}/{self.service}/aws4_request"
        text = f"{ALGORITHM}\n{moment}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        key = f"AWS4{self.secret_key}".encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.digest(key, text.encode(), "sha256").hex()
        credential = f"{self.access_key}/{scope}"
        headers["authorization"] = f"{ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={signature}"
        return headers

    def call(
        self,
        doing: str,
        target: str,
        asked: Mapping[str, object],
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], None] = time.sleep,
    ) -> dict[str, Any]:
        """Ask, and ask again while the service is busy or cannot be reached: three times in all, as its client would.

        Args:
            doing: what is done, for the error. No keys, addresses or secrets.
            target: as for `headers`.
            asked: what JSON can hold.
            now: the time in UTC.
            sleep: waits some seconds.

        Raises:
            Outage: the service cannot be reached, is down or asks to slow down.
            Unavailable: it refuses.
        """
        body = json.dumps(asked).encode()
        for tried in range(ATTEMPTS - 1):
            try:
                return self._once(doing, target, body, now())
            except Outage:
                # As botocore's standard mode: anything up to a second, then up to two.
                sleep(2**tried * random.random())
        return self._once(doing, target, body, now())

    def _once(self, doing: str, target: str, body: bytes, now: datetime) -> dict[str, Any]:
        connection = self._connection()
        try:
            connection.connect()
            connection.sock.settimeout(READ_SECONDS)
            connection.request("POST", "/", body, self.headers(target, body, now))
            response = connection.getresponse()
            answer = response.read(LONGEST)
        except (OSError, HTTPException) as error:
            raise Outage(f"{doing} failed: {type(error).__name__}") from error
        finally:
            connection.close()
        return _understood(doing, response.status, answer)

    def _connection(self) -> HTTPConnection:
        parts = urlsplit(self.address)
        if parts.scheme == "http":
            return HTTPConnection(parts.hostname or "", parts.port, timeout=CONNECT_SECONDS)
        import certifi

        # Whom botocore trusts.
        trusted = ssl.create_default_context(cafile=certifi.where())
        return HTTPSConnection(parts.hostname or "", parts.port, timeout=CONNECT_SECONDS, context=trusted)

    def _host(self) -> str:
        parts = urlsplit(self.address)
        usual = {"http": 80, "https": 443}[parts.scheme]
        return parts.netloc.rpartition(":")[0] if parts.port == usual else parts.netloc


def _understood(doing: str, status: int, answer: bytes) -> dict[str, Any]:
    """The JSON object of a good answer.

    Raises:
        Outage: the service is down or asks to slow down.
        Unavailable: it refuses, or answers nonsense. The text has the service's code and nothing of the request.
    """
    try:
        told = json.loads(answer)
    except ValueError:
        # Not chained: a decoding error carries the whole text.
        told = None
    if status == 200 and isinstance(told, dict):
        return told
    name = str(told.get("__type", "Unknown")) if isinstance(told, dict) else "Unknown"
    # "com.amazonaws.service#Name:http://…": the name is in the middle.
    raise refused(doing, name.rpartition("#")[2].partition(":")[0], status)
