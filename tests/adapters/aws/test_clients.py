"""Clients made the quick way are the clients botocore would make."""

import os
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from botocore.session import Session

from shared.adapters.aws.clients import SERVICES, Clients, quick_loader

PARTITIONS = {
    partition["id"]: [region for region in partition["regions"] if "global" not in region]
    for partition in Session().get_data("partitions")["partitions"]
}
CREDENTIALS = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "test"}
OBJECT = {"Bucket": "a-bucket", "Key": "a/key"}


def clients_in(region: str, endpoint_url: str | None = None) -> Clients:
    return Clients(region=region, endpoint_url=endpoint_url, access_key="AKIAIOSFODNN7EXAMPLE", secret_key="test")


def address(client: Any) -> str:
    url: str = client.generate_presigned_url("get_object", Params=OBJECT)
    return url.partition("?")[0]


@pytest.fixture(autouse=True)
def no_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.mark.parametrize("partition", PARTITIONS)
def test_quick_loader_gives_the_addresses_and_signatures_of_an_ordinary_session(partition: str) -> None:
    ordinary, quick = Session(), Session()
    quick.register_component("data_loader", quick_loader())
    first, *others = PARTITIONS[partition]
    cases: list[tuple[str, dict[str, bool]]] = [(region, {}) for region in others]
    cases += [(first, variant) for variant in ({}, {"use_fips_endpoint": True}, {"use_dualstack_endpoint": True})]
    for service in SERVICES:
        for region, variant in cases:
            expected = facts(ordinary, service, region, variant)
            # What a partition lacks nobody asks for, and the two tables disagree on it.
            if expected is not None:
                assert facts(quick, service, region, variant) == expected


def facts(session: Session, service: str, region: str, variant: dict[str, bool]) -> tuple[object, ...] | None:
    """Where a request would go and how it would be signed; None for a variant that the partition lacks."""
    seen: list[str] = []

    def stop(request: Any, **_: object) -> None:
        seen.append(request.url)
        raise InterruptedError

    config = Config(s3={"us_east_1_regional_endpoint": "regional"}, **variant)
    try:
        client: Any = session.create_client(service, region_name=region, config=config, **CREDENTIALS)
    except BotoCoreError:
        return None
    try:
        client.meta.events.register("before-send", stop)
        {
            "kms": lambda: client.get_public_key(KeyId="key"),
            "s3": lambda: client.head_object(**OBJECT),
            "sqs": lambda: client.get_queue_attributes(QueueUrl="https://queue"),
            "secretsmanager": lambda: client.get_secret_value(SecretId="a"),
            "sesv2": lambda: client.send_email(Content={}),
        }[service]()
    except InterruptedError:
        return (client.meta.partition, client.meta.config.signature_version, client.meta.region_name, *seen)
    except BotoCoreError:
        return None
    raise AssertionError("the request went out")


def test_get_presigned_addresses_are_regional() -> None:
    assert address(clients_in("eu-west-1").get("s3")) == "https://a-bucket.s3.eu-west-1.amazonaws.com/a/key"
    assert address(clients_in("cn-north-1").get("s3")) == "https://a-bucket.s3.cn-north-1.amazonaws.com.cn/a/key"


@pytest.mark.parametrize("given", [True, False])
def test_get_with_an_endpoint_of_its_own_puts_the_bucket_into_the_path(
    monkeypatch: pytest.MonkeyPatch, given: bool
) -> None:
    url = "http://localhost:4566"
    if not given:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    s3 = clients_in("eu-west-1", url if given else None).get("s3")
    assert address(s3) == f"{url}/a-bucket/a/key"
    assert s3.generate_presigned_post("a-bucket", "a/key")["url"] == f"{url}/a-bucket"


def test_get_twice_is_the_same_client_with_few_and_short_tries() -> None:
    clients = clients_in("eu-west-1")
    for service in SERVICES:
        client = clients.get(service)
        assert clients.get(service) is client
        config = client.meta.config
        assert (config.connect_timeout, config.read_timeout, config.retries["total_max_attempts"]) == (2, 10, 3)
