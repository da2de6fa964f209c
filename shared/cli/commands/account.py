"""Commands about you: register, confirm, sign in and out, who you are."""

from typing import TYPE_CHECKING, Annotated

import typer

from shared.cli import asking
from shared.cli.asking import FromStdin
from shared.cli.errors import CliError
from shared.cli.options import api_command
from shared.cli.output import Column
from shared.cli.session import Session

if TYPE_CHECKING:
    from shared.cli.logins import Login

PANEL = "People and organisations"

Email = Annotated[str, typer.Argument(metavar="EMAIL", help="Your address; asked for when missing.")]
Back = Annotated[
    str, typer.Option("--back", metavar="URL", help="Where it sends you back to; by default the first it may.")
]


def register(
    session: Session,
    email: Email = "",
    name: Annotated[str, typer.Option("--name", metavar="TEXT", help="Your name.")] = "",
    organisation: Annotated[
        str, typer.Option("--organisation", metavar="TEXT", help="The name of the organisation it makes.")
    ] = "",
    password_stdin: FromStdin = False,
) -> None:
    """Register; a code is mailed that confirms the address. Then: lambent verify CODE."""
    from shared.cli.people import require_privacy

    require_privacy(session.place)
    email = asking.text(email, "Address", "EMAIL")
    body = {
        "email": email,
        "name": asking.text(name, "Your name", "--name"),
        "organisation": asking.text(organisation, "Organisation", "--organisation"),
        "password": asking.password("Password", from_stdin=password_stdin, twice=True),
    }
    session.stranger.register(body)
    with session.logins.changing() as kept:
        kept.registering = email
    session.output.result({"email": email, "registered": True}, f"A code is on its way to {email}.")
    where = "read it with lambent mail show, then: " if session.place.local else ""
    session.output.note(f"{where}lambent verify CODE")


def verify(
    session: Session,
    code: Annotated[str, typer.Argument(metavar="CODE", help="The code that was mailed, or its link.")],
    password_stdin: FromStdin = False,
) -> None:
    """Confirm your address by the mailed code and the password you chose, and sign in."""
    from shared.cli.people import code_in, require_privacy, sign_in

    require_privacy(session.place)
    password = asking.password("Password", from_stdin=password_stdin)
    email = session.logins.read().registering
    made = session.stranger.verify(code_in(code), password)
    if not email:
        session.output.result({**made, "signed_in": False}, "Your address is confirmed. Sign in: lambent login EMAIL")
        return
    sign_in(session, email, password, org=made["org_id"], project=made["project_id"])
    words = f"{email} is confirmed, and you are signed in. Your organisation has a project named default."
    session.output.result({**made, "signed_in": True}, words)
    session.output.note('Next: lambent ingest FOLDER, then lambent ask "…"')


def login(
    session: Session,
    email: Email = "",
    provider: Annotated[
        str, typer.Option("--provider", metavar="NAME", help="By another party, one of lambent providers.")
    ] = "",
    back: Back = "",
    password_stdin: FromStdin = False,
) -> None:
    """Sign in, with your password or by another party. Commands act as you from then on, unless a key is given."""
    from shared.cli.people import act_as, require_privacy, settle_in, sign_in

    require_privacy(session.place)
    if provider:
        found = _by_provider(session, provider, back)
    else:
        email = asking.text(email or session.logins.read().current, "Address", "EMAIL")
        found = sign_in(session, email, asking.password(f"Password of {email}", from_stdin=password_stdin))
    act_as(session, found)
    organisations = settle_in(session, found)
    value = {"email": found.email, "user_id": found.user_id, "organisations": organisations}
    session.output.result(value, f"Signed in at {session.place.url} as {found.email}.")
    if session.asked.key:
        session.output.warn("a key is given (--key or LAMBENT_API_KEY); commands act with it, not as you")
    if len(organisations) > 1:
        session.output.note(f"You belong to {len(organisations)} organisations: lambent orgs use NAME")
    elif not organisations:
        session.output.note("You belong to no organisation: lambent orgs create NAME, or lambent invitations accept")


def _by_provider(session: Session, name: str, back: str) -> "Login":
    from shared.cli.people import keep
    from shared.cli.vouching import as_signed, come_back, provider_named

    provider = provider_named(session, name)
    signed = come_back(session, provider, back, lambda uri: session.stranger.begin(name, uri))
    return keep(session, as_signed(session, signed).me()["email"], signed)


def switch(
    session: Session, email: Annotated[str, typer.Argument(metavar="EMAIL", help="Who signed in here before.")]
) -> None:
    """Act as somebody else who is signed in here."""
    with session.logins.changing() as kept:
        found = kept.named(email)
        if found is None or found.ended:
            raise CliError(f"{email} is not signed in here", code="not_signed_in", hint=f"lambent login {email}")
        kept.current = found.email
    session.output.result({"email": found.email}, f"Commands act as {found.email} now.")


def logout(session: Session) -> None:
    """Sign out, and forget the sign-in. It is forgotten here even when the API cannot be told."""
    from shared.cli.credentials import SignInEnded
    from shared.cli.people import act_as

    found = session.logins.current()
    if found is None:
        raise CliError(f"nobody is signed in at {session.place.url}", code="not_signed_in", hint="lambent login")
    act_as(session, found)
    told = True
    try:
        session.identity.logout()
    except SignInEnded:
        session.output.note("It had ended already.")
    except CliError as error:
        told = False
        session.output.warn(f"{error.detail}; there the sign-in lasts until it expires")
    with session.logins.changing() as kept:
        kept.forget(found.email)
    session.output.result({"email": found.email, "ended": told}, f"{found.email} is signed out here.")


def whoami(session: Session) -> None:
    """As whom commands act, and what you belong to."""
    from shared.cli.credentials import Key

    credential = session.address.credential
    if isinstance(credential, Key):
        value = {"url": session.address.url, "key": credential.value[:8], "source": credential.source}
        words = f"At {session.address.url} commands act with the key {credential.value[:8]}… ({credential.source})."
        session.output.result(value, words)
        others = [one.email for one in session.logins.read().logins.values() if not one.ended]
        session.output.note(f"Also signed in here: {', '.join(others)}" if others else "lambent login acts as a user")
        return
    me, organisations = session.identity.me(), session.identity.organisations()
    if session.json:
        working = {"org": session.address.org, "project": session.address.project}
        session.output.value({"url": session.address.url, "user": me, "organisations": organisations, **working})
        return
    session.output.facts([("You", f"{me['name']} <{me['email']}>"), ("At", session.address.url), ("Id", me["id"])])
    session.output.line()
    rows = [
        (one["name"], one["role"], "suspended" if one["suspended_at"] else _mark(one["id"], session), one["id"])
        for one in organisations
    ]
    columns = [
        Column("Organisation", flexible=True, style="bold"),
        Column("Your role"),
        Column(""),
        Column("Id", style="dim", spare=True),
    ]
    session.output.table(columns, rows, empty="You belong to no organisation: lambent orgs create NAME")


def _mark(id: str, session: Session) -> str:
    return "worked in" if id == session.address.org else ""


def declare(app: typer.Typer) -> None:
    """Add these commands."""
    for body in (register, verify, login, logout, switch, whoami):
        api_command(app, panel=PANEL)(body)
