"""The conversation with providers of OpenID Connect: their description, their keys, codes for tokens.

Everything goes out through the egress port: public addresses only, checked when the connection is made, and a redirect
is an answer like any other, which is none of those that are understood here.
"""

import asyncio
import base64
import json
import re
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlencode

from shared.domain.errors import Rejected, Unauthenticated, Unavailable
from shared.domain.openid import Endpoints, Provider, Redeemed, providers_of, refused
from shared.ports.egress import Egress, Reply

DESCRIPTION = "/.well-known/openid-configuration"
KEPT_SECONDS = 3600.0
"""How long a description and keys are used before they are fetched again."""
UNKNOWN_SECONDS = 60.0
"""A key that is not among those kept has them fetched anew, unless that was done so recently."""
MOST = 256 * 1024
"""Bytes of a description, a set of keys, or an answer with tokens."""
SECONDS = 22.0
"""For a code and all that has to be fetched to check what it gives: less than a function may take."""
JSON = {"Accept": "application/json"}
FORM = {**JSON, "Content-Type": "application/x-www-form-urlencoded"}
TOLD = ("email", "email_verified", "name")
TOKEN = re.compile(r"[\x21-\x7e]{1,8192}")
"""What may stand in a header."""

type Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Description:
    """What a provider says of itself (OpenID Connect Discovery 1.0 §3), checked."""

    endpoints: Endpoints
    token: str
    keys: str
    person: str
    """Where it tells more about somebody than a token holds; '' when nowhere."""
    by_header: bool
    """A secret goes to it in a header; else in the form."""


@dataclass(frozen=True, slots=True)
class _Kept[T]:
    value: T
    at: float


