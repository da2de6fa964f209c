"""The template as CloudFormation would see it: transformed by SAM, and resolved for one set of parameters.

Assertions on the raw file prove little: what SAM adds is where the width hides. So the file goes through the
translator that AWS uses; then conditions, parameters and intrinsic functions are worked out, so that a test reads plain
values. A reference to another resource becomes text such as "${UploadsBucket.Arn}/*".
"""

import json
import re
from collections.abc import Callable, Mapping
from functools import cache, cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).parents[2]
REGION, ACCOUNT = "eu-central-1", "123456789012"
PSEUDO = {
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackName": "lambent",
}
NO_VALUE = {"Ref": "AWS::NoValue"}

type Json = dict[str, Any]
type Edit = Callable[[Json], None]

URL = {
    "DatabaseSecretArn": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:database",
    "DatabaseOwnerSecretArn": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:owner",
}
AURORA = {"DatabaseMode": "aurora"}
REMOTE = {
    "AlarmTopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms",
    "CorsOrigins": "https://one.example,https://two.example",
    "VectorStore": "pinecone",
    "PineconeHost": "https://index.example",
    "PineconeSecretArn": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:pinecone",
    "Embedder": "openai_api",
    "Llm": "litellm",
    "ModelSecretArn": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:model",
    "ParserConcurrency": "5",
    "ReceiptSignerArn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/receipts",
    "Webhooks": "on",
    "MailSender": "lambent@example.com",
    "MailDomain": "example.com",
    "OidcProviders": '[{"name": "one", "issuer": "https://id.example", "client_id": "x", "redirect_uris": ["https://a.example/"]}]',
    "OidcSecretArn": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:openid",
}
DEPLOYMENTS: Mapping[str, Mapping[str, str]] = {
    "url": URL,
    "aurora": AURORA,
    "aurora_remote": {**AURORA, **REMOTE, "DataEgress": "nat"},
    "everything": {**URL, **REMOTE, "Embedder": "local"},
    "local": {"Stage": "local"},
}


