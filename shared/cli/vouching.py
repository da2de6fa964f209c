"""Coming in by another party (OpenID Connect): one goes there with a browser, and pastes where one was sent back to."""

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from shared.cli import asking
from shared.cli.address import Address
from shared.cli.credentials import Key
from shared.cli.errors import CliError
from shared.cli.identity import Identity
from shared.cli.shapes.identity import Begun, Provider, Signed

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.cli.session import Session


def provider_named(session: "Session", name: str) -> Provider:
    """Somebody who vouches for users there.

    Raises:
        CliError: nobody of this name does.
    """
    found = [one for one in session.stranger.providers() if one["name"] == name]
    if not found:
        raise CliError(
            f"nobody called {name!r} vouches for users there", code="provider_not_found", hint="lambent providers"
        )
    return found[0]


def come_back(session: "Session", provider: Provider, back: str, begin: "Callable[[str], Begun]") -> Signed:
    """Go to a provider and finish with what one comes back with.

    Args:
        session: of the command.
        provider: who vouches.
        back: where to be sent back to; '' for the first address that the deployment allows.
        begin: asks the API to begin, for that address.

    Raises:
        CliError: the provider refused, or the address is that of another sign-in.
    """
    begun = begin(back or provider["redirect_uris"][0])
    pasted = asking.text("", f"Go to {begun['authorization_url']}\nThen paste the address it sent you to", "a terminal")
    came = {name: values[0] for name, values in parse_qs(urlsplit(pasted).query).items()}
    if "error" in came:
        raise CliError(f"{provider['name']} refused: {came.get('error_description', came['error'])}", code="refused")
    if "code" not in came or came.get("state") != begun["state"]:
        raise CliError(
            "that is not the address this sign-in comes back to",
            code="other_sign_in",
            hint="begin again, and paste the whole address with everything behind the question mark",
        )
    body = {"code": came["code"], "state": begun["state"], "binding": begun["binding"]}
    if "iss" in came:
        body["iss"] = came["iss"]
    return session.stranger.finish(provider["name"], body)


def as_signed(session: "Session", signed: Signed) -> Identity:
    """The API's routes about the user, by a sign-in that is not kept yet."""
    return Identity(session.client_at(Address(session.place.url, Key(signed["access_token"]))))
