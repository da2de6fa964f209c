"""Providers of OpenID Connect that vouch for whomever they are told to."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from shared.domain.errors import Unauthenticated, Unavailable
from shared.domain.openid import Endpoints, Provider, Redeemed


@dataclass(frozen=True, slots=True)
class Given:
    """A code that waits for whoever asked for it."""

    provider: str
    redirect_uri: str
    challenge: str
    claims: Mapping[str, object]


@dataclass
class MemoryIssuers:
    """Implements `shared.ports.issuers.Issuers`."""

    providers: Mapping[str, Provider]
    names_itself: bool = False
    down: bool = False
    codes: dict[str, Given] = field(default_factory=dict)

    async def endpoints(self, provider: Provider) -> Endpoints:
        """See the port."""
        self._up(provider)
        return Endpoints(f"{provider.issuer}/authorize", self.names_itself)

    async def redeem(self, provider: Provider, code: str, *, verifier: str, redirect_uri: str) -> Redeemed:
        """See the port."""
        self._up(provider)
        given = self.codes.get(code)
        digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        if given is None or (given.provider, given.redirect_uri, given.challenge) != (
            provider.name,
            redirect_uri,
            digest,
        ):
            raise Unauthenticated(f"{provider.name} does not accept this code", code="code_refused")
        del self.codes[code]
        return Redeemed(given.claims, "access")

    def visit(self, provider: Provider, url: str, code: str, **claims: object) -> Mapping[str, str]:
        """Somebody follows the address, signs in there, and is sent back.

        Args:
            provider: whose address it is.
            url: the address.
            code: what they are given.
            claims: what is said about them.

        Returns:
            What is added to the redirect URI.
        """
        asked = dict(parse_qsl(urlsplit(url).query))
        told = {"iss": provider.issuer, "aud": provider.client_id, "nonce": asked["nonce"], **claims}
        self.codes[code] = Given(provider.name, asked["redirect_uri"], asked["code_challenge"], told)
        return {"code": code, "state": asked["state"]}

    def _up(self, provider: Provider) -> None:
        if self.down:
            raise Unavailable(f"{provider.name} does not work: nobody listens", code="issuer_failed")
