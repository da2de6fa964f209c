"""Small corrections to MiniStack's saved state before it starts, where it is not true any more."""

import json
import time
from pathlib import Path


def readdress(folder: Path, moved: dict[str, str]) -> None:
    """Replaces addresses (old → new): queue URLs and function variables contain the ports of the last run."""
    changes = {old: new for old, new in moved.items() if old != new}
    if not changes:
        return
    for file in folder.glob("*.json"):
        text = file.read_text(encoding="utf-8")
        replaced = text
        for old, new in changes.items():
            replaced = replaced.replace(old, new)
        if replaced != text:
            _write(file, replaced)


def release(folder: Path) -> int:
    """Makes messages visible that were with a function when the last run ended; returns how many.

    Nobody works on them any more, and their visibility timeouts, made for the longest work, run up to half an hour.
    The interrupted attempt does not count towards the dead-letter queue. Delayed messages, which nobody has received
    yet, keep their delay.
    """
    file = folder / "sqs.json"
    if not file.exists():
        return 0
    state = json.loads(file.read_text(encoding="utf-8"))
    now = time.time()
    released = 0
    for queue in state.get("payload", {}).get("queues", {}).get("data", {}).values():
        for message in queue.get("messages", ()):
            if message.get("receive_count", 0) > 0 and message.get("visible_at", 0) > now:
                message["visible_at"] = now
                message["receive_count"] -= 1
                released += 1
    if released:
        _write(file, json.dumps(state))
    return released


def _write(file: Path, text: str) -> None:
    new = file.with_suffix(".new")
    new.write_text(text, encoding="utf-8")
    new.replace(file)
