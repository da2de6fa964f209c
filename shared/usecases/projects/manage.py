"""Projects as things: make, list, look at."""

from uuid import UUID

from shared.domain.errors import NotFound
from shared.domain.labels import clean_name
from shared.domain.pages import After, Page, decode_cursor, fingerprint, page_of
from shared.domain.tenants import Permission, Project, TenantScope
from shared.ports.ports import Ports


async def create(scope: TenantScope, ports: Ports, name: str) -> Project:
    """A new project of the tenant.

    Raises:
        Conflict: the tenant has a project of this name.
    """
    scope.require(Permission.PROJECTS_WRITE)
    project = Project(ports.ids.new(), scope.tenant_id, clean_name(name), ports.clock.now())
    await ports.projects.add(scope, project)
    return project


async def get(scope: TenantScope, ports: Ports, project_id: UUID) -> Project:
    """One project of the tenant.

    Raises:
        NotFound: none of the tenant's.
    """
    scope.require(Permission.PROJECTS_READ)
    found = await ports.projects.get(scope, project_id)
    if found is None:
        raise NotFound("no such project", code="project_not_found")
    return found


async def list_projects(scope: TenantScope, ports: Ports, *, cursor: str | None, limit: int) -> Page[Project]:
    """Projects of the tenant, newest first."""
    scope.require(Permission.PROJECTS_READ)
    listing = fingerprint("projects", scope.tenant_id)
    rows = await ports.projects.list(scope, decode_cursor(cursor, listing) if cursor else None, limit + 1)
    return page_of(rows, limit, listing, lambda row: After(row.created_at, row.id))
