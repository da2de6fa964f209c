"""Signing in through another party (OpenID Connect Core 1.0): who vouches, what they must say, and what is believed.

An identity token is read here after its signature was checked elsewhere. Nothing in it is believed but what the one
party that was asked says about the one sign-in that was begun.
"""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode, urlsplit

from shared.domain.errors import Unauthenticated, Unavailable

SKEW = timedelta(seconds=60)
"""How far apart two clocks may be."""
FRESH = timedelta(minutes=10)
"""How old a token may be that was made for a sign-in under way: as long as one may be under way."""
MAX_CLAIM = 2000
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_SUBJECT = re.compile(r"[\x20-\x7e]{1,255}")
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Provider:
    """A party that vouches for users, as this deployment knows it.

    Raises:
        ValueError: something is missing, or none that can be used.
    """

    name: str
    """What the API calls it; part of paths."""
    issuer: str
    """What it calls itself, to the letter."""
    client_id: str
    redirect_uris: tuple[str, ...]
    """Where it may send people back to, to the letter: https, or this machine."""
    title: str = ""
    """What people read."""
    scopes: tuple[str, ...] = ("openid", "email", "profile")
    email_domains: tuple[str, ...] = ()
    """Whose addresses it speaks for. With them nobody else comes in by it for the first time, and an account that has
    such an address already is theirs; without, its word about an address makes new users and touches no known one."""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError("a provider's name has 1 to 32 characters of a-z, 0-9 and -")
        issuer = urlsplit(self.issuer)
        if not issuer.netloc or issuer.query or issuer.fragment or not _reachable(self.issuer):
            raise ValueError(f"{self.name}: an issuer is an https URL without query and fragment")
        if not self.client_id or "openid" not in self.scopes:
            raise ValueError(f"{self.name}: a provider has a client_id, and the scope openid")
        if not self.redirect_uris or not all(map(_reachable, self.redirect_uris)):
            raise ValueError(f"{self.name}: redirect_uris are https, or http to this machine, without a fragment")
        if not all(_DOMAIN.fullmatch(one) for one in self.email_domains):
            raise ValueError(f"{self.name}: email_domains are written as example.com")

    def speaks_for(self, address: str) -> bool:
        """Whether an e-mail address is of a domain that is this provider's own."""
        return address.rpartition("@")[2].lower() in self.email_domains


@dataclass(frozen=True, slots=True)
class Endpoints:
    """What of a provider's description a sign-in needs."""

    authorization: str
    """Where people are sent."""
    names_itself: bool
    """It says who it is when it sends people back (RFC 9207)."""


@dataclass(frozen=True, slots=True)
class Redeemed:
    """What a code was exchanged for: an identity token whose signature is good, and no more of it is known yet."""

    claims: Mapping[str, object]
    access_token: str


@dataclass(frozen=True, slots=True)
class Vouched:
    """What a provider says about somebody, and is believed to say."""

    issuer: str
    subject: str
    email: str
    """'' unless the provider says that it is proven to be theirs."""
    name: str


def providers_of(text: str) -> Mapping[str, Provider]:
    """The configured providers by name.

    Args:
        text: a JSON list of objects with the fields of `Provider`; '' for none.

    Raises:
        Unavailable: it is none.
    """
    try:
        listed = [_provider(**one) for one in json.loads(text or "[]")]
    except (ValueError, TypeError) as error:
        raise Unavailable(f"the providers of this deployment cannot be read: {error}", code="not_configured") from error
    found = {one.name: one for one in listed}
    if len(found) < len(listed) or len({one.issuer for one in listed}) < len(listed):
        # Two of one issuer would know the same people by the same names.
        raise Unavailable("two providers of this deployment have one name, or one issuer", code="not_configured")
    return found


