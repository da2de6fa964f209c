"""The routes, as functions."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import cast

from shared.cli.client import PAGE, Client
from shared.cli.errors import ApiProblem, NotLambent
from shared.cli.shapes import Json
from shared.cli.shapes.documents import DeletionReceipt, Document, Explanation, Retries, TextPart, UploadSlot, Version
from shared.cli.shapes.health import Health, Waiting
from shared.cli.shapes.ingestions import Ingestion, IngestionEvent
from shared.cli.shapes.questions import Chat, Message, SearchResult
from shared.cli.shapes.reindexing import Reindex, ReindexPlan
from shared.cli.shapes.rooms import Collection
from shared.cli.shapes.webhooks import Webhook, WebhookDelivery
from shared.cli.sse import events

TEXT_PAGE = 200_000


class Api:
    """Every route the command line uses. Errors are those of `Client.call`."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def health(self) -> Health:
        """Every part of the system apart."""
        return cast(Health, self.client.call("GET", "/health/details"))

    def waiting(self) -> Waiting:
        """Everything that waits in the project, and why."""
        return cast(Waiting, self.client.call("GET", "/health/waiting"))

    def collections(self) -> Iterator[Collection]:
        """Every collection, newest first, without counts."""
        return self.client.pages("/collections")

    def collection(self, collection_id: str) -> Collection:
        """One collection, with counts."""
        return cast(Collection, self.client.call("GET", f"/collections/{collection_id}"))

    def create_collection(self, name: str, description: str = "", language: str = "") -> Collection:
        """Make a collection."""
        body = {"name": name, "description": description, "language": language}
        return cast(Collection, self.client.call("POST", "/collections", json=body, once=True))

    def delete_collection(self, collection_id: str) -> DeletionReceipt:
        """Delete a collection with every document in it."""
        return cast(DeletionReceipt, self.client.call("DELETE", f"/collections/{collection_id}"))

    def reindex_plan(self, collection_id: str) -> ReindexPlan:
        """What is stale in a collection."""
        return cast(ReindexPlan, self.client.call("GET", "/reindexes/plan", params={"collection_id": collection_id}))

    def reindexes(self, collection_id: str) -> list[Reindex]:
        """Every index of a collection, newest first."""
        found = self.client.call("GET", "/reindexes", params={"collection_id": collection_id})
        return cast(list[Reindex], found["items"])

    def reindex(self, reindex_id: str) -> Reindex:
        """One of them, with its progress."""
        return cast(Reindex, self.client.call("GET", f"/reindexes/{reindex_id}"))

    def start_reindex(self, body: Mapping[str, object]) -> Reindex:
        """Begin an index beside the searched one."""
        return cast(Reindex, self.client.call("POST", "/reindexes", json=body, once=True))

    def promote(self, reindex_id: str, *, despite_failures: bool = False) -> Reindex:
        """Search it from now on; asking twice is once."""
        path = f"/reindexes/{reindex_id}/promote" + ("?despite_failures=true" if despite_failures else "")
        return cast(Reindex, self.client.call("POST", path, repeatable=True))

    def roll_back(self, reindex_id: str) -> Reindex:
        """Give it up, or search the index before it again; asking twice is once."""
        return cast(Reindex, self.client.call("POST", f"/reindexes/{reindex_id}/rollback", repeatable=True))

    def questions(self, collection_id: str) -> list[Json]:
        """What a collection's indexes are scored by."""
        found = self.client.call("GET", "/reindexes/questions", params={"collection_id": collection_id})
        return cast(list[Json], found["questions"])

    def ask_questions(self, collection_id: str, questions: Sequence[Json]) -> list[Json]:
        """Set them."""
        body = {"collection_id": collection_id, "questions": list(questions)}
        return cast(list[Json], self.client.call("PUT", "/reindexes/questions", json=body)["questions"])

    def announce(self, upload: Mapping[str, object]) -> UploadSlot:
        """Ask for a place to upload a file to."""
        return cast(UploadSlot, self.client.call("POST", "/documents", json=upload, once=True))

    def documents(
        self, *, collection_id: str = "", status: str = "", filter: object = None, page: int = PAGE
    ) -> Iterator[Document]:
        """Documents, newest first."""
        asked: dict[str, str] = {"collection_id": collection_id, "status": status}
        if filter is not None:
            asked["filter"] = json.dumps(filter)
        return self.client.pages("/documents", {name: value for name, value in asked.items() if value}, page)

    def document(self, document_id: str) -> Document:
        """One document, with the progress of its latest version."""
        return cast(Document, self.client.call("GET", f"/documents/{document_id}"))

    def why(self, document_id: str) -> Explanation:
        """Where it is, in words."""
        return cast(Explanation, self.client.call("GET", f"/documents/{document_id}/why"))

    def process(self, document_id: str) -> Version:
        """Process it again."""
        return cast(Version, self.client.call("POST", f"/documents/{document_id}/process", once=True))

    def retry(self, document_id: str) -> Version:
        """Take it up again if its latest version failed. It may be repeated: twice starts one."""
        return cast(Version, self.client.call("POST", f"/documents/{document_id}/retry", repeatable=True))

    def retry_failed(self, *, collection_id: str = "", reason: str = "") -> Iterator[Retries]:
        """Take up all that failed, call by call. A call may be repeated: what was taken up is no longer failed."""
        given = {"collection_id": collection_id, "reason": reason}
        body: dict[str, object] = {name: value for name, value in given.items() if value}
        while True:
            found = cast(Retries, self.client.call("POST", "/documents/retry", json=body, repeatable=True))
            yield found
            if found["next"] is None:
                return
            body["cursor"] = found["next"]

    def delete_document(self, document_id: str) -> DeletionReceipt:
        """Delete it."""
        return cast(DeletionReceipt, self.client.call("DELETE", f"/documents/{document_id}"))

    def receipt(self, document_id: str) -> DeletionReceipt:
        """The proof of its deletion."""
        return cast(DeletionReceipt, self.client.call("GET", f"/documents/{document_id}/receipt"))

    def receipts(self, *, kind: str = "") -> Iterator[DeletionReceipt]:
        """Receipts, newest first."""
        return self.client.pages("/receipts", {"kind": kind} if kind else None)

    def receipt_by_id(self, receipt_id: str) -> DeletionReceipt:
        """One receipt, of whatever was deleted."""
        return cast(DeletionReceipt, self.client.call("GET", f"/receipts/{receipt_id}"))

    def receipt_key(self) -> dict[str, str]:
        """The public key that verifies receipts."""
        return cast(dict[str, str], self.client.call("GET", "/receipts/key"))

    def webhooks(self) -> Iterator[Webhook]:
        """Endpoints, newest first."""
        return self.client.pages("/webhooks")

    def create_webhook(self, url: str, description: str, *, all_runs: bool) -> Webhook:
        """Make an endpoint; its secret is in this answer alone."""
        body = {"url": url, "description": description, "all_runs": all_runs}
        return cast(Webhook, self.client.call("POST", "/webhooks", json=body, once=True))

    def delete_webhook(self, webhook_id: str) -> None:
        """Tell it no more."""
        self.client.call("DELETE", f"/webhooks/{webhook_id}")

    def deliveries(self, webhook_id: str) -> Iterator[WebhookDelivery]:
        """What was sent to an endpoint, newest first."""
        return self.client.pages(f"/webhooks/{webhook_id}/deliveries")

    def redeliver(self, webhook_id: str, delivery_id: str) -> WebhookDelivery:
        """Send it once more, as it was."""
        path = f"/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver"
        return cast(WebhookDelivery, self.client.call("POST", path, once=True))

    def download_link(self, document_id: str) -> str:
        """A link to the original file."""
        return str(self.client.call("GET", f"/documents/{document_id}/content")["url"])

    def text(self, document_id: str, *, start: int = 0, end: int | None = None, version: int | None = None) -> TextPart:
        """Characters `start` to `end` of its text (200,000 at most)."""
        asked = {"start": start, "end": end, "version": version}
        params = {name: value for name, value in asked.items() if value is not None}
        return cast(TextPart, self.client.call("GET", f"/documents/{document_id}/text", params=params))

    def whole_text(
        self, document_id: str, *, start: int = 0, end: int | None = None, version: int | None = None
    ) -> Iterator[str]:
        """Its text in parts of 200,000 characters, from `start` to `end`."""
        while True:
            part = self.text(document_id, start=start, end=end, version=version)
            yield part["text"]
            start = part["end"]
            if not part["text"] or start >= min(part["characters"], part["characters"] if end is None else end):
                return

    def create_ingestion(self, name: str, collection_id: str, expected: int) -> Ingestion:
        """Open a run."""
        body = {"name": name, "collection_id": collection_id, "expected": expected}
        return cast(Ingestion, self.client.call("POST", "/ingestions", json=body, once=True))

    def ingestions(self, *, collection_id: str = "") -> Iterator[Ingestion]:
        """Runs, newest first, without progress."""
        return self.client.pages("/ingestions", {"collection_id": collection_id} if collection_id else None)

    def ingestion(self, ingestion_id: str) -> Ingestion:
        """One run with its progress."""
        return cast(Ingestion, self.client.call("GET", f"/ingestions/{ingestion_id}"))

    def close_ingestion(self, ingestion_id: str) -> Ingestion:
        """Say that no more files come. It may be repeated."""
        return self._on_ingestion(ingestion_id, "close")

    def cancel_ingestion(self, ingestion_id: str) -> Ingestion:
        """End what has not ended. It may be repeated."""
        return self._on_ingestion(ingestion_id, "cancel")

    def retry_ingestion(self, ingestion_id: str) -> Ingestion:
        """Take up what failed. It may be repeated: what was taken up is no longer failed."""
        return self._on_ingestion(ingestion_id, "retry")

    def _on_ingestion(self, ingestion_id: str, action: str) -> Ingestion:
        return cast(Ingestion, self.client.call("POST", f"/ingestions/{ingestion_id}/{action}", repeatable=True))

    def ingestion_events(self, ingestion_id: str, after: int) -> Iterator[IngestionEvent]:
        """What happened in a run after the event of that number."""
        while True:
            asked: dict[str, str | int] = {"after": after, "limit": PAGE}
            found = self.client.call("GET", f"/ingestions/{ingestion_id}/events", params=asked)["items"]
            yield from found
            if len(found) < PAGE:
                return
            after = found[-1]["number"]

    def watch(self, ingestion_id: str) -> Iterator[IngestionEvent]:
        """Everything that happens in a run until it has ended, each event once.

        A stream that stops before the end, as each does after a while, is taken up where it stopped.
        """
        last, path = "", f"/streams/ingestions/{ingestion_id}"
        while True:
            with self.client.stream(path, last_event=last) as lines:
                for event in events(lines):
                    last = event.id or last
                    if event.name == "end":
                        return
                    if event.name == "error":
                        raise ApiProblem(200, json.loads(event.data))
                    if event.name != "progress":
                        yield json.loads(event.data)

    def search(self, body: Mapping[str, object]) -> SearchResult:
        """Search. It changes nothing, so it may be repeated."""
        return cast(SearchResult, self.client.call("POST", "/search", json=body, repeatable=True))

    def create_chat(self, collection_ids: Sequence[str]) -> Chat:
        """Start a chat."""
        body = {"collection_ids": list(collection_ids)}
        return cast(Chat, self.client.call("POST", "/chats", json=body, once=True))

    def chats(self) -> Iterator[Chat]:
        """Chats, newest first."""
        return self.client.pages("/chats")

    def chat(self, chat_id: str) -> Chat:
        """One chat."""
        return cast(Chat, self.client.call("GET", f"/chats/{chat_id}"))

    def messages(self, chat_id: str, limit: int = 200) -> list[Message]:
        """The latest messages of a chat, oldest first."""
        return cast(list[Message], self.client.call("GET", f"/chats/{chat_id}/messages", params={"limit": limit}))

    def delete_chat(self, chat_id: str) -> None:
        """Delete a chat."""
        self.client.call("DELETE", f"/chats/{chat_id}")

    @contextmanager
    def ask(self, chat_id: str, question: str) -> Iterator[Iterator[tuple[str, Json]]]:
        """Ask in a chat; yields the events of the answer (`sources`, `delta`, `answer`) with their data.

        Raises:
            ApiProblem: also when the answer fails half-way.
            NotLambent: the stream is not what it should be.
        """
        with self.client.stream(f"/streams/chats/{chat_id}/messages", {"question": question}) as lines:
            yield _answer_events(lines)


def _answer_events(lines: Iterator[str]) -> Iterator[tuple[str, Json]]:
    complete = False
    for event in events(lines):
        try:
            data = json.loads(event.data)
        except ValueError as error:
            raise NotLambent("an event of the answer is not JSON", code="bad_stream", hint="try again") from error
        if event.name == "error":
            raise ApiProblem(200, data)
        complete = complete or event.name == "answer"
        yield event.name, data
    if not complete:
        raise NotLambent(
            "the answer broke off before it was complete",
            code="bad_stream",
            hint="ask again; lambent logs streams may say why",
        )
