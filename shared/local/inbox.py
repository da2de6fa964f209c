"""The local inbox: what functions sent through SES, as MiniStack keeps it until it ends."""

import http.client
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from shared.local.errors import NotRunning, StepFailed

_PATH = "/_ministack/ses/messages"


@dataclass(frozen=True, slots=True)
class Message:
    """A message that was sent.

    Attributes:
        number: 1 for the first since the local cloud was started.
        at: when, ISO 8601.
    """

    number: int
    at: str
    sender: str
    to: tuple[str, ...]
    subject: str
    text: str


def messages(aws_url: str) -> tuple[Message, ...]:
    """Every message, oldest first.

    Args:
        aws_url: where MiniStack listens.

    Raises:
        NotRunning: nothing answers there.
        StepFailed: what answers has no inbox.
    """
    connection = http.client.HTTPConnection(urlsplit(aws_url).netloc, timeout=10)
    try:
        connection.request("GET", _PATH)
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise NotRunning("the local SES does not answer", "lambent status") from error
    finally:
        connection.close()
    if answer.status != 200:
        raise StepFailed(f"the local SES answers with status {answer.status} when asked for its messages")
    accounts = json.loads(body)["messages"].values()
    sent = sorted((one for kept in accounts for one in kept), key=lambda one: float(one["Timestamp"]))
    return tuple(
        Message(
            number,
            datetime.fromtimestamp(one["Timestamp"], UTC).isoformat(),
            one["Source"],
            tuple(one["To"]),
            one["Subject"],
            one["BodyText"] or "",
        )
        for number, one in enumerate(sent, 1)
    )
