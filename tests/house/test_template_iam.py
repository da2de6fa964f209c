"""Rights: one role for each function, and in it what the function does and nothing else."""

from collections.abc import Mapping

import pytest

from tests.house.template import REGION, Json, Stack, as_list, named, stacks

each = pytest.mark.parametrize("stack", stacks(), ids=str)

MANAGED = {
    "AWSLambdaBasicExecutionRole": "writing logs",
    "AWSXrayWriteOnlyAccess": "writing traces, which have no resources to name",
    "AWSLambdaVPCAccessExecutionRole": "network interfaces, made by Lambda in the name of the function",
    "AmazonAPIGatewayPushToCloudWatchLogs": "the account's setting for access logs",
}
"""Policies of AWS that name no resources: all there are, each with its reason."""

CONSUME = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes")
SOURCES = (
    "IngestReceive",
    "IngestCollect",
    "IngestExtract",
    "IngestChunk",
    "IngestEmbed",
    "IngestPublish",
    "Sweep",
    "SteerIngestion",
    "DeliverWebhook",
)
UPLOADS, TEXTS, PARTS = "${UploadsBucket.Arn}/*", "${WorkBucket.Arn}/extracted/*", "${WorkBucket.Arn}/parts/*"
BUCKETS = ("${UploadsBucket.Arn}", "${WorkBucket.Arn}")


def consume(*queues: str) -> set[tuple[str, str]]:
    """What a mapping needs to empty queues."""
    return {(action, f"${{{queue}.Arn}}") for queue in queues for action in CONSUME}


def send(*queues: str) -> set[tuple[str, str]]:
    """What sending takes."""
    return {("sqs:SendMessage", f"${{{queue}Queue.Arn}}") for queue in queues}


def look(*queues: str) -> set[tuple[str, str]]:
    """What reading a queue's depth takes."""
    return {("sqs:GetQueueAttributes", f"${{{queue}.Arn}}") for queue in queues}


def secret(*names: str) -> set[tuple[str, str]]:
    """What reading the secrets of the deployment `everything` takes."""
    return {
        ("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{REGION}:123456789012:secret:{one}") for one in names
    }


