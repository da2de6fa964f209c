"""What is called by name by who keeps the deployment: migrations, a first owner's key, a deleted tenant's receipt."""

from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from shared import bootstrap
from shared.runtime.receipts import ReceiptOut
from shared.runtime.transactions import transaction
from shared.usecases.deletion.read import kept_receipt
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


class Receipt(BaseModel):
    """Show a receipt: that of a deleted tenant can be read by nobody else, since its keys are gone."""

    model_config = ConfigDict(extra="forbid")

    action: Literal["receipt"]
    tenant_id: UUID
    receipt_id: UUID


REQUEST: TypeAdapter[Migrate | Bootstrap | Receipt] = TypeAdapter(Migrate | Bootstrap | Receipt)


async def set_up(event: dict[str, Any]) -> dict[str, object]:
    """Do what the event asks.

    Raises:
        ValidationError: the event is none of the known requests.
    """
    request = REQUEST.validate_python(event)
    if isinstance(request, Migrate):
        return dict(await bootstrap.kit().migrations.migrate())
    if isinstance(request, Receipt):
        keeper = founding_scope(request.tenant_id)
        async with transaction(keeper) as ports:
            kept = await kept_receipt(keeper, ports, request.receipt_id)
        return ReceiptOut.of(kept).model_dump(mode="json")
    scope = founding_scope(bootstrap.powers().ids.new())
    async with transaction(scope) as ports:
        owner = await found(scope, ports, tenant=request.tenant, project=request.project)
    return {"tenant_id": str(owner.tenant_id), "project_id": str(owner.project_id), "api_key": owner.api_key}
