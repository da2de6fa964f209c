"""An HTTP request as API Gateway's REST APIs hand it to a function (proxy integration, payload 1.0).

Only the streaming door needs it: MiniStack makes these events for all others, but cannot stream.
"""

import base64
import time
import uuid
from collections.abc import Sequence
from urllib.parse import parse_qsl, unquote

from shared.local.sandbox import ACCOUNT

type Pairs = Sequence[tuple[str, str]]


def match(pattern: str, path: str) -> dict[str, str] | None:
    """The path parameters if `path` fits a resource pattern such as `/api/v1/streams/{proxy+}`; None if it does not."""
    wanted, given = pattern.strip("/").split("/"), path.strip("/").split("/")
    parameters: dict[str, str] = {}
    for position, part in enumerate(wanted):
        if position >= len(given):
            return None
        if part.endswith("+}"):
            parameters[part[1:-2]] = unquote("/".join(given[position:]))
            return parameters if given[position] else None
        if part.startswith("{"):
            parameters[part[1:-1]] = unquote(given[position])
        elif part != given[position]:
            return None
    return parameters if len(wanted) == len(given) else None


def proxy_event(
    method: str, pattern: str, path: str, query: str, headers: Pairs, body: bytes, client: str
) -> dict[str, object]:
    """The event of one request.

    Args:
        method: in capitals.
        pattern: the resource that `path` fits.
        path: as the client sent it, still percent-encoded.
        query: without the question mark.
        headers: in the client's order, a name may come more than once.
        body: as it came.
        client: address of the client.
    """
    parameters = match(pattern, path)
    queries = parse_qsl(query, keep_blank_values=True)
    request_id = str(uuid.uuid4())
    now = time.time()
    text, encoded = _body(body)
    return {
        "resource": pattern,
        "path": unquote(path),
        "httpMethod": method,
        "headers": dict(headers) or None,
        "multiValueHeaders": _grouped(headers),
        "queryStringParameters": dict(queries) or None,
        "multiValueQueryStringParameters": _grouped(queries),
        "pathParameters": parameters or None,
        "stageVariables": None,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": "local",
            "stage": "live",
            "protocol": "HTTP/1.1",
            "httpMethod": method,
            "resourcePath": pattern,
            "path": f"/live{unquote(path)}",
            "requestId": request_id,
            "extendedRequestId": request_id,
            "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
            "requestTimeEpoch": int(now * 1000),
            "identity": {"sourceIp": client, "userAgent": dict(headers).get("user-agent", "")},
        },
        "body": text,
        "isBase64Encoded": encoded,
    }


def _grouped(pairs: Pairs) -> dict[str, list[str]] | None:
    grouped: dict[str, list[str]] = {}
    for name, value in pairs:
        grouped.setdefault(name, []).append(value)
    return grouped or None


def _body(body: bytes) -> tuple[str | None, bool]:
    if not body:
        return None, False
    try:
        return body.decode(), False
    except UnicodeDecodeError:
        return base64.b64encode(body).decode(), True
