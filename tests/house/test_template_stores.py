"""Buckets, database and logs: nothing is public, nothing is plain, nothing is kept for ever by accident."""

import pytest

from shared.domain.documents import EXTRACTED_PREFIX, PARTS_PREFIX
from tests.house.template import Stack, as_list, named, stacks

each = pytest.mark.parametrize("stack", stacks(), ids=str)


@each
def test_buckets_are_versioned_private_and_encrypted(stack: Stack) -> None:
    buckets = stack.of_type("AWS::S3::Bucket")
    assert set(buckets) == {"UploadsBucket", "WorkBucket"}
    for name, bucket in buckets.items():
        assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}, name
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}, name
        assert len(bucket["PublicAccessBlockConfiguration"]) == 4, name
        assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}, name
        (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] in {"AES256", "aws:kms"}, name


@each
def test_buckets_refuse_calls_without_tls(stack: Stack) -> None:
    guarded = set()
    for policy in stack.of_type("AWS::S3::BucketPolicy").values():
        (only,) = policy["PolicyDocument"]["Statement"]
        name = named(policy["Bucket"])
        guarded.add(name)
        assert (only["Effect"], only["Principal"], only["Action"]) == ("Deny", "*", "s3:*")
        assert only["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        assert only["Resource"] == [f"${{{name}.Arn}}", f"${{{name}.Arn}}/*"]
    assert guarded == {"UploadsBucket", "WorkBucket"}


@each
def test_buckets_lifecycle_never_expires_what_is_served(stack: Stack) -> None:
    for name, bucket in stack.of_type("AWS::S3::Bucket").items():
        rules = bucket["LifecycleConfiguration"]["Rules"]
        served = [rule for rule in rules if rule.get("Prefix") != PARTS_PREFIX]
        assert all("ExpirationInDays" not in rule and "ExpirationDate" not in rule for rule in served), name
        assert any(rule.get("NoncurrentVersionExpiration", {}).get("NoncurrentDays", 0) >= 30 for rule in rules), name
        assert any("AbortIncompleteMultipartUpload" in rule for rule in rules), name


@each
def test_buckets_survive_the_stack(stack: Stack) -> None:
    for name in ("UploadsBucket", "WorkBucket"):
        assert stack.resources[name]["DeletionPolicy"] == "RetainExceptOnCreate"
        assert stack.resources[name]["UpdateReplacePolicy"] == "Retain"


@each
def test_buckets_tell_of_uploads_and_of_extracted_texts_and_their_parts_only(stack: Stack) -> None:
    for name, bucket in stack.of_type("AWS::S3::Bucket").items():
        told = bucket["NotificationConfiguration"]["QueueConfigurations"]
        queue = "IngestCollectQueue" if name == "WorkBucket" else "IngestReceiveQueue"
        assert {named(one["Queue"]) for one in told} == {queue}
        assert {one["Event"] for one in told} == {"s3:ObjectCreated:*"}
        prefixes = [
            {"S3Key": {"Rules": [{"Name": "prefix", "Value": prefix}]}} for prefix in (EXTRACTED_PREFIX, PARTS_PREFIX)
        ]
        assert [one.get("Filter") for one in told] == (prefixes if name == "WorkBucket" else [None])


@each
def test_buckets_no_function_writes_where_it_is_told_of_writes(stack: Stack) -> None:
    """Else one upload would be processed for ever."""
    buckets = stack.of_type("AWS::S3::Bucket")
    for mapping in stack.of_type("AWS::Lambda::EventSourceMapping").values():
        function, queue = named(mapping["FunctionName"]), named(mapping["EventSourceArn"])
        watched = {
            name
            for name, bucket in buckets.items()
            for told in bucket["NotificationConfiguration"]["QueueConfigurations"]
            if named(told["Queue"]) == queue
        }
        for statement in stack.statements(function):
            if "s3:PutObject" in as_list(statement["Action"]):
                written = {named(one) for one in as_list(statement["Resource"])}
                assert not written & watched, f"{function} is told of what it writes"


@pytest.mark.parametrize("stack", stacks("everything"), ids=str)
def test_buckets_cors_names_exact_origins(stack: Stack) -> None:
    (rule,) = stack.of_type("AWS::S3::Bucket")["UploadsBucket"]["CorsConfiguration"]["CorsRules"]
    assert rule["AllowedOrigins"] == ["https://one.example", "https://two.example"]
    assert set(rule["AllowedMethods"]) == {"GET", "POST"}


@pytest.mark.parametrize("stack", stacks("url", "local"), ids=str)
def test_buckets_cors_is_off_by_default(stack: Stack) -> None:
    assert "CorsConfiguration" not in stack.of_type("AWS::S3::Bucket")["UploadsBucket"]


@pytest.mark.parametrize("stack", stacks("url", "everything", "local"), ids=str)
def test_database_is_not_made_unless_asked_for(stack: Stack) -> None:
    assert not stack.of_type("AWS::RDS::DBCluster")
    assert "DatabaseSecret" not in stack.resources


@pytest.mark.parametrize("stack", stacks("aurora", "aurora_remote"), ids=str)
def test_database_is_private_encrypted_and_kept(stack: Stack) -> None:
    cluster = stack.of_type("AWS::RDS::DBCluster")["DatabaseCluster"]
    assert cluster["StorageEncrypted"] is True
    assert cluster["ManageMasterUserPassword"] is True
    assert "MasterUserPassword" not in cluster
    assert cluster["ServerlessV2ScalingConfiguration"]["MinCapacity"] == "0"
    assert cluster["ServerlessV2ScalingConfiguration"]["SecondsUntilAutoPause"] >= 300
    assert stack.resources["DatabaseCluster"]["DeletionPolicy"] == "Snapshot"
    assert stack.of_type("AWS::RDS::DBInstance")["DatabaseWriter"]["PubliclyAccessible"] is False


@each
def test_logs_every_group_expires(stack: Stack) -> None:
    groups = stack.of_type("AWS::Logs::LogGroup")
    assert "FunctionLogs" in groups
    for name, group in groups.items():
        assert int(group["RetentionInDays"]) == 30, name


@each
def test_logs_every_function_writes_to_the_group(stack: Stack) -> None:
    for name, function in stack.functions.items():
        assert named(function["LoggingConfig"]["LogGroup"]) == "FunctionLogs", name


@each
def test_secrets_that_are_generated_are_long_and_of_one_piece(stack: Stack) -> None:
    for name, secret in stack.of_type("AWS::SecretsManager::Secret").items():
        made = secret.get("GenerateSecretString")
        if made is None:
            continue
        assert made["PasswordLength"] >= 40, name
        assert made["ExcludePunctuation"] is True, name
    # A list with commas: said twice, because the local Secrets Manager hears only this.
    assert "," in stack.resources["TokenSecrets"]["Properties"]["GenerateSecretString"]["ExcludeCharacters"]
