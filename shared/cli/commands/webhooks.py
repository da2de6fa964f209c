"""Commands about webhooks: endpoints that are told when a run completes, and what was sent to them."""

from itertools import islice
from typing import Annotated

import typer

from shared.cli.asking import confirm
from shared.cli.commands.documents import PANEL
from shared.cli.errors import CliError
from shared.cli.options import api_command, group_default
from shared.cli.output import Column
from shared.cli.plain import age, number
from shared.cli.session import Session
from shared.cli.shapes.webhooks import Webhook

Endpoint = Annotated[str, typer.Argument(metavar="WEBHOOK", help="Its address or id.")]


def list_webhooks(session: Session) -> None:
    """List endpoints; `add` and `remove` make and delete them."""
    found = list(session.api.webhooks())
    if session.json:
        session.output.value(found)
        return
    rows = [
        (one["url"], _state(one), "every run" if one["all_runs"] else "named", age(one["created_at"]), one["id"])
        for one in found
    ]
    columns = [
        Column("Address", flexible=True, style="bold"),
        Column("State", wraps=True),
        Column("Told of"),
        Column("Age", right=True),
        Column("Id", style="dim"),
    ]
    session.output.table(columns, rows, empty="There are no webhooks yet. lambent webhooks add URL makes one.")


def add(
    session: Session,
    address: Annotated[str, typer.Argument(metavar="URL", help="A public https address.")],
    description: Annotated[str, typer.Option("--description", metavar="TEXT", help="What it is for.")] = "",
    all_runs: Annotated[
        bool, typer.Option("--all-runs", help="Tell it of every run, not only of those that name it.")
    ] = False,
) -> None:
    """Make an endpoint. Its secret is shown this once."""
    made = session.api.create_webhook(address, description, all_runs=all_runs)
    if session.json:
        session.output.value(made)
        return
    if made.get("secret_withheld"):
        session.output.line(f"Made the webhook {made['id']}, but the answer with its secret was lost on the way.")
        session.output.line("The secret is shown once: lambent webhooks remove it, and add it again.")
        return
    session.output.line(f"Made the webhook {made['id']}; its secret, which is shown this once:")
    session.output.line(made["secret"])


def remove(
    session: Session,
    name: Endpoint,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete an endpoint; what is on its way to it ends."""
    found = _endpoint(session, name)
    confirm(yes, f"Delete the webhook {found['url']}?")
    session.api.delete_webhook(found["id"])
    if session.json:
        session.output.value({"id": found["id"], "deleted": True})
    else:
        session.output.line(f"{found['url']} is told of nothing any more.")


def deliveries(
    session: Session,
    name: Endpoint,
    limit: Annotated[int, typer.Option("--limit", "-n", metavar="N", help="How many at most.", min=1)] = 20,
) -> None:
    """List what was sent to an endpoint, newest first, with its latest attempt."""
    found = list(islice(session.api.deliveries(_endpoint(session, name)["id"]), limit))
    if session.json:
        session.output.value(found)
        return
    rows = []
    for one in found:
        latest = one["attempts"][-1] if one["attempts"] else None
        came = "" if latest is None else latest["error"] or str(latest["status"])
        rows.append((one["kind"], one["state"], number(one["tries"]), came, age(one["created_at"]), one["id"]))
    columns = [
        Column("Event"),
        Column("State", style="bold"),
        Column("Tries", right=True),
        Column("What came of it", wraps=True),
        Column("Age", right=True),
        Column("Id", style="dim"),
    ]
    session.output.table(columns, rows, empty="Nothing was sent to it yet.")


def redeliver(
    session: Session,
    name: Endpoint,
    delivery: Annotated[str, typer.Argument(metavar="DELIVERY", help="Its id.")],
) -> None:
    """Send a delivery once more, with the id and the body it had."""
    sent = session.api.redeliver(_endpoint(session, name)["id"], delivery)
    if session.json:
        session.output.value(sent)
    else:
        session.output.line(f"{sent['id']} is on its way again.")


def _endpoint(session: Session, name: str) -> Webhook:
    found = [one for one in session.api.webhooks() if name in (one["id"], one["url"])]
    if not found:
        raise CliError(f"there is no webhook {name!r}", code="webhook_not_found", hint="lambent webhooks")
    if len(found) > 1:
        raise CliError(f"several webhooks have the address {name}", code="ambiguous", hint="name one by its id")
    return found[0]


def _state(one: Webhook) -> str:
    if one["disabled_at"]:
        return f"disabled: {one['disabled_reason']}"
    return f"failing for {age(one['failing_since'])}" if one["failing_since"] else "told"


def declare(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(help="List webhooks, add or remove one, see what was sent.", rich_markup_mode=None)
    group_default(group)(list_webhooks)
    for body in (add, remove, deliveries, redeliver):
        api_command(group)(body)
    app.add_typer(group, name="webhooks", rich_help_panel=PANEL)
