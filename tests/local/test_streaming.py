"""Streamed answers through the host: piece by piece, broken off, left early, and not streamed at all."""

from pathlib import Path

import pytest

from shared.local.errors import InvokeFailed, StreamBroken
from shared.local.functions import FunctionSpec
from tests.local.conftest import CLOUD, eventually, hosting, probe

pytestmark = pytest.mark.enable_socket


def streams(**query: str) -> tuple[FunctionSpec, dict[str, object]]:
    wrapper = CLOUD / "layers" / "shared" / "stream-wrapper"
    spec = FunctionSpec(
        "StreamsFunction", "doors.streams.app.answer", (CLOUD,), timeout=20.0, task_root=CLOUD, exec_wrapper=wrapper
    )
    return spec, {"queryStringParameters": query or None, "pathParameters": {"proxy": "x"}}


async def test_stream_pieces_arrive_while_the_function_runs(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    spec, event = streams(gate=str(gate))
    async with hosting(spec, tmp_path) as host, host.stream("StreamsFunction", event) as answer:
        first = await anext(answer.body)
        still_busy = host.stats()[0].busy
        gate.touch()
        rest = [piece async for piece in answer.body]
    assert answer.status == 200
    assert answer.headers == (("content-type", "text/event-stream"), ("set-cookie", "a=1"), ("set-cookie", "b=2"))
    assert (first, still_busy) == (b"data: 0 x\n\n", 1)
    assert b"".join(rest) == b"data: 1 x\n\ndata: 2 x\n\n"


async def test_stream_function_fails_midway_breaks_the_body(tmp_path: Path) -> None:
    spec, event = streams(fail="1")
    async with hosting(spec, tmp_path) as host:
        async with host.stream("StreamsFunction", event) as answer:
            assert await anext(answer.body) == b"data: 0 x\n\n"
            with pytest.raises(StreamBroken, match="as asked"):
                await anext(answer.body)
        await eventually(lambda: host.stats()[0].errors)


async def test_stream_process_killed_midway_breaks_the_body(tmp_path: Path) -> None:
    spec, event = streams(gate=str(tmp_path / "never"))
    async with hosting(spec, tmp_path) as host, host.stream("StreamsFunction", event) as answer:
        await anext(answer.body)
        host.kill_all("StreamsFunction")
        with pytest.raises(StreamBroken, match="signal: kill"):
            await anext(answer.body)


async def test_stream_reader_leaves_the_function_finishes(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    spec, event = streams(gate=str(gate))
    async with hosting(spec, tmp_path) as host:
        async with host.stream("StreamsFunction", event) as answer:
            await anext(answer.body)
        gate.touch()
        await eventually(lambda: host.stats()[0].invocations == 1)
        assert host.stats()[0].errors == 0


async def test_stream_of_a_buffered_answer_comes_whole(tmp_path: Path) -> None:
    async with hosting(probe(), tmp_path) as host:
        event = {
            "do": "value",
            "value": {"statusCode": 418, "headers": {"a": "b"}, "body": "eA==", "isBase64Encoded": True},
        }
        async with host.stream("ProbeFunction", event) as answer:
            assert [piece async for piece in answer.body] == [b"x"]
        assert (answer.status, answer.headers) == (418, (("a", "b"),))


async def test_stream_of_a_failing_function_raises_before_any_answer(tmp_path: Path) -> None:
    async with hosting(probe(), tmp_path) as host:
        with pytest.raises(InvokeFailed, match="as asked"):
            async with host.stream("ProbeFunction", {"do": "fail"}):
                pass
