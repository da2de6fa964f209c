"""Which object keys may be removed together."""

from uuid import UUID


def deletable_prefix(prefix: str) -> str:
    """Check that a prefix holds traces of one document of one tenant, never of more.

    Accepted: any folders, of which two are ids (tenant, then document), ending in '/'; or a whole key below that.

    Raises:
        ValueError: empty, or wider than a document.
    """
    folders = prefix.split("/")[:-1]
    if all(folders) and sum(map(_is_id, folders)) >= 2:
        return prefix
    raise ValueError("a prefix to remove must name one tenant and one document: <tenant id>/<document id>/")


def tenant_prefix(prefix: str) -> str:
    """Check that a prefix to list names one tenant.

    Raises:
        ValueError: it is wider.
    """
    if prefix.endswith("/") and any(map(_is_id, prefix.split("/")[:-1])):
        return prefix
    raise ValueError("a prefix to list must name one tenant: <tenant id>/")


def under(prefix: str, key: str) -> bool:
    """Whether the prefix means the key: below it when it ends in '/', else it alone ('…/1' does not mean '…/10')."""
    return key.startswith(prefix) if prefix.endswith("/") else key == prefix


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False
