"""The demo's own user, who comes in as anyone would: registers, reads the code in the mail, confirms, signs in."""

import secrets
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from shared.cli.credentials import SignInEnded
from shared.cli.errors import CliError
from shared.cli.inbox import inbox
from shared.cli.people import act_as, code_in, remember, sign_in
from shared.cli.projects import Projects

if TYPE_CHECKING:
    from shared.cli.logins import Login
    from shared.cli.session import Session

ORGANISATION = "Demo"
PROJECT = "demo"
MAIL_SECONDS = 20.0
"""How long to look for the message; it is sent before the registration is answered."""
_PREFIX, _DOMAIN = "demo-", "@example.com"
_TICK = 0.2


@dataclass(frozen=True, slots=True)
class DemoUser:
    """As whom the demo does its work.

    Attributes:
        new: whether it signed up just now, not in an earlier run.
        current: whether commands act as this user from now on; not when somebody else is signed in.
    """

    email: str
    new: bool
    current: bool

    @property
    def words(self) -> str:
        """Who it is, in one line."""
        how = "Signed up as" if self.new else "Signed in again as"
        return f"{how} {self.email}: organisation {ORGANISATION}, project {PROJECT}."


def demo_user(session: "Session") -> DemoUser:
    """Act as the demo's user: the one of an earlier run while their sign-in lasts, else a new one.

    Raises:
        CliError: no message came, or the API refused.
    """
    before = session.logins.read()
    known = [one for one in before.logins.values() if _is_demo(one.email) and not one.ended]
    login = next((one for one in known if _still(session, one)), None)
    new = login is None
    if login is None:
        login = _sign_up(session)
    project = _project(session)
    remember(session, login.email, project=project)
    session.use(replace(session.address, project=project))
    with session.logins.changing() as kept:
        kept.current = before.current if before.current and not _is_demo(before.current) else login.email
    return DemoUser(login.email, new, kept.current == login.email)


def _is_demo(email: str) -> bool:
    return email.startswith(_PREFIX) and email.endswith(_DOMAIN)


def _still(session: "Session", login: "Login") -> bool:
    act_as(session, login)
    try:
        return login.org in [one["id"] for one in session.identity.organisations()]
    except SignInEnded:
        return False


def _sign_up(session: "Session") -> "Login":
    email, password = f"{_PREFIX}{secrets.token_hex(3)}{_DOMAIN}", secrets.token_urlsafe(24)
    who = {"email": email, "password": password, "name": "Demo", "organisation": ORGANISATION}
    session.stranger.register(who)
    made = session.stranger.verify(code_in(_mailed(session, email)), password)
    login = sign_in(session, email, password, org=made["org_id"])
    act_as(session, login)
    return login


def _mailed(session: "Session", email: str) -> str:
    """The text of the message to an address."""
    deadline = time.monotonic() + MAIL_SECONDS
    while time.monotonic() < deadline:
        found = inbox(session, email)
        if found:
            return found[-1].text
        time.sleep(_TICK)
    raise CliError(f"no message came to {email}", code="demo_failed", hint="lambent mail, and lambent logs auth")


def _project(session: "Session") -> str:
    """Id of the demo's project; the organisation has one named default as well."""
    projects = Projects(session.client)
    found = next((one for one in projects.all() if one["name"] == PROJECT), None)
    return (found or projects.create(PROJECT))["id"]