def authorization_url(
    endpoint: str, provider: Provider, *, redirect_uri: str, state: str, nonce: str, verifier: str
) -> str:
    """Where to send somebody who wants to sign in (RFC 6749 §4.1.1, RFC 7636 §4.3)."""
    asked = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": redirect_uri,
        "scope": " ".join(provider.scopes),
        "state": state,
        "nonce": nonce,
        "code_challenge": _unpadded(hashlib.sha256(verifier.encode()).digest()),
        "code_challenge_method": "S256",
    }
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"


def read_claims(provider: Provider, redeemed: Redeemed, *, nonce: str, now: datetime) -> Vouched:
    """What a provider says in an identity token (OpenID Connect Core 1.0 §3.1.3.7).

    Args:
        provider: who was asked.
        redeemed: the claims, whose signature is good, and the access token that came with them.
        nonce: of the sign-in that was begun.
        now: the time.

    Raises:
        Unauthenticated: it is not about this sign-in, or not from this provider, or not of now.
    """
    claims = redeemed.claims
    if claims.get("iss") != provider.issuer:
        raise refused("it is from another issuer")
    _check_audience(provider, claims)
    _check_times(claims, now)
    if claims.get("nonce") != nonce:
        raise refused("it was made for another sign-in")
    _check_access_token(claims, redeemed.access_token)
    subject = claims.get("sub")
    if not isinstance(subject, str) or not _SUBJECT.fullmatch(subject):
        raise refused("it does not say whom it is about")
    # Some issuers write it as text. Whatever else is there means that nobody has proven anything.
    proven = claims.get("email_verified") is True or claims.get("email_verified") == "true"
    return Vouched(provider.issuer, subject, _text(claims, "email") if proven else "", _text(claims, "name"))


def refused(why: str) -> Unauthenticated:
    """The refusal of an identity token."""
    return Unauthenticated(
        f"the identity token is not good: {why}", code="identity_token_refused", hint="begin the sign-in again"
    )


def _provider(**fields: object) -> Provider:
    for name, value in fields.items():
        if name in ("redirect_uris", "scopes", "email_domains"):
            if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
                raise ValueError(f"{name} is a list of texts")
            fields[name] = tuple(value)
        elif not isinstance(value, str):
            raise ValueError(f"{name} is a text")
    return Provider(**fields)  # type: ignore[arg-type]


def _reachable(url: str) -> bool:
    parts = urlsplit(url)
    if parts.fragment or "#" in url or parts.username is not None or not parts.hostname:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


def _check_audience(provider: Provider, claims: Mapping[str, object]) -> None:
    audience = claims.get("aud")
    listed = audience if isinstance(audience, list) else [audience]
    if provider.client_id not in listed:
        raise refused("it is for somebody else")
    if (len(listed) > 1 or "azp" in claims) and claims.get("azp") != provider.client_id:
        raise refused("somebody else asked for it")


def _check_times(claims: Mapping[str, object], now: datetime) -> None:
    moment, skew = now.timestamp(), SKEW.total_seconds()
    made, ends = _seconds(claims, "iat"), _seconds(claims, "exp")
    if moment >= ends + skew:
        raise refused("its time is over")
    if made > moment + skew or made < moment - FRESH.total_seconds() - skew:
        raise refused("it was not made now")
    if "nbf" in claims and _seconds(claims, "nbf") > moment + skew:
        raise refused("its time has not come")


def _seconds(claims: Mapping[str, object], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not -1e12 < value < 1e12:
        raise refused(f"{name} is no time")
    return float(value)


def _check_access_token(claims: Mapping[str, object], access_token: str) -> None:
    """§3.1.3.6: the left half of the hash that both algorithms allowed here go with."""
    if "at_hash" not in claims:
        return
    right = _unpadded(hashlib.sha256(access_token.encode()).digest()[:16])
    if not access_token or claims["at_hash"] != right:
        raise refused("the access token beside it is another one's")


def _unpadded(digest: bytes) -> str:
    """Base64 for URLs, without what fills it up."""
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _text(claims: Mapping[str, object], name: str) -> str:
    value = claims.get(name)
    return value.strip() if isinstance(value, str) and len(value) <= MAX_CLAIM else ""
