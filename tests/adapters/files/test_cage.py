"""The cage: whatever a file does to its parser, the function carries on and says why."""

import os
import signal
import sys
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread

import psutil
import pytest

from shared.adapters.files.keeper import Keeper
from shared.adapters.files.landlock import stay_within_libraries
from shared.adapters.files.limits import MEBIBYTE, CageLimits
from shared.adapters.files.protocol import Ending, Request, decode_outcome, encode_outcome
from shared.adapters.files.reader import CagedFilesReader
from shared.adapters.files.sandbox import leave_network
from shared.adapters.treesitter.syntax import TreeSitterSyntax
from shared.domain.errors import Rejected, Unavailable
from shared.domain.extracted import Extracted
from shared.domain.retrying import UNREADABLE
from tests.adapters.files import making
from tests.adapters.files.hostile_syntax import HostileSyntax
from tests.adapters.files.making import PROSE, lines, message, pdf, slides, word, workbook

_LIMITS = CageLimits(memory_bytes=256 * MEBIBYTE, cpu_seconds=20, wall_seconds=30, text_chars=1_000_000)
_HURRY = replace(_LIMITS, cpu_seconds=1, wall_seconds=4)
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux restricts system calls")


@pytest.fixture(scope="module")
def hostile_reader() -> Iterator[CagedFilesReader]:
    reader = CagedFilesReader(_LIMITS, syntax=HostileSyntax)
    yield reader
    reader.close()


@pytest.fixture(scope="module")
def files_reader() -> Iterator[CagedFilesReader]:
    reader = CagedFilesReader(_LIMITS, syntax=TreeSitterSyntax)
    yield reader
    reader.close()


def _read(reader: CagedFilesReader, folder: Path, data: bytes | str, name: str) -> Extracted:
    source = folder / "upload"
    source.write_bytes(data.encode() if isinstance(data, str) else data)
    return reader.read(source, name=name, declared_type="")


def _refusal(reader: CagedFilesReader, folder: Path, data: bytes | str, name: str) -> Rejected:
    with pytest.raises(Rejected) as caught:
        _read(reader, folder, data, name)
    assert caught.value.code in UNREADABLE
    return caught.value


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (PROSE, "a.txt"),
        (f"# Title\n\n{PROSE}", "a.md"),
        ("def f():\n    pass\n", "a.py"),
        (f"<html><body><p>{PROSE}</p></body></html>", "a.html"),
        ("a,b\n1,2\n", "a.csv"),
        ('{"a": [1, 2]}', "a.json"),
        (message(plain=PROSE), "a.eml"),
        (pdf([lines(PROSE)]), "a.pdf"),
        (word(), "a.docx"),
        (slides(), "a.pptx"),
        (workbook({"S": [["a", "b"]]}), "a.xlsx"),
    ],
)
def test_read_file_in_the_cage_gives_what_reading_it_outside_gives(
    files_reader: CagedFilesReader, tmp_path: Path, data: bytes | str, name: str
) -> None:
    assert _read(files_reader, tmp_path, data, name) == making.read(data, name)


def test_read_file_keeps_one_keeper_for_many_files(files_reader: CagedFilesReader, tmp_path: Path) -> None:
    _read(files_reader, tmp_path, PROSE, "a.txt")
    keeper = files_reader._keeper
    _read(files_reader, tmp_path, PROSE, "a.txt")
    assert files_reader._keeper is keeper


def test_read_refused_file_passes_the_reason_on(files_reader: CagedFilesReader, tmp_path: Path) -> None:
    error = _refusal(files_reader, tmp_path, b"\x89PNG\r\n\x1a\n" + bytes(20), "a.png")
    assert error.code == "unsupported_type"
    assert "PNG picture" in error.detail


def test_read_empty_and_oversized_files_never_reach_the_cage(tmp_path: Path) -> None:
    reader = CagedFilesReader(replace(_LIMITS, file_bytes=10))
    assert _refusal(reader, tmp_path, b"", "a.txt").code == "empty_file"
    assert _refusal(reader, tmp_path, b"x" * 11, "a.txt").code == "file_too_large"
    assert reader._keeper is None


