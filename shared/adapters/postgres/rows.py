"""All repositories of one open transaction, each loaded when first asked for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from shared.adapters.postgres.engine import Session

if TYPE_CHECKING:
    from shared.adapters.postgres.access import PgAccess
    from shared.adapters.postgres.admissions import PgAdmissions
    from shared.adapters.postgres.attempts import PgAttempts
    from shared.adapters.postgres.audit import PgAudit
    from shared.adapters.postgres.backlog import PgBacklog
    from shared.adapters.postgres.cache import PgEmbeddingCache
    from shared.adapters.postgres.chats import PgChats
    from shared.adapters.postgres.chunks import PgChunks
    from shared.adapters.postgres.collections import PgCollections
    from shared.adapters.postgres.cursors import PgCursors
    from shared.adapters.postgres.documents import PgDocuments
    from shared.adapters.postgres.history import PgHistory
    from shared.adapters.postgres.idempotency import PgIdempotency
    from shared.adapters.postgres.indexes import PgIndexes
    from shared.adapters.postgres.ingestions import PgIngestions
    from shared.adapters.postgres.invitations import PgInvitations
    from shared.adapters.postgres.keywords import PgKeywords
    from shared.adapters.postgres.limits import PgLimits
    from shared.adapters.postgres.members import PgMembers
    from shared.adapters.postgres.outbox import PgOutbox
    from shared.adapters.postgres.rates import PgRates
    from shared.adapters.postgres.receipts import PgReceipts
    from shared.adapters.postgres.roles import PgRoles
    from shared.adapters.postgres.service_accounts import PgServiceAccounts
    from shared.adapters.postgres.sessions import PgSessions
    from shared.adapters.postgres.tenants import PgKeys, PgProjects, PgTenants
    from shared.adapters.postgres.tickets import PgTickets
    from shared.adapters.postgres.units import PgUnits
    from shared.adapters.postgres.users import PgUsers
    from shared.adapters.postgres.vectors import PgVectors
    from shared.adapters.postgres.webhooks import PgWebhooks


class PgRows:
    """What `shared.ports.ports.Rows` promises, and the vectors, which share the transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @cached_property
    def tenants(self) -> PgTenants:
        """Tenants."""
        from shared.adapters.postgres.tenants import PgTenants

        return PgTenants(self._session)

    @cached_property
    def projects(self) -> PgProjects:
        """Projects."""
        from shared.adapters.postgres.tenants import PgProjects

        return PgProjects(self._session)

    @cached_property
    def keys(self) -> PgKeys:
        """API keys."""
        from shared.adapters.postgres.tenants import PgKeys

        return PgKeys(self._session)

    @cached_property
    def collections(self) -> PgCollections:
        """Collections."""
        from shared.adapters.postgres.collections import PgCollections

        return PgCollections(self._session)

    @cached_property
    def documents(self) -> PgDocuments:
        """Documents and generations."""
        from shared.adapters.postgres.documents import PgDocuments

        return PgDocuments(self._session)

    @cached_property
    def access(self) -> PgAccess:
        """Access lists."""
        from shared.adapters.postgres.access import PgAccess

        return PgAccess(self._session)

    @cached_property
    def admissions(self) -> PgAdmissions:
        """The lines before ingestion."""
        from shared.adapters.postgres.admissions import PgAdmissions

        return PgAdmissions(self._session)

    @cached_property
    def idempotency(self) -> PgIdempotency:
        """Answers of requests that carry a key."""
        from shared.adapters.postgres.idempotency import PgIdempotency

        return PgIdempotency(self._session)

    @cached_property
    def indexes(self) -> PgIndexes:
        """Indexes and questions."""
        from shared.adapters.postgres.indexes import PgIndexes

        return PgIndexes(self._session)

    @cached_property
    def chunks(self) -> PgChunks:
        """Chunks."""
        from shared.adapters.postgres.chunks import PgChunks

        return PgChunks(self._session)

    @cached_property
    def keywords(self) -> PgKeywords:
        """The keyword index."""
        from shared.adapters.postgres.keywords import PgKeywords

        return PgKeywords(self._session)

    @cached_property
    def vectors(self) -> PgVectors:
        """The vector index."""
        from shared.adapters.postgres.vectors import PgVectors

        return PgVectors(self._session)

    @cached_property
    def cache(self) -> PgEmbeddingCache:
        """Vectors known by content."""
        from shared.adapters.postgres.cache import PgEmbeddingCache

        return PgEmbeddingCache(self._session)

    @cached_property
    def chats(self) -> PgChats:
        """Chats and messages."""
        from shared.adapters.postgres.chats import PgChats

        return PgChats(self._session)

    @cached_property
    def receipts(self) -> PgReceipts:
        """Deletion receipts."""
        from shared.adapters.postgres.receipts import PgReceipts

        return PgReceipts(self._session)

    @cached_property
    def outbox(self) -> PgOutbox:
        """Messages that leave with the transaction."""
        from shared.adapters.postgres.outbox import PgOutbox

        return PgOutbox(self._session)

    @cached_property
    def cursors(self) -> PgCursors:
        """Where long work goes on."""
        from shared.adapters.postgres.cursors import PgCursors

        return PgCursors(self._session)

    @cached_property
    def limits(self) -> PgLimits:
        """Token buckets."""
        from shared.adapters.postgres.limits import PgLimits

        return PgLimits(self._session)

    @cached_property
    def rates(self) -> PgRates:
        """How often callers ask."""
        from shared.adapters.postgres.rates import PgRates

        return PgRates(self._session)

    @cached_property
    def ingestions(self) -> PgIngestions:
        """Ingestion runs and their events."""
        from shared.adapters.postgres.ingestions import PgIngestions

        return PgIngestions(self._session)

    @cached_property
    def backlog(self) -> PgBacklog:
        """Everything that waits."""
        from shared.adapters.postgres.backlog import PgBacklog

        return PgBacklog(self._session)

    @cached_property
    def webhooks(self) -> PgWebhooks:
        """Webhook endpoints and deliveries."""
        from shared.adapters.postgres.webhooks import PgWebhooks

        return PgWebhooks(self._session)

    @cached_property
    def users(self) -> PgUsers:
        """Users, their passwords and identities."""
        from shared.adapters.postgres.users import PgUsers

        return PgUsers(self._session)

    @cached_property
    def sessions(self) -> PgSessions:
        """Sessions and refresh tokens."""
        from shared.adapters.postgres.sessions import PgSessions

        return PgSessions(self._session)

    @cached_property
    def tickets(self) -> PgTickets:
        """Secrets good for once."""
        from shared.adapters.postgres.tickets import PgTickets

        return PgTickets(self._session)

    @cached_property
    def attempts(self) -> PgAttempts:
        """Counters of failed guesses."""
        from shared.adapters.postgres.attempts import PgAttempts

        return PgAttempts(self._session)

    @cached_property
    def history(self) -> PgHistory:
        """What happened to users' accounts."""
        from shared.adapters.postgres.history import PgHistory

        return PgHistory(self._session)

    @cached_property
    def members(self) -> PgMembers:
        """Memberships."""
        from shared.adapters.postgres.members import PgMembers

        return PgMembers(self._session)

    @cached_property
    def roles(self) -> PgRoles:
        """An organisation's own roles."""
        from shared.adapters.postgres.roles import PgRoles

        return PgRoles(self._session)

    @cached_property
    def units(self) -> PgUnits:
        """Org units."""
        from shared.adapters.postgres.units import PgUnits

        return PgUnits(self._session)

    @cached_property
    def invitations(self) -> PgInvitations:
        """Invitations."""
        from shared.adapters.postgres.invitations import PgInvitations

        return PgInvitations(self._session)

    @cached_property
    def service_accounts(self) -> PgServiceAccounts:
        """Service accounts."""
        from shared.adapters.postgres.service_accounts import PgServiceAccounts

        return PgServiceAccounts(self._session)

    @cached_property
    def audit(self) -> PgAudit:
        """The audit trail."""
        from shared.adapters.postgres.audit import PgAudit

        return PgAudit(self._session)
