"""Projects of a tenant, and who has a role in them."""

from uuid import UUID

from functions.projects import schemas as s
from shared.runtime.auth import AuthorisedTenant
from shared.runtime.http import http_function
from shared.runtime.paging import Cursor, Limit
from shared.runtime.receipts import ReceiptOut, Sure
from shared.runtime.web import Response, Router
from shared.usecases.deletion import request
from shared.usecases.projects import manage, people

router = Router()


@router.post("/projects", status_code=201)
async def create_project(body: s.NewProject, call: AuthorisedTenant) -> s.ProjectOut:
    """Make a project, in an org unit or in none."""
    return s.ProjectOut.model_validate(await manage.create(call.scope, call.ports, **body.model_dump()))


@router.get("/projects")
async def list_projects(call: AuthorisedTenant, cursor: Cursor = None, limit: Limit = 50) -> s.ProjectPage:
    """List projects, newest first, archived ones too."""
    page = await manage.list_projects(call.scope, call.ports, cursor=cursor, limit=limit)
    return s.ProjectPage.model_validate(page)


@router.get("/projects/{project_id}")
async def get_project(project_id: UUID, call: AuthorisedTenant) -> s.ProjectOut:
    """One project."""
    return s.ProjectOut.model_validate(await manage.get(call.scope, call.ports, project_id))


@router.patch("/projects/{project_id}")
async def rename_project(project_id: UUID, body: s.ProjectChange, call: AuthorisedTenant) -> s.ProjectOut:
    """Give it another name."""
    return s.ProjectOut.model_validate(await manage.rename(call.scope, call.ports, project_id, body.name))


@router.post("/projects/{project_id}/move")
async def move_project(project_id: UUID, body: s.ProjectMove, call: AuthorisedTenant) -> s.ProjectOut:
    """Put it into an org unit, or into none. Whoever has a role there has it in the project from then on."""
    return s.ProjectOut.model_validate(await manage.move(call.scope, call.ports, project_id, body.unit_id))


@router.post("/projects/{project_id}/archive")
async def archive_project(project_id: UUID, call: AuthorisedTenant) -> s.ProjectOut:
    """Put it away: nobody reads, writes or asks in it until it is taken out again."""
    return s.ProjectOut.model_validate(await manage.archive(call.scope, call.ports, project_id))


@router.post("/projects/{project_id}/unarchive")
async def unarchive_project(project_id: UUID, call: AuthorisedTenant) -> s.ProjectOut:
    """Take it out of the archive."""
    return s.ProjectOut.model_validate(await manage.unarchive(call.scope, call.ports, project_id))


@router.get("/projects/{project_id}/members")
async def list_project_members(project_id: UUID, call: AuthorisedTenant) -> s.ProjectMemberList:
    """Who has a role in the project itself, the oldest first."""
    found = await people.list_people(call.scope, call.ports, project_id)
    return s.ProjectMemberList.model_validate({"items": found})


@router.put("/projects/{project_id}/members/{user_id}")
async def put_project_member(
    project_id: UUID, user_id: UUID, body: s.ProjectRole, call: AuthorisedTenant
) -> s.ProjectMemberOut:
    """Give a member of the organisation a role in the project. Nobody gives more than they hold there."""
    made = await people.put(call.scope, call.ports, project_id, user_id, body.role)
    return s.ProjectMemberOut.model_validate(made)


@router.delete("/projects/{project_id}/members/{user_id}", status_code=204)
async def remove_project_member(project_id: UUID, user_id: UUID, call: AuthorisedTenant) -> Response:
    """Take a member's role in the project."""
    await people.remove(call.scope, call.ports, project_id, user_id)
    return Response(status_code=204)


@router.delete("/projects/{project_id}", status_code=202)
async def delete_project(project_id: UUID, body: Sure, call: AuthorisedTenant) -> ReceiptOut:
    """Delete it with everything in it, and revoke its keys; its name in the body says that you are sure."""
    return ReceiptOut.of(await request.delete_project(call.scope, call.ports, project_id, body.name))


handler = http_function(router)
