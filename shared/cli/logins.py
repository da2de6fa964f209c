"""Who is signed in where: one file for each deployment in the platform's folder for settings, its owner's alone.

Refresh tokens are good once, so whoever exchanges one holds the file's lock until the next one is written.
"""

import fcntl
import hashlib
import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from shared.cli.errors import CliError

LOCK_SECONDS = 90.0
"""Longer than a request may take, which is all that happens behind the lock."""
_TICK = 0.05


@dataclass(frozen=True, slots=True)
class Login:
    """A sign-in that lasts. Without tokens it has ended.

    Attributes:
        org, project: ids of those to work in when a command names none; '' for none.
    """

    email: str
    user_id: str = ""
    access_token: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)
    org: str = ""
    project: str = ""

    @property
    def ended(self) -> bool:
        """True when only signing in again helps."""
        return not self.refresh_token

    def over(self) -> "Login":
        """The same, ended: who it was is remembered, so that nobody silently acts as somebody else."""
        return replace(self, access_token="", refresh_token="")


@dataclass
class Kept:
    """What is in a file.

    Attributes:
        current: address of the one who is signed in; '' for nobody.
        registering: the address that was registered last and is not confirmed; '' for none.
    """

    current: str = ""
    registering: str = ""
    logins: dict[str, Login] = field(default_factory=dict)

    def put(self, login: Login) -> None:
        """Keep a sign-in in place of the one before."""
        self.logins[login.email.lower()] = login

    def forget(self, email: str) -> None:
        """Keep nothing of somebody."""
        self.logins.pop(email.lower(), None)
        if self.current.lower() == email.lower():
            self.current = ""

    def named(self, email: str) -> Login | None:
        """Somebody's sign-in."""
        return self.logins.get(email.lower())


class Logins:
    """The sign-ins at one deployment.

    Args:
        folder: of all deployments' files.
        realm: what tells this deployment from others: its address, or the local cloud's own id.
    """

    def __init__(self, folder: Path, realm: str) -> None:
        readable = re.sub(r"[^a-z0-9.-]+", "-", realm.partition("://")[2].lower() or realm.lower())[:60].strip("-")
        self._realm = realm
        self._file = folder / f"{readable}-{hashlib.sha256(realm.encode()).hexdigest()[:12]}.json"

    @property
    def file(self) -> Path:
        """Where they are kept."""
        return self._file

    def read(self) -> Kept:
        """All of them, as they are now.

        Raises:
            CliError: the file is not as it was written.
        """
        try:
            if self._file.stat().st_mode & 0o077:
                self._file.chmod(0o600)
            found = json.loads(self._file.read_text("utf-8"))
            return _kept(found)
        except FileNotFoundError:
            return Kept()
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise CliError(
                f"{self._file} is damaged", code="bad_login_file", hint="delete it, then sign in again: lambent login"
            ) from error

    def current(self) -> Login | None:
        """Whoever is signed in."""
        kept = self.read()
        return kept.named(kept.current) if kept.current else None

    @contextmanager
    def changing(self) -> Iterator[Kept]:
        """What is kept, for a change that nobody else makes at the same time; written even if the change is refused.

        Raises:
            CliError: somebody else holds the lock for too long.
        """
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._locked():
            kept = self.read()
            before = _written(kept, self._realm)
            try:
                yield kept
            finally:
                after = _written(kept, self._realm)
                if after != before:
                    self._write(after)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        lock = self._file.with_suffix(".lock")
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + LOCK_SECONDS
        try:
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError as error:
                    if time.monotonic() > deadline:
                        raise CliError(
                            "another command renews this sign-in and does not come to an end",
                            code="login_locked",
                            hint=f"try again; what holds it has {lock} open",
                        ) from error
                    time.sleep(_TICK)
            yield
        finally:
            os.close(descriptor)

    def _write(self, text: str) -> None:
        """All or nothing: a refresh token that is lost half-way cannot be had again."""
        if not text:
            self._file.unlink(missing_ok=True)
            return
        new = self._file.with_suffix(f".{os.getpid()}")
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as opened:
            opened.write(text)
            opened.flush()
            os.fsync(opened.fileno())
        new.replace(self._file)


def _kept(found: Mapping[str, Any]) -> Kept:
    logins = {email: Login(**one) for email, one in found["logins"].items()}
    return Kept(found["current"], found["registering"], logins)


def _written(kept: Kept, realm: str) -> str:
    if not kept.logins and not kept.registering:
        return ""
    return json.dumps({"deployment": realm, **asdict(kept)}, indent=2) + "\n"
