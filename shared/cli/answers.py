"""Answers as a person reads them: the text while it is written, then what it rests on, and what it does not rest on."""

from collections.abc import Iterable, Sequence
from typing import cast

from rich.text import Text

from shared.cli.errors import NotLambent
from shared.cli.output import Output
from shared.cli.plain import one_line, safe, steps
from shared.cli.shapes import Answer, Citation, Json, Message

QUOTE_CHARACTERS = 400


def stream_answer(output: Output, events: Iterable[tuple[str, Json]]) -> Answer:
    """Print an answer while it comes, then its sources.

    Args:
        output: where to.
        events: of `Api.ask`; the last is `answer`.

    Returns:
        The checked answer.
    """
    written: list[str] = []
    answer: Answer | None = None
    for name, data in events:
        if name == "delta":
            text = str(data["text"])
            written.append(text)
            output.out.print(safe(text), end="", soft_wrap=True)
        elif name == "answer":
            answer = cast(Answer, data)
    if answer is None:
        raise NotLambent("the answer broke off before it was complete", code="bad_stream", hint="ask again")
    if written:
        output.line()
    _correct(output, "".join(written), answer["answer"])
    show_basis(output, answer["answer"])
    return answer


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
        output.line(f"{receipt['model']}{tokens} · {steps(receipt['milliseconds'])}", "dim")


def show_citation(output: Output, one: Citation) -> None:
    """Where a citation is from, and its words."""
    output.rich(
        Text.assemble(
            (f"[{one['number']}] ", "bold cyan"), (one_line(one["document_name"]), "bold"), (f"  {place(one)}", "dim")
        )
    )
    quote = one_line(one["quote"])
    cut = quote if len(quote) <= QUOTE_CHARACTERS else quote[: QUOTE_CHARACTERS - 1] + "…"
    output.indented(f"“{cut}”", 4, "italic")


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


def _correct(output: Output, written: str, message: Message) -> None:
    """The checked text, where checking changed what was written."""
    if written.strip() == message["content"].strip():
        return
    if written:
        output.line()
        output.line("After checking its citations the answer reads:", "bold yellow")
    output.out.print(safe(message["content"]))


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
        output.out.print(safe(message["content"]))
        if message["role"] == "assistant":
            show_basis(output, message)
