"""What is called by name on deploy: migrations, and the first owner's key."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from shared import bootstrap
from shared.runtime.transactions import transaction
from shared.usecases.projects.bootstrap import found, founding_scope


class Migrate(BaseModel):
    """Bring the database to this version."""

    model_config = ConfigDict(extra="forbid")

    action: Literal["migrate"]


class Bootstrap(BaseModel):
    """Make a tenant with one project and an owner's key, which is in the answer and nowhere else."""

    model_config = ConfigDict(extra="forbid")

    action: Literal["bootstrap"]
    tenant: str = Field(min_length=1)
    project: str = Field(default="default", min_length=1)


REQUEST: TypeAdapter[Migrate | Bootstrap] = TypeAdapter(Migrate | Bootstrap)


async def set_up(event: dict[str, Any]) -> dict[str, object]:
    """Do what the event asks.

    Raises:
        ValidationError: the event is none of the known requests.
    """
    request = REQUEST.validate_python(event)
    if isinstance(request, Migrate):
        return dict(await bootstrap.kit().migrations.migrate())
    scope = founding_scope(bootstrap.powers().ids.new())
    async with transaction(scope) as ports:
        owner = await found(scope, ports, tenant=request.tenant, project=request.project)
    return {"tenant_id": str(owner.tenant_id), "project_id": str(owner.project_id), "api_key": owner.api_key}
