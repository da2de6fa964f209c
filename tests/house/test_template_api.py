"""The front door: which paths lead where, how long they may take, what streams and what is logged."""

import re

import pytest

from shared.runtime.routes import ROUTES, area_of
from tests.house.template import Json, Stack, named, raw, stacks

each = pytest.mark.parametrize("stack", stacks(), ids=str)
ANY = "x-amazon-apigateway-any-method"
INTEGRATION = "x-amazon-apigateway-integration"
AREAS = (
    "health",
    "auth",
    "users",
    "orgs",
    "projects",
    "receipts",
    "collections",
    "reindexes",
    "documents",
    "search",
    "chats",
    "ingestions",
    "webhooks",
)


def api_of(stack: Stack) -> Json:
    """The only REST API."""
    ((_, api),) = stack.of_type("AWS::ApiGateway::RestApi").items()
    return dict(api)


def stage_of(stack: Stack) -> Json:
    """Its only stage."""
    ((_, stage),) = stack.of_type("AWS::ApiGateway::Stage").items()
    return dict(stage)


def integration(stack: Stack, path: str) -> Json:
    """What a path leads to."""
    return dict(api_of(stack)["Body"]["paths"][path][ANY][INTEGRATION])


@each
def test_paths_every_area_has_itself_and_all_below_it(stack: Stack) -> None:
    expected = {f"/api/v1/{area}{rest}" for area in (*AREAS, "docs") for rest in ("", "/{proxy+}")}
    expected |= {"/api/v1/streams/{proxy+}", "/api/v1/openapi.json"}
    assert set(api_of(stack)["Body"]["paths"]) == expected


@each
def test_paths_reach_every_route(stack: Stack) -> None:
    paths = [path.replace("{proxy+}", ".+") for path in api_of(stack)["Body"]["paths"]]
    for _, route in ROUTES:
        assert any(re.fullmatch(path, route) for path in paths), route


@each
def test_paths_take_every_method_and_lead_to_the_area_of_that_name(stack: Stack) -> None:
    for path, methods in api_of(stack)["Body"]["paths"].items():
        assert set(methods) == {ANY}, path
        area = area_of(path)
        assert f"{area.title()}Function.Arn" in str(methods[ANY][INTEGRATION]["uri"]), path
        assert methods[ANY][INTEGRATION]["type"] == "aws_proxy", path


@each
def test_streams_really_streams(stack: Stack) -> None:
    """The word STREAM in the event passes every linter and gives a buffered integration."""
    found = integration(stack, "/api/v1/streams/{proxy+}")
    assert found["responseTransferMode"] == "STREAM"
    assert found["uri"].endswith("/response-streaming-invocations")
    assert "/2021-11-15/functions/" in found["uri"]


@each
def test_streams_may_take_as_long_as_its_function(stack: Stack) -> None:
    found = integration(stack, "/api/v1/streams/{proxy+}")
    assert found["timeoutInMillis"] == stack.functions["StreamsFunction"]["Timeout"] * 1000 <= 900_000


@each
def test_streams_starts_our_own_runtime_client(stack: Stack) -> None:
    wrapped = {
        name: function["Environment"]["Variables"]["AWS_LAMBDA_EXEC_WRAPPER"]
        for name, function in stack.functions.items()
        if "AWS_LAMBDA_EXEC_WRAPPER" in function["Environment"]["Variables"]
    }
    assert wrapped == {"StreamsFunction": "/opt/lambent-stream"}


@each
def test_doors_answer_within_the_patience_of_the_api(stack: Stack) -> None:
    for area in AREAS:
        assert stack.functions[f"{area.title()}Function"]["Timeout"] <= 29, area
        assert "responseTransferMode" not in integration(stack, f"/api/v1/{area}"), area


@each
def test_api_is_regional_and_speaks_new_tls_only(stack: Stack) -> None:
    api = api_of(stack)
    assert api["EndpointConfiguration"]["Types"] == ["REGIONAL"]
    assert re.match(r"SecurityPolicy_TLS13_1_[23]", api["SecurityPolicy"])
    assert api["EndpointAccessMode"] == "STRICT"


@each
def test_api_has_one_stage_and_it_is_throttled(stack: Stack) -> None:
    stage = stage_of(stack)
    assert stage["StageName"] == "live"
    # A deployment that names a stage makes one of its own, without throttle and log.
    assert not any("StageName" in one for one in stack.of_type("AWS::ApiGateway::Deployment").values())
    (every,) = [one for one in stage["MethodSettings"] if (one["HttpMethod"], one["ResourcePath"]) == ("*", "/*")]
    assert 0 < int(every["ThrottlingRateLimit"]) <= int(every["ThrottlingBurstLimit"])
    assert "DataTraceEnabled" not in every  # would write bodies and credentials into the log


@pytest.mark.parametrize("stack", stacks("url", "aurora", "everything"), ids=str)
def test_api_logs_every_request_without_its_credentials(stack: Stack) -> None:
    setting = stage_of(stack)["AccessLogSetting"]
    assert named(setting["DestinationArn"]) == "AccessLogGroup"
    assert "$context.requestId" in setting["Format"]
    assert "authorizer" not in setting["Format"].lower()
    assert "header" not in setting["Format"].lower()
    assert named(stage_of(stack)["Variables"]["access_logs"]) == "ApiLogsAccount"


@pytest.mark.parametrize("stack", stacks("local"), ids=str)
def test_api_on_one_machine_needs_no_account_settings(stack: Stack) -> None:
    assert "AccessLogSetting" not in stage_of(stack)
    assert not stack.of_type("AWS::ApiGateway::Account")


@each
def test_api_leaves_cors_to_the_doors(stack: Stack) -> None:
    """API Gateway could answer for one origin only, and a wildcard would be the way out of that."""
    assert "OPTIONS" not in str(api_of(stack)["Body"]).upper().replace(ANY.upper(), "")
    assert "Access-Control-Allow-Origin" not in str(api_of(stack))


@pytest.mark.parametrize(
    ("origins", "accepted"),
    [
        ("", True),
        ("https://app.example", True),
        ("https://one.example,http://localhost:3000", True),
        ("*", False),
        ("https://*.example", False),
        ("https://one.example/path", False),
        ("https://one.example, https://two.example", False),
        ("one.example", False),
        ("null", False),
    ],
)
def test_cors_origins_parameter_accepts_exact_origins_only(origins: str, *, accepted: bool) -> None:
    pattern = raw()["Parameters"]["CorsOrigins"]["AllowedPattern"]
    assert bool(re.fullmatch(pattern, origins)) is accepted


@each
def test_invocation_is_allowed_to_api_and_schedules_of_this_stack_only(stack: Stack) -> None:
    for name, permission in stack.of_type("AWS::Lambda::Permission").items():
        assert permission["Principal"] == "apigateway.amazonaws.com", name
        assert "${Api}" in permission["SourceArn"], name
        assert "/live/" in permission["SourceArn"] or "/*/" in permission["SourceArn"], name
    assert not stack.of_type("AWS::Lambda::Url")