def test_read_missing_file_is_worth_a_retry(files_reader: CagedFilesReader, tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        files_reader.read(tmp_path / "gone", name="a.txt", declared_type="")


@pytest.mark.parametrize(
    ("attack", "code"),
    [
        ("eat_memory", "parser_memory"),
        ("eat_memory_natively", "parser_memory"),
        ("close_everything_and_sleep", "parser_crashed"),
        ("fault", "parser_crashed"),
        ("exit_silently", "parser_crashed"),
        ("forge", "parser_crashed"),
        ("forge_well", "parser_crashed"),
        ("flood", "parser_crashed"),
        ("write_endlessly", "parser_crashed"),
    ],
)
def test_read_file_that_takes_its_parser_over_is_refused_and_the_next_one_read(
    hostile_reader: CagedFilesReader, tmp_path: Path, attack: str, code: str
) -> None:
    assert _refusal(hostile_reader, tmp_path, f"# {attack}\nx = 1\n", "a.py").code == code
    ending = hostile_reader.last_ending
    assert ending is not None
    assert ending.peak_bytes <= _LIMITS.memory_bytes
    assert ending.cpu_seconds <= _LIMITS.cpu_seconds + 1
    assert _read(hostile_reader, tmp_path, PROSE, "a.txt").text == PROSE


@pytest.mark.parametrize("attack", ["burn", "sleep"])
def test_read_file_that_never_ends_is_refused_and_the_next_one_read(tmp_path: Path, attack: str) -> None:
    reader = CagedFilesReader(_HURRY, syntax=HostileSyntax)
    try:
        assert _refusal(reader, tmp_path, f"# {attack}\nx = 1\n", "a.py").code == "parser_timeout"
        assert _read(reader, tmp_path, PROSE, "a.txt").text == PROSE
    finally:
        reader.close()


def _landlock() -> bool:
    child = os.fork()
    if child == 0:
        os._exit(0 if stay_within_libraries() else 1)
    return os.waitpid(child, 0)[1] == 0


@linux
@pytest.mark.skipif(not _landlock(), reason="this kernel has no Landlock")
def test_read_file_cannot_open_anything_but_libraries(hostile_reader: CagedFilesReader, tmp_path: Path) -> None:
    report = _read(hostile_reader, tmp_path, "# report_files\nx = 1\n", "a.py").blocks[0].name
    assert "allowed" not in report
    assert report.count("refused 13") == 4


@linux
def test_read_file_cannot_reach_network_processes_or_files(hostile_reader: CagedFilesReader, tmp_path: Path) -> None:
    report = _read(hostile_reader, tmp_path, "# report\nx = 1\n", "a.py").blocks[0].name
    assert "allowed" not in report
    assert report.count("refused") == 14


@linux
def test_read_file_cannot_look_into_the_process_that_holds_the_credentials(
    hostile_reader: CagedFilesReader, tmp_path: Path
) -> None:
    body = f"# look_into {os.getpid()}\nx = 1\n"
    assert "refused" in _read(hostile_reader, tmp_path, body, "a.py").blocks[0].name


def test_read_file_sees_no_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hostile_reader: CagedFilesReader
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary")
    monkeypatch.setenv("LAMBENT_DATABASE_URL", "canary")
    hostile_reader.close()
    seen = _read(hostile_reader, tmp_path, "# environment\nx = 1\n", "a.py").blocks[0].name.split(" | ")
    assert set(seen) <= {
        "LANG",
        "LC_CTYPE",
        "LD_LIBRARY_PATH",
        "MALLOC_ARENA_MAX",
        "OPENBLAS_NUM_THREADS",
        "PATH",
        "PYTHONDONTWRITEBYTECODE",
        "PYTHONHASHSEED",
        "PYTHONNOUSERSITE",
        "PYTHONPATH",
    }


def _kernels_view(reader: CagedFilesReader, folder: Path) -> str:
    """What `/proc` says of a child while it reads."""
    _read(reader, folder, PROSE, "a.txt")
    keeper = reader._keeper
    assert keeper is not None
    reading = Thread(target=lambda: _refusal(reader, folder, "# sleep\nx = 1\n", "a.py"))
    reading.start()
    until = time.monotonic() + 10
    view = ""
    while "Seccomp:\t2" not in view and time.monotonic() < until:
        for child in psutil.Process(keeper._process.pid).children():
            place = Path(f"/proc/{child.pid}")
            view = " ".join((place / "limits").read_text().split()) + (place / "status").read_text()
    reading.join()
    return view


@linux
def test_read_file_limits_and_walls_are_the_kernels(tmp_path: Path) -> None:
    reader = CagedFilesReader(_HURRY, syntax=HostileSyntax)
    try:
        view = _kernels_view(reader, tmp_path)
    finally:
        reader.close()
    assert f"Max address space {_LIMITS.memory_bytes} {_LIMITS.memory_bytes}" in view
    assert "Max cpu time 1 2" in view
    assert "Max core file size 0 0" in view
    assert "Max processes 0 0" in view
    assert "Max open files 64 64" in view
    assert "CapEff:\t0000000000000000" in view
    assert "NoNewPrivs:\t1" in view
    assert "Seccomp:\t2" in view


def test_read_file_after_the_keeper_was_killed_starts_another(hostile_reader: CagedFilesReader, tmp_path: Path) -> None:
    _read(hostile_reader, tmp_path, PROSE, "a.txt")
    keeper = hostile_reader._keeper
    assert keeper is not None
    os.kill(keeper._process.pid, signal.SIGKILL)
    keeper._process.wait()
    assert _read(hostile_reader, tmp_path, PROSE, "a.txt").text == PROSE


def test_ask_keeper_that_dies_on_the_way_is_worth_a_retry(tmp_path: Path) -> None:
    keeper = Keeper("")
    keeper._channel.close()
    with (tmp_path / "a").open("w+b") as file, pytest.raises(Unavailable):
        keeper.ask(Request("a.txt", "", _LIMITS), source=file.fileno(), outcome=file.fileno(), parts=file.fileno())
    assert not keeper.usable


def test_read_files_from_several_threads_take_turns(files_reader: CagedFilesReader, tmp_path: Path) -> None:
    found: list[str] = []

    def work(number: int) -> None:
        source = tmp_path / f"upload-{number}"
        source.write_text(f"File {number}. {PROSE}")
        found.append(files_reader.read(source, name="a.txt", declared_type="").text[:6])

    threads = [Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [f"File {number}" for number in range(6)]


def test_read_hard_to_guess_file_name_is_only_a_hint(files_reader: CagedFilesReader, tmp_path: Path) -> None:
    assert _read(files_reader, tmp_path, PROSE, "../../etc/passwd\n\0" + "x" * 5_000 + ".txt").text == PROSE


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"nonsense",
        b"read\n",
        b"read\n[]",
        b"rejected\n",
        b"rejected\n[]",
        b'rejected\n{"code": "made_up", "detail": "x", "where": ""}',
        b'rejected\n{"code": "encrypted", "detail": 1, "where": ""}',
        b"rejected\n" + b"[" * 90_000,
        b'rejected\n{"code": "encrypted", "detail": "x", "where": "", "more": [' + b"{}," * 50_000 + b"{}]}",
    ],
)
def test_decode_outcome_that_makes_no_sense_counts_as_a_crash(data: bytes) -> None:
    with pytest.raises(Rejected) as caught:
        decode_outcome(data, _LIMITS)
    assert caught.value.code == "parser_crashed"


