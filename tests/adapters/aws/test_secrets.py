"""Secrets are fetched once, kept for a while, and never told."""

import json

import pytest

from shared.adapters.aws.clients import Clients
from shared.adapters.aws.secrets import KEPT_SECONDS, Secrets
from shared.domain.errors import Unavailable
from tests.fixtures.aws import clients_for


def make(clients: Clients, name: str, text: str) -> str:
    arn: str = clients.get("secretsmanager").create_secret(Name=name, SecretString=text)["ARN"]
    return arn


def test_text_is_kept_and_fetched_again_when_it_is_old(moto_clients: Clients) -> None:
    arn, now = make(moto_clients, "rotated", "first"), [0.0]
    secrets = Secrets(moto_clients, monotonic=lambda: now[0])
    assert secrets.text(arn) == "first"
    moto_clients.get("secretsmanager").put_secret_value(SecretId=arn, SecretString="second")
    now[0] = KEPT_SECONDS - 1
    assert secrets.text(arn) == "first"
    now[0] = KEPT_SECONDS
    assert secrets.text(arn) == "second"


def test_text_field_of_a_json_secret_or_the_whole(moto_clients: Clients) -> None:
    kept = json.dumps({"api_key": "abc", "port": 5432})
    arn = make(moto_clients, "json", kept)
    secrets = Secrets(moto_clients)
    assert secrets.text(arn) == kept
    assert (secrets.text(arn, "api_key"), secrets.text(arn, "port")) == ("abc", "5432")
    with pytest.raises(Unavailable) as raised:
        secrets.text(arn, "password")
    assert "abc" not in str(raised.value)


def test_text_plain_secret_is_itself_whatever_field_is_asked(moto_clients: Clients) -> None:
    assert Secrets(moto_clients).text(make(moto_clients, "plain", "sk-plain"), "api_key") == "sk-plain"


def test_text_broken_json_is_unavailable_without_its_content(moto_clients: Clients) -> None:
    with pytest.raises(Unavailable) as raised:
        Secrets(moto_clients).text(make(moto_clients, "broken", '{"api_key": hunter2'), "api_key")
    assert "hunter2" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_text_missing_secret_is_unavailable(moto_clients: Clients) -> None:
    with pytest.raises(Unavailable) as raised:
        Secrets(moto_clients).text("arn:aws:secretsmanager:eu-west-1:123456789012:secret:none")
    assert "arn:" not in str(raised.value)


def test_text_binary_secret_is_unavailable(moto_clients: Clients) -> None:
    arn = moto_clients.get("secretsmanager").create_secret(Name="binary", SecretBinary=b"\x00")["ARN"]
    with pytest.raises(Unavailable, match="binary"):
        Secrets(moto_clients).text(arn)


def test_text_nobody_there_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="EndpointConnectionError"):
        Secrets(clients_for("http://127.0.0.1:9")).text("arn")
