"""What Lambda's Python runtime brings along, for built functions: a bare interpreter, the runtime client and boto3.

A built function must find everything else in its own artifact and its layers, as it will on AWS.
"""

import importlib.metadata
import shutil
import sys
from pathlib import Path

_BROUGHT_ALONG = (
    *("awslambdaric", "snapshot-restore-py", "simplejson"),
    *("boto3", "botocore", "s3transfer", "jmespath", "python-dateutil", "six", "urllib3"),
)
_INTERPRETERS = ("python3", "python", "python3.12")


def prepare(folder: Path) -> Path:
    """Makes `folder` with bin/python3 and python/ (links to installed packages), anew each time; returns it."""
    shutil.rmtree(folder, ignore_errors=True)
    binaries, packages = folder / "bin", folder / "python"
    binaries.mkdir(parents=True)
    packages.mkdir()
    base = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    for name in _INTERPRETERS:
        script = binaries / name
        # -S leaves out site-packages; the import path is PYTHONPATH and the standard library.
        script.write_text(f'#!/bin/sh\nexec "{base}" -S -s "$@"\n', encoding="utf-8")
        script.chmod(0o755)
    for source in _top_level():
        (packages / source.name).symlink_to(source)
    return folder


def _top_level() -> set[Path]:
    """The files and folders in site-packages that belong to what the runtime brings along."""
    found: set[Path] = set()
    for name in _BROUGHT_ALONG:
        distribution = importlib.metadata.distribution(name)
        for file in distribution.files or ():
            if file.parts[0] not in ("..", "__pycache__"):
                found.add(Path(str(distribution.locate_file(file.parts[0]))))
    return found
