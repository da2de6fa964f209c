"""Parties outside that vouch for users (OpenID Connect)."""

from collections.abc import Mapping
from typing import Protocol

from shared.domain.openid import Endpoints, Provider, Redeemed


class Issuers(Protocol):
    """What is asked of the providers of this deployment. What they describe of themselves is kept for a while."""

    @property
    def providers(self) -> Mapping[str, Provider]:
        """Them, by name.

        Raises:
            Unavailable: the configuration cannot be read.
        """
        ...

    async def endpoints(self, provider: Provider) -> Endpoints:
        """Where to send people.

        Raises:
            Unavailable: it does not answer, or not as one that can be trusted.
        """
        ...

    async def redeem(self, provider: Provider, code: str, *, verifier: str, redirect_uri: str) -> Redeemed:
        """Exchange a code for an identity token, and check the token's signature by the provider's present keys.

        Args:
            provider: who gave the code.
            code: as it came back.
            verifier: whose hash was sent when the sign-in was begun (RFC 7636).
            redirect_uri: where it came back to.

        Raises:
            Unauthenticated: the code is not good, or the token's signature is not, or not of an allowed algorithm.
            Unavailable: the provider does not answer, or not as one that can be trusted, or refuses this deployment.
        """
        ...