def test_decode_outcome_of_countless_small_things_is_refused_before_they_are_built() -> None:
    data = encode_outcome(making.read(PROSE, "a.txt")).replace(
        b'"pages":[]', b'"pages":[' + b"{}," * 6_000_000 + b"{}]"
    )
    tracemalloc.start()
    try:
        with pytest.raises(Rejected) as caught:
            decode_outcome(data, _LIMITS)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert caught.value.code == "parser_crashed"
    assert peak < 2 * len(data)


def test_decode_outcome_text_may_hold_as_many_brackets_as_it_likes() -> None:
    text = '[{,"\\' * 2_000_000
    extracted = Extracted(text, "text/plain", "0" * 64, len(text))
    assert decode_outcome(encode_outcome(extracted), _LIMITS) == extracted


def test_decode_outcome_rejection_is_cut_and_flattened() -> None:
    with pytest.raises(Rejected) as caught:
        decode_outcome(encode_outcome(Rejected("a\n\x1b[31mb" + "x" * 10_000, code="encrypted")), _LIMITS)
    assert caught.value.detail.startswith("a [31mb")
    assert len(caught.value.detail) == 500


def test_request_and_ending_survive_their_line() -> None:
    request = Request("a.txt", "text/plain", _LIMITS)
    assert Request.decode(request.encode()) == request
    ending = Ending(-9, True, 10, 0.5, 1.5)
    assert Ending.decode(ending.encode()) == ending


@pytest.mark.parametrize("name", CageLimits.__slots__)
def test_limits_must_be_above_nothing(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        replace(CageLimits(), **{name: 0})


@linux
def test_leave_network_in_a_child_is_harmless_when_it_is_forbidden() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0 if leave_network() in (True, False) else 1)
    assert os.waitpid(child, 0)[1] == 0
