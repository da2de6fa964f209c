"""Answers as a person reads them: the text while it is written, then what it rests on, and what it does not rest on."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import cast

from rich.live import Live
from rich.text import Text

from shared.cli.errors import NotLambent
from shared.cli.output import Output
from shared.cli.plain import one_line, safe, shortened, steps
from shared.cli.shapes import Json
from shared.cli.shapes.questions import Answer, Citation, Message

QUOTE_CHARACTERS = 400
STEPS = ("embed", "vector", "keyword", "gate", "first_token", "model", "check")
"""Of an answer, in the order they are taken."""


def stream_answer(output: Output, events: Iterable[tuple[str, Json]]) -> Answer:
    """Print an answer with what it rests on.

    On a terminal it can be read while it is written; what stays is the checked text.

    Args:
        output: where to.
        events: of `Api.ask`; the last is `answer`.

    Returns:
        The checked answer.
    """
    with _preview(output) as show:
        written = ""
        answer: Answer | None = None
        for name, data in events:
            if name == "delta":
                written += str(data["text"])
                show(written)
            elif name == "answer":
                answer = cast(Answer, data)
    if answer is None:
        raise NotLambent("the answer broke off before it was complete", code="bad_stream", hint="ask again")
    show_text(output, answer["answer"])
    show_basis(output, answer["answer"])
    return answer


@contextmanager
def _preview(output: Output) -> Iterator[Callable[[str], None]]:
    """A place for text that is not checked yet; it is gone afterwards, because checking may renumber its citations."""
    console = output.out
    if not console.is_terminal:
        yield lambda text: None
        return
    with Live(console=console, transient=True, auto_refresh=False) as live:
        # What is higher than the screen cannot be taken back: the end is what one reads.
        room = (console.height - 2) * console.width
        yield lambda text: live.update(Text(safe(text)[-room:]), refresh=True)


def show_text(output: Output, message: Message) -> None:
    """The answer itself; sentences that no source supports stand out."""
    content = message["content"]
    text = Text(safe(content))
    if message["found"]:
        for sentence in message["sentences"]:
            if not sentence["supported"]:
                text.stylize("yellow", sentence["start"], sentence["end"])
    output.rich(text)


def show_basis(output: Output, message: Message) -> None:
    """What an answer rests on: citations, sentences without one, and the receipt."""
    if not message["found"]:
        output.note("The documents searched do not answer this.", "yellow")
    if message["citations"]:
        output.line()
        output.line("Sources", "bold")
        for citation in message["citations"]:
            show_citation(output, citation)
    _show_unsupported(output, message)
    receipt = message["receipt"]
    if receipt:
        tokens = (
            f" · {receipt['input_tokens']} tokens in, {receipt['output_tokens']} out"
            if receipt["input_tokens"] or receipt["output_tokens"]
            else ""
        )
        output.line()
        took = receipt["milliseconds"]
        ordered = {step: took[step] for step in sorted(took, key=lambda step: (*STEPS, step).index(step))}
        output.line(f"{receipt['model']}{tokens} · {steps(ordered)}", "dim")


def show_citation(output: Output, one: Citation) -> None:
    """Where a citation is from, and its words; of a deleted document, only that it was there."""
    if one["removed"]:
        output.line(f"[{one['number']}] removed: the document was deleted", "dim")
        return
    output.rich(
        Text.assemble(
            (f"[{one['number']}] ", "bold cyan"), (one_line(one["document_name"]), "bold"), (f"  {place(one)}", "dim")
        )
    )
    output.indented(f"“{shortened(one['quote'], QUOTE_CHARACTERS)}”", 4, "italic")


def place(one: Citation) -> str:
    """'version 2, page 3, characters 1204-1310, Leave › Carrying over'."""
    headings = " › ".join(one_line(heading) for heading in one["heading_path"])
    parts = [
        f"version {one['version']}",
        f"page {one['page']}" if one["page"] else "",
        f"characters {one['start']}-{one['end']}",
        headings,
    ]
    return ", ".join(part for part in parts if part)


def _show_unsupported(output: Output, message: Message) -> None:
    doubtful = [message["content"][one["start"] : one["end"]] for one in message["sentences"] if not one["supported"]]
    if not doubtful or not message["found"]:
        return
    output.line()
    output.line("No source supports", "bold yellow")
    for sentence in doubtful:
        output.indented(f"? {one_line(sentence)}", 4, "yellow")


def show_messages(output: Output, messages: Sequence[Message]) -> None:
    """A conversation."""
    for message in messages:
        output.line()
        output.line({"user": "You", "assistant": "Answer"}.get(message["role"], message["role"]), "bold")
        show_text(output, message)
        if message["role"] == "assistant":
            show_basis(output, message)
