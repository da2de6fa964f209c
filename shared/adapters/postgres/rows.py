"""All repositories of one open transaction."""

from functools import cached_property

from shared.adapters.postgres.cache import PgEmbeddingCache
from shared.adapters.postgres.chats import PgChats
from shared.adapters.postgres.chunks import PgChunks
from shared.adapters.postgres.collections import PgCollections
from shared.adapters.postgres.documents import PgDocuments
from shared.adapters.postgres.engine import Session
from shared.adapters.postgres.ingestions import PgIngestions
from shared.adapters.postgres.keywords import PgKeywords
from shared.adapters.postgres.limits import PgLimits
from shared.adapters.postgres.outbox import PgOutbox
from shared.adapters.postgres.receipts import PgReceipts
from shared.adapters.postgres.tenants import PgKeys, PgProjects, PgTenants
from shared.adapters.postgres.vectors import PgVectors


class PgRows:
    """What `shared.ports.ports.Rows` promises, and the vectors, which share the transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @cached_property
    def tenants(self) -> PgTenants:
        """Tenants."""
        return PgTenants(self._session)

    @cached_property
    def projects(self) -> PgProjects:
        """Projects."""
        return PgProjects(self._session)

    @cached_property
    def keys(self) -> PgKeys:
        """API keys."""
        return PgKeys(self._session)

    @cached_property
    def collections(self) -> PgCollections:
        """Collections."""
        return PgCollections(self._session)

    @cached_property
    def documents(self) -> PgDocuments:
        """Documents and generations."""
        return PgDocuments(self._session)

    @cached_property
    def chunks(self) -> PgChunks:
        """Chunks."""
        return PgChunks(self._session)

    @cached_property
    def keywords(self) -> PgKeywords:
        """The keyword index."""
        return PgKeywords(self._session)

    @cached_property
    def vectors(self) -> PgVectors:
        """The vector index."""
        return PgVectors(self._session)

    @cached_property
    def cache(self) -> PgEmbeddingCache:
        """Vectors known by content."""
        return PgEmbeddingCache(self._session)

    @cached_property
    def chats(self) -> PgChats:
        """Chats and messages."""
        return PgChats(self._session)

    @cached_property
    def receipts(self) -> PgReceipts:
        """Deletion receipts."""
        return PgReceipts(self._session)

    @cached_property
    def outbox(self) -> PgOutbox:
        """Messages that leave with the transaction."""
        return PgOutbox(self._session)

    @cached_property
    def limits(self) -> PgLimits:
        """Token buckets."""
        return PgLimits(self._session)

    @cached_property
    def ingestions(self) -> PgIngestions:
        """Ingestion runs and their events."""
        return PgIngestions(self._session)
