"""All powers at once, as use cases receive them.

The ports themselves are named here for type checkers alone: a function loads only those whose types it uses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from shared.domain.ingestion import Pace
    from shared.ports.admissions import Admissions
    from shared.ports.analyser import Analyser
    from shared.ports.backlog import BacklogView
    from shared.ports.blobs import Blobs
    from shared.ports.cache import EmbeddingCache
    from shared.ports.chats import Chats
    from shared.ports.chunks import Chunks
    from shared.ports.clock import Clock, Ids
    from shared.ports.collections import Collections, Keys, Projects, Tenants
    from shared.ports.cursors import Cursors
    from shared.ports.documents import Documents
    from shared.ports.egress import Egress
    from shared.ports.embedder import Embedder, Embedders
    from shared.ports.indexes import Indexes
    from shared.ports.ingestions import Ingestions
    from shared.ports.keywords import Keywords
    from shared.ports.limits import Limits
    from shared.ports.llm import Llm
    from shared.ports.meter import Meter
    from shared.ports.outbox import Outbox
    from shared.ports.queue import Queue
    from shared.ports.reader import Reader
    from shared.ports.receipts import Receipts
    from shared.ports.signer import Signer
    from shared.ports.vectors import Vectors
    from shared.ports.webhooks import Webhooks


class Rows(Protocol):
    """What the database keeps, within one open transaction. The door opens and commits it; nobody else does."""

    @property
    def tenants(self) -> Tenants: ...
    @property
    def projects(self) -> Projects: ...
    @property
    def keys(self) -> Keys: ...
    @property
    def collections(self) -> Collections: ...
    @property
    def documents(self) -> Documents: ...
    @property
    def admissions(self) -> Admissions: ...
    @property
    def indexes(self) -> Indexes: ...
    @property
    def chunks(self) -> Chunks: ...
    @property
    def keywords(self) -> Keywords: ...
    @property
    def cache(self) -> EmbeddingCache: ...
    @property
    def chats(self) -> Chats: ...
    @property
    def receipts(self) -> Receipts: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def limits(self) -> Limits: ...
    @property
    def cursors(self) -> Cursors: ...
    @property
    def backlog(self) -> BacklogView: ...
    @property
    def ingestions(self) -> Ingestions: ...
    @property
    def webhooks(self) -> Webhooks: ...


class Powers(Protocol):
    """What needs no transaction. Each is made when first asked for."""

    @property
    def clock(self) -> Clock: ...
    @property
    def pace(self) -> Pace: ...
    @property
    def ids(self) -> Ids: ...
    @property
    def blobs(self) -> Blobs: ...
    @property
    def queue(self) -> Queue: ...
    @property
    def embedder(self) -> Embedder: ...
    @property
    def embedders(self) -> Embedders: ...
    @property
    def llm(self) -> Llm: ...
    @property
    def analyser(self) -> Analyser: ...
    @property
    def reader(self) -> Reader: ...
    @property
    def signer(self) -> Signer | None: ...
    @property
    def meter(self) -> Meter: ...
    @property
    def egress(self) -> Egress: ...
    @property
    def webhook_key(self) -> str: ...


class Ports(Rows, Powers, Protocol):
    """Both, while a transaction is open; vectors are here because some stores share the transaction."""

    @property
    def vectors(self) -> Vectors: ...
