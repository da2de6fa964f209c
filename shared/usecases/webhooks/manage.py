"""Make webhook endpoints, show their secret once, rotate it, enable and delete them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from shared.domain.errors import Invalid, NotFound, Rejected
from shared.domain.pages import After, Page, decode_cursor, fingerprint, page_of
from shared.domain.tenants import Permission, Scope
from shared.domain.webhooks import Delivery, Webhook, asked_again, secret_of
from shared.ports.ports import Ports
from shared.usecases.outbox.send import send_delivery


@dataclass(frozen=True, slots=True)
class WithSecret:
    """An endpoint and its secret, which is shown this once."""

    webhook: Webhook
    secret: str


async def create(scope: Scope, ports: Ports, *, url: str, description: str, all_runs: bool) -> WithSecret:
    """Make an endpoint.

    Raises:
        Invalid: a URL that would never be called.
    """
    scope.require(Permission.WEBHOOKS_WRITE)
    try:
        ports.egress.check(url)
    except Rejected as error:
        raise Invalid(error.detail, code=error.code, hint="give a public https address") from error
    made = Webhook(
        id=ports.ids.new(),
        tenant_id=scope.tenant_id,
        project_id=scope.project_id,
        url=url,
        description=description.strip(),
        all_runs=all_runs,
        created_by=str(scope.principal),
        created_at=ports.clock.now(),
    )
    await ports.webhooks.add(scope, made)
    return WithSecret(made, secret_of(ports.webhook_key, made.id, made.secret_version))


async def rotate(scope: Scope, ports: Ports, webhook_id: UUID) -> WithSecret:
    """Give it another secret; the one before goes on signing beside it for a day.

    Raises:
        NotFound: no such endpoint in this project.
    """
    known = await _locked(scope, ports, webhook_id)
    changed = replace(known, secret_version=known.secret_version + 1, rotated_at=ports.clock.now())
    await ports.webhooks.save(scope, changed)
    return WithSecret(changed, secret_of(ports.webhook_key, changed.id, changed.secret_version))


async def enable(scope: Scope, ports: Ports, webhook_id: UUID) -> Webhook:
    """Tell it again after it was disabled; what it missed can be delivered by hand.

    Raises:
        NotFound: no such endpoint in this project.
    """
    known = await _locked(scope, ports, webhook_id)
    changed = replace(known, disabled_at=None, disabled_reason="", failing_since=None)
    await ports.webhooks.save(scope, changed)
    return changed


async def delete(scope: Scope, ports: Ports, webhook_id: UUID) -> None:
    """Delete it; deliveries on their way end there.

    Raises:
        NotFound: no such endpoint in this project.
    """
    known = await _locked(scope, ports, webhook_id)
    await ports.webhooks.save(scope, replace(known, deleted_at=ports.clock.now()))


async def get(scope: Scope, ports: Ports, webhook_id: UUID) -> Webhook:
    """One endpoint.

    Raises:
        NotFound: no such endpoint in this project.
    """
    scope.require(Permission.WEBHOOKS_READ)
    return _existing(await ports.webhooks.get(scope, webhook_id))


async def list_webhooks(scope: Scope, ports: Ports, *, cursor: str | None, limit: int) -> Page[Webhook]:
    """A page of endpoints, newest first."""
    scope.require(Permission.WEBHOOKS_READ)
    listing = fingerprint("webhooks", scope.project_id)
    rows = await ports.webhooks.list(scope, decode_cursor(cursor, listing) if cursor else None, limit + 1)
    return page_of(rows, limit, listing, lambda row: After(row.created_at, row.id))


async def list_deliveries(
    scope: Scope, ports: Ports, webhook_id: UUID, *, cursor: str | None, limit: int
) -> Page[Delivery]:
    """A page of what was sent to an endpoint, newest first.

    Raises:
        NotFound: no such endpoint in this project.
    """
    known = await get(scope, ports, webhook_id)
    listing = fingerprint("deliveries", known.id)
    after = decode_cursor(cursor, listing) if cursor else None
    rows: Sequence[Delivery] = await ports.webhooks.deliveries(scope, known.id, after, limit + 1)
    return page_of(rows, limit, listing, lambda row: After(row.created_at, row.id))


async def redeliver(scope: Scope, ports: Ports, webhook_id: UUID, delivery_id: UUID) -> Delivery:
    """Send a delivery once more, with the id and the body it had.

    Raises:
        NotFound: no such endpoint or delivery in this project.
    """
    scope.require(Permission.WEBHOOKS_WRITE)
    known = await ports.webhooks.lock_delivery(scope, delivery_id)
    if known is None or known.webhook_id != webhook_id:
        raise NotFound("no such delivery to this endpoint", code="delivery_not_found")
    _existing(await ports.webhooks.get(scope, webhook_id))
    again = asked_again(known, ports.clock.now())
    await ports.webhooks.save_delivery(scope, again)
    await send_delivery(scope, ports, again.id, again.tries)
    return again


async def _locked(scope: Scope, ports: Ports, webhook_id: UUID) -> Webhook:
    scope.require(Permission.WEBHOOKS_WRITE)
    return _existing(await ports.webhooks.lock(scope, webhook_id))


def _existing(found: Webhook | None) -> Webhook:
    if found is None or found.deleted_at is not None:
        raise NotFound("no such webhook in this project", code="webhook_not_found")
    return found
