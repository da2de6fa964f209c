"""Projects of a tenant."""

from uuid import UUID

from fastapi import APIRouter

from functions.projects.schemas import NewProject, ProjectOut, ProjectPage
from shared.runtime.auth import AuthorisedTenant
from shared.runtime.http import PREFIX, http_function
from shared.runtime.paging import Cursor, Limit
from shared.usecases.projects import manage

router = APIRouter(prefix=PREFIX)


@router.post("/projects", status_code=201)
async def create_project(body: NewProject, call: AuthorisedTenant) -> ProjectOut:
    """Make a project."""
    return ProjectOut.model_validate(await manage.create(call.scope, call.ports, body.name))


@router.get("/projects")
async def list_projects(call: AuthorisedTenant, cursor: Cursor = None, limit: Limit = 50) -> ProjectPage:
    """List projects, newest first."""
    return ProjectPage.model_validate(await manage.list_projects(call.scope, call.ports, cursor=cursor, limit=limit))


@router.get("/projects/{project_id}")
async def get_project(project_id: UUID, call: AuthorisedTenant) -> ProjectOut:
    """One project."""
    return ProjectOut.model_validate(await manage.get(call.scope, call.ports, project_id))


handler = http_function(router)
