"""The local cloud that is to survive."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import boto3
import httpx

from shared.local import cloud
from shared.local.cloud import Ready
from shared.local.layout import Layout
from shared.local.postgres import DATABASE, SUPERUSER
from shared.local.state import Remembered

ENVIRONMENT = {
    "LAMBENT_EMBEDDER": "memory",
    "LAMBENT_EMBEDDING_MODEL": "bag-of-words",
    "LAMBENT_INGESTION_PATIENCE": "0.05",
}
"""An embedder that costs nothing, and work whose process was killed is queued again within half a minute."""
_VISIBLE_AGAIN_SECONDS = 20
"""On the one queue whose messages nothing but their own return brings back soon: S3's, otherwise three minutes."""


@dataclass(frozen=True, slots=True)
class Place:
    """A running local cloud, as its client, its operator and its enemy see it."""

    root: Path
    state: Path
    ready: Ready
    api: httpx.Client = field(repr=False)
    database: str = field(repr=False)
    """libpq's address, as superuser: no row-level security stands between a check and the truth."""

    @classmethod
    def of(cls, root: Path, state: Path, ready: Ready, api: httpx.Client) -> "Place":
        """The cloud that `up_detached` started."""
        password = Remembered.load(Layout.of(root, state).remembered).password(SUPERUSER)
        processes = cloud.status(root, state=state).processes
        folder = next(one.address for one in processes if one.name == "postgres")
        return cls(
            root, state, ready, api, f"postgresql://{SUPERUSER}:{quote(password)}@/{DATABASE}?host={quote(folder)}"
        )

    def hurry(self) -> None:
        """Let the messages of killed receivers return soon."""
        keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local", "region_name": "us-east-1"}
        sqs: Any = boto3.client("sqs", endpoint_url=self.ready.aws_url, **keys)
        (url,) = [url for url in sqs.list_queues()["QueueUrls"] if "-IngestReceiveQueue-" in url]
        known = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        redrive = json.loads(known["RedrivePolicy"])
        # More deliveries at shorter intervals: a message is given up after as long an outage as ever.
        longest = int(redrive["maxReceiveCount"]) * int(known["VisibilityTimeout"])
        redrive["maxReceiveCount"] = longest // _VISIBLE_AGAIN_SECONDS
        wanted = {"VisibilityTimeout": str(_VISIBLE_AGAIN_SECONDS), "RedrivePolicy": json.dumps(redrive)}
        sqs.set_queue_attributes(QueueUrl=url, Attributes=wanted)