SENDER = f"arn:aws:ses:{REGION}:123456789012:identity/"
SIGNER = f"arn:aws:kms:{REGION}:123456789012:key/receipts"
QUEUES = tuple(f"{name}Queue" for name in SOURCES)
DEAD = tuple(f"{name}DeadQueue" for name in SOURCES)
TOKENS = {("secretsmanager:GetSecretValue", "${TokenSecrets}")}
WEBHOOK_KEY = {("secretsmanager:GetSecretValue", "${WebhookKey}")}
MODELS = secret("database", "pinecone", "model")
NEEDS: Mapping[str, set[tuple[str, str]]] = {
    "HealthFunction": TOKENS | MODELS | look(*QUEUES, *DEAD) | {("s3:ListBucket", bucket) for bucket in BUCKETS},
    "AuthFunction": TOKENS | secret("database", "openid") | {("ses:SendEmail", f"{SENDER}example.com")},
    "UsersFunction": TOKENS | secret("database"),
    "ProjectsFunction": TOKENS | secret("database") | send("Sweep"),
    "OrgsFunction": TOKENS | secret("database") | send("Sweep") | {("ses:SendEmail", f"{SENDER}example.com")},
    "ReceiptsFunction": TOKENS | secret("database") | {("kms:GetPublicKey", SIGNER)},
    "CollectionsFunction": TOKENS | secret("database", "model") | send("Sweep"),
    "ReindexesFunction": TOKENS | secret("database", "model") | send("IngestExtract", "IngestChunk"),
    "DocumentsFunction": TOKENS
    | secret("database")
    | send("IngestExtract", "IngestChunk", "Sweep", "DeliverWebhook")
    | {("s3:PutObject", UPLOADS), ("s3:GetObjectVersion", UPLOADS), ("s3:GetObject", TEXTS)}
    | {("s3:ListBucket", bucket) for bucket in BUCKETS},
    "IngestionsFunction": TOKENS | secret("database") | send("SteerIngestion", "DeliverWebhook"),
    "SteerIngestionFunction": secret("database")
    | consume("SteerIngestionQueue")
    | send("IngestExtract", "IngestChunk", "Sweep", "SteerIngestion", "DeliverWebhook")
    | {("s3:GetObjectVersion", UPLOADS), ("s3:GetObject", TEXTS)}
    | {("s3:ListBucket", bucket) for bucket in BUCKETS},
    "WebhooksFunction": TOKENS | secret("database") | send("DeliverWebhook") | WEBHOOK_KEY,
    "DeliverWebhookFunction": secret("database") | consume("DeliverWebhookQueue") | WEBHOOK_KEY,
    "SearchFunction": TOKENS | MODELS,
    "ChatsFunction": TOKENS | MODELS,
    "StreamsFunction": TOKENS | MODELS,
    "IngestReceiveFunction": secret("database")
    | consume("IngestReceiveQueue")
    | send("IngestExtract", "IngestChunk", "Sweep", "DeliverWebhook")
    | {("s3:GetObject", UPLOADS)},
    "IngestCollectFunction": secret("database")
    | consume("IngestCollectQueue")
    | send("IngestExtract", "IngestChunk", "Sweep", "DeliverWebhook"),
    "IngestExtractFunction": consume("IngestExtractQueue")
    | {("s3:GetObjectVersion", UPLOADS), ("s3:PutObject", TEXTS), ("s3:PutObject", PARTS), ("s3:GetObject", PARTS)},
    "IngestChunkFunction": secret("database")
    | consume("IngestChunkQueue")
    | send("IngestExtract", "IngestChunk", "IngestEmbed", "DeliverWebhook")
    | {("s3:GetObject", TEXTS), ("s3:ListBucket", BUCKETS[1])},
    "IngestEmbedFunction": MODELS
    | consume("IngestEmbedQueue")
    | send("IngestExtract", "IngestChunk", "IngestEmbed", "IngestPublish", "DeliverWebhook"),
    "IngestPublishFunction": secret("database")
    | consume("IngestPublishQueue")
    | send("IngestExtract", "IngestChunk", "Sweep", "DeliverWebhook"),
    "IngestRejectFunction": secret("database") | consume(*DEAD) | send(*SOURCES[2:]) | {("s3:GetObject", UPLOADS)},
    "SweepFunction": secret("database", "pinecone")
    | {(action, SIGNER) for action in ("kms:GetPublicKey", "kms:Sign")}
    | consume("SweepQueue")
    | send(*SOURCES[2:])
    | {(action, bucket) for action in ("s3:ListBucket", "s3:ListBucketVersions") for bucket in BUCKETS}
    | {
        (f"s3:{action}", key)
        for action in ("GetObject", "DeleteObject", "DeleteObjectVersion")
        for key in (UPLOADS, TEXTS, PARTS)
    }
    | {("s3:GetObjectVersion", UPLOADS)},
    "ReindexFunction": MODELS | send("IngestExtract", "IngestChunk"),
    "MigrateDatabaseFunction": secret("database", "owner"),
}


def rights(stack: Stack, function: str) -> set[tuple[str, str]]:
    """Action and resource of everything a function may do by its own policies."""
    return {
        (action, resource)
        for statement in stack.statements(function)
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    }


def own_statements(stack: Stack) -> list[tuple[str, Json]]:
    """Every statement written in any role or policy, with the name of where it is."""
    found: list[tuple[str, Json]] = []
    for name, role in stack.of_type("AWS::IAM::Role").items():
        for policy in role.get("Policies", []):
            found += [(name, one) for one in policy["PolicyDocument"]["Statement"]]
    for kind in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
        for name, policy in stack.of_type(kind).items():
            found += [(name, one) for one in policy["PolicyDocument"]["Statement"]]
    return found


@pytest.mark.parametrize("stack", stacks("everything"), ids=str)
def test_rights_are_exactly_those_each_function_needs(stack: Stack) -> None:
    assert set(stack.functions) == set(NEEDS)
    for function, needed in NEEDS.items():
        assert rights(stack, function) == needed, function


