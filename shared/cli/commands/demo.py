"""The command that shows what this is: documents in, questions answered, every citation checked, times told."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from shared.cli.commands import cloud, ingest
from shared.cli.errors import CliError, NoAddress
from shared.cli.options import api_command
from shared.cli.output import Column, Output
from shared.cli.pipeline import STAGES, TITLES
from shared.cli.plain import milliseconds, number, plural, seconds, shortened
from shared.cli.session import Session
from shared.cli.shapes.documents import Document
from shared.cli.shapes.rooms import Collection

if TYPE_CHECKING:
    from shared.cli.demo_user import DemoUser
    from shared.cli.demonstration import Asked
    from shared.cli.outcomes import Outcome

COLLECTION = "demo"
DOCUMENTS = ("tests", "demo", "documents")
QUESTION_CHARACTERS = 48
ANSWER_STEPS = {"Search": ("embed", "vector", "keyword", "gate"), "Model": ("model",), "Check": ("check",)}


def demo(
    session: Session,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the local cloud running.")] = False,
) -> None:
    """Start what is needed, take in a small company's documents, ask five questions, and check every citation."""
    from shared.cli.demonstration import ask_all

    folder = session.root.joinpath(*DOCUMENTS)
    if not folder.is_dir():
        raise CliError(
            f"the demo's documents are not here ({folder})",
            code="no_demo",
            hint="run it from a checkout: uv sync && uv run lambent demo",
        )
    with _running(session, keep=keep) as started:
        output = session.output
        user = _come_in(session)
        target, outcomes = _take_in(session)
        asked = ask_all(session.api, output, target)
        documents = [session.api.document(one.document_id) for one in outcomes if one.document_id]
        problems = [problem for one in asked for problem in one.problems]
        if session.json:
            output.value(
                {**_as_json(session, target, outcomes, asked, documents), "user": user.email if user else None}
            )
        else:
            show_times(output, documents, asked)
            _show_verdict(output, asked, problems)
            _show_next(output, user, keep=keep or not started)
        if problems:
            raise CliError(
                f"{plural(len(problems), 'thing')} did not hold: {problems[0]}",
                code="demo_failed",
                hint="see how it does: lambent health, and what the functions wrote: lambent logs",
            )


@contextmanager
def _running(session: Session, *, keep: bool) -> Iterator[bool]:
    """An API to talk to; yields whether it was started for this. What was started is stopped again."""
    from shared.local.report import Options

    try:
        there = bool(session.place.url)
    except NoAddress:
        there = False
    if there:
        yield False
        return
    session.output.note("Starting the local cloud …", "")
    cloud.start_detached(session, Options(root=session.root), quiet=session.json)
    try:
        yield True
    finally:
        if not keep:
            session.cloud.down(session.root)
            session.output.note("The local cloud has been stopped; what it stored stays.")


def _come_in(session: Session) -> "DemoUser | None":
    """Sign up in the local cloud, where mail can be read; elsewhere, and with a key, the demo is whoever you are."""
    from shared.cli.demo_user import demo_user

    if session.asked.key or session.place.local is None:
        return None
    user = demo_user(session)
    if not session.json:
        session.output.line(user.words, "bold green")
    return user


def _take_in(session: Session) -> "tuple[Collection, Sequence[Outcome]]":
    from shared.cli.ingestion import Ingestion
    from shared.cli.outcomes import Labels, failed
    from shared.cli.progress import watching
    from shared.cli.sources import collect

    folder = session.root.joinpath(*DOCUMENTS)
    found = collect([folder], base=folder)
    target = ingest.collection_for(session.api, COLLECTION)
    session.output.note(f"Taking in {plural(len(found.files), 'document')} of a company that does not exist …", "")
    with watching(session.output) as watcher:
        outcomes = Ingestion(session.api, target["id"], Labels(["demo"]), watcher, name="demo").run(found.files)
    bad = failed(outcomes)
    if bad:
        raise CliError(
            f"{bad[0].path} was not indexed: {bad[0].reason or bad[0].result}",
            code="demo_failed",
            hint=f"lambent why {bad[0].document_id or bad[0].path}",
        )
    return target, outcomes


def show_times(output: Output, documents: Sequence[Document], asked: "Sequence[Asked]") -> None:
    """Where the time went: a row for each document and one for each question."""
    output.line()
    rows = []
    for one in documents:
        latest = one.get("latest")
        timings, counts = (latest["timings"], latest["counts"]) if latest else ({}, None)
        chunks = number(counts["chunks"]) if counts else ""
        rows.append(
            (
                one["path"],
                chunks,
                *(milliseconds(timings[step]) if step in timings else "" for step in STAGES),
                milliseconds(sum(timings.values())),
            )
        )
    columns = [Column(title, right=True) for title in ("Chunks", *TITLES.values(), "Total")]
    output.table([Column("Document", tail=True), *columns], rows)
    output.line()
    questions = [
        (
            shortened(one.question, QUESTION_CHARACTERS),
            *(milliseconds(sum(one.milliseconds.get(step, 0.0) for step in steps)) for steps in ANSWER_STEPS.values()),
            *(seconds(one.first_word), seconds(one.whole)),
        )
        for one in asked
    ]
    columns = [Column(title, right=True) for title in (*ANSWER_STEPS, "First word", "Whole answer")]
    output.table([Column("Question", flexible=True), *columns], questions)


def _show_verdict(output: Output, asked: "Sequence[Asked]", problems: Sequence[str]) -> None:
    output.line()
    checked = sum(len(one.answer["citations"]) for one in asked)
    if problems:
        output.line("What did not hold", "bold red")
        output.line("\n".join(f"  {problem}" for problem in problems))
    else:
        output.line(
            f"{plural(len(asked), 'question')} answered; all {plural(checked, 'citation')} hold: "
            "each quote is, letter for letter, in the text it names.",
            "bold green",
        )


def _show_next(output: Output, user: "DemoUser | None", *, keep: bool) -> None:
    start = [] if keep else ["lambent up --detach"]
    start += [f"lambent switch {user.email}"] if user and not user.current else []
    commands = [
        *start,
        "lambent whoami",
        f'lambent ask -c {COLLECTION} "When may I work from another country?"',
        f'lambent search -c {COLLECTION} "water in the body of the probe"',
        f"lambent why -c {COLLECTION} employee-handbook.pdf",
        "lambent ingest ~/Documents/some-folder",
        "lambent open",
    ]
    output.line("\nTry next")
    output.line("\n".join(f"  {one}" for one in commands))


def _as_json(
    session: Session,
    target: Collection,
    outcomes: "Sequence[Outcome]",
    asked: "Sequence[Asked]",
    documents: Sequence[Document],
) -> dict[str, Any]:
    return {
        "url": session.address.url,
        "collection": {"id": target["id"], "name": target["name"]},
        "documents": [
            {**one.as_json(), "timings": latest["timings"] if (latest := document.get("latest")) else {}}
            for one, document in zip(outcomes, documents, strict=True)
        ],
        "answers": [one.as_json() for one in asked],
        "ok": not any(one.problems for one in asked),
    }


def declare(app: typer.Typer) -> None:
    """Add this command."""
    api_command(app, panel=cloud.PANEL)(demo)
