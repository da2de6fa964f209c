"""Commands that ask: search, ask, chats."""

from enum import StrEnum
from typing import Annotated

import typer

from shared.cli import names
from shared.cli.commands.documents import parse_filter
from shared.cli.options import api_command, group_default
from shared.cli.output import Column, Output
from shared.cli.plain import age, one_line, safe, shortened, steps
from shared.cli.session import Session
from shared.cli.shapes.questions import Hit

PANEL = "Questions"
EXCERPT_CHARACTERS = 300

Within = Annotated[
    list[str] | None,
    typer.Option(
        "--collection", "-c", metavar="NAME", help="Where to look; repeatable. By default in every collection."
    ),
]


class Mode(StrEnum):
    """How to search."""

    HYBRID = "hybrid"
    VECTOR = "vector"
    KEYWORD = "keyword"


def search(
    session: Session,
    query: Annotated[str, typer.Argument(help="What to look for.")],
    collection: Within = None,
    limit: Annotated[int, typer.Option("--limit", "-n", metavar="N", help="How many passages.", min=1, max=100)] = 5,
    filter: Annotated[
        str,
        typer.Option(
            "--filter", metavar="JSON", help='A filter as JSON: {"field": "tags", "op": "contains", "value": "hr"}'
        ),
    ] = "",
    mode: Annotated[Mode, typer.Option("--mode", help="By meaning and words, by meaning, or by words.")] = Mode.HYBRID,
    full: Annotated[bool, typer.Option("--full", help="Print whole passages.")] = False,
) -> None:
    """Find the passages that speak of something."""
    condition = parse_filter(filter)
    within = names.searched_collections(session.api, collection or [])
    found = session.api.search(
        {
            "query": query,
            "collection_ids": [one["id"] for one in within],
            "limit": limit,
            "mode": mode.value,
            "filter": condition,
        }
    )
    if session.json:
        session.output.value(found)
        return
    if not found["hits"]:
        session.output.note(f"Nothing found in {', '.join(one['name'] for one in within)}.", "")
    for rank, hit in enumerate(found["hits"], start=1):
        _show_hit(session.output, rank, hit, full=full)
    session.output.line(f"{found['model']} · {steps(found['milliseconds'])}", "dim")


def ask(
    session: Session,
    question: Annotated[str, typer.Argument(help="What to ask.")],
    collection: Within = None,
    chat: Annotated[str | None, typer.Option("--chat", metavar="ID", help="Go on in this chat.")] = None,
) -> None:
    """Ask a question and get an answer whose every citation was checked."""
    api = session.api
    if chat is None:
        chat = api.create_chat([one["id"] for one in names.searched_collections(api, collection or [])])["id"]
    with api.ask(chat, question) as events:
        if session.json:
            for name, data in events:
                session.output.event(
                    {"event": name, "data": data}
                    if name != "answer"
                    else {"event": name, "chat_id": chat, "data": data}
                )
            return
        from shared.cli.answers import stream_answer

        stream_answer(session.output, events)
    session.output.note(f'Go on with: lambent ask --chat {chat} "…"')


def list_chats(session: Session) -> None:
    """List your chats; `show` and `delete` take one."""
    found = list(session.api.chats())
    if session.json:
        session.output.value(found)
        return
    rows = [(one["title"] or "(nothing asked yet)", age(one["updated_at"]), one["id"]) for one in found]
    columns = [Column("Chat", flexible=True), Column("Age", right=True), Column("Id", style="dim")]
    session.output.table(columns, rows, empty='No chats yet. lambent ask "…" starts one.')


def show(session: Session, chat: Annotated[str, typer.Argument(help="Its id.")]) -> None:
    """Show a conversation with its sources."""
    messages = session.api.messages(chat)
    if session.json:
        session.output.value(messages)
        return
    from shared.cli.answers import show_messages

    show_messages(session.output, messages)


def delete(session: Session, chat: Annotated[str, typer.Argument(help="Its id.")]) -> None:
    """Delete a conversation."""
    session.api.delete_chat(chat)
    if session.json:
        session.output.value({"deleted": chat})
    else:
        session.output.line("Deleted.")


def _show_hit(output: Output, rank: int, hit: Hit, *, full: bool) -> None:
    from rich.text import Text

    pages = _pages(hit["page_first"], hit["page_last"])
    headings = " › ".join(one_line(heading) for heading in hit["heading_path"])
    place = ", ".join(
        part
        for part in (f"version {hit['version']}", pages, f"characters {hit['start']}-{hit['end']}", headings)
        if part
    )
    legs = "  ".join(
        f"{leg} {score:.2f}"
        for leg, score in (("meaning", hit["vector_score"]), ("words", hit["keyword_score"]))
        if score is not None
    )
    output.rich(
        Text.assemble(
            (f"{rank}. ", "bold cyan"),
            (one_line(hit["document_name"]), "bold"),
            (f"  {hit['score']:.2f}", "green"),
            (f"  ({legs})" if legs else "", "dim"),
        )
    )
    output.rich(Text(f"   {place}", style="dim"))
    text = safe(hit["text"]) if full else shortened(hit["text"], EXCERPT_CHARACTERS)
    output.indented(text, 3)
    output.line()


def _pages(first: int | None, last: int | None) -> str:
    if first is None:
        return ""
    return f"page {first}" if last in (None, first) else f"pages {first}-{last}"


def declare(app: typer.Typer) -> None:
    """Add these commands."""
    api_command(app, panel=PANEL)(search)
    api_command(app, panel=PANEL)(ask)
    group = typer.Typer(help="List chats, show or delete one.", rich_markup_mode=None)
    group_default(group)(list_chats)
    api_command(group)(show)
    api_command(group)(delete)
    app.add_typer(group, name="chats", rich_help_panel=PANEL)
