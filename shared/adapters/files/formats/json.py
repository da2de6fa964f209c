"""JSON and JSON lines."""

import json

from shared.adapters.files.manuscript import Manuscript
from shared.adapters.files.outline import Record, Value, write_outline
from shared.adapters.files.source import Source
from shared.adapters.files.spans import fill
from shared.domain.errors import Rejected
from shared.domain.extracted import BlockKind


def read(source: Source, manuscript: Manuscript) -> None:
    """Write the data as readable lines; what is not JSON after all is written as text, with a warning.

    Raises:
        Rejected: `too_deep`.
    """
    if source.format.key == "json" and (value := _parse(source.text)) is not None:
        write_outline(value, manuscript)
        return
    lines = [line for line in source.text.split("\n") if line.strip()]
    values = [_parse(line) for line in lines]
    broken = sum(1 for value in values if value is None)
    if broken == len(lines) or (source.format.key == "json" and broken):
        manuscript.warn("the content is not valid JSON; it was read as plain text")
        manuscript.source(source.text, fill(source.text, []))
        return
    if broken:
        manuscript.warn(f"{broken} of {len(lines)} lines are not valid JSON; they were read as plain text")
    for line, value in zip(lines, values, strict=True):
        if value is None or isinstance(value, str):
            manuscript.add(BlockKind.PARAGRAPH, line)
        else:
            write_outline([value], manuscript)


def _parse(text: str) -> Value | None:
    """The value as strings, records and lists; None when it is no JSON. Numbers keep their digits."""
    try:
        return _value(json.loads(text, object_pairs_hook=Pairs, parse_int=str, parse_float=str, parse_constant=str))
    except ValueError:
        return None
    except RecursionError as error:
        raise Rejected("the JSON is nested too deeply", code="too_deep") from error


class Pairs(list[tuple[str, object]]):
    """The members of a JSON object, told apart from an array by type; repeated names are all kept."""


def _value(value: object) -> Value:
    if isinstance(value, Pairs):
        return Record([(name, _value(part)) for name, part in value])
    if isinstance(value, list):
        return [_value(item) for item in value]
    if isinstance(value, str):
        return value
    return "null" if value is None else str(value).lower()
