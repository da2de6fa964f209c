"""From template.yaml to what the local cloud deploys: the same resources, without the few that make sense only on AWS.

The template stays the only description of the system. Four things are changed on the way, and nothing else:
functions get a stub for their code and the address of the function host instead (MiniStack passes every invocation on
to it); layers become a variable, so that CloudFormation itself works out which ones a function has; timeouts are
longer, because the host keeps the real ones; `ANY` methods, which MiniStack does not know, become one method each.
"""

import copy
import hashlib
import json
import logging
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from shared.local.errors import TemplateInvalid
from shared.local.functions import DEFAULT_CONCURRENCY

type Json = dict[str, Any]

# What the host must know and only CloudFormation can work out, carried as variables and taken away again before a
# function starts.
LAYERS_VARIABLE = "LOCAL_HOST_LAYERS"
RESERVED_VARIABLE = "LOCAL_HOST_RESERVED"
HANDLER_VARIABLE = "LOCAL_HOST_HANDLER"
TIMEOUT_VARIABLE = "LOCAL_HOST_TIMEOUT"
CODE_VARIABLE = "LOCAL_HOST_CODE"
PROXY_VARIABLE = "MINISTACK_LAMBDA_PROXY_URL"
STREAM_MODE = "RESPONSE_STREAM"

_METHODS = ("get", "post", "put", "patch", "delete", "head", "options")
_ANY = "x-amazon-apigateway-any-method"
# MiniStack gives an invocation up after the function's timeout. The host's queue and the start of a process come on
# top.
_QUEUE_AND_START_SECONDS = 40
_MAX_TIMEOUT = 900
# Nothing of ours reads these on a laptop, and MiniStack knows them only in part.
_LEFT_OUT = (
    "AWS::CloudWatch::",
    "AWS::ApiGateway::Account",
    "AWS::Serverless::LayerVersion",
    "AWS::Lambda::LayerVersion",
)


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short tags (`!Ref x`) as their long form (`{"Ref": x}`)."""


def _short_tag(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> object:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    elif isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    else:
        raise TemplateInvalid(f"!{suffix} stands before something that is no value")
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_tag)


def load(path: Path) -> Json:
    """The template as plain data.

    Raises:
        TemplateInvalid: there is no such file, or it is not a template.
    """
    try:
        loader = _Loader(path.read_text(encoding="utf-8"))
        content = loader.get_single_data()
    except FileNotFoundError:
        raise TemplateInvalid(f"there is no {path}") from None
    except yaml.YAMLError as error:
        raise TemplateInvalid(f"{path.name} does not parse: {error}") from error
    if not isinstance(content, dict) or not isinstance(content.get("Resources"), dict):
        raise TemplateInvalid(f"{path.name} has no Resources")
    return content


def fingerprint(template: Json, parameters: Mapping[str, str], host_url: str) -> str:
    """Changes whenever the deployment would: a hash of everything `localize` and `transform` look at."""
    content = json.dumps(
        [template, sorted(parameters.items()), host_url, Path(__file__).read_text(encoding="utf-8")], default=str
    )
    return hashlib.sha256(content.encode()).hexdigest()


def local_parameters() -> dict[str, str]:
    """Values for parameters that are about the machine; those a template does not have are not used."""
    copies = min(DEFAULT_CONCURRENCY, max(2, os.cpu_count() or 2))
    arm = platform.machine().lower() in ("arm64", "aarch64")
    return {
        "Stage": "local",
        "Architecture": "arm64" if arm else "x86_64",
        # So many keep every core at work, as measured; more would only stand in the queues, before other tenants'.
        "TenantDocuments": str(2 * copies),
        # All callers of one machine have one address, and mostly one key.
        "RateFactor": "100",
        # More copies of a stage than cores only wait for each other; two is the least a mapping takes.
        "StageConcurrency": str(copies),
        # The wall against floods from the network; loading documents in bulk on one's own machine is no flood.
        "ApiRateLimit": "10000",
        "ApiBurstLimit": "10000",
    }


def parameter_values(template: Json, wanted: Mapping[str, str]) -> dict[str, str]:
    """A value for every parameter of the template: ours where we have one, else its default.

    Raises:
        TemplateInvalid: a parameter has neither.
    """
    values: dict[str, str] = {}
    for name, declaration in (template.get("Parameters") or {}).items():
        value = wanted.get(name, declaration.get("Default"))
        if value is None:
            raise TemplateInvalid(f"parameter {name} has no default and no local value")
        values[name] = str(value)
    return values


def function_names(template: Json) -> tuple[str, ...]:
    """The logical ids of all functions, in the template's order."""
    return tuple(
        name for name, item in template["Resources"].items() if item.get("Type") == "AWS::Serverless::Function"
    )


def stream_routes(template: Json) -> dict[str, str]:
    """Route patterns that stream, such as `/api/v1/streams/{proxy+}`, with the function behind each."""
    routes: dict[str, str] = {}
    for name in function_names(template):
        for event in (template["Resources"][name]["Properties"].get("Events") or {}).values():
            properties = event.get("Properties", {})
            if event.get("Type") == "Api" and properties.get("ResponseTransferMode") == STREAM_MODE:
                routes[properties["Path"]] = name
    return routes


