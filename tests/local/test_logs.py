"""Reading and following log files, and writing them within bounds."""

from pathlib import Path

import pytest

from shared.local import function_log
from shared.local.errors import LocalError
from shared.local.function_log import FunctionLog, LineBuffer
from shared.local.logs import logs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / ".lambent" / "logs"
    made.mkdir(parents=True)
    return made


def test_logs_of_all_functions_come_in_order_of_time_without_the_consoles(tmp_path: Path, folder: Path) -> None:
    (folder / "BFunction.log").write_text("2026-01-01T00:00:01.000Z b\n2026-01-01T00:00:03.000Z b\n")
    (folder / "AFunction.log").write_text("2026-01-01T00:00:02.000Z a\n")
    (folder / "aws.log").write_text("something else\n")
    assert [line.function for line in logs(tmp_path)] == ["BFunction", "AFunction", "BFunction"]
    assert [line.text for line in logs(tmp_path, "aws")] == ["something else"]


def test_logs_of_something_unknown_names_what_there_is(tmp_path: Path, folder: Path) -> None:
    (folder / "AFunction.log").touch()
    with pytest.raises(LocalError, match="no log of b") as caught:
        list(logs(tmp_path, "b"))
    assert "AFunction" in caught.value.hint


def test_logs_follow_gives_new_lines_also_after_a_file_was_begun_anew(tmp_path: Path, folder: Path) -> None:
    file = folder / "IngestChunkFunction.log"
    file.write_text("first\n")
    lines = logs(tmp_path, "ingest_chunk", lines=1, follow=True)
    assert next(lines).text == "first"
    with file.open("a") as opened:
        opened.write("second\nhalf a l")
    assert next(lines).text == "second"
    with file.open("a") as opened:
        opened.write("ine\n")
    assert next(lines).text == "half a line"
    file.write_text("anew\n")
    assert next(lines).text == "anew"


def test_function_log_grows_no_further_than_its_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(function_log, "_MAX_BYTES", 100)
    log = FunctionLog(tmp_path, "A")
    for number in range(10):
        log.write(f"line number {number}".encode())
    log.close()
    assert (tmp_path / "A.log").stat().st_size <= 100
    assert (tmp_path / "A.log.1").stat().st_size <= 100
    assert "line number 9" in (tmp_path / "A.log").read_text()


def test_line_buffer_cuts_lines_at_breaks_and_carriage_returns(tmp_path: Path) -> None:
    log = FunctionLog(tmp_path, "A")
    buffer = LineBuffer(log)
    buffer.feed(b"one\ntw")
    buffer.feed(b"o\nthree\rfour\n\xff")
    buffer.flush()
    log.close()
    words = [line.split(b" ", 1)[1] for line in (tmp_path / "A.log").read_bytes().splitlines()]
    assert words == [b"one", b"two", b"three", b"four", b"\xff"]