class OpenidIssuers:
    """Implements `shared.ports.issuers.Issuers`."""

    def __init__(
        self,
        providers: str,
        secrets: Callable[[], str],
        egress: Egress,
        *,
        library: str = "",
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nobody is called before somebody signs in.

        Args:
            providers: as `shared.domain.openid.providers_of` reads them.
            secrets: gives a JSON object of client secrets by provider; '' for none: clients without a secret.
            egress: the way out.
            library: a folder that holds what checks signatures, where that is not among all other packages.
            monotonic: seconds that only grow.
        """
        self._providers = providers_of(providers)
        self._secrets = secrets
        self._egress = egress
        self._library = library
        self._monotonic = monotonic
        self._descriptions: dict[str, _Kept[Description]] = {}
        self._keys: dict[str, _Kept[Json]] = {}

    @property
    def providers(self) -> Mapping[str, Provider]:
        """See the port."""
        return self._providers

    async def endpoints(self, provider: Provider) -> Endpoints:
        """See the port."""
        return (await self._described(provider)).endpoints

    async def redeem(self, provider: Provider, code: str, *, verifier: str, redirect_uri: str) -> Redeemed:
        """See the port."""
        try:
            async with asyncio.timeout(SECONDS):
                described = await self._described(provider)
                form = {
                    "grant_type": "authorization_code",
                    "code": code,
                    "redirect_uri": redirect_uri,
                    "code_verifier": verifier,
                }
                tokens = await self._exchanged(provider, described, form)
                access_token = str(tokens.get("access_token") or "")
                claims = await self._verified(provider, described, str(tokens.get("id_token", "")))
                more = await self._more(provider, described, claims, access_token)
        except TimeoutError as error:
            raise Unavailable(f"{provider.name} took too long", code="issuer_failed") from error
        return Redeemed({**more, **claims}, access_token)

    async def _described(self, provider: Provider) -> Description:
        kept = self._descriptions.get(provider.name)
        if kept is None or kept.at + KEPT_SECONDS <= self._monotonic():
            found = await self._fetched(provider, provider.issuer.rstrip("/") + DESCRIPTION)
            kept = _Kept(self._read(provider, found), self._monotonic())
            self._descriptions[provider.name] = kept
        return kept.value

    def _read(self, provider: Provider, found: Json) -> Description:
        if found.get("issuer") != provider.issuer:
            # Whoever else it is would be believed about everybody (Discovery §4.3, RFC 9700 §4.4).
            raise _unusable(provider, "it calls itself by another name")
        urls = [found.get(one) for one in ("authorization_endpoint", "token_endpoint", "jwks_uri")]
        person = found.get("userinfo_endpoint")
        try:
            for url in [*urls, person] if person else urls:
                self._egress.check(url if isinstance(url, str) else "")
        except Rejected as error:
            raise _unusable(provider, "it names an address that is not called") from error
        authorization, token, keys = map(str, urls)
        methods = found.get("token_endpoint_auth_methods_supported")
        return Description(
            Endpoints(authorization, found.get("authorization_response_iss_parameter_supported") is True),
            token,
            keys,
            str(person or ""),
            by_header=not isinstance(methods, list) or "client_secret_basic" in methods,
        )

    async def _exchanged(self, provider: Provider, described: Description, form: Mapping[str, str]) -> Json:
        secret, headers = self._secret(provider), dict(FORM)
        sent = {**form, "client_id": provider.client_id}
        if secret and described.by_header:
            # RFC 6749 §2.3.1: each part is written as in a form before they are put together.
            pair = f"{quote_plus(provider.client_id)}:{quote_plus(secret)}".encode()
            headers["Authorization"] = "Basic " + base64.b64encode(pair).decode()
            del sent["client_id"]
        elif secret:
            sent["client_secret"] = secret
        reply = await self._called(provider, described.token, body=urlencode(sent).encode(), headers=headers)
        if reply.status == 400 and _json(reply).get("error") == "invalid_grant":
            hint = "begin the sign-in again"
            raise Unauthenticated(f"{provider.name} does not accept this code", code="code_refused", hint=hint)
        if reply.status != 200:
            raise _failed(provider, f"it answered {reply.status} to a code")
        return _json(reply)

    def _secret(self, provider: Provider) -> str:
        try:
            found = json.loads(self._secrets() or "{}").get(provider.name, "")
        except (ValueError, AttributeError):
            # Not chained: a decoding error carries the whole text.
            raise Unavailable("the secrets of the providers are no JSON object", code="not_configured") from None
        return str(found)

    async def _verified(self, provider: Provider, described: Description, token: str) -> Json:
        # What checks signatures is heavy, and only here is it needed: until now it was not even on the path.
        if self._library and self._library not in sys.path:
            sys.path.append(self._library)
        from shared.adapters.openid.signatures import key_of, read

        kept = self._keys.get(provider.name)
        if kept is None or kept.at + KEPT_SECONDS <= self._monotonic():
            kept = await self._keys_of(provider, described)
        key = key_of(token, kept.value)
        if key is None and kept.at + UNKNOWN_SECONDS <= self._monotonic():
            # It may have begun to sign by another key since.
            key = key_of(token, (await self._keys_of(provider, described)).value)
        if key is None:
            raise refused("it is signed by no key of its issuer")
        return read(token, key)

    async def _more(self, provider: Provider, described: Description, claims: Json, access_token: str) -> Json:
        """What it tells about the same person elsewhere, where many keep the address (Core §5.3, §5.4)."""
        if "email" in claims or "email" not in provider.scopes or not (described.person and access_token):
            return {}
        if not TOKEN.fullmatch(access_token):
            raise _failed(provider, "its access token is none")
        headers = {**JSON, "Authorization": f"Bearer {access_token}"}
        reply = await self._called(provider, described.person, headers=headers)
        told = _json(reply) if reply.status == 200 else {}
        # Of somebody else it would be an address that is not theirs.
        same = "sub" in claims and told.get("sub") == claims["sub"]
        return {name: told[name] for name in TOLD if name in told} if same else {}

    async def _keys_of(self, provider: Provider, described: Description) -> _Kept[Json]:
        kept = _Kept(await self._fetched(provider, described.keys), self._monotonic())
        self._keys[provider.name] = kept
        return kept

    async def _fetched(self, provider: Provider, url: str) -> Json:
        reply = await self._called(provider, url)
        if reply.status != 200:
            raise _failed(provider, f"it answered {reply.status} where it describes itself")
        return _json(reply)

    async def _called(
        self, provider: Provider, url: str, *, body: bytes | None = None, headers: Mapping[str, str] = JSON
    ) -> Reply:
        try:
            if body is None:
                return await self._egress.get(url, headers, most=MOST)
            return await self._egress.post(url, body, headers, most=MOST)
        except Rejected as error:
            raise _unusable(provider, "it is at an address that is not called") from error
        except Unavailable as error:
            raise _failed(provider, error.detail) from error


def _json(reply: Reply) -> Json:
    """The object of an answer; an empty one for what is none, which lacks whatever is looked for next."""
    try:
        read = json.loads(reply.body)
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


def _unusable(provider: Provider, why: str) -> Unavailable:
    return Unavailable(f"{provider.name} cannot be trusted: {why}", code="issuer_unusable")


def _failed(provider: Provider, why: str) -> Unavailable:
    return Unavailable(f"{provider.name} does not work: {why}", code="issuer_failed", hint="try again, or another way")
