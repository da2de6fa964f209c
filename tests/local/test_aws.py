"""What the system relies on in MiniStack: each promise of AWS that a part of ours is built on, checked once."""

import json
import uuid
from typing import Any

import boto3
import httpx
import pytest

from shared.local import cloud
from tests.local.conftest import until

pytestmark = pytest.mark.enable_socket
Small = tuple[cloud.Options, cloud.Ready]


def client(small: Small, service: str) -> Any:
    return boto3.Session("local", "local", region_name="us-east-1").client(service, endpoint_url=small[1].aws_url)


@pytest.fixture
def queue(small_cloud: Small) -> tuple[Any, str]:
    sqs = client(small_cloud, "sqs")
    return sqs, sqs.create_queue(QueueName=f"q-{uuid.uuid4()}", Attributes={"VisibilityTimeout": "30"})["QueueUrl"]


@pytest.fixture
def bucket(small_cloud: Small) -> tuple[Any, str]:
    s3 = client(small_cloud, "s3")
    name = f"b-{uuid.uuid4()}"
    s3.create_bucket(Bucket=name)
    return s3, name


def receive(sqs: Any, url: str, wait: int = 0) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sqs.receive_message(QueueUrl=url, AttributeNames=["All"], WaitTimeSeconds=wait).get(
        "Messages", []
    )
    return found


def test_sqs_delay_hides_a_message_until_then(queue: tuple[Any, str]) -> None:
    sqs, url = queue
    sqs.send_message(QueueUrl=url, MessageBody="later", DelaySeconds=5)
    assert receive(sqs, url) == []
    assert receive(sqs, url, 20)[0]["Body"] == "later"


def test_sqs_visibility_can_be_changed_and_receives_are_counted(queue: tuple[Any, str]) -> None:
    sqs, url = queue
    sqs.send_message(QueueUrl=url, MessageBody="again")
    first = receive(sqs, url)[0]
    assert receive(sqs, url) == []
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"], VisibilityTimeout=0)
    assert receive(sqs, url)[0]["Attributes"]["ApproximateReceiveCount"] == "2"


def test_sqs_standard_queue_carries_the_message_group(queue: tuple[Any, str]) -> None:
    sqs, url = queue
    sqs.send_message(QueueUrl=url, MessageBody="fair", MessageGroupId="tenant-1")
    assert receive(sqs, url)[0]["Attributes"]["MessageGroupId"] == "tenant-1"


def test_sqs_message_received_too_often_moves_to_the_dead_letter_queue(queue: tuple[Any, str]) -> None:
    sqs, dead = queue
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1})
    source = sqs.create_queue(
        QueueName=f"s-{uuid.uuid4()}", Attributes={"RedrivePolicy": policy, "VisibilityTimeout": "0"}
    )
    sqs.send_message(QueueUrl=source["QueueUrl"], MessageBody="poison")
    assert receive(sqs, source["QueueUrl"])
    assert receive(sqs, source["QueueUrl"]) == []
    assert receive(sqs, dead, 5)[0]["Body"] == "poison"


@pytest.mark.parametrize(
    ("body", "key", "content_type", "status"),
    [
        (b"x" * 100, "t/d/1", "text/plain", 204),
        (b"x" * 101, "t/d/1", "text/plain", 400),
        (b"x", "t/d/2", "text/plain", 403),
        (b"x", "t/d/1", "text/html", 403),
    ],
    ids=["as agreed", "too long", "another key", "another type"],
)
def test_s3_presigned_post_enforces_its_policy(
    bucket: tuple[Any, str], body: bytes, key: str, content_type: str, status: int
) -> None:
    s3, name = bucket
    form = s3.generate_presigned_post(
        name,
        "t/d/1",
        Fields={"Content-Type": "text/plain"},
        Conditions=[["content-length-range", 1, 100], {"Content-Type": "text/plain"}],
        ExpiresIn=60,
    )
    fields = form["fields"] | {"key": key, "Content-Type": content_type}
    answer = httpx.post(form["url"], data=fields, files={"file": ("f", body)}, trust_env=False, timeout=30)
    assert answer.status_code == status


def test_s3_presigned_get_answers_a_plain_client(bucket: tuple[Any, str]) -> None:
    s3, name = bucket
    s3.put_object(Bucket=name, Key="k", Body=b"content")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": name, "Key": "k"}, ExpiresIn=60)
    assert url.startswith("http://127.0.0.1:")
    assert httpx.get(url, trust_env=False, timeout=30).content == b"content"


def test_s3_versions_are_kept_read_and_deleted_one_by_one(bucket: tuple[Any, str]) -> None:
    s3, name = bucket
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    one, two = (s3.put_object(Bucket=name, Key="k", Body=body)["VersionId"] for body in (b"1", b"2"))
    assert s3.get_object(Bucket=name, Key="k", VersionId=one)["Body"].read() == b"1"
    s3.delete_object(Bucket=name, Key="k", VersionId=two)
    assert s3.get_object(Bucket=name, Key="k")["Body"].read() == b"1"
    s3.delete_object(Bucket=name, Key="k", VersionId=one)
    assert s3.list_object_versions(Bucket=name).get("Versions", []) == []


def test_s3_event_names_version_and_rising_sequencer(bucket: tuple[Any, str], queue: tuple[Any, str]) -> None:
    (s3, name), (sqs, url) = bucket, queue
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    wanted = {"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]}
    s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration=wanted)
    versions = [s3.put_object(Bucket=name, Key="a/b c.txt", Body=body)["VersionId"] for body in (b"1", b"2")]
    records: list[dict[str, Any]] = []

    def arrived() -> bool:
        records.extend(
            one for message in receive(sqs, url, 1) for one in json.loads(message["Body"]).get("Records", [])
        )
        return len(records) == 2

    until(arrived)
    objects = sorted((record["s3"]["object"] for record in records), key=lambda one: int(one["sequencer"], 16))
    assert [one["versionId"] for one in objects] == versions
    assert {one["key"] for one in objects} <= {"a/b+c.txt", "a%2Fb+c.txt"}
    assert all(record["eventName"].startswith("ObjectCreated:") for record in records)


def test_mapping_takes_a_batch_at_once_and_no_more_than_its_size(small_cloud: Small) -> None:
    functions = client(small_cloud, "lambda")
    mapping = functions.list_event_source_mappings()["EventSourceMappings"][0]
    assert mapping["BatchSize"] == 10
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": int(mapping["ScalingConfig"]["MaximumConcurrency"])}