def localize(template: Json, host_url: str) -> Json:
    """The SAM template with stubs for code and the host's address in every function, without what is left out here."""
    # Through JSON and not by deepcopy: YAML anchors make several functions share one dict, and each gets an address
    # of its own.
    local: Json = json.loads(json.dumps(template, default=str))
    resources: Json = local["Resources"]
    layers = {name for name, item in resources.items() if str(item.get("Type")).endswith("::LayerVersion")}
    defaults = (local.get("Globals") or {}).get("Function") or {}
    shared_layers = _literal(defaults.pop("Layers", []), layers)
    timeout = defaults.get("Timeout", 3)
    defaults.pop("LoggingConfig", None)
    for name in function_names(local):
        function = resources[name]
        function.pop("Metadata", None)
        _localize_function(name, function["Properties"], shared_layers, layers, timeout, host_url)
    local["Resources"] = {
        name: item for name, item in resources.items() if not str(item.get("Type")).startswith(_LEFT_OUT)
    }
    local.pop("Outputs", None)
    return local


def _localize_function(
    name: str, properties: Json, shared: list[object], layers: set[str], timeout: int, host_url: str
) -> None:
    own_layers = _literal(properties.pop("Layers", []), layers)
    reserved = properties.pop("ReservedConcurrentExecutions", "")
    code = properties.pop("CodeUri", ".")
    properties.pop("LoggingConfig", None)
    seconds = int(properties.get("Timeout", timeout))
    properties["InlineCode"] = "# runs in the function host"
    properties["Timeout"] = min(_MAX_TIMEOUT, seconds + max(seconds, _QUEUE_AND_START_SECONDS))
    variables = properties.setdefault("Environment", {}).setdefault("Variables", {})
    variables[PROXY_VARIABLE] = f"{host_url}/invoke/{name}"
    variables[HANDLER_VARIABLE] = properties["Handler"]
    variables[TIMEOUT_VARIABLE] = str(seconds)
    variables[CODE_VARIABLE] = str(code)
    # Join leaves out what a condition turns into AWS::NoValue, which is how CloudFormation tells us the layers.
    variables[LAYERS_VARIABLE] = {"Fn::Join": [",", [*shared, *own_layers]]}
    variables[RESERVED_VARIABLE] = {"Fn::Join": ["", [reserved]]}


def _literal(value: Any, names: set[str]) -> Any:
    """Replaces references to the resources in `names` by the names themselves."""
    if isinstance(value, dict):
        if set(value) == {"Ref"} and value["Ref"] in names:
            return value["Ref"]
        return {key: _literal(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [_literal(item, names) for item in value]
    return value


def transform(template: Json, parameters: Mapping[str, str], region: str) -> Json:
    """Plain CloudFormation from a SAM template, with explicit methods instead of `ANY`.

    Raises:
        TemplateInvalid: the transform refuses the template; its reasons are in the text.
    """
    # Imported here: it takes half a second, and an unchanged template needs no transform.
    import boto3
    from samtranslator.parser.parser import Parser
    from samtranslator.public.exceptions import InvalidDocumentException
    from samtranslator.translator.translator import Translator

    logging.getLogger("samtranslator").setLevel(logging.ERROR)  # it warns about its own feature flags and metrics
    # The empty map stands in for a lookup of AWS managed policies over the network; the session only names the region.
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name=region))
    try:
        transformed: Json = translator.translate(copy.deepcopy(template), parameter_values=dict(parameters))
    except InvalidDocumentException as error:
        reasons = "; ".join(str(cause.message) for cause in error.causes)
        raise TemplateInvalid(f"the template does not transform: {reasons}") from error
    expand_any_methods(transformed)
    numbers = {
        name: float(parameters[name])
        for name, item in (template.get("Parameters") or {}).items()
        if item.get("Type") == "Number"
    }
    transformed["Resources"] = _with_numbers(transformed["Resources"], numbers)
    return transformed


def _with_numbers(value: Any, numbers: Mapping[str, float]) -> Any:
    """Puts numbers in place of references to numeric parameters, which MiniStack would pass on as text."""
    if isinstance(value, dict):
        if set(value) == {"Ref"} and value["Ref"] in numbers:
            number = numbers[value["Ref"]]
            return int(number) if number.is_integer() else number
        return {key: _with_numbers(item, numbers) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_numbers(item, numbers) for item in value]
    return value


def expand_any_methods(transformed: Json) -> None:
    """Writes each `ANY` of the REST APIs out as the seven methods, in place; methods that are there already win."""
    for resource in transformed["Resources"].values():
        if resource.get("Type") != "AWS::ApiGateway::RestApi":
            continue
        for item in resource["Properties"]["Body"].get("paths", {}).values():
            operation = item.pop(_ANY, None)
            if operation is not None:
                for method in _METHODS:
                    item.setdefault(method, copy.deepcopy(operation))
