"""Configuration comes from LAMBENT_* alone; secrets do not print."""

import os

import pytest
from pydantic import ValidationError

from shared import bootstrap
from shared.adapters.memory.clock import ManualClock
from shared.bootstrap import Kit, database_url
from shared.domain.errors import Unavailable
from shared.settings import AwsSettings, Settings


def test_settings_read_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMBENT_STAGE", "prod")
    monkeypatch.setenv("LAMBENT_QUEUE_SWEEP", "https://sqs/sweep")
    monkeypatch.setenv("LAMBENT_QUEUE_DEAD", "https://sqs/a,https://sqs/b")
    monkeypatch.setenv("LAMBENT_EMBEDDING_MODEL", "")
    found = Settings()
    assert found.stage == "prod"
    assert found.queue_urls() == {"sweep": "https://sqs/sweep"}
    assert found.dead_queue_urls() == ["https://sqs/a", "https://sqs/b"]
    assert found.embedding_model == "all-minilm-l6-v2"


@pytest.mark.parametrize(
    ("name", "value"),
    [("LAMBENT_EMBEDDER", "magic"), ("LAMBENT_VECTOR_STORE", "disk"), ("LAMBENT_MAX_UPLOAD_BYTES", "0")],
)
def test_settings_with_unknown_value_refuse(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError):
        Settings()


def test_settings_do_not_print_secrets() -> None:
    found = Settings(database_url="postgresql://u:hunter2@h/d", model_api_key="hunter2", pinecone_api_key="hunter2")  # type: ignore[arg-type]
    assert "hunter2" not in repr(found)
    assert "hunter2" not in found.model_dump_json()


def test_database_url_as_it_is() -> None:
    assert database_url("postgresql://u:p@h/d", "", "") == "postgresql://u:p@h/d"


def test_database_url_of_a_cluster_secret_is_put_together_and_quoted() -> None:
    secret = '{"username": "owner", "password": "p@ss/w:rd", "port": 5433}'
    assert database_url(secret, "db.internal", "lambent") == (
        "postgresql+psycopg://owner:p%40ss%2Fw%3Ard@db.internal:5433/lambent?sslmode=require"
    )


def test_database_url_in_a_secret_is_taken_out() -> None:
    assert database_url('{"url": "postgresql://h/d"}', "other", "name") == "postgresql://h/d"


def test_kit_without_database_configuration_says_what_is_missing() -> None:
    with pytest.raises(Unavailable, match="no configuration for the database") as caught:
        _ = Kit(Settings()).store
    assert caught.value.code == "not_configured"


def test_override_puts_parts_in_place_and_takes_them_out_again() -> None:
    outer, inner = ManualClock(), ManualClock()
    with bootstrap.override(clock=outer):
        kit = bootstrap.kit()
        assert kit.clock is outer
        with bootstrap.override(clock=inner):
            assert bootstrap.kit().clock is inner
        assert bootstrap.kit() is kit
        assert bootstrap.kit().clock is outer


def test_override_that_ends_with_an_error_is_taken_out_too() -> None:
    before = bootstrap.kit().clock
    with pytest.raises(RuntimeError), bootstrap.override(clock=ManualClock()):
        raise RuntimeError
    assert bootstrap.kit().clock is before


ON_LAMBDA = {
    "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "hunter2",
    "AWS_SESSION_TOKEN": "token",
}


@pytest.mark.parametrize(
    ("given", "plainly"),
    [
        ({}, True),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}, True),
        ({"https_proxy": "http://proxy"}, False),
        ({"AWS_USE_FIPS_ENDPOINT": "true"}, False),
        ({"AWS_CA_BUNDLE": "/a"}, False),
        ({"AWS_PROFILE": "other"}, False),
        ({"AWS_LAMBDA_RUNTIME_API": ""}, False),
    ],
)
def test_aws_settings_of_a_function_are_told_from_those_that_need_the_whole_client(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], plainly: bool
) -> None:
    for name in [
        name
        for name in os.environ
        if name.upper().startswith("AWS_") or name.upper().endswith(("_PROXY", "_CA_BUNDLE"))
    ]:
        monkeypatch.delenv(name)
    for name, value in {**ON_LAMBDA, **given}.items():
        monkeypatch.setenv(name, value)
    found = AwsSettings()
    expected = {
        "region": "eu-west-1",
        "access_key": "AKIAIOSFODNN7EXAMPLE",
        "secret_key": "hunter2",
        "session_token": "token",
        "given": given.get("AWS_ENDPOINT_URL", ""),
    }
    assert found.plain() == (expected if plainly else {})
    assert "hunter2" not in repr(found)
