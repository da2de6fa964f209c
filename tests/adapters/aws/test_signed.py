"""A request signed without botocore is the one botocore would send, and its errors mean the same."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from unittest.mock import patch

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.session import Session

from shared.adapters.aws.answers import ATTEMPTS
from shared.adapters.aws.secrets import Secrets
from shared.adapters.aws.signed import STANDARD_REGION, Plain
from shared.domain.errors import Outage, Unavailable

KEYS = {"access_key": "AKIAIOSFODNN7EXAMPLE", "secret_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
NOW = datetime(2026, 11, 22, 0, 5, 59, tzinfo=UTC)
TARGET = "secretsmanager.GetSecretValue"
REGIONS = [
    region
    for partition in Session().get_data("partitions")["partitions"]
    for region in partition["regions"]
    if "global" not in region
]


def place(given: str, **more: str) -> Plain:
    made = Plain.of("secretsmanager", region="eu-west-1", given=given, **KEYS, **more)
    assert made is not None
    return made


def address_of_botocore(region: str) -> str:
    client = Session().create_client(
        "secretsmanager", region_name=region, aws_access_key_id="a", aws_secret_access_key="b"
    )
    url: str = client.meta.endpoint_url
    return url


@pytest.mark.parametrize("token", ["", "FwoGZXIvYXdzEBYaD/=="])
@pytest.mark.parametrize(
    "given", ["", "http://127.0.0.1:4566", "https://secrets.example:443", "http://aws.example:80/"]
)
def test_headers_are_those_of_botocores_signer(given: str, token: str) -> None:
    body = json.dumps({"SecretId": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:größe"}).encode()
    plain = place(given, session_token=token)
    ours = plain.headers(TARGET, body, NOW)
    request = AWSRequest(
        "POST",
        f"{plain.address}/",
        headers={"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": TARGET},
        data=body,
    )
    with patch("botocore.auth.get_current_datetime", return_value=NOW.replace(tzinfo=None)):
        SigV4Auth(Credentials(*KEYS.values(), token or None), "secretsmanager", "eu-west-1").add_auth(request)
    assert ours["authorization"] == request.headers["Authorization"]
    assert ours["x-amz-date"] == request.headers["X-Amz-Date"]
    assert ours.get("x-amz-security-token") == request.headers.get("X-Amz-Security-Token")


def test_of_region_is_the_address_of_botocore_or_none() -> None:
    known = {region: Plain.of("secretsmanager", region=region, **KEYS) for region in REGIONS}
    assert {"eu-west-1", "us-east-1", "ap-southeast-7"} <= {region for region, plain in known.items() if plain}
    for region, plain in known.items():
        if plain is not None:
            assert plain.address == address_of_botocore(region)
        else:
            assert not STANDARD_REGION.fullmatch(region)


@pytest.mark.parametrize(
    "lacking",
    [
        {"region": ""},
        {"access_key": ""},
        {"secret_key": ""},
        {"region": "cn-north-1"},
        {"region": "us-gov-west-1"},
        {"region": "eu.example.com/#-west-1"},
        {"given": "http://127.0.0.1:1/below"},
        {"given": "127.0.0.1:1"},
    ],
)
def test_of_what_takes_more_is_none(lacking: dict[str, str]) -> None:
    assert Plain.of("secretsmanager", **{"region": "eu-west-1", **KEYS, **lacking}) is None


def test_text_by_a_signed_request_is_the_secret(moto_clients: Any) -> None:
    client = moto_clients.get("secretsmanager")
    arn = client.create_secret(Name="signed", SecretString="größe 🔑")["ARN"]
    assert Secrets(place(client.meta.endpoint_url)).text(arn) == "größe 🔑"


def test_text_by_a_signed_request_of_binary_or_absent_secret_is_unavailable(moto_clients: Any) -> None:
    client = moto_clients.get("secretsmanager")
    secrets = Secrets(place(client.meta.endpoint_url))
    with pytest.raises(Unavailable, match="binary"):
        secrets.text(client.create_secret(Name="signed-binary", SecretBinary=b"\x00")["ARN"])
    with pytest.raises(Unavailable, match=r"fetching a secret failed: ResourceNotFoundException") as raised:
        secrets.text("arn:aws:secretsmanager:eu-west-1:123456789012:secret:none")
    assert not isinstance(raised.value, Outage)


@contextmanager
def service(*answers: tuple[int, bytes]) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A server that gives these answers in turn, the last one for good; and the headers it was sent."""
    seen: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            status, body = answers[min(len(seen), len(answers) - 1)]
            seen.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def call(address: str, slept: Callable[[float], None]) -> dict[str, Any]:
    return place(address).call("fetching a secret", TARGET, {}, now=lambda: NOW, sleep=slept)


def test_call_while_the_service_is_busy_asks_again() -> None:
    slept: list[float] = []
    busy = (400, b'{"__type": "com.amazonaws.secretsmanager#ThrottlingException:http://x"}')
    with service(busy, (503, b"<html>"), (200, b'{"SecretString": "s"}')) as (address, seen):
        assert call(address, slept.append) == {"SecretString": "s"}
    assert len(seen) == ATTEMPTS
    assert 0 <= slept[0] <= 1
    assert 0 <= slept[1] <= 2
    assert seen[0]["host"] == address.removeprefix("http://")


@pytest.mark.parametrize(
    ("answer", "reason", "tries"),
    [
        ((400, b'{"__type": "AccessDeniedException", "Message": "arn:secret"}'), r"AccessDeniedException \(400\)", 1),
        ((500, b'{"__type": "InternalServiceError"}'), r"InternalServiceError \(500\)", ATTEMPTS),
        ((502, b"<html>arn:secret"), r"Unknown \(502\)", ATTEMPTS),
        ((200, b"arn:secret"), r"Unknown \(200\)", 1),
        ((200, b'["arn:secret"]'), r"Unknown \(200\)", 1),
        ((301, b""), r"Unknown \(301\)", 1),
    ],
)
def test_call_that_fails_tells_the_services_word_and_nothing_else(
    answer: tuple[int, bytes], reason: str, tries: int
) -> None:
    with service(answer) as (address, seen), pytest.raises(Unavailable, match=reason) as raised:
        call(address, lambda _: None)
    assert len(seen) == tries
    assert isinstance(raised.value, Outage) == (tries > 1)
    assert "arn:" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_call_nobody_there_is_an_outage_after_the_last_try() -> None:
    slept: list[float] = []
    with pytest.raises(Outage, match="ConnectionRefusedError"):
        call("http://127.0.0.1:9", slept.append)
    assert len(slept) == ATTEMPTS - 1
