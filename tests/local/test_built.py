"""A built function sees its own artifact, its layers and what the runtime brings along, and nothing else."""

from pathlib import Path

import pytest

from shared.local import runtime_folder
from tests.local.conftest import FIXTURES, hosting, probe


@pytest.mark.enable_socket
async def test_built_function_cannot_import_what_is_installed_here(tmp_path: Path) -> None:
    runtime = runtime_folder.prepare(tmp_path / "runtime")
    built = probe(paths=(FIXTURES, runtime / "python"), interpreter=runtime / "bin" / "python3", isolated=True)
    async with hosting(built, tmp_path) as host:
        found = (
            await host.invoke("ProbeFunction", {"do": "importable", "names": ["boto3", "fastapi", "psycopg", "shared"]})
        ).json()
    assert found == {"boto3": True, "fastapi": False, "psycopg": False, "shared": False}
