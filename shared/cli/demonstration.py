"""The demo's questions, asked one by one, and the check that each citation is where it says it is."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from shared.cli.answers import stream_answer
from shared.cli.api import Api
from shared.cli.errors import ApiProblem
from shared.cli.output import Output
from shared.cli.shapes import Json
from shared.cli.shapes.questions import Answer, Citation, Message
from shared.cli.shapes.rooms import Collection

QUESTIONS = (
    "How many days of annual leave may be carried over into the next year, and until when must they be taken?",
    "What does error E17 mean on the Sentinel 4?",
    "Who is called when a severity 1 page is not acknowledged?",
    "How long are raw sensor readings kept?",
    "When does the head office move to Quay 9?",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, its answer, and what of it did not hold.

    Attributes:
        first_word, whole: seconds from sending the question.
    """

    question: str
    answer: Message
    problems: Sequence[str]
    first_word: float
    whole: float

    @property
    def milliseconds(self) -> dict[str, float]:
        """What each step took, by the answer's own receipt."""
        receipt = self.answer["receipt"]
        return receipt["milliseconds"] if receipt else {}

    def as_json(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "question": self.question,
            "answer": self.answer,
            "problems": list(self.problems),
            "seconds": {"first_word": round(self.first_word, 3), "whole": round(self.whole, 3)},
        }


def ask_all(api: Api, output: Output, collection: Collection) -> list[Asked]:
    """Ask every question, each in a chat of its own that is deleted afterwards."""
    return [_ask(api, output, collection, question) for question in QUESTIONS]


def problems_of(api: Api, question: str, answer: Message) -> list[str]:
    """What does not hold of an answer: nothing found, nothing cited, or a citation that is not where it says it is."""
    if not answer["found"]:
        return [f"“{question}” was not answered"]
    if not answer["citations"]:
        return [f"the answer to “{question}” cites nothing"]
    checked = (_misplaced(api, citation) for citation in answer["citations"])
    return [
        f"“{question}”, citation {citation['number']}: {wrong}"
        for citation, wrong in zip(answer["citations"], checked, strict=True)
        if wrong
    ]


def _ask(api: Api, output: Output, collection: Collection, question: str) -> Asked:
    chat = api.create_chat([collection["id"]])["id"]
    clock = _Clock()
    try:
        with api.ask(chat, question) as events:
            timed = clock.watch(events)
            if output.json:
                answer = cast(Answer, [data for name, data in timed if name == "answer"][-1])
            else:
                output.line()
                output.line(question, "bold cyan")
                answer = stream_answer(output, timed)
    finally:
        api.delete_chat(chat)
    whole = clock.passed()
    return Asked(question, answer["answer"], problems_of(api, question, answer["answer"]), clock.first_word, whole)


def _misplaced(api: Api, one: Citation) -> str:
    """Why a citation does not hold; '' when it does."""
    try:
        served = api.document(one["document_id"])["version"]
        text = api.text(one["document_id"], start=one["start"], end=one["end"], version=one["version"])["text"]
    except ApiProblem as problem:
        return problem.detail
    if served != one["version"]:
        return f"it names version {one['version']} of {one['document_name']}, but version {served} is searched"
    if text != one["quote"]:
        return f"characters {one['start']}-{one['end']} of {one['document_name']} are not what it quotes"
    return ""


class _Clock:
    """Seconds since it was made, and until the first word came."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self.first_word = 0.0

    def passed(self) -> float:
        return time.monotonic() - self._began

    def watch(self, events: Iterable[tuple[str, Json]]) -> Iterator[tuple[str, Json]]:
        for name, data in events:
            if name in {"delta", "answer"} and not self.first_word:
                self.first_word = self.passed()
            yield name, data
