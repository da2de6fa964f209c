"""Signing in through another party: it is called between two transactions, never within one.

What all of this needs beyond a sign-in by password is loaded when somebody first asks for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared import bootstrap
from shared.domain.errors import NotFound
from shared.runtime.rates import counted
from shared.runtime.signing_in import device, given, shown
from shared.runtime.transactions import transaction

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.domain.openid import Provider
    from shared.domain.users import UserScope
    from shared.ports.issuers import Issuers
    from shared.runtime.web import Request
    from shared.usecases.auth.openid import Begun
    from shared.usecases.auth.sign_in import Signed


def providers() -> Mapping[str, Provider]:
    """Who may vouch for users of this deployment, by name."""
    return bootstrap.powers().issuers.providers


async def begun(name: str, redirect_uri: str, request: Request) -> Begun:
    """Begin to sign in."""
    async with transaction(None) as ports:
        await counted(request, ports)
    return await _begun(name, redirect_uri, None)


async def linking(name: str, redirect_uri: str, scope: UserScope, secret: str) -> Begun:
    """Begin to come in by a further provider, as a signed-in user who shows their password."""
    await shown(scope, secret)
    return await _begun(name, redirect_uri, scope)


async def unlinked(name: str, scope: UserScope) -> None:
    """Come in by a provider no more."""
    from shared.usecases.auth import openid

    _, provider = _named(name)
    async with transaction(None) as ports:
        await ports.users.enter(scope)
        await openid.unlink(scope, ports, provider)


async def finished(name: str, code: str, state: str, binding: str, issuer: str | None, request: Request) -> Signed:
    """Sign in by a code that a provider sent somebody back with."""
    from shared.domain.openid import read_claims
    from shared.usecases.auth import openid

    issuers, provider = _named(name)
    async with transaction(None) as ports:
        await counted(request, ports)
        outcome = await openid.resume(ports, provider, state, binding)
    pending = given(outcome)
    openid.check_sender(provider, await issuers.endpoints(provider), issuer)
    redeemed = await issuers.redeem(provider, code, verifier=pending.verifier, redirect_uri=pending.redirect_uri)
    vouched = read_claims(provider, redeemed, nonce=pending.nonce, now=bootstrap.powers().clock.now())
    async with transaction(None) as ports:
        signed = await openid.settle(ports, vouched, provider, pending.linking, device(request))
    return given(signed)


async def _begun(name: str, redirect_uri: str, scope: UserScope | None) -> Begun:
    from shared.usecases.auth import openid

    issuers, provider = _named(name)
    wanted = openid.redirect_of(provider, redirect_uri)
    endpoints = await issuers.endpoints(provider)
    async with transaction(None) as ports:
        return await openid.begin(ports, provider, endpoints, wanted, scope)


def _named(name: str) -> tuple[Issuers, Provider]:
    issuers = bootstrap.powers().issuers
    provider = issuers.providers.get(name)
    if provider is None:
        raise NotFound("nobody of this name vouches for users here", code="provider_not_found")
    return issuers, provider
