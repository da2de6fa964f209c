"""Networks, schedules and alarms: where the parser may go, what runs by the clock, who is told when something fails."""

import json
import re

import pytest

from tests.house.template import ROOT, Stack, named, stacks
from tests.house.test_template_queues import dead_queues

each = pytest.mark.parametrize("stack", stacks(), ids=str)
isolated = pytest.mark.parametrize("stack", stacks("url", "aurora", "aurora_remote", "everything"), ids=str)
aurora = pytest.mark.parametrize("stack", stacks("aurora", "aurora_remote"), ids=str)


def routes_of(stack: Stack, subnets: list[str]) -> list[str]:
    """Where the route tables of subnets lead: gateways and endpoints by logical id."""
    tables = {
        named(one["RouteTableId"])
        for one in stack.of_type("AWS::EC2::SubnetRouteTableAssociation").values()
        if named(one["SubnetId"]) in subnets
    }
    routes = [
        named(one.get("NatGatewayId") or one.get("GatewayId"))
        for one in stack.of_type("AWS::EC2::Route").values()
        if named(one["RouteTableId"]) in tables
    ]
    endpoints = [
        name
        for name, one in stack.of_type("AWS::EC2::VPCEndpoint").items()
        if tables & {named(table) for table in one.get("RouteTableIds", [])}
    ]
    return sorted(routes + endpoints)


@isolated
def test_parser_reaches_s3_and_nothing_else(stack: Stack) -> None:
    network = stack.functions["IngestExtractFunction"]["VpcConfig"]
    assert routes_of(stack, [named(one) for one in network["SubnetIds"]]) == ["S3Endpoint"]
    (group,) = network["SecurityGroupIds"]
    properties = stack.of_type("AWS::EC2::SecurityGroup")[named(group)]
    assert "SecurityGroupIngress" not in properties
    assert [(one["FromPort"], one["ToPort"]) for one in properties["SecurityGroupEgress"]] == [(443, 443)]


@isolated
def test_parser_endpoint_leads_to_our_buckets_only(stack: Stack) -> None:
    endpoint = stack.of_type("AWS::EC2::VPCEndpoint")["S3Endpoint"]
    assert endpoint["VpcEndpointType"] == "Gateway"
    (statement,) = endpoint["PolicyDocument"]["Statement"]
    assert {named(one) for one in statement["Resource"]} == {"UploadsBucket", "WorkBucket"}


@aurora
def test_parser_cannot_reach_database_or_interface_endpoints(stack: Stack) -> None:
    (group,) = stack.functions["IngestExtractFunction"]["VpcConfig"]["SecurityGroupIds"]
    for properties in stack.of_type("AWS::EC2::SecurityGroup").values():
        for rule in properties.get("SecurityGroupIngress", []):
            assert named(rule["SourceSecurityGroupId"]) == "DataGroup" != named(group)


@each
def test_functions_are_in_the_network_only_where_it_is_made(stack: Stack) -> None:
    for name, function in stack.functions.items():
        if name == "IngestExtractFunction":
            assert ("VpcConfig" in function) == (stack.name != "local")
        else:
            assert ("VpcConfig" in function) == stack.condition("Aurora"), name


@aurora
def test_functions_with_aurora_reach_what_they_need(stack: Stack) -> None:
    subnets = [named(one) for one in stack.functions["SearchFunction"]["VpcConfig"]["SubnetIds"]]
    nat = stack.name == "aurora_remote"
    assert routes_of(stack, subnets) == (["NatGateway", "S3Endpoint"] if nat else ["S3Endpoint"])
    interfaces = {
        one["ServiceName"].rpartition(".")[2]
        for one in stack.of_type("AWS::EC2::VPCEndpoint").values()
        if one["VpcEndpointType"] == "Interface"
    }
    assert interfaces == (set() if nat else {"sqs", "secretsmanager"})


@pytest.mark.parametrize("stack", stacks("local"), ids=str)
def test_local_has_no_network_and_no_alarms(stack: Stack) -> None:
    kinds = {one["Type"] for one in stack.resources.values()}
    assert not {kind for kind in kinds if kind.startswith(("AWS::EC2", "AWS::RDS"))}
    assert not {"AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard"} & kinds


