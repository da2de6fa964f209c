"""Which permission each route asks for: all of it, in one table. A route that is not in it does not start."""

from collections.abc import Mapping

from shared.domain.tenants import Permission

PUBLIC = None
"""Open to strangers."""

ROUTES: Mapping[tuple[str, str], Permission | None] = {
    ("GET", "/api/v1/health/live"): PUBLIC,
    ("GET", "/api/v1/health"): PUBLIC,
    ("GET", "/api/v1/health/details"): Permission.HEALTH_READ,
    ("GET", "/api/v1/health/waiting"): Permission.HEALTH_READ,
    ("POST", "/api/v1/projects"): Permission.PROJECTS_WRITE,
    ("GET", "/api/v1/projects"): Permission.PROJECTS_READ,
    ("GET", "/api/v1/projects/{project_id}"): Permission.PROJECTS_READ,
    ("DELETE", "/api/v1/projects/{project_id}"): Permission.PROJECTS_WRITE,
    ("POST", "/api/v1/collections"): Permission.COLLECTIONS_WRITE,
    ("GET", "/api/v1/collections"): Permission.COLLECTIONS_READ,
    ("GET", "/api/v1/collections/{collection_id}"): Permission.COLLECTIONS_READ,
    ("PATCH", "/api/v1/collections/{collection_id}"): Permission.COLLECTIONS_WRITE,
    ("DELETE", "/api/v1/collections/{collection_id}"): Permission.COLLECTIONS_WRITE,
    ("GET", "/api/v1/reindexes/plan"): Permission.COLLECTIONS_READ,
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
