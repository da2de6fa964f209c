"""What the host must know about one function: the parts of its template resource that change how it runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

# The real default of Lambda is 1,000 for the whole account; a laptop has a few cores.
DEFAULT_CONCURRENCY = 4


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """One function as the host runs it.

    Attributes:
        name: logical id in the template; the host's address of the function.
        handler: `package.module.function`.
        paths: put on the function's import path, in this order (task root first, then layers).
        environment: its variables, complete: only what Lambda itself sets is added.
        timeout: seconds an invocation may take before its process is killed.
        memory_mb: resident memory of the process and its children, in MB, before it is killed.
        concurrency: how many invocations may run at once.
        task_root: working directory and LAMBDA_TASK_ROOT.
        exec_wrapper: the program that starts the runtime (AWS_LAMBDA_EXEC_WRAPPER), already found on this machine.
        interpreter: the Python that runs it; None for the one that runs the host.
        isolated: True to see nothing but `paths`: no site-packages of the interpreter.
    """

    name: str
    handler: str
    paths: tuple[Path, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 3.0
    memory_mb: int = 128
    concurrency: int = DEFAULT_CONCURRENCY
    task_root: Path | None = None
    exec_wrapper: Path | None = None
    interpreter: Path | None = None
    isolated: bool = False


@dataclass(frozen=True, slots=True)
class FunctionStats:
    """What a function has done since the host started.

    Attributes:
        processes: alive now; `busy` of them have an invocation.
        at_work: the process ids of those; `idle` are those that have started and wait for one.
        init_ms: average time from starting a process to its first request for work.
        average_ms: average duration of an invocation, without waiting and without init.
    """

    name: str
    processes: int = 0
    busy: int = 0
    at_work: tuple[int, ...] = ()
    idle: tuple[int, ...] = ()
    waiting: int = 0
    cold_starts: int = 0
    init_ms: float = 0.0
    invocations: int = 0
    errors: int = 0
    timeouts: int = 0
    throttles: int = 0
    average_ms: float = 0.0
    max_memory_mb: int = 0
    last_error: str = ""
