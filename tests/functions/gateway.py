"""Events as the platform writes them: requests through API Gateway, records from SQS; and those kept in events/."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

EXAMPLES = Path(__file__).parents[2] / "events"
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Answer:
    """What an HTTP function answered."""

    status: int
    headers: Mapping[str, str]
    body: str

    @property
    def json(self) -> Any:
        """The body, which must be JSON."""
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of a problem."""
        assert self.headers["content-type"] == "application/problem+json", self.body
        return str(self.json["code"])

    @classmethod
    def of(cls, returned: Mapping[str, Any]) -> "Answer":
        """Read a proxy response."""
        assert returned["isBase64Encoded"] is False
        return cls(returned["statusCode"], returned["headers"], returned["body"])


def request(
    method: str,
    path: str,
    body: Any = None,
    *,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """A REST proxy event; a body that is no text is written as JSON."""
    sent = {"Host": "api.example.com", "X-Forwarded-Proto": "https", **(headers or {})}
    if body is not None:
        sent.setdefault("Content-Type", "application/json")
    return {
        "resource": "/{proxy+}",
        "path": urlsplit(path).path,
        "httpMethod": method,
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "queryStringParameters": dict(query) if query else None,
        "multiValueQueryStringParameters": {name: [value] for name, value in query.items()} if query else None,
        "requestContext": {"stage": "live", "identity": {"sourceIp": "198.51.100.23"}},
        "body": body if body is None or isinstance(body, str) else json.dumps(body),
        "isBase64Encoded": False,
    }


def records(bodies: Sequence[str], queue: str, *, receives: int = 1) -> dict[str, Any]:
    """An SQS event with one record a body."""
    return {
        "Records": [
            {
                "messageId": f"message-{next(_numbers)}",
                "body": body,
                "attributes": {"ApproximateReceiveCount": str(receives)},
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:eu-central-1:123456789012:{queue}",
            }
            for body in bodies
        ]
    }


def example(function: str, case: str) -> dict[str, Any]:
    """events/<function>/<case>.json"""
    read: dict[str, Any] = json.loads((EXAMPLES / function / f"{case}.json").read_text())
    return read


def cases(function: str) -> list[str]:
    """Names of the examples of a function."""
    return sorted(path.stem for path in (EXAMPLES / function).glob("*.json"))
