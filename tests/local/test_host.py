"""The function host, with real processes and a function that does what it is told."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest

from shared.local.errors import InvokeFailed, PayloadTooLarge, Throttled
from tests.local.conftest import FIXTURES, eventually, hosting, probe, until

pytestmark = pytest.mark.enable_socket
REQUEST = "11111111-2222-3333-4444-555555555555"


async def test_invoke_echo_answers_and_reuses_the_process(tmp_path: Path) -> None:
    async with hosting(probe(), tmp_path) as host:
        first = await host.invoke("ProbeFunction", {"do": "echo", "value": "ä"})
        second = await host.invoke("ProbeFunction", {"do": "echo"})
        stats = host.stats()[0]
    assert isinstance(answer := first.json(), dict)
    assert answer["echo"] == "ä"
    assert second.json() == {"echo": None, "pid": answer["pid"], "calls": 2}
    assert (first.cold, second.cold) == (True, False)
    assert (stats.invocations, stats.cold_starts, stats.errors) == (2, 1, 0)
    assert stats.init_ms > 0


async def test_invoke_context_has_request_id_and_remaining_time(tmp_path: Path) -> None:
    async with hosting(probe(), tmp_path) as host:
        answer = (
            await host.invoke("ProbeFunction", {"do": "context"}, request_id="11111111-2222-3333-4444-555555555555")
        ).json()
    assert isinstance(answer, dict)
    assert answer["id"] == "11111111-2222-3333-4444-555555555555"
    assert 0 < answer["left"] <= 20_000
    assert answer["name"] == "ProbeFunction"


async def test_invoke_handler_raises_error_document_and_process_lives(tmp_path: Path) -> None:
    async with hosting(probe(), tmp_path) as host:
        failed = await host.invoke("ProbeFunction", {"do": "fail"})
        after = await host.invoke("ProbeFunction", {"do": "echo"})
    assert failed.error
    assert b'"errorType": "ValueError"' in failed.payload
    with pytest.raises(InvokeFailed, match="as asked"):
        failed.json()
    assert not after.cold


async def test_invoke_unimportable_handler_reports_the_import_error(tmp_path: Path) -> None:
    async with hosting(probe(handler="nowhere.handler"), tmp_path) as host:
        failed = await host.invoke("ProbeFunction", {})
    assert failed.error == "Runtime.ImportModuleError"
    assert b"No module named 'nowhere'" in failed.payload


async def test_invoke_unstartable_wrapper_reports_the_entrypoint(tmp_path: Path) -> None:
    async with hosting(probe(exec_wrapper=tmp_path / "nothing"), tmp_path) as host:
        failed = await host.invoke("ProbeFunction", {})
    assert failed.error == "Runtime.InvalidEntrypoint"
    assert b"could not be started" in failed.payload


async def test_invoke_beyond_timeout_is_killed_and_next_one_works(tmp_path: Path) -> None:
    async with hosting(probe(timeout=3.0), tmp_path) as host:
        failed = await host.invoke("ProbeFunction", {"do": "sleep", "seconds": 60})
        after = await host.invoke("ProbeFunction", {"do": "echo"})
        stats = host.stats()[0]
    assert failed.error == "Sandbox.Timedout"
    assert b"Task timed out after 3.00 seconds" in failed.payload
    assert after.cold
    assert not after.error
    assert stats.timeouts == 1


async def test_invoke_beyond_memory_is_killed_and_next_one_works(tmp_path: Path) -> None:
    async with hosting(probe(memory_mb=128), tmp_path) as host:
        failed = await host.invoke("ProbeFunction", {"do": "allocate", "mb": 400})
        after = await host.invoke("ProbeFunction", {"do": "echo"})
    assert failed.error == "Runtime.OutOfMemory"
    assert not after.error


async def test_invoke_process_exits_is_an_error_and_next_one_works(tmp_path: Path) -> None:
    async with hosting(probe(), tmp_path) as host:
        failed = await host.invoke("ProbeFunction", {"do": "leave"})
        after = await host.invoke("ProbeFunction", {"do": "echo"})
    assert failed.error == "Runtime.ExitError"
    assert b"exit status 3" in failed.payload
    assert not after.error


async def test_kill_all_during_an_invocation_is_an_error_and_next_one_works(tmp_path: Path) -> None:
    async with hosting(probe(), tmp_path) as host:
        running = asyncio.create_task(host.invoke("ProbeFunction", {"do": "sleep", "seconds": 60}))
        await eventually(lambda: host.stats()[0].busy)
        assert host.kill_all("ProbeFunction") == 1
        failed = await running
        after = await host.invoke("ProbeFunction", {"do": "echo"})
    assert failed.error == "Runtime.ExitError"
    assert b"signal: kill" in failed.payload
    assert not after.error


async def test_invoke_concurrently_never_exceeds_the_bound(tmp_path: Path) -> None:
    async with hosting(probe(concurrency=2), tmp_path) as host:
        results = await asyncio.gather(
            *(host.invoke("ProbeFunction", {"do": "sleep", "seconds": 0.5}) for _ in range(6))
        )
        stats = host.stats()[0]
    pids = {result.json()["pid"] for result in results}  # type: ignore[index]
    assert len(pids) == 2
    assert stats.cold_starts == 2


async def test_invoke_all_processes_busy_is_throttled(tmp_path: Path) -> None:
    async with hosting(probe(concurrency=1), tmp_path, queue_seconds=0.05) as host:
        running = asyncio.create_task(host.invoke("ProbeFunction", {"do": "sleep", "seconds": 60}))
        await eventually(lambda: host.stats()[0].busy)
        with pytest.raises(Throttled):
            await host.invoke("ProbeFunction", {"do": "echo"})
        assert host.stats()[0].throttles == 1
        host.kill_all("ProbeFunction")
        await running


async def test_invoke_sees_only_lambdas_environment_and_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_SHELL", "x")
    async with hosting(probe(environment={"LAMBENT_STAGE": "local"}), tmp_path) as host:
        seen = (await host.invoke("ProbeFunction", {"do": "environment"})).json()
    assert isinstance(seen, dict)
    assert "SECRET_OF_THE_SHELL" not in seen
    assert seen["LAMBENT_STAGE"] == "local"
    assert seen["HOME"] != os.environ.get("HOME")
    assert seen["AWS_LAMBDA_FUNCTION_NAME"] == "ProbeFunction"


async def test_invoke_oversized_payloads_are_refused_both_ways(tmp_path: Path) -> None:
    async with hosting(probe(), tmp_path) as host:
        with pytest.raises(PayloadTooLarge):
            await host.invoke("ProbeFunction", {"do": "echo", "value": "x" * 7_000_000})
        failed = await host.invoke("ProbeFunction", {"do": "big", "bytes": 7_000_000})
        after = await host.invoke("ProbeFunction", {"do": "big", "bytes": 6_000_000})
    assert failed.error == "Function.ResponseSizeTooLarge"
    assert not after.error


async def test_log_holds_output_and_the_platforms_lines(tmp_path: Path) -> None:
    async with hosting(probe(), tmp_path) as host:
        await host.invoke("ProbeFunction", {"do": "log"}, request_id=REQUEST)
        await host.invoke("ProbeFunction", {"do": "fail"})
    lines = (tmp_path / "ProbeFunction.log").read_text().splitlines()
    words = [line.split(" ", 1)[1] for line in lines]
    start = words.index(f"START RequestId: {REQUEST} Version: $LATEST")
    assert sorted(words[start + 1 : start + 3]) == ["a line on stderr", "a line on stdout"]
    assert words[start + 4].startswith(f"REPORT RequestId: {REQUEST}\tDuration: ")
    assert "Init Duration: " in words[start + 4]
    assert any("ValueError: as asked" in word for word in words)
    assert all(line[10] == "T" and line[23] == "Z" for line in lines)


async def test_idle_processes_are_let_go(tmp_path: Path) -> None:
    async with hosting(probe(), tmp_path, idle_seconds=0.0) as host:
        await host.invoke("ProbeFunction", {"do": "echo"})
        await eventually(lambda: host.stats()[0].processes == 0)
        assert not (await host.invoke("ProbeFunction", {"do": "echo"})).error


async def test_invoke_right_after_an_idle_process_was_let_go_is_not_lost_with_it(tmp_path: Path) -> None:
    async with hosting(probe(), tmp_path) as host:
        await host.invoke("ProbeFunction", {"do": "echo"})
        await eventually(lambda: bool(host.stats()[0].idle))
        host.recycle()
        assert not (await host.invoke("ProbeFunction", {"do": "echo"})).error


async def test_recycle_replaces_the_process(tmp_path: Path) -> None:
    async with hosting(probe(), tmp_path) as host:
        before = (await host.invoke("ProbeFunction", {"do": "echo"})).json()
        host.recycle()
        after = (await host.invoke("ProbeFunction", {"do": "echo"})).json()
    assert isinstance(before, dict)
    assert isinstance(after, dict)
    assert before["pid"] != after["pid"]


async def test_http_invoke_answers_in_the_words_ministack_understands(tmp_path: Path) -> None:
    async with hosting(probe(), tmp_path) as host, httpx.AsyncClient(base_url=host.url, trust_env=False) as client:
        good = await client.post("/invoke/ProbeFunction", json={"do": "echo", "value": 1})
        bad = await client.post("/invoke/ProbeFunction", json={"do": "fail"})
        unknown = await client.post("/invoke/OtherFunction", json={})
        page = await client.post("/invoke/ProbeFunction", json={}, headers={"Origin": "https://example.com"})
        large = await client.post("/invoke/ProbeFunction", content=b"x" * 7_000_000)
        stats = await client.get("/stats")
    assert (good.status_code, good.json()["echo"]) == (200, 1)
    assert (bad.status_code, bad.json()["errorMessage"]) == (500, "as asked")
    assert unknown.status_code == 404
    assert page.status_code == 403
    assert large.status_code == 413
    assert stats.json()[0]["invocations"] == 2


_PARENT = """
import asyncio, sys
from pathlib import Path
from shared.local.functions import FunctionSpec
from shared.local.host import FunctionHost

async def main():
    folder = Path(sys.argv[1])
    spec = FunctionSpec("P", "probe.handler", (folder,), task_root=folder, timeout=60)
    async with FunctionHost([spec]) as host:
        print((await host.invoke("P", {"do": "echo"})).json()["pid"], flush=True)
        await host.invoke("P", {"do": "sleep", "seconds": 60})

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
async def test_processes_die_with_a_killed_host(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _PARENT, str(FIXTURES)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(tmp_path)}
    ) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.send_signal(signal.SIGKILL)
        until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