@each
def test_rights_no_wildcard_is_granted(stack: Stack) -> None:
    for name, statement in own_statements(stack):
        if statement["Effect"] == "Allow":
            assert not any("*" in action for action in as_list(statement["Action"])), name
            for resource in as_list(statement["Resource"]):
                assert resource != "*", name
                assert "*" not in resource or resource in {UPLOADS, TEXTS, PARTS}, f"{name}: {resource}"
            assert not {"NotAction", "NotResource"} & statement.keys(), name


@each
def test_rights_each_function_has_a_role_of_its_own(stack: Stack) -> None:
    roles = [named(function["Role"]) for function in stack.functions.values()]
    assert len(set(roles)) == len(roles) == len(NEEDS)
    for role in roles:
        trust = stack.resources[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert [one["Principal"] for one in trust] == [{"Service": ["lambda.amazonaws.com"]}], role


@each
def test_rights_managed_policies_are_the_named_few(stack: Stack) -> None:
    for name, role in stack.of_type("AWS::IAM::Role").items():
        used = {arn.rpartition("/")[2] for arn in role.get("ManagedPolicyArns", [])}
        assert used <= MANAGED.keys(), name


@each
def test_rights_code_cannot_use_the_network_rights_of_its_role(stack: Stack) -> None:
    for function in stack.functions:
        if any("VPCAccess" in arn for arn in stack.role_of(function)["ManagedPolicyArns"]):
            denied = stack.statements(function, "Deny")
            assert [(one["Action"], one["Resource"]) for one in denied] == [("ec2:*", "*")], function
            assert denied[0]["Condition"] == {"Null": {"lambda:SourceFunctionArn": "false"}}, function


@each
def test_rights_parser_has_no_secret_no_database_and_no_queue_to_send_to(stack: Stack) -> None:
    granted = {action for action, _ in rights(stack, "IngestExtractFunction")}
    assert granted == {*CONSUME, "s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"}
    variables = set(stack.functions["IngestExtractFunction"]["Environment"]["Variables"])
    everywhere = {"LAMBENT_STAGE", "LAMBENT_LOG_LEVEL", "LAMBENT_INGESTION_PATIENCE"}
    assert variables == {*everywhere, "LAMBENT_UPLOADS_BUCKET", "LAMBENT_WORK_BUCKET"}


@each
def test_rights_owner_of_the_tables_is_known_to_the_migration_only(stack: Stack) -> None:
    for function, properties in stack.functions.items():
        knows = "LAMBENT_DATABASE_OWNER_SECRET_ARN" in properties["Environment"]["Variables"]
        assert knows == (function == "MigrateDatabaseFunction"), function


@each
def test_rights_to_send_agree_with_the_queues_a_function_is_told(stack: Stack) -> None:
    for function, properties in stack.functions.items():
        if function == "HealthFunction":
            continue  # told of all queues to look at, and may send to none
        told = {
            named(value)
            for key, value in properties["Environment"]["Variables"].items()
            if key.startswith("LAMBENT_QUEUE_")
        }
        assert told == {named(queue) for action, queue in rights(stack, function) if action == "sqs:SendMessage"}, (
            function
        )


@each
def test_rights_to_consume_agree_with_the_mappings(stack: Stack) -> None:
    consumed: dict[str, set[str]] = {function: set() for function in stack.functions}
    for mapping in stack.of_type("AWS::Lambda::EventSourceMapping").values():
        consumed[named(mapping["FunctionName"])].add(named(mapping["EventSourceArn"]))
    for function, queues in consumed.items():
        assert {named(queue) for action, queue in rights(stack, function) if action == "sqs:ReceiveMessage"} == queues


@each
def test_rights_schedules_may_invoke_their_function_and_write_their_dead_queue(stack: Stack) -> None:
    for name, schedule in stack.of_type("AWS::Scheduler::Schedule").items():
        role = stack.resources[named(schedule["Target"]["RoleArn"])]["Properties"]
        granted = {
            (action, named(resource))
            for policy in role["Policies"]
            for statement in policy["PolicyDocument"]["Statement"]
            for action in as_list(statement["Action"])
            for resource in as_list(statement["Resource"])
        }
        function = named(schedule["Target"]["Arn"])
        assert granted == {("lambda:InvokeFunction", function), ("sqs:SendMessage", "ScheduleDeadQueue")}, name