@each
def test_schedules_are_two_with_retries_and_a_standard_dead_queue(stack: Stack) -> None:
    schedules = stack.of_type("AWS::Scheduler::Schedule").values()
    found = {named(one["Target"]["Arn"]): one["ScheduleExpression"] for one in schedules}
    assert found == {"SweepFunction": "rate(1 minute)", "ReindexFunction": "rate(1 minute)"}
    for one in schedules:
        assert named(one["Target"]["DeadLetterConfig"]["Arn"]) == "ScheduleDeadQueue"
        assert one["Target"]["RetryPolicy"]["MaximumRetryAttempts"] >= 1
        assert "Name" not in one  # two stacks in one account would collide
    assert "FifoQueue" not in stack.of_type("AWS::SQS::Queue")["ScheduleDeadQueue"]


@pytest.mark.parametrize("stack", stacks("everything"), ids=str)
def test_parser_has_concurrency_of_its_own_when_asked_for(stack: Stack) -> None:
    assert stack.functions["IngestExtractFunction"]["ReservedConcurrentExecutions"] == "5"


@pytest.mark.parametrize("stack", stacks("url"), ids=str)
def test_parser_reserves_nothing_by_default(stack: Stack) -> None:
    assert "ReservedConcurrentExecutions" not in stack.functions["IngestExtractFunction"]


@pytest.mark.parametrize("stack", stacks("url", "aurora", "local"), ids=str)
def test_alarms_are_not_made_for_nobody(stack: Stack) -> None:
    assert not stack.of_type("AWS::CloudWatch::Alarm")


def watched(stack: Stack, metric: str) -> set[str]:
    """Logical ids whose metric has an alarm."""
    return {
        named(dimension["Value"])
        for one in stack.of_type("AWS::CloudWatch::Alarm").values()
        if one["MetricName"] == metric
        for dimension in one.get("Dimensions", [])
    }


@pytest.mark.parametrize("stack", stacks("everything"), ids=str)
def test_alarms_watch_every_queue_and_every_function(stack: Stack) -> None:
    dead = set(dead_queues(stack).values()) | {"ScheduleDeadQueue"}
    assert watched(stack, "ApproximateNumberOfMessagesVisible") == dead
    assert watched(stack, "ApproximateAgeOfOldestMessage") == set(dead_queues(stack))
    assert watched(stack, "Errors") == set(stack.functions)
    assert watched(stack, "Invocations") == {"IngestRejectFunction"}
    metrics = {one["MetricName"] for one in stack.of_type("AWS::CloudWatch::Alarm").values()}
    assert {"Throttles", "5XXError", "lambent_out_of_memory"} <= metrics


@pytest.mark.parametrize("stack", stacks("everything"), ids=str)
def test_alarms_on_duration_come_before_the_timeout(stack: Stack) -> None:
    for name, one in stack.of_type("AWS::CloudWatch::Alarm").items():
        if one["MetricName"] == "Duration":
            (dimension,) = one["Dimensions"]
            timeout = stack.functions[named(dimension["Value"])]["Timeout"] * 1000
            assert 0.7 * timeout <= one["Threshold"] <= 0.9 * timeout, name
    stages = {f"Ingest{step}Function" for step in ("Receive", "Collect", "Extract", "Chunk", "Embed")}
    assert stages < watched(stack, "Duration")


@pytest.mark.parametrize("stack", stacks("everything"), ids=str)
def test_alarms_tell_the_topic(stack: Stack) -> None:
    for name, one in stack.of_type("AWS::CloudWatch::Alarm").items():
        assert one["AlarmActions"] == [stack.parameters["AlarmTopicArn"]], name
        assert one["TreatMissingData"] == "notBreaching", name


@pytest.mark.parametrize("stack", stacks("url"), ids=str)
def test_dashboard_shows_metrics_that_the_code_writes(stack: Stack) -> None:
    (dashboard,) = stack.of_type("AWS::CloudWatch::Dashboard").values()
    widgets = json.loads(dashboard["DashboardBody"])["widgets"]
    searched = re.findall(r'Namespace="Lambent" MetricName="(\w+)"', dashboard["DashboardBody"].replace('\\"', '"'))
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "shared").rglob("*.py"))
    assert len(widgets) >= 6
    assert {"documents_indexed", "documents_failed", "stage_age_ms", "stage_ms", "search_ms"} <= set(searched)
    for metric in searched:
        assert f'"{metric}"' in source, metric
