"""A database in memory: the same transactions, the same walls between tenants, the same answers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.adapters.memory.access import MemoryAccess
from shared.adapters.memory.admissions import MemoryAdmissions
from shared.adapters.memory.attempts import MemoryAttempts
from shared.adapters.memory.audit import MemoryAudit
from shared.adapters.memory.backlog import MemoryBacklog
from shared.adapters.memory.cache import MemoryEmbeddingCache
from shared.adapters.memory.chats import MemoryChats
from shared.adapters.memory.chunks import MemoryChunks
from shared.adapters.memory.collections import MemoryCollections, MemoryProjects, MemoryTenants
from shared.adapters.memory.cursors import MemoryCursors
from shared.adapters.memory.documents import MemoryDocuments
from shared.adapters.memory.history import MemoryHistory
from shared.adapters.memory.idempotency import MemoryIdempotency
from shared.adapters.memory.indexes import MemoryIndexes
from shared.adapters.memory.ingestions import MemoryIngestions
from shared.adapters.memory.invitations import MemoryInvitations
from shared.adapters.memory.keys import MemoryKeys
from shared.adapters.memory.keywords import MemoryKeywords
from shared.adapters.memory.limits import MemoryLimits
from shared.adapters.memory.members import MemoryMembers
from shared.adapters.memory.outbox import MemoryOutbox
from shared.adapters.memory.rates import MemoryRates
from shared.adapters.memory.receipts import MemoryReceipts
from shared.adapters.memory.roles import MemoryRoles
from shared.adapters.memory.rows_transaction import Now, Tables, Transaction, now
from shared.adapters.memory.service_accounts import MemoryServiceAccounts
from shared.adapters.memory.sessions import MemorySessions
from shared.adapters.memory.tickets import MemoryTickets
from shared.adapters.memory.units import MemoryUnits
from shared.adapters.memory.users import MemoryUsers
from shared.adapters.memory.vectors import MemoryVectors
from shared.adapters.memory.webhooks import MemoryWebhooks
from shared.domain.tenants import TenantScope


class MemoryRows:
    """All repositories of one open transaction."""

    def __init__(self, transaction: Transaction, revision: str) -> None:
        self.tenants = MemoryTenants(transaction, revision)
        self.projects = MemoryProjects(transaction)
        self.keys = MemoryKeys(transaction)
        self.collections = MemoryCollections(transaction)
        self.documents = MemoryDocuments(transaction)
        self.access = MemoryAccess(transaction)
        self.admissions = MemoryAdmissions(transaction)
        self.idempotency = MemoryIdempotency(transaction)
        self.indexes = MemoryIndexes(transaction)
        self.chunks = MemoryChunks(transaction)
        self.keywords = MemoryKeywords(transaction)
        self.vectors = MemoryVectors(transaction)
        self.cache = MemoryEmbeddingCache(transaction)
        self.chats = MemoryChats(transaction)
        self.receipts = MemoryReceipts(transaction)
        self.outbox = MemoryOutbox(transaction)
        self.limits = MemoryLimits(transaction)
        self.rates = MemoryRates(transaction)
        self.cursors = MemoryCursors(transaction)
        self.ingestions = MemoryIngestions(transaction)
        self.backlog = MemoryBacklog(transaction)
        self.webhooks = MemoryWebhooks(transaction)
        self.attempts = MemoryAttempts(transaction)
        self.audit = MemoryAudit(transaction)
        self.history = MemoryHistory(transaction)
        self.invitations = MemoryInvitations(transaction)
        self.members = MemoryMembers(transaction)
        self.roles = MemoryRoles(transaction)
        self.service_accounts = MemoryServiceAccounts(transaction)
        self.sessions = MemorySessions(transaction)
        self.tickets = MemoryTickets(transaction)
        self.units = MemoryUnits(transaction)
        self.users = MemoryUsers(transaction)


class MemoryStore:
    """One database, as long as the object lives."""

    def __init__(self, revision: str = "memory", now: Now = now) -> None:
        """Args:
        revision: what `tenants.revision` answers.
        now: the database's time.
        """
        self._now = now
        self._tables = Tables()
        self._revision = revision

    @asynccontextmanager
    async def transaction(self, scope: TenantScope | None) -> AsyncIterator[MemoryRows]:
        """One transaction, committed when the block ends and undone when it raises.

        Args:
            scope: whose rows can be seen; None: nobody's, until `keys.authenticate` has found a key.
        """
        tenant_id, admitted = (None, frozenset[str]()) if scope is None else (scope.tenant_id, scope.admitted)
        transaction = Transaction(self._tables, tenant_id, admitted, self._now)
        try:
            yield MemoryRows(transaction, self._revision)
            transaction.commit()
        finally:
            transaction.end()

    async def close(self) -> None:
        """There is nothing to close; the rows stay."""
