"""The small files of the local cloud: what it remembers, what runs now, and the lock that allows one at a time."""

import fcntl
import json
import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from types import TracebackType
from typing import Self

from shared.local.errors import AlreadyRunning


def write_private(path: Path, content: Mapping[str, object]) -> None:
    """Replaces `path` by `content` as JSON in one step; only the owner may read it."""
    temporary = path.with_suffix(f".{os.getpid()}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=1, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def read_json(path: Path) -> dict[str, object]:
    """The JSON object in `path`; empty when the file is missing or not one (a half-written file of a lost machine)."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


@dataclass(slots=True)
class Remembered:
    """What outlives a run. Written with mode 0600, since it holds passwords and the first API key.

    Attributes:
        passwords: of the Postgres roles postgres, lambent_owner and lambent_app.
        postgres_home: folder that holds the cluster, when it could not be `.lambent`.
        ports: by name (front, aws, host), asked for again at the next start.
        migrated: fingerprint of the migrations that were applied last.
        bootstrap: api_key, tenant_id and project_id as `migrate_database` returned them once.
    """

    passwords: dict[str, str] = field(default_factory=dict)
    postgres_home: str = ""
    ports: dict[str, int] = field(default_factory=dict)
    migrated: str = ""
    bootstrap: dict[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> "Remembered":
        """Reads `path`; unknown keys are dropped, missing ones take their defaults."""
        known = {item.name for item in fields(cls)}
        loaded = cls()
        for name, value in read_json(path).items():
            if name in known and isinstance(value, type(getattr(loaded, name))):
                setattr(loaded, name, value)
        return loaded

    def save(self, path: Path) -> None:
        """Writes everything to `path`."""
        write_private(path, asdict(self))

    def password(self, role: str) -> str:
        """The password of a Postgres role, made up at the first call."""
        return self.passwords.setdefault(role, secrets.token_urlsafe(24))

    def seed(self, purpose: str) -> str:
        """32 random bytes in hexadecimal for a signing key, made up at the first call."""
        return self.passwords.setdefault(f"{purpose} seed", secrets.token_hex(32))


class RunLock:
    """An advisory lock on the state folder; the kernel drops it when the holder dies, however it dies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1

    def __enter__(self) -> Self:
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        # A few tries: `is_held` of another process holds the lock for a moment while it looks.
        for _ in range(5):
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(0.02)
            else:
                return self
        os.close(self._descriptor)
        self._descriptor = -1
        raise AlreadyRunning(
            f"a local cloud already runs on {self._path.parent}",
            "`lambent status` shows it, `lambent down` stops it.",
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)
        self._descriptor = -1

    @classmethod
    def is_held(cls, path: Path) -> bool:
        """True while some process holds the lock."""
        if not path.exists():
            return False
        try:
            with cls(path):
                return False
        except AlreadyRunning:
            return True