@cache
def _parsed() -> str:
    return json.dumps(yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8")))


def raw() -> Json:
    """The template before the transform, with its YAML tags as intrinsic functions. A value of one's own to change.

    Through JSON, because aliases of YAML share one object: a change in one place would be a change in all.
    """
    template: Json = json.loads(_parsed())
    return template


@cache
def transformed() -> Json:
    """The template after the transform."""
    return transform(raw())


def transform(template: Json) -> Json:
    """Apply the SAM transform, to the given object itself; code is named as in a packaged template, in a bucket."""
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://artifacts/" + resource["Properties"]["CodeUri"]
        if resource["Type"] == "AWS::Serverless::LayerVersion":
            resource["Properties"]["ContentUri"] = "s3://artifacts/" + resource["Properties"]["ContentUri"]
    # Of a session the translator asks the region only.
    session = SimpleNamespace(region_name=REGION)
    translated: Json = Translator({}, Parser(), boto_session=session).translate(template, parameter_values={})
    return translated


class Stack:
    """The template deployed with some parameters: conditions decided, functions of CloudFormation worked out."""

    def __init__(self, name: str, parameters: Mapping[str, str], edit: Edit | None = None) -> None:
        """Args:
        name: shown in test ids.
        parameters: those given; the others have their defaults.
        edit: changes the raw template first, to plant a fault.
        """
        self.name = name
        self._given = parameters
        self._edit = edit

    def __str__(self) -> str:
        return self.name

    @cached_property
    def template(self) -> Json:
        """Transformed, not resolved."""
        if self._edit is None:
            return transformed()
        changed = raw()
        self._edit(changed)
        return transform(changed)

    @cached_property
    def parameters(self) -> dict[str, str]:
        """Every parameter with its value."""
        declared = self.template["Parameters"]
        unknown = self._given.keys() - declared.keys()
        assert not unknown, f"no such parameters: {unknown}"
        return {name: str(self._given.get(name, one.get("Default", ""))) for name, one in declared.items()}

    @cached_property
    def resources(self) -> Json:
        """Logical id to resource, of those whose condition holds."""
        kept = {
            name: resource
            for name, resource in self.template["Resources"].items()
            if "Condition" not in resource or self.condition(resource["Condition"])
        }
        return {name: self.resolve(resource) for name, resource in kept.items()}

    def of_type(self, kind: str) -> Json:
        """Logical id to properties, of one type of resource."""
        return {name: one.get("Properties", {}) for name, one in self.resources.items() if one["Type"] == kind}

    @property
    def functions(self) -> Json:
        """Logical id to properties of every Lambda function."""
        return self.of_type("AWS::Lambda::Function")

    def role_of(self, function: str) -> Json:
        """Properties of the role of a function."""
        role: Json = self.resources[_named(self.functions[function]["Role"])]["Properties"]
        return role

    def statements(self, function: str, effect: str = "Allow") -> list[Json]:
        """Statements of the policies written for a function."""
        policies = [policy["PolicyDocument"] for policy in self.role_of(function).get("Policies", [])]
        return [one for policy in policies for one in policy["Statement"] if one["Effect"] == effect]

    def condition(self, name: str) -> bool:
        """Whether a condition of the template holds."""
        return bool(self._test(self.template["Conditions"][name]))

    def _test(self, expression: Any) -> bool:
        (kind, value), *_ = expression.items()
        match kind:
            case "Condition":
                return self.condition(value)
            case "Fn::Equals":
                left, right = (self.resolve(one) for one in value)
                return str(left) == str(right)
            case "Fn::Not":
                return not self._test(value[0])
            case "Fn::And":
                return all(self._test(one) for one in value)
            case "Fn::Or":
                return any(self._test(one) for one in value)
        raise AssertionError(f"a condition with {kind}")

    def resolve(self, value: Any) -> Any:
        """A value with everything worked out that can be before the deployment."""
        if isinstance(value, list):
            return [self.resolve(one) for one in value if not self._absent(one)]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            (kind, given), *_ = value.items()
            if kind == "Ref" or kind.startswith("Fn::"):
                return self._function(kind, given)
        return {name: self.resolve(one) for name, one in value.items() if not self._absent(one)}

    def _absent(self, value: Any) -> bool:
        if isinstance(value, dict) and set(value) == {"Fn::If"}:
            name, yes, no = value["Fn::If"]
            return self._absent(yes if self.condition(name) else no)
        return bool(value == NO_VALUE)

    def _function(self, kind: str, given: Any) -> Any:
        match kind:
            case "Ref":
                return self._reference(given)
            case "Fn::If":
                return self.resolve(given[1] if self.condition(given[0]) else given[2])
            case "Fn::GetAtt":
                return "${" + ".".join(given) + "}"
            case "Fn::Sub":
                return self._substituted(given)
            case "Fn::Join":
                return given[0].join(str(one) for one in self.resolve(given[1]))
            case "Fn::Split":
                return str(self.resolve(given[1])).split(given[0])
        return {kind: self.resolve(given)}

    def _reference(self, name: str) -> Any:
        if name in PSEUDO:
            return PSEUDO[name]
        return self.parameters.get(name, "${" + name + "}")

    def _substituted(self, given: Any) -> str:
        text, names = (given, {}) if isinstance(given, str) else given

        def one(found: re.Match[str]) -> str:
            name = found[1]
            return str(self.resolve(names[name])) if name in names else str(self._reference(name))

        return re.sub(r"\$\{([^!}]+)\}", one, text)


def _named(token: str) -> str:
    """The logical id in "${Name}" or "${Name.Attribute}"."""
    return token.removeprefix("${").partition(".")[0].removesuffix("}")


def named(token: Any) -> str:
    """The logical id that a value refers to; '' when it refers to no resource."""
    return _named(token) if isinstance(token, str) and token.startswith("${") else ""


def as_list(value: Any) -> list[Any]:
    """What CloudFormation lets be written as one thing or as a list of them."""
    return value if isinstance(value, list) else [value]


def stacks(*names: str) -> list[Stack]:
    """The named deployments, or all of them; nothing is transformed before a test asks."""
    return [Stack(name, DEPLOYMENTS[name]) for name in names or DEPLOYMENTS]


def function_folders() -> list[str]:
    """Names of the folders under functions/ that hold a function."""
    return sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py"))


def logical_id(folder: str) -> str:
    """ingest_chunk → IngestChunkFunction."""
    return "".join(word.title() for word in folder.split("_")) + "Function"
