"""Which permission each route asks for: all of it, in one table. A route that is not in it does not start."""

from collections.abc import Mapping
from enum import StrEnum

from shared.domain.tenants import Permission

PUBLIC = None
"""Open to strangers."""


class Access(StrEnum):
    """What a route asks for that asks for no permission."""

    SIGNED_IN = "signed_in"
    """A user, who deals with nobody but themselves."""


ROUTES: Mapping[tuple[str, str], Permission | Access | None] = {
    ("GET", "/api/v1/openapi.json"): PUBLIC,
    ("GET", "/api/v1/docs"): PUBLIC,
    ("GET", "/api/v1/docs/redoc.js"): PUBLIC,
    ("POST", "/api/v1/auth/register"): PUBLIC,
    ("POST", "/api/v1/auth/verify"): PUBLIC,
    ("POST", "/api/v1/auth/login"): PUBLIC,
    ("POST", "/api/v1/auth/refresh"): PUBLIC,
    ("POST", "/api/v1/auth/logout"): Access.SIGNED_IN,
    ("POST", "/api/v1/auth/password/forgot"): PUBLIC,
    ("POST", "/api/v1/auth/password/reset"): PUBLIC,
    ("POST", "/api/v1/auth/password/change"): Access.SIGNED_IN,
    ("GET", "/api/v1/auth/sessions"): Access.SIGNED_IN,
    ("DELETE", "/api/v1/auth/sessions"): Access.SIGNED_IN,
    ("DELETE", "/api/v1/auth/sessions/{session_id}"): Access.SIGNED_IN,
    ("GET", "/api/v1/users/me"): Access.SIGNED_IN,
    ("PATCH", "/api/v1/users/me"): Access.SIGNED_IN,
    ("GET", "/api/v1/users/me/organisations"): Access.SIGNED_IN,
    ("POST", "/api/v1/users/me/disable"): Access.SIGNED_IN,
    ("GET", "/api/v1/health/live"): PUBLIC,
    ("GET", "/api/v1/health"): PUBLIC,
    ("GET", "/api/v1/health/details"): Permission.HEALTH_READ,
    ("GET", "/api/v1/health/waiting"): Permission.HEALTH_READ,
    ("POST", "/api/v1/projects"): Permission.PROJECTS_WRITE,
    ("GET", "/api/v1/projects"): Permission.PROJECTS_READ,
    ("GET", "/api/v1/projects/{project_id}"): Permission.PROJECTS_READ,
    ("PATCH", "/api/v1/projects/{project_id}"): Permission.PROJECTS_WRITE,
    ("DELETE", "/api/v1/projects/{project_id}"): Permission.PROJECTS_WRITE,
    ("POST", "/api/v1/projects/{project_id}/move"): Permission.PROJECTS_WRITE,
    ("POST", "/api/v1/projects/{project_id}/archive"): Permission.PROJECTS_WRITE,
    ("POST", "/api/v1/projects/{project_id}/unarchive"): Permission.PROJECTS_WRITE,
    ("GET", "/api/v1/projects/{project_id}/members"): Permission.MEMBERS_READ,
    ("PUT", "/api/v1/projects/{project_id}/members/{user_id}"): Permission.MEMBERS_WRITE,
    ("DELETE", "/api/v1/projects/{project_id}/members/{user_id}"): Permission.MEMBERS_WRITE,
    ("GET", "/api/v1/orgs/{org_id}"): Permission.ORGS_READ,
    ("PATCH", "/api/v1/orgs/{org_id}"): Permission.ORGS_WRITE,
    ("DELETE", "/api/v1/orgs/{org_id}"): Permission.TENANT_DELETE,
    ("GET", "/api/v1/orgs/{org_id}/audit"): Permission.AUDIT_READ,
    ("GET", "/api/v1/orgs/{org_id}/members"): Permission.MEMBERS_READ,
    ("GET", "/api/v1/orgs/{org_id}/members/{user_id}"): Permission.MEMBERS_READ,
    ("PATCH", "/api/v1/orgs/{org_id}/members/{user_id}"): Permission.MEMBERS_WRITE,
    ("POST", "/api/v1/orgs/{org_id}/members/{user_id}/suspend"): Permission.MEMBERS_WRITE,
    ("POST", "/api/v1/orgs/{org_id}/members/{user_id}/reinstate"): Permission.MEMBERS_WRITE,
    ("DELETE", "/api/v1/orgs/{org_id}/members/{user_id}"): Permission.MEMBERS_WRITE,
    ("POST", "/api/v1/orgs/{org_id}/roles"): Permission.ROLES_WRITE,
    ("GET", "/api/v1/orgs/{org_id}/roles"): Permission.ROLES_READ,
    ("GET", "/api/v1/orgs/{org_id}/roles/{role_id}"): Permission.ROLES_READ,
    ("PATCH", "/api/v1/orgs/{org_id}/roles/{role_id}"): Permission.ROLES_WRITE,
    ("DELETE", "/api/v1/orgs/{org_id}/roles/{role_id}"): Permission.ROLES_WRITE,
    ("POST", "/api/v1/orgs/{org_id}/units"): Permission.UNITS_WRITE,
    ("GET", "/api/v1/orgs/{org_id}/units"): Permission.UNITS_READ,
    ("GET", "/api/v1/orgs/{org_id}/units/{unit_id}"): Permission.UNITS_READ,
    ("PATCH", "/api/v1/orgs/{org_id}/units/{unit_id}"): Permission.UNITS_WRITE,
    ("POST", "/api/v1/orgs/{org_id}/units/{unit_id}/move"): Permission.UNITS_WRITE,
    ("DELETE", "/api/v1/orgs/{org_id}/units/{unit_id}"): Permission.UNITS_WRITE,
    ("GET", "/api/v1/orgs/{org_id}/units/{unit_id}/members"): Permission.MEMBERS_READ,
    ("PUT", "/api/v1/orgs/{org_id}/units/{unit_id}/members/{user_id}"): Permission.MEMBERS_WRITE,
    ("DELETE", "/api/v1/orgs/{org_id}/units/{unit_id}/members/{user_id}"): Permission.MEMBERS_WRITE,
    ("GET", "/api/v1/receipts"): Permission.DOCUMENTS_READ,
    ("GET", "/api/v1/receipts/key"): PUBLIC,
    ("GET", "/api/v1/receipts/{receipt_id}"): Permission.DOCUMENTS_READ,
    ("POST", "/api/v1/collections"): Permission.COLLECTIONS_WRITE,
    ("GET", "/api/v1/collections"): Permission.COLLECTIONS_READ,
    ("GET", "/api/v1/collections/{collection_id}"): Permission.COLLECTIONS_READ,
    ("PATCH", "/api/v1/collections/{collection_id}"): Permission.COLLECTIONS_WRITE,
    ("DELETE", "/api/v1/collections/{collection_id}"): Permission.COLLECTIONS_WRITE,
    ("GET", "/api/v1/reindexes/plan"): Permission.COLLECTIONS_READ,
    ("GET", "/api/v1/reindexes/questions"): Permission.COLLECTIONS_READ,
    ("PUT", "/api/v1/reindexes/questions"): Permission.COLLECTIONS_WRITE,
    ("POST", "/api/v1/reindexes"): Permission.COLLECTIONS_WRITE,
    ("GET", "/api/v1/reindexes"): Permission.COLLECTIONS_READ,
    ("GET", "/api/v1/reindexes/{reindex_id}"): Permission.COLLECTIONS_READ,
    ("POST", "/api/v1/reindexes/{reindex_id}/promote"): Permission.COLLECTIONS_WRITE,
    ("POST", "/api/v1/reindexes/{reindex_id}/rollback"): Permission.COLLECTIONS_WRITE,
    ("POST", "/api/v1/documents"): Permission.DOCUMENTS_WRITE,
    ("GET", "/api/v1/documents"): Permission.DOCUMENTS_READ,
    ("POST", "/api/v1/documents/retry"): Permission.DOCUMENTS_WRITE,
    ("GET", "/api/v1/documents/{document_id}"): Permission.DOCUMENTS_READ,
    ("PATCH", "/api/v1/documents/{document_id}"): Permission.DOCUMENTS_WRITE,
    ("DELETE", "/api/v1/documents/{document_id}"): Permission.DOCUMENTS_DELETE,
    ("POST", "/api/v1/documents/{document_id}/versions"): Permission.DOCUMENTS_WRITE,
    ("POST", "/api/v1/documents/{document_id}/process"): Permission.DOCUMENTS_WRITE,
    ("POST", "/api/v1/documents/{document_id}/retry"): Permission.DOCUMENTS_WRITE,
    ("GET", "/api/v1/documents/{document_id}/why"): Permission.DOCUMENTS_READ,
    ("GET", "/api/v1/documents/{document_id}/content"): Permission.DOCUMENTS_READ,
    ("GET", "/api/v1/documents/{document_id}/text"): Permission.DOCUMENTS_READ,
    ("GET", "/api/v1/documents/{document_id}/chunks"): Permission.DOCUMENTS_READ,
    ("GET", "/api/v1/documents/{document_id}/receipt"): Permission.DOCUMENTS_READ,
    ("POST", "/api/v1/ingestions"): Permission.DOCUMENTS_WRITE,
    ("GET", "/api/v1/ingestions"): Permission.DOCUMENTS_READ,
    ("GET", "/api/v1/ingestions/{ingestion_id}"): Permission.DOCUMENTS_READ,
    ("GET", "/api/v1/ingestions/{ingestion_id}/documents"): Permission.DOCUMENTS_READ,
    ("GET", "/api/v1/ingestions/{ingestion_id}/events"): Permission.DOCUMENTS_READ,
    ("POST", "/api/v1/ingestions/{ingestion_id}/close"): Permission.DOCUMENTS_WRITE,
    ("POST", "/api/v1/ingestions/{ingestion_id}/cancel"): Permission.DOCUMENTS_WRITE,
    ("POST", "/api/v1/ingestions/{ingestion_id}/retry"): Permission.DOCUMENTS_WRITE,
    ("POST", "/api/v1/webhooks"): Permission.WEBHOOKS_WRITE,
    ("GET", "/api/v1/webhooks"): Permission.WEBHOOKS_READ,
    ("GET", "/api/v1/webhooks/{webhook_id}"): Permission.WEBHOOKS_READ,
    ("DELETE", "/api/v1/webhooks/{webhook_id}"): Permission.WEBHOOKS_WRITE,
    ("POST", "/api/v1/webhooks/{webhook_id}/rotate"): Permission.WEBHOOKS_WRITE,
    ("POST", "/api/v1/webhooks/{webhook_id}/enable"): Permission.WEBHOOKS_WRITE,
    ("GET", "/api/v1/webhooks/{webhook_id}/deliveries"): Permission.WEBHOOKS_READ,
    ("POST", "/api/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver"): Permission.WEBHOOKS_WRITE,
    ("POST", "/api/v1/search"): Permission.SEARCH_QUERY,
    ("POST", "/api/v1/chats"): Permission.CHATS_WRITE,
    ("GET", "/api/v1/chats"): Permission.CHATS_READ,
    ("GET", "/api/v1/chats/{chat_id}"): Permission.CHATS_READ,
    ("DELETE", "/api/v1/chats/{chat_id}"): Permission.CHATS_WRITE,
    ("GET", "/api/v1/chats/{chat_id}/messages"): Permission.CHATS_READ,
    ("POST", "/api/v1/chats/{chat_id}/messages"): Permission.CHATS_WRITE,
    ("POST", "/api/v1/streams/chats/{chat_id}/messages"): Permission.CHATS_WRITE,
    ("GET", "/api/v1/streams/ingestions/{ingestion_id}"): Permission.DOCUMENTS_READ,
}

ELSEWHERE = {"openapi.json": "health", "docs": "health"}
"""First parts of paths that are not named after the area that answers them."""


def area_of(path: str) -> str:
    """The HTTP area, that is the function, that answers a path."""
    first = path.removeprefix("/api/v1/").partition("/")[0]
    return ELSEWHERE.get(first, first)
