"""Deploying the transformed template to MiniStack as a CloudFormation stack, and reading back what it made of it."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import boto3
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import ClientError

from shared.local.errors import StepFailed
from shared.local.sandbox import REGION
from shared.local.template import Json

STACK = "lambent-local"
_TEMPLATES = "lambent-local-templates"
_DEPLOY_SECONDS = 120.0
_CONFIG = Config(
    retries={"max_attempts": 2}, connect_timeout=5, read_timeout=60, parameter_validation=False, proxies={}
)
_DONE = {"CREATE_COMPLETE", "UPDATE_COMPLETE"}


@dataclass(frozen=True, slots=True)
class Deployed:
    """What the stack consists of.

    Attributes:
        resources: physical id by logical id.
        types: CloudFormation type by logical id.
        environments: the variables of every function, by logical id, with all references resolved.
        memory_mb: MemorySize of every function, by logical id.
    """

    resources: Mapping[str, str]
    types: Mapping[str, str]
    environments: Mapping[str, Mapping[str, str]]
    memory_mb: Mapping[str, int]


class Stack:
    """The stack of the local cloud in one MiniStack. Blocking calls: use from a thread."""

    def __init__(self, url: str) -> None:
        # MiniStack asks for credentials of the right shape and believes any.
        session = boto3.Session("local", "local", region_name=REGION)
        self._formation: BaseClient = session.client("cloudformation", endpoint_url=url, config=_CONFIG)
        self._url = url
        self._objects: BaseClient = session.client("s3", endpoint_url=url, config=_CONFIG)
        self._functions: BaseClient = session.client("lambda", endpoint_url=url, config=_CONFIG)

    def status(self) -> str:
        """CloudFormation's word for the stack; empty when there is none."""
        try:
            stacks = self._formation.describe_stacks(StackName=STACK)["Stacks"]
        except ClientError:
            return ""
        return str(stacks[0]["StackStatus"]) if stacks else ""

    def apply(self, template: Json, parameters: Mapping[str, str]) -> str:
        """Makes the stack, or changes it to fit the template; returns what was done.

        Raises:
            StepFailed: CloudFormation reports a failure; its reasons are in the text.
        """
        arguments: Json = {
            "StackName": STACK,
            "TemplateURL": self._upload(template),
            "Parameters": [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
            "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        }
        status = self.status()
        if status and status not in _DONE and not status.endswith("_ROLLBACK_COMPLETE"):
            self._formation.delete_stack(StackName=STACK)
            self._wait(lambda now: now in ("", "DELETE_COMPLETE"))
            status = ""
        try:
            if status in ("", "DELETE_COMPLETE"):
                self._formation.create_stack(**arguments)
            else:
                self._formation.update_stack(**arguments)
        except ClientError as error:
            if "No updates are to be performed" in str(error):
                return "unchanged"
            raise StepFailed(f"CloudFormation refuses the template: {error}") from error
        final = self._wait(lambda now: not now.endswith("_IN_PROGRESS"))
        if final not in _DONE:
            raise StepFailed(f"the stack ended as {final}: {self._reasons()}")
        return f"{'created' if status in ('', 'DELETE_COMPLETE') else 'updated'} {len(template['Resources'])} resources"

    def read(self) -> Deployed:
        """What is deployed now."""
        resources: dict[str, str] = {}
        types: dict[str, str] = {}
        for page in self._formation.get_paginator("list_stack_resources").paginate(StackName=STACK):
            for item in page["StackResourceSummaries"]:
                resources[item["LogicalResourceId"]] = item.get("PhysicalResourceId", "")
                types[item["LogicalResourceId"]] = item["ResourceType"]
        by_name = {resources[name]: name for name, kind in types.items() if kind == "AWS::Lambda::Function"}
        environments: dict[str, Mapping[str, str]] = {}
        memory: dict[str, int] = {}
        for page in self._functions.get_paginator("list_functions").paginate():
            for item in page["Functions"]:
                name = by_name.get(item["FunctionName"])
                if name is not None:
                    variables = item.get("Environment", {}).get("Variables", {})
                    environments[name] = {key: str(value) for key, value in variables.items()}
                    memory[name] = int(item["MemorySize"])
        return Deployed(resources, types, environments, memory)

    def _upload(self, template: Json) -> str:
        """Puts the template where CloudFormation reads it: a request may carry 51,200 bytes of it, S3 a megabyte."""
        self._objects.create_bucket(Bucket=_TEMPLATES)
        self._objects.put_object(Bucket=_TEMPLATES, Key="template.json", Body=json.dumps(template).encode())
        return f"{self._url}/{_TEMPLATES}/template.json"

    def _wait(self, reached: Callable[[str], bool]) -> str:
        deadline = time.monotonic() + _DEPLOY_SECONDS
        while time.monotonic() < deadline:
            now = self.status()
            if reached(now):
                return now
            time.sleep(0.05)
        raise StepFailed(f"the stack did not settle within {_DEPLOY_SECONDS:.0f} s; it is {self.status()}")

    def _reasons(self) -> str:
        events = self._formation.describe_stack_events(StackName=STACK)["StackEvents"]
        failed = [event for event in events if "FAILED" in event.get("ResourceStatus", "")]
        return "; ".join(
            f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}" for event in failed[:5]
        )
