"""What the local cloud is asked for, and what it tells."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Options:
    """How to run.

    Attributes:
        root: repository root, folder of template.yaml.
        state: state folder; None for root/.lambent.
        template: None for root/template.yaml.
        built: run `.aws-sam/build` artifacts with only their layers on the path.
        port: preferred port of the front; the next free one is taken.
        durable: False lets Postgres skip fsync (tests).
        parameters: template parameters on top of the local ones.
        environment: values for variables that functions declare, and for the keys whose secrets they may read on AWS.
        watch: let functions go when their sources change.
    """

    root: Path
    state: Path | None = None
    template: Path | None = None
    built: bool = False
    port: int = 8400
    durable: bool = True
    parameters: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    watch: bool = True


@dataclass(frozen=True, slots=True)
class Step:
    """One timed step of `up`; `detail` is a short line for people."""

    name: str
    seconds: float
    detail: str


@dataclass(frozen=True, slots=True)
class Ready:
    """The cloud is up.

    Attributes:
        url: the front; the API is at url + "/api/v1", the documentation at url + "/docs".
        api_key, tenant_id, project_id: of the first tenant; None if the template has no MigrateDatabaseFunction.
        aws_url: MiniStack, for AWS_ENDPOINT_URL.
        host_url: the function host, for /invoke/<function> and /stats.
        pid: the supervisor.
        seconds: the whole of `up`.
    """

    url: str
    api_key: str | None
    tenant_id: str | None
    project_id: str | None
    aws_url: str
    host_url: str
    pid: int
    seconds: float
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """A long-lived process; `address` is where it listens."""

    name: str
    pid: int
    alive: bool
    address: str


@dataclass(frozen=True, slots=True)
class FunctionStatus:
    """What one function has done since `up`: `init_ms` per cold start, `average_ms` per invocation, in milliseconds."""

    name: str
    processes: int
    busy: int
    cold_starts: int
    init_ms: float
    invocations: int
    errors: int
    timeouts: int
    throttles: int
    average_ms: float
    last_error: str


@dataclass(frozen=True, slots=True)
class Status:
    """What runs. `problems` are sentences about what is not as it should be; `started_at` is ISO 8601."""

    running: bool
    ready: Ready | None = None
    started_at: str | None = None
    processes: tuple[ProcessStatus, ...] = ()
    functions: tuple[FunctionStatus, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of a log; the text begins with a time."""

    function: str
    text: str


@dataclass(frozen=True, slots=True)
class Check:
    """One finding of `doctor`; `fix` is empty when all is well. Without a bad one that is `fatal`, `up` should work."""

    name: str
    ok: bool
    detail: str
    fix: str = ""
    fatal: bool = True
