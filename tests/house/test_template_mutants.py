"""The template tests tested: each planted fault must be caught by the test that is there for it."""

from collections.abc import Callable

import pytest

from tests.house import (
    test_template_api,
    test_template_iam,
    test_template_names,
    test_template_network,
    test_template_queues,
    test_template_stores,
)
from tests.house.template import DEPLOYMENTS, Edit, Json, Stack

type Check = Callable[[Stack], None]


def put(resource: str, *path: str | int, value: object) -> Edit:
    """Set a property of a resource of the raw template."""

    def edit(template: Json) -> None:
        place = template["Resources"][resource]["Properties"]
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value

    return edit


def drop(resource: str, name: str) -> Edit:
    """Remove a property of a resource of the raw template."""
    return lambda template: template["Resources"][resource]["Properties"].pop(name)


def grant(function: str, action: str, resource: object) -> Edit:
    """Let a function do one thing more."""

    def edit(template: Json) -> None:
        properties = template["Resources"][function]["Properties"]
        (policy,) = properties["Policies"]
        more = {"Effect": "Allow", "Action": action, "Resource": resource}
        properties["Policies"] = [{"Statement": [*policy["Statement"], more]}]

    return edit


def variable(function: str, name: str, value: object) -> Edit:
    """Give a function one variable more."""

    def edit(template: Json) -> None:
        properties = template["Resources"][function]["Properties"]
        known = properties.get("Environment", {}).get("Variables", {})
        properties["Environment"] = {"Variables": {**known, name: value}}

    return edit


def arn(name: str) -> Json:
    """GetAtt of a resource's ARN."""
    return {"Fn::GetAtt": [name, "Arn"]}


def event(function: str, name: str, value: object) -> Edit:
    """Change a property of a function's path event."""
    return put(function, "Events", "Below", "Properties", name, value=value)


queues, stores, api = test_template_queues, test_template_stores, test_template_api
iam, names, network = test_template_iam, test_template_names, test_template_network
IN_SOURCES = {"Bool": {"aws:SecureTransport": "true"}}

