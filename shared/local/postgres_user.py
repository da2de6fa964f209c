"""The operating system user Postgres runs as: PostgreSQL refuses to run as root."""

import os
import pwd
import shutil
import stat
import subprocess
from pathlib import Path

_USER = "pgserver"
_FALLBACK = "nobody"


def server_user() -> str | None:
    """The user for the server: None (ourselves) unless we are root; then `pgserver`, made if need be, or `nobody`."""
    if os.geteuid() != 0:
        return None
    if _exists(_USER):
        return _USER
    useradd = shutil.which("useradd")
    if useradd is not None:
        subprocess.run([useradd, "--system", "--no-create-home", _USER], check=False, capture_output=True)
    return _USER if _exists(_USER) else _FALLBACK


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def reachable(folder: Path, user: str) -> bool:
    """True if `user` may pass through `folder` and every folder above it."""
    account = pwd.getpwnam(user)
    groups = set(os.getgrouplist(user, account.pw_gid))
    for part in (folder, *folder.parents):
        try:
            status = part.stat()
        except FileNotFoundError:
            continue  # not made yet; what is made below an open folder is open
        if status.st_uid == account.pw_uid:
            needed = stat.S_IXUSR
        elif status.st_gid in groups:
            needed = stat.S_IXGRP
        else:
            needed = stat.S_IXOTH
        if not status.st_mode & needed:
            return False
    return True


def transfer(path: Path, user: str | None) -> None:
    """Gives `path` to the server's user, and to nobody else."""
    if user is not None:
        account = pwd.getpwnam(user)
        os.chown(path, account.pw_uid, account.pw_gid)
    path.chmod(0o700 if path.is_dir() else 0o600)


def lend_binaries(folder: Path, user: str | None, home: Path) -> Path:
    """A folder with binaries that `user` can run: `folder` itself, or a copy in `home` when it lies in a private one.

    A checkout below root's home is private to root; opening it would expose everything else in it, so 38 MB are
    copied instead.
    """
    if user is None or reachable(folder, user):
        return folder
    install = folder.parent
    copy = home / f"postgres-install-{install.stat().st_mtime_ns:x}"
    if not copy.exists():
        unfinished = copy.with_suffix(".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(install, unfinished)
        unfinished.chmod(0o755)
        unfinished.rename(copy)
    return copy / folder.name
