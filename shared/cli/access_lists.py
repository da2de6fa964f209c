"""The API's routes about access lists, as functions."""

from collections.abc import Mapping
from typing import cast

from shared.cli.client import Client
from shared.cli.shapes.organisations import AccessList, Verdict


class AccessLists:
    """Access lists of documents and of collections. Errors are those of `Client.call`."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def get(self, subjects: str, id: str) -> AccessList:
        """Who may read one of the `documents` or `collections`."""
        return cast(AccessList, self.client.call("GET", f"/{subjects}/{id}/access-list"))

    def set(self, subjects: str, id: str, body: Mapping[str, object]) -> AccessList:
        """Say who may read one of the `documents` or `collections`. It may be repeated."""
        return cast(AccessList, self.client.call("PUT", f"/{subjects}/{id}/access-list", json=body, repeatable=True))

    def explain(self, document_id: str, user_id: str) -> Verdict:
        """Why somebody can or cannot read a document."""
        return cast(Verdict, self.client.call("GET", f"/documents/{document_id}/access", params={"user": user_id}))
