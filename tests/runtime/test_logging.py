"""One schema of log lines; invocations and looks into stores and models are in it, secrets are not."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
import structlog

from shared.adapters.structlog import traced
from shared.domain.errors import Unavailable
from shared.runtime import logging as ours
from shared.settings import settings

type Lines = Callable[[], list[dict[str, Any]]]


class Store:
    """Something with an asynchronous and an ordinary method."""

    limit = 3

    async def get(self, key: str) -> str:
        if key == "down":
            raise Unavailable("down")
        return key * 2

    def name(self) -> str:
        return "store"


def test_configure_writes_json_with_level_and_time(log_lines: Lines) -> None:
    ours.configure()
    with ours.bound(request_id="r1", generation=3):
        structlog.get_logger().warning("document.failed", code="no_text", detail="é")
    structlog.get_logger().info("after")
    first, second = log_lines()
    assert (
        first.items() >= {"event": "document.failed", "level": "warning", "request_id": "r1", "generation": "3"}.items()
    )
    assert first["timestamp"].endswith("Z")
    assert "request_id" not in second


def test_configure_with_level_passes_over_what_is_below(log_lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = settings().model_copy(update={"log_level": "warning"})
    with monkeypatch.context() as patched:
        patched.setattr(ours, "settings", lambda: chosen)
        ours._configure.cache_clear()
        ours.configure()
        structlog.get_logger().info("quiet")
        structlog.get_logger().warning("loud")
    ours._configure.cache_clear()
    ours.configure()
    assert [line["event"] for line in log_lines()] == ["loud"]


def test_configure_writes_errors_as_text(log_lines: Lines) -> None:
    ours.configure()
    structlog.get_logger().error("stage.crashed", exc_info=ValueError("odd"))
    (line,) = log_lines()
    assert "ValueError: odd" in line["exception"]


def test_configure_writes_what_json_cannot_hold_as_text(log_lines: Lines) -> None:
    ours.configure()
    structlog.get_logger().info("x", value=object, values={"a": {1}})
    assert "object" in json.dumps(log_lines())


async def test_traced_store_logs_each_look(log_lines: Lines) -> None:
    ours.configure()
    store = traced.store(Store(), "documents")
    assert await store.get("a") == "aa"
    assert log_lines() == []
    await asyncio.sleep(0)
    (line,) = log_lines()
    assert (line["event"], line["port"], line["operation"]) == ("store.asked", "documents", "get")
    assert line["ms"] >= 0
    assert "error" not in line


async def test_traced_model_logs_failed_calls_and_lets_them_through(log_lines: Lines) -> None:
    ours.configure()
    with pytest.raises(Unavailable):
        await traced.model(Store(), "llm").get("down")
    (line,) = log_lines()
    assert (line["event"], line["error"]) == ("model.called", "Unavailable")


def test_traced_passes_everything_else_through(log_lines: Lines) -> None:
    store = traced.store(Store(), "documents")
    assert (store.name(), store.limit) == ("store", 3)
    assert log_lines() == []
