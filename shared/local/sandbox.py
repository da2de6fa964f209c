"""One process of one function: started with what Lambda would give it and no more, watched, killed when it must be."""

import asyncio
import os
import shutil
import signal
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from enum import Enum
from pathlib import Path

from shared.local import http1
from shared.local.addresses import LOOPBACK, bind, port_of
from shared.local.children import die_with_parent
from shared.local.function_log import FunctionLog, LineBuffer
from shared.local.functions import FunctionSpec
from shared.local.invocation import Invocation, Result, error_payload
from shared.local.memory import peak_mb
from shared.local.runtime_api import RuntimeApi

ACCOUNT = "000000000000"
REGION = "us-east-1"
# Lambda's own limit for init; a start that takes longer continues on the invocation's time, so the timeout is added
# to it.
_INIT_SECONDS = 10.0
_LINGER_SECONDS = 0.02
_PIPE_READ = 65_536


class State(Enum):
    """Where a process is in its life."""

    STARTING = "starting"
    IDLE = "idle"
    BUSY = "busy"
    RETURNING = "returning"  # has answered, and is about to ask for more
    GOING = "going"  # had nothing to do and was killed, and is not gone yet: what it were given would be lost with it
    DEAD = "dead"


class Sandbox:
    """A process that runs a function, and what is known about it.

    Attributes:
        init_ms: from starting the process until it first asked for work.
        idle_since: `time.monotonic()` of the last return to idleness.
        peak_mb: the most memory it was seen to hold, in MB.
        failure: why it could not start: Lambda's error type and document.
    """

    def __init__(
        self, spec: FunctionSpec, log: FunctionLog, scratch: Path, on_change: Callable[["Sandbox"], None]
    ) -> None:
        self.spec = spec
        self.id = uuid.uuid4().hex
        self.state = State.STARTING
        self.pid = 0
        self.init_ms = 0.0
        self.idle_since = time.monotonic()
        self.failure: tuple[str, bytes] | None = None
        self.peak_mb = 0
        self._log = log
        self._lines = LineBuffer(log)
        self._scratch = scratch
        self._on_change = on_change
        self._api = RuntimeApi(self, f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{spec.name}", spec.timeout)
        self._started_at = time.perf_counter()
        self._timer: asyncio.TimerHandle | None = None
        self._cause = ""
        self._retired = False
        self._pipe = -1

    async def run(self) -> None:
        """Lives as long as the process: starts it, waits for its end, settles what it left open."""
        folder = Path(tempfile.mkdtemp(prefix=f"{self.spec.name}-", dir=self._scratch))
        listener = bind(0)
        server = await http1.serve(self._api.handle, listener)
        try:
            process = await self._spawn(folder, port_of(listener))
            self.pid = process.pid
            self._timer = asyncio.get_running_loop().call_later(_INIT_SECONDS + self.spec.timeout, self.kill, "init")
            self._ended(await process.wait())
        finally:
            self.kill("stop")
            self._api.close()
            server.close()
            self._read_output()
            self._lines.flush()
            if self._pipe >= 0:
                asyncio.get_running_loop().remove_reader(self._pipe)
                os.close(self._pipe)
            shutil.rmtree(folder, ignore_errors=True)

    def give(self, invocation: Invocation) -> None:
        """Hands an event to the idle process."""
        self.state = State.BUSY
        self._log.write(f"START RequestId: {invocation.request_id} Version: $LATEST".encode())
        self._timer = asyncio.get_running_loop().call_later(self.spec.timeout, self.kill, "timeout")
        self._api.give(invocation)

    def kill(self, cause: str) -> None:
        """Ends the process and its children at once. `cause`: timeout, memory, init, stop or test."""
        if self.state is State.DEAD or self.pid == 0:
            return
        self._cause = self._cause or cause
        if self.state is State.IDLE:
            self.state = State.GOING
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return

    def retire(self) -> None:
        """Ends the process as soon as it has nothing to do."""
        if self.state is State.IDLE:
            self.kill("stop")
        self._retired = True

    def on_next(self) -> None:
        """Runtime API: the process asks for work."""
        self._cancel_timer()
        if self._retired or self._cause:
            # Also one that asked just before it was killed.
            self.kill("stop")
            return
        if self.state is State.STARTING:
            self.init_ms = (time.perf_counter() - self._started_at) * 1000
        self._api.current = None
        self.state = State.IDLE
        self.idle_since = time.monotonic()
        self._on_change(self)

    def on_init_error(self, kind: str, payload: bytes) -> None:
        """Runtime API: the function cannot be imported."""
        self.failure = (kind, payload)

    def on_settled(self, invocation: Invocation) -> None:
        """Runtime API: the process has answered. It is free again once it asks for more work."""
        self._cancel_timer()
        self.state = State.RETURNING
        # A process that never comes back for more is as good as hung.
        self._timer = asyncio.get_running_loop().call_later(self.spec.timeout, self.kill, "timeout")
        self._report(invocation)

    def _report(self, invocation: Invocation) -> None:
        self._read_output()  # what the function wrote before it answered belongs before the REPORT line
        result = invocation.finish(b"")
        parts = [f"REPORT RequestId: {invocation.request_id}", f"Duration: {result.duration_ms:.2f} ms"]
        parts.append(f"Memory Size: {self.spec.memory_mb} MB")
        self.peak_mb = max(self.peak_mb, peak_mb(self.pid))
        parts.append(f"Max Memory Used: {self.peak_mb} MB")
        if result.cold:
            parts.append(f"Init Duration: {self.init_ms:.2f} ms")
        if result.error:
            parts += ["Status: error", f"Error Type: {result.error}"]
        self._log.write(f"END RequestId: {invocation.request_id}\n{'\t'.join(parts)}".encode())

    def _ended(self, code: int) -> None:
        """The process is gone: answers whoever waited for it, in Lambda's words."""
        self._cancel_timer()
        started = self.state is not State.STARTING
        self.state = State.DEAD
        self._read_output()
        self._lines.flush()
        how = f"signal: {signal.Signals(-code).name.removeprefix('SIG').lower()}" if code < 0 else f"exit status {code}"
        kind, message = self._words(how)
        current = self._api.current
        if current is not None and not current.settled:
            current.finish(error_payload(kind, f"RequestId: {current.request_id} Error: {message}"), kind)
            self._log.write(f"RequestId: {current.request_id} Error: {message}".encode())
            self._report(current)
        elif not started and self.failure is None and self._cause != "stop":
            self.failure = (kind, error_payload(kind, message))
            self._log.write(f"INIT_REPORT Status: error Error Type: {kind} {message}".encode())
        self._on_change(self)

    def _words(self, how: str) -> tuple[str, str]:
        match self._cause:
            case "timeout":
                return "Sandbox.Timedout", f"Task timed out after {self.spec.timeout:.2f} seconds"
            case "init":
                return "Sandbox.Timedout", f"Init did not end within {_INIT_SECONDS + self.spec.timeout:.2f} seconds"
            case "memory":
                return (
                    "Runtime.OutOfMemory",
                    f"Memory limit of {self.spec.memory_mb} MB exceeded; the process was killed",
                )
        return "Runtime.ExitError", f"Runtime exited with error: {how}"

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def _spawn(self, folder: Path, port: int) -> asyncio.subprocess.Process:
        spec = self.spec
        interpreter = str(spec.interpreter or sys.executable)
        command = [interpreter, "-m", "awslambdaric", spec.handler]
        if spec.exec_wrapper is not None:
            command = [str(spec.exec_wrapper), *command]
        self._pipe, write_end = os.pipe()
        os.set_blocking(self._pipe, False)
        asyncio.get_running_loop().add_reader(self._pipe, self._output_waits)
        try:
            return await asyncio.create_subprocess_exec(
                *command,
                cwd=spec.task_root or folder,
                env=self._environment(folder, port, interpreter),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=write_end,
                stderr=write_end,
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGKILL),
            )
        finally:
            os.close(write_end)

    def _environment(self, folder: Path, port: int, interpreter: str) -> dict[str, str]:
        """Everything the process may know: Lambda's own variables and the function's; nothing of the user's shell."""
        spec = self.spec
        own = {
            "PATH": os.pathsep.join([str(Path(interpreter).parent), "/usr/local/bin", "/usr/bin", "/bin"]),
            "LANG": "C.UTF-8",
            "TZ": ":UTC",
            "HOME": str(folder),
            "TMPDIR": str(folder),
            "PYTHONPATH": os.pathsep.join(str(path) for path in spec.paths),
            "PYTHONUNBUFFERED": "1",
            "PYTHONNOUSERSITE": "1",
            "_HANDLER": spec.handler,
            "LAMBDA_TASK_ROOT": str(spec.task_root or folder),
            "LAMBDA_RUNTIME_DIR": str(Path(interpreter).parent),
            "AWS_LAMBDA_RUNTIME_API": f"{LOOPBACK}:{port}",
            "AWS_LAMBDA_FUNCTION_NAME": spec.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory_mb),
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{spec.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": f"{time.strftime('%Y/%m/%d', time.gmtime())}/[$LATEST]{self.id}",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.12",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        if spec.isolated:
            own["PYTHONDONTWRITEBYTECODE"] = "1"
        return own | dict(spec.environment)

    def _output_waits(self) -> None:
        """There is something to read: more will follow, and the end of the invocation reads everything anyway."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._pipe)
        loop.call_later(_LINGER_SECONDS, self._listen)

    def _listen(self) -> None:
        self._read_output()
        if self._pipe >= 0:
            asyncio.get_running_loop().add_reader(self._pipe, self._output_waits)

    def _read_output(self) -> None:
        if self._pipe < 0:
            return
        try:
            while data := os.read(self._pipe, _PIPE_READ):
                self._lines.feed(data)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        # End of file: every holder of the other end is gone.
        asyncio.get_running_loop().remove_reader(self._pipe)
        os.close(self._pipe)
        self._pipe = -1


def describe(result: Result) -> str:
    """One line about a failed invocation, for people."""
    return f"{result.error}: {result.payload.decode(errors='replace')[:300]}" if result.error else ""
