"""Signing in and out as commands do it: what the API answers is kept, never shown."""

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from shared.cli.address import Place, is_loopback, signed_in_address
from shared.cli.credentials import SignedIn
from shared.cli.errors import CliError
from shared.cli.logins import Login
from shared.cli.shapes.identity import Belonging, Signed

if TYPE_CHECKING:
    from shared.cli.session import Session

_CODE = re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])")


def require_privacy(place: Place) -> None:
    """See that a password does not travel where others can read it.

    Raises:
        CliError: it would.
    """
    if not place.url.startswith("https://") and not is_loopback(place.url):
        raise CliError(
            f"{place.url} is not encrypted, and a password sent there can be read on the way",
            code="not_encrypted",
            hint="use its https address",
        )


def code_in(text: str) -> str:
    """The code in what a person copied from a message: the code alone, a link that carries it, or the whole message."""
    linked = parse_qs(urlsplit(text.strip()).query).get("token") if "://" in text else None
    found = linked or _CODE.findall(text)
    return found[0] if len(found) == 1 else text.strip()


def sign_in(session: "Session", email: str, password: str, *, org: str = "", project: str = "") -> Login:
    """Sign in and keep it, as whoever is signed in from now on.

    Args:
        session: of the command.
        email: whose address.
        password: as typed.
        org: id of the organisation to work in; without, what was worked in before.
        project: the same of a project.
    """
    return keep(session, email, session.stranger.login(email, password), org=org, project=project)


def keep(session: "Session", email: str, answer: Signed, *, org: str = "", project: str = "") -> Login:
    """Keep a sign-in that was just made, as whoever is signed in from now on; the rest is as for `sign_in`."""
    with session.logins.changing() as kept:
        before = kept.named(email) or Login(email)
        kept.put(
            Login(
                email,
                answer["user_id"],
                answer["access_token"],
                answer["refresh_token"],
                org or before.org,
                project or before.project,
            )
        )
        kept.current = email
        if kept.registering.lower() == email.lower():
            kept.registering = ""
        return kept.logins[email.lower()]


def act_as(session: "Session", login: Login) -> None:
    """Send what follows as somebody who is signed in, whatever key is given."""
    session.use(signed_in_address(session.place, session.logins, login, session.asked))


def settle_in(session: "Session", login: Login) -> list[Belonging]:
    """The organisations of whoever signed in; the only one becomes the one to work in."""
    found = session.identity.organisations()
    ids = [one["id"] for one in found]
    if login.org not in ids:
        remember(session, login.email, org=ids[0] if len(ids) == 1 else "", project="")
    return found


def remember(session: "Session", email: str, **places: str) -> None:
    """Keep which organisation or project somebody works in when a command names none."""
    with session.logins.changing() as kept:
        found = kept.named(email)
        if found is not None:
            kept.put(replace(found, **places))


def required(session: "Session") -> SignedIn:
    """Whoever is signed in.

    Raises:
        CliError: nobody is, or a key was given.
    """
    credential = session.address.credential
    if not isinstance(credential, SignedIn):
        raise CliError(
            "this is for users, and requests are sent with a key",
            code="user_required",
            hint="sign in: lambent login (and give no --key or LAMBENT_API_KEY)",
        )
    return credential
