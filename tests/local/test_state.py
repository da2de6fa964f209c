"""The small files: what is remembered, the lock, addresses in saved state, ports."""

import json
import time
from pathlib import Path

import pytest

from shared.local import saved_state
from shared.local.addresses import bind, port_of
from shared.local.errors import AlreadyRunning
from shared.local.gateway_event import match
from shared.local.layout import Layout
from shared.local.run_file import RunFile
from shared.local.source_watch import newest
from shared.local.state import Remembered, RunLock

pytestmark = pytest.mark.enable_socket


def test_remembered_saves_and_loads_privately(tmp_path: Path) -> None:
    remembered = Remembered(ports={"aws": 1})
    password = remembered.password("postgres")
    remembered.save(tmp_path / "state.json")
    loaded = Remembered.load(tmp_path / "state.json")
    assert loaded == remembered
    assert loaded.password("postgres") == password
    assert (tmp_path / "state.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["", "{", "[]", '{"unknown": 1, "ports": "text"}'])
def test_remembered_damaged_file_is_as_good_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "state.json").write_text(text)
    assert Remembered.load(tmp_path / "state.json") == Remembered()


def test_run_lock_second_holder_is_refused(tmp_path: Path) -> None:
    with RunLock(tmp_path / "lock"):
        assert RunLock.is_held(tmp_path / "lock")
        with pytest.raises(AlreadyRunning), RunLock(tmp_path / "lock"):
            pass
    assert not RunLock.is_held(tmp_path / "lock")


def test_run_file_knows_this_process_from_another_with_its_pid(tmp_path: Path) -> None:
    mine = RunFile.of_this_process(None, ())
    mine.write(tmp_path / "run.json")
    assert (read := RunFile.read(tmp_path / "run.json")) is not None
    assert read.is_alive()
    assert not RunFile(mine.pid, mine.created - 60, "", None, ()).is_alive()
    assert RunFile.read(tmp_path / "other.json") is None


def test_bind_taken_port_takes_the_next_free_one() -> None:
    with bind(0) as first:
        first.listen()
        with bind(port_of(first)) as second:
            assert port_of(second) != port_of(first)
            assert second.getsockname()[0] == "127.0.0.1"


def test_readdress_replaces_addresses_in_every_state_file(tmp_path: Path) -> None:
    (tmp_path / "sqs.json").write_text('{"url": "http://127.0.0.1:1/q"}')
    saved_state.readdress(tmp_path, {"127.0.0.1:1": "127.0.0.1:2"})
    assert (tmp_path / "sqs.json").read_text() == '{"url": "http://127.0.0.1:2/q"}'


def test_release_makes_interrupted_messages_visible_and_keeps_delays(tmp_path: Path) -> None:
    later = time.time() + 1000
    messages = [
        {"receive_count": 2, "visible_at": later},
        {"receive_count": 0, "visible_at": later},
        {"receive_count": 1, "visible_at": 1.0},
    ]
    (tmp_path / "sqs.json").write_text(json.dumps({"payload": {"queues": {"data": {"q": {"messages": messages}}}}}))
    assert saved_state.release(tmp_path) == 1
    after = json.loads((tmp_path / "sqs.json").read_text())["payload"]["queues"]["data"]["q"]["messages"]
    assert after[0]["receive_count"] == 1
    assert after[0]["visible_at"] <= time.time()
    assert after[1:] == messages[1:]


def test_release_without_state_does_nothing(tmp_path: Path) -> None:
    assert saved_state.release(tmp_path) == 0


def test_newest_changes_when_a_source_does(tmp_path: Path) -> None:
    (tmp_path / "functions").mkdir()
    before = newest(tmp_path)
    (tmp_path / "functions" / "a.py").touch()
    assert newest(tmp_path) != before


def test_layout_is_private(tmp_path: Path) -> None:
    layout = Layout.of(tmp_path)
    layout.create()
    assert layout.state == tmp_path / ".lambent"
    assert layout.logs.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("/a/{proxy+}", "/a/b/c", {"proxy": "b/c"}),
        ("/a/{proxy+}", "/a/x%20y", {"proxy": "x y"}),
        ("/a/{proxy+}", "/a", None),
        ("/a/{proxy+}", "/a/", None),
        ("/a/{id}/b", "/a/1/b", {"id": "1"}),
        ("/a/{id}", "/a/1/b", None),
        ("/a", "/a", {}),
        ("/a", "/b", None),
    ],
)
def test_match_patterns_as_api_gateway_does(pattern: str, path: str, expected: dict[str, str] | None) -> None:
    assert match(pattern, path) == expected