MUTANTS: dict[str, tuple[Edit, Check]] = {
    "visibility below six timeouts": (
        put("IngestChunkQueue", "VisibilityTimeout", value=119),
        queues.test_queues_visibility_is_six_timeouts_and_the_window,
    ),
    "timeout raised past its queue": (
        put("IngestEmbedFunction", "Timeout", value=600),
        queues.test_queues_visibility_is_six_timeouts_and_the_window,
    ),
    "timeout raised past its lease": (
        put("IngestPublishFunction", "Timeout", value=91),
        queues.test_timeouts_fit_the_leases_of_the_stages,
    ),
    "queue without dead letters": (
        drop("SweepQueue", "RedrivePolicy"),
        queues.test_queues_every_named_queue_exists_with_its_dead_queue,
    ),
    "poison given up after one receive": (
        put("IngestChunkQueue", "RedrivePolicy", "maxReceiveCount", value=1),
        queues.test_queues_redrive_after_five_receives,
    ),
    "dead letters that vanish": (
        put("IngestChunkDeadQueue", "MessageRetentionPeriod", value=345600),
        queues.test_queues_dead_letters_outlive_their_source,
    ),
    "dead letters that nobody reads": (
        put("SweepDeadMapping", "EventSourceArn", value=arn("IngestChunkDeadQueue")),
        queues.test_queues_dead_letters_are_all_consumed_by_ingest_reject,
    ),
    "queue in the clear": (
        put("IngestEmbedQueue", "SqsManagedSseEnabled", value=False),
        queues.test_queues_are_standard_and_encrypted,
    ),
    "queue outside the TLS policy": (
        put("QueuesPolicy", "Queues", value=[{"Ref": "SweepQueue"}]),
        queues.test_queues_refuse_calls_without_tls,
    ),
    "whole batch repeated for one record": (
        drop("IngestChunkMapping", "FunctionResponseTypes"),
        queues.test_mappings_report_each_failed_record,
    ),
    "mapping without a limit": (
        drop("IngestExtractMapping", "ScalingConfig"),
        queues.test_mappings_say_batch_window_and_concurrency,
    ),
    "bucket without versions": (
        put("UploadsBucket", "VersioningConfiguration", value={"Status": "Suspended"}),
        stores.test_buckets_are_versioned_private_and_encrypted,
    ),
    "bucket open to the public": (
        put("WorkBucket", "PublicAccessBlockConfiguration", value={"BlockPublicAcls": True}),
        stores.test_buckets_are_versioned_private_and_encrypted,
    ),
    "bucket without TLS": (
        put("UploadsBucketPolicy", "PolicyDocument", "Statement", 0, "Condition", value=IN_SOURCES),
        stores.test_buckets_refuse_calls_without_tls,
    ),
    "texts that expire while they are served": (
        put("WorkBucket", "LifecycleConfiguration", "Rules", value=[{"Status": "Enabled", "ExpirationInDays": 7}]),
        stores.test_buckets_lifecycle_never_expires_what_is_served,
    ),
    "whole work bucket watched": (
        put("WorkBucket", "NotificationConfiguration", "QueueConfigurations", 0, "Filter", value=None),
        stores.test_buckets_tell_of_uploads_and_of_extracted_texts_and_their_parts_only,
    ),
    "function that triggers itself": (
        grant("IngestCollectFunction", "s3:PutObject", {"Fn::Sub": "${WorkBucket.Arn}/*"}),
        stores.test_buckets_no_function_writes_where_it_is_told_of_writes,
    ),
    "logs kept for ever": (drop("FunctionLogs", "RetentionInDays"), stores.test_logs_every_group_expires),
    "STREAM for RESPONSE_STREAM": (
        event("StreamsFunction", "ResponseTransferMode", "STREAM"),
        api.test_streams_really_streams,
    ),
    "stream cut after 29 seconds": (
        event("StreamsFunction", "TimeoutInMillis", 29000),
        api.test_streams_may_take_as_long_as_its_function,
    ),
    "door slower than the API waits": (
        put("SearchFunction", "Timeout", value=60),
        api.test_doors_answer_within_the_patience_of_the_api,
    ),
    "edge endpoint": (
        put("Api", "EndpointConfiguration", value={"Type": "EDGE"}),
        api.test_api_is_regional_and_speaks_new_tls_only,
    ),
    "old TLS": (put("Api", "SecurityPolicy", value="TLS_1_0"), api.test_api_is_regional_and_speaks_new_tls_only),
    "no throttle": (drop("Api", "MethodSettings"), api.test_api_has_one_stage_and_it_is_throttled),
    "second stage": (drop("Api", "OpenApiVersion"), api.test_api_has_one_stage_and_it_is_throttled),
    "no access log": (drop("Api", "AccessLogSetting"), api.test_api_logs_every_request_without_its_credentials),
    "CORS for everyone": (
        put("Api", "Cors", value={"AllowOrigin": "'*'"}),
        api.test_api_leaves_cors_to_the_doors,
    ),
    "path forgotten": (
        event("DocumentsFunction", "Path", "/api/v1/documents/{id}"),
        names.test_names_every_route_has_a_path_of_the_api,
    ),
    "wildcard action": (grant("SearchFunction", "s3:*", arn("WorkBucket")), iam.test_rights_no_wildcard_is_granted),
    "wildcard resource": (
        grant("SearchFunction", "sqs:SendMessage", "*"),
        iam.test_rights_no_wildcard_is_granted,
    ),
    "one right too many": (
        grant("ChatsFunction", "sqs:SendMessage", arn("SweepQueue")),
        iam.test_rights_are_exactly_those_each_function_needs,
    ),
    "managed policy of everything": (
        put("SearchFunction", "Policies", value=["AmazonS3FullAccess"]),
        iam.test_rights_managed_policies_are_the_named_few,
    ),
    "SAM event that reads every queue": (
        put("SweepFunction", "Events", "Queue", value={"Type": "SQS", "Properties": {"Queue": arn("SweepQueue")}}),
        iam.test_rights_managed_policies_are_the_named_few,
    ),
    "two functions with one role": (
        put("SearchFunction", "Role", value=arn("ChatsFunctionRole")),
        iam.test_rights_each_function_has_a_role_of_its_own,
    ),
    "parser with the database": (
        variable("IngestExtractFunction", "LAMBENT_DATABASE_SECRET_ARN", {"Ref": "DatabaseSecretArn"}),
        iam.test_rights_parser_has_no_secret_no_database_and_no_queue_to_send_to,
    ),
    "queue told of but not granted": (
        variable("ChatsFunction", "LAMBENT_QUEUE_SWEEP", {"Ref": "SweepQueue"}),
        iam.test_rights_to_send_agree_with_the_queues_a_function_is_told,
    ),
    "variable nobody reads": (
        variable("ChatsFunction", "LAMBENT_CHATTINESS", "1"),
        names.test_names_variables_are_known_to_the_settings,
    ),
    "password in a variable": (
        variable("ChatsFunction", "LAMBENT_DATABASE_URL", "postgresql://app:secret@host/db"),
        names.test_names_variables_hold_no_secret,
    ),
    "function without its folder": (
        lambda template: template["Resources"].update(SpareFunction=template["Resources"].pop("ReindexFunction")),
        names.test_names_functions_of_the_template_are_the_folders,
    ),
    "parser readers in every function": (
        put("SearchFunction", "Layers", value=[{"Ref": "ParseLayer"}]),
        names.test_names_layers_are_five_at_most_and_the_parser_has_its_own,
    ),
    "way out for the parser": (
        lambda template: template["Resources"].update(
            Leak={
                "Type": "AWS::EC2::Route",
                "Properties": {"RouteTableId": {"Ref": "ParserRoutes"}, "GatewayId": {"Ref": "Internet"}},
            }
        ),
        network.test_parser_reaches_s3_and_nothing_else,
    ),
    "endpoint to every bucket": (
        put("S3Endpoint", "PolicyDocument", "Statement", 0, "Resource", value=["*"]),
        network.test_parser_endpoint_leads_to_our_buckets_only,
    ),
    "schedule whose failures vanish": (
        put("SweepFunction", "Events", "Schedule", "Properties", "DeadLetterConfig", value={"Arn": arn("SweepQueue")}),
        network.test_schedules_are_two_with_retries_and_a_standard_dead_queue,
    ),
    "alarm forgotten": (
        lambda template: template["Resources"].pop("SweepErrorsAlarm"),
        network.test_alarms_watch_every_queue_and_every_function,
    ),
    "alarm nobody hears": (
        put("SweepErrorsAlarm", "AlarmActions", value=[]),
        network.test_alarms_tell_the_topic,
    ),
}


FAULTLESS = Stack("everything", DEPLOYMENTS["everything"])


@pytest.mark.parametrize("name", MUTANTS)
def test_mutants_are_caught(name: str) -> None:
    edit, check = MUTANTS[name]
    with pytest.raises((AssertionError, KeyError, ValueError)):
        check(Stack(name, DEPLOYMENTS["everything"], edit))


@pytest.mark.parametrize("name", MUTANTS)
def test_mutants_check_passes_without_the_fault(name: str) -> None:
    _, check = MUTANTS[name]
    check(FAULTLESS)
