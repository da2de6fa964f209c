"""What cage and function say to each other: one JSON line each way, files as descriptors, the outcome in a file."""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate, pairwise

from shared.adapters.files.limits import CageLimits
from shared.adapters.files.text import one_line
from shared.domain.errors import Rejected
from shared.domain.extracted import Extracted
from shared.domain.extracted_json import from_json, to_json
from shared.domain.parts import Part
from shared.domain.retrying import UNREADABLE

EXIT_MEMORY = 86
"""Exit status of a child that was refused memory: by then it may be unable to say so in words."""
_READ = b"read\n"
_TEXT = re.compile(rb'\{"text":"(?:[^"\\]++|\\.)*+"', re.DOTALL)
"""How `to_json` begins: with the text, which may be long."""
_PARTS_PER_BLOCK = 10
_PART = b"part\n"
_REJECTED = b"rejected\n"
_LONGEST_HEAD = 100
_LONGEST_NAME = 300
_LONGEST_DETAIL = 500
_LONGEST_REJECTION = 100_000


@dataclass(frozen=True, slots=True)
class Request:
    """One file to read. Descriptors of it, of the file for the outcome and of that with parts travel beside it."""

    name: str
    declared_type: str
    limits: CageLimits
    after: int = 0
    """Pages that were read before."""
    characters: int = 0
    """Of those pages."""
    assemble: bool = False
    """Everything is read: make one text of the parts, which travel beside the file."""

    def encode(self) -> bytes:
        """One line."""
        fields = {
            "name": self.name[-_LONGEST_NAME:],
            "declared_type": self.declared_type[:_LONGEST_NAME],
            "limits": asdict(self.limits),
            "after": self.after,
            "characters": self.characters,
            "assemble": self.assemble,
        }
        return json.dumps(fields).encode() + b"\n"

    @classmethod
    def decode(cls, line: bytes) -> "Request":
        """Read what `encode` wrote."""
        fields = json.loads(line)
        fields["limits"] = CageLimits(**fields["limits"])
        return cls(**fields)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a child ended, as its keeper saw it."""

    status: int
    """Exit status; a signal's number, negative, when it was killed."""
    timed_out: bool
    peak_bytes: int
    """Peak resident memory, what is shared with the keeper included."""
    cpu_seconds: float
    wall_seconds: float

    def encode(self) -> bytes:
        """One line."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def decode(cls, line: bytes) -> "Ending":
        """Read what `encode` wrote."""
        return cls(**json.loads(line))


def encode_outcome(outcome: Extracted | Part | Rejected) -> bytes:
    """What a child leaves in the outcome file."""
    if isinstance(outcome, Extracted):
        return _READ + to_json(outcome)
    if isinstance(outcome, Part):
        return (
            _PART
            + json.dumps([outcome.first, outcome.last, outcome.total, outcome.characters]).encode()
            + b"\n"
            + outcome.body
        )
    fields = {"code": outcome.code, "detail": outcome.detail, "where": outcome.context.get("where", "")}
    return _REJECTED + json.dumps(fields).encode()


def decode_outcome(data: bytes, limits: CageLimits) -> Extracted | Part:
    """Read what a child left, which may be anything if its file took it over.

    What stands beside the text is counted before it is built: a few million empty lists take little room in a file and
    gigabytes in memory.

    Raises:
        Rejected: what the child says, or `parser_crashed` when it says nothing that makes sense.
    """
    if data.startswith(_READ):
        text = _TEXT.match(data, len(_READ))
        if text is None or _parts(data, text.end()) > _PARTS_PER_BLOCK * limits.blocks:
            raise crashed("an outcome out of all proportion")
        try:
            return from_json(data[len(_READ) :])
        except Rejected as error:
            raise crashed(error.detail) from error
    if data.startswith(_PART):
        return _decode_part(data)
    if not data.startswith(_REJECTED) or len(data) > _LONGEST_REJECTION:
        raise crashed("no outcome")
    try:
        fields = json.loads(data[len(_REJECTED) :])
        code, detail, where = (fields[key] for key in ("code", "detail", "where"))
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise crashed("malformed rejection") from error
    if code not in UNREADABLE or not isinstance(detail, str) or not isinstance(where, str):
        raise crashed("unknown reason")
    raise Rejected(one_line(detail)[:_LONGEST_DETAIL], code=code, where=one_line(where)[:_LONGEST_DETAIL])


def _parts(data: bytes, start: int) -> int:
    """At least as many as there are values in JSON from `start` on."""
    return sum(data.count(mark, start) for mark in (b",", b"[", b"{"))


def _decode_part(data: bytes) -> Part:
    head, _, body = data[len(_PART) :].partition(b"\n")
    try:
        numbers = json.loads(head[:_LONGEST_HEAD])
        first, last, total, characters = (int(number) for number in numbers)
    except (ValueError, TypeError, RecursionError) as error:
        raise crashed("malformed part") from error
    if not 0 <= first < last <= total or characters < 0:
        raise crashed("implausible part")
    return Part(first, last, total, characters, body)


def encode_parts(parts: Sequence[bytes]) -> bytes:
    """The bodies of parts, in order, for the process that makes one text of them."""
    return json.dumps([len(part) for part in parts]).encode() + b"\n" + b"".join(parts)


def decode_parts(data: bytes) -> tuple[bytes, ...]:
    """Read what `encode_parts` wrote."""
    head, _, bodies = data.partition(b"\n")
    ends = list(accumulate(json.loads(head), initial=0))
    return tuple(bodies[start:end] for start, end in pairwise(ends))


def crashed(where: str) -> Rejected:
    """The refusal of a file that brought its reader down."""
    return Rejected(
        "the reader crashed on this file; it is damaged, or made to do harm", code="parser_crashed", where=where
    )
