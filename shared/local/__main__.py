"""`python -m shared.local <options as JSON>`: the supervisor as a process of its own, telling on stdout how it goes."""

import json
import logging
import os
import sys
from dataclasses import asdict
from pathlib import Path

from shared.local import cloud
from shared.local.errors import AlreadyRunning, LocalError
from shared.local.report import Options, Ready, Step

log = logging.getLogger(__name__)


def main(argument: str) -> int:
    """Runs until told to stop; returns the exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    fields = json.loads(argument)
    for name in ("root", "state", "template"):
        fields[name] = Path(fields[name]) if fields[name] else None
    try:
        cloud.up(Options(**fields), on_step=_tell_step, on_ready=_tell_ready)
    except AlreadyRunning as error:
        _tell("running", {"detail": error.detail, "hint": error.hint})
        return 1
    except LocalError as error:
        log.error("%s %s", error.detail, error.hint)
        _tell("failed", {"detail": error.detail, "hint": error.hint})
        return 1
    return 0


def _tell_step(step: Step) -> None:
    _tell("step", asdict(step))


def _tell_ready(ready: Ready) -> None:
    _tell("ready", asdict(ready))
    # The parent stops listening now: whatever is still printed belongs into the log.
    os.dup2(2, 1)


def _tell(event: str, fields: dict[str, object]) -> None:
    sys.stdout.write(json.dumps({"event": event, **fields}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    # The parent waits for this process and gets rid of it at once; the supervisor is its child and belongs to nobody.
    if os.fork():
        os._exit(0)
    sys.exit(main(sys.argv[1]))
