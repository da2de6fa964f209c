"""Bringing the database up to date through the function that does it on AWS, when there is something to do."""

import hashlib
from pathlib import Path

from shared.local.errors import StepFailed
from shared.local.host import FunctionHost
from shared.local.invocation import Result
from shared.local.state import Remembered

FUNCTION = "MigrateDatabaseFunction"
_SOURCES = ("shared/adapters/postgres/migrations", "functions/migrate_database")
_TENANT = {"action": "bootstrap", "tenant": "local", "project": "default"}


def fingerprint(root: Path, build: Path | None = None) -> str:
    """Changes when a migration does, in the built artifacts if `build` is given, else in the sources."""
    folders = [root / folder for folder in _SOURCES]
    if build is not None:
        folders = [build / FUNCTION, *build.glob(f"*/python/{_SOURCES[0]}")]
    digest = hashlib.sha256()
    for folder in folders:
        for file in sorted(folder.rglob("*.py")):
            digest.update(str(file.relative_to(folder)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


async def migrate(host: FunctionHost, wanted: str, remembered: Remembered) -> str:
    """Applies the migrations unless exactly these were applied before; returns a short line for people.

    Args:
        host: runs the function.
        wanted: fingerprint of the migrations that shall be applied.
        remembered: knows which ones were applied last, and learns it.

    Raises:
        StepFailed: the function failed; its error is in the text.
    """
    if remembered.migrated == wanted:
        return "unchanged"
    _succeeded(await host.invoke(FUNCTION, {"action": "migrate"}))
    remembered.migrated = wanted
    return "migrated"


async def bootstrap(host: FunctionHost, remembered: Remembered) -> str:
    """Makes the first tenant, project and API key, once; returns a short line for people.

    Raises:
        StepFailed: the function failed, or did not return what it should.
    """
    if remembered.bootstrap:
        return "known"
    answer = _succeeded(await host.invoke(FUNCTION, _TENANT)).json()
    if not isinstance(answer, dict) or not {"api_key", "tenant_id", "project_id"} <= set(answer):
        raise StepFailed(f"{FUNCTION} did not return api_key, tenant_id and project_id")
    remembered.bootstrap = {name: str(answer[name]) for name in ("api_key", "tenant_id", "project_id")}
    return f"tenant {remembered.bootstrap['tenant_id']}"


def _succeeded(result: Result) -> Result:
    if result.error:
        text = result.payload.decode(errors="replace")
        raise StepFailed(f"{FUNCTION}: {text}", f"`lambent logs {FUNCTION}` has the whole story.")
    return result
