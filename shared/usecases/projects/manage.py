"""Projects as things: make, list, look at, rename, move between units, put into the archive."""

from dataclasses import replace
from uuid import UUID

from shared.domain.errors import NotFound
from shared.domain.labels import clean_name
from shared.domain.pages import After, Page, decode_cursor, fingerprint, page_of
from shared.domain.tenants import Permission, Project, TenantScope
from shared.ports.ports import Ports
from shared.usecases.audit.note import note
from shared.usecases.units.manage import require_placing


async def create(scope: TenantScope, ports: Ports, name: str, unit_id: UUID | None = None) -> Project:
    """A new project of the tenant, in an org unit or in none.

    Raises:
        Conflict: the tenant has a project of this name.
        NotFound: no such unit.
        Forbidden: people of the unit would get roles in it that may do more than the caller.
    """
    scope.require(Permission.PROJECTS_WRITE)
    if unit_id is not None:
        await require_placing(scope, ports, Permission.PROJECTS_WRITE, unit_id)
    project = Project(ports.ids.new(), scope.tenant_id, clean_name(name), ports.clock.now(), unit_id=unit_id)
    await ports.projects.add(scope, project)
    await note(scope, ports, "project.created", project.id, project_id=project.id, after=_written(project))
    return project


async def get(scope: TenantScope, ports: Ports, project_id: UUID) -> Project:
    """One project of the tenant.

    Raises:
        NotFound: none of the tenant's.
    """
    scope.require(Permission.PROJECTS_READ)
    return await existing(scope, ports, project_id)


async def list_projects(scope: TenantScope, ports: Ports, *, cursor: str | None, limit: int) -> Page[Project]:
    """Projects of the tenant, newest first, archived ones too."""
    scope.require(Permission.PROJECTS_READ)
    listing = fingerprint("projects", scope.tenant_id)
    rows = await ports.projects.list(scope, decode_cursor(cursor, listing) if cursor else None, limit + 1)
    return page_of(rows, limit, listing, lambda row: After(row.created_at, row.id))


async def rename(scope: TenantScope, ports: Ports, project_id: UUID, name: str) -> Project:
    """Give a project another name.

    Raises:
        NotFound: none of the tenant's.
        Conflict: the tenant has another of this name.
    """
    scope.require(Permission.PROJECTS_WRITE)
    known = await existing(scope, ports, project_id)
    return await _saved(scope, ports, known, replace(known, name=clean_name(name)), "project.renamed")


async def move(scope: TenantScope, ports: Ports, project_id: UUID, unit_id: UUID | None) -> Project:
    """Put a project into an org unit: whoever has a role there has it in the project. None: into no unit.

    Raises:
        NotFound: no such project or unit.
        Forbidden: people of the unit would get roles in it that may do more than the caller.
    """
    scope.require(Permission.PROJECTS_WRITE)
    known = await existing(scope, ports, project_id)
    await require_placing(scope, ports, Permission.PROJECTS_WRITE, unit_id, project_id)
    return await _saved(scope, ports, known, replace(known, unit_id=unit_id), "project.moved")


async def archive(scope: TenantScope, ports: Ports, project_id: UUID) -> Project:
    """Put a project away: nobody reads, writes or asks in it until it is taken out again. Twice is once.

    Raises:
        NotFound: none of the tenant's.
    """
    scope.require(Permission.PROJECTS_WRITE)
    known = await existing(scope, ports, project_id)
    if known.archived_at is not None:
        return known
    return await _saved(scope, ports, known, replace(known, archived_at=ports.clock.now()), "project.archived")


async def unarchive(scope: TenantScope, ports: Ports, project_id: UUID) -> Project:
    """Take a project out of the archive. Twice is once.

    Raises:
        NotFound: none of the tenant's.
    """
    scope.require(Permission.PROJECTS_WRITE)
    known = await existing(scope, ports, project_id)
    if known.archived_at is None:
        return known
    return await _saved(scope, ports, known, replace(known, archived_at=None), "project.unarchived")


async def existing(scope: TenantScope, ports: Ports, project_id: UUID) -> Project:
    """The project.

    Raises:
        NotFound: none of the tenant's.
    """
    found = await ports.projects.get(scope, project_id)
    if found is None:
        raise NotFound("no such project", code="project_not_found")
    return found


async def _saved(scope: TenantScope, ports: Ports, known: Project, changed: Project, action: str) -> Project:
    await ports.projects.save(scope, changed)
    before, after = _written(known), _written(changed)
    await note(scope, ports, action, known.id, project_id=known.id, before=before, after=after)
    return changed


def _written(project: Project) -> dict[str, object]:
    return {
        "name": project.name,
        "unit_id": None if project.unit_id is None else str(project.unit_id),
        "archived": project.archived_at is not None,
    }
