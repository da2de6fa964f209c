"""Projects of a tenant."""

from uuid import UUID

from functions.projects.schemas import NewProject, ProjectOut, ProjectPage
from shared.runtime.auth import AuthorisedTenant
from shared.runtime.http import http_function
from shared.runtime.paging import Cursor, Limit
from shared.runtime.receipts import ReceiptOut, Sure
from shared.runtime.web import Router
from shared.usecases.deletion import request
from shared.usecases.projects import manage

router = Router()


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


@router.delete("/projects/{project_id}", status_code=202)
async def delete_project(project_id: UUID, body: Sure, call: AuthorisedTenant) -> ReceiptOut:
    """Delete it with everything in it, and revoke its keys; its name in the body says that you are sure."""
    return ReceiptOut.of(await request.delete_project(call.scope, call.ports, project_id, body.name))


handler = http_function(router)
