"""The user that the events of auth and users speak of, put into a world."""

import base64
import hashlib
from urllib.parse import urlencode
from uuid import UUID

from shared import bootstrap
from shared.adapters.memory.clock import START
from shared.domain.members import Invitation, Membership
from shared.domain.roles import BuiltIn
from shared.domain.sessions import ACCESS_LIFE, TOKEN_PREFIX, RefreshToken, UserSession
from shared.domain.tickets import Ticket, TicketKind
from shared.domain.tokens import AccessClaims
from shared.domain.users import Identity, User, UserScope
from shared.runtime.invocation import run
from shared.usecases.auth.password import mark, reset_ticket
from shared.usecases.auth.secrets import secret_hash
from shared.usecases.projects.bootstrap import founding_scope
from tests.functions.world import COMPANY, PASSWORD, World

USER = UUID("0193a1f0-7d20-7a99-8c43-b3f5e7a9b599")
SESSION = UUID("0193a1f4-8e30-7baa-9d54-c4a6f8bac6aa")
OTHER_SESSION = UUID("0193a1f8-9f40-7cbb-8e65-d5b7a9cbd7bb")
ORG = UUID("0193a1c0-7d5e-7c11-9a3b-2f4c6e8a0b11")
REFRESH_TOKEN = TOKEN_PREFIX + "refresh-token-of-the-examples-of-this-house"
REGISTRATION = "registration-code-of-the-examples-of-house1"
RESET = "password-reset-code-of-the-examples-house1x"
MOVE = "address-change-code-of-the-examples-house-1"
OTHER_OWNER = UUID("0193a1f0-7d20-7a99-8c43-b3f5e7a9b59a")
CODE = "SplxlOBeZQQYbYS6WxSbIA"
STATE = "the-state-of-the-examples-of-this-house-1xx"
BINDING = "the-binding-of-the-examples-of-this-house-1"
CASES = {
    ("POST", "/api/v1/auth/register"): ("auth", "register"),
    ("POST", "/api/v1/auth/verify"): ("auth", "verify"),
    ("POST", "/api/v1/auth/login"): ("auth", "login"),
    ("POST", "/api/v1/auth/refresh"): ("auth", "refresh"),
    ("POST", "/api/v1/auth/logout"): ("auth", "logout"),
    ("POST", "/api/v1/auth/password/forgot"): ("auth", "forgot"),
    ("POST", "/api/v1/auth/password/reset"): ("auth", "reset"),
    ("POST", "/api/v1/auth/password/change"): ("auth", "change"),
    ("GET", "/api/v1/auth/providers"): ("auth", "providers"),
    ("POST", "/api/v1/auth/oidc/{provider}/start"): ("auth", "oidc_start"),
    ("POST", "/api/v1/auth/oidc/{provider}/link"): ("auth", "oidc_link"),
    ("POST", "/api/v1/auth/oidc/{provider}/callback"): ("auth", "oidc_callback"),
    ("POST", "/api/v1/auth/email/change"): ("auth", "email_change"),
    ("POST", "/api/v1/auth/email/confirm"): ("auth", "email_confirm"),
    ("GET", "/api/v1/auth/identities"): ("auth", "identities"),
    ("DELETE", "/api/v1/auth/oidc/{provider}/link"): ("auth", "oidc_unlink"),
    ("GET", "/api/v1/auth/sessions"): ("auth", "sessions"),
    ("DELETE", "/api/v1/auth/sessions"): ("auth", "revoke_others"),
    ("DELETE", "/api/v1/auth/sessions/{session_id}"): ("auth", "revoke"),
    ("GET", "/api/v1/users/me"): ("users", "me"),
    ("PATCH", "/api/v1/users/me"): ("users", "rename"),
    ("GET", "/api/v1/users/me/organisations"): ("users", "organisations"),
    ("DELETE", "/api/v1/users/me/organisations/{org_id}"): ("users", "leave"),
    ("GET", "/api/v1/users/me/events"): ("users", "events"),
    ("POST", "/api/v1/users/me/disable"): ("users", "disable"),
    ("POST", "/api/v1/orgs"): ("orgs", "create"),
    ("POST", "/api/v1/orgs/accept"): ("orgs", "accept"),
}
"""Which event in events/ is a valid request for which route."""
INVITING = UUID("0193a1fc-a150-7dcc-8f76-e6c8badce8cc")
INVITATION = "invitation-code-of-the-examples-of-house-1x"
CLAIMS = AccessClaims(USER, SESSION, START, START + ACCESS_LIFE)


def seed(world: World) -> None:
    """Ada, who with somebody else owns an organisation, is signed in twice, forgot her password, and is invited.

    Somebody else registers, the company vouches for her, and she wants another address.
    """
    ada = User(USER, "ada@example.com", "Ada Lovelace", START, verified_at=START)
    hashed = run(world.passwords.hash(PASSWORD))

    def session(id: UUID) -> UserSession:
        return UserSession(id, USER, "password", "httpx", "198.51.100.23", START, START, START.replace(year=2027))

    async def add() -> None:
        scope = founding_scope(ORG)
        async with bootstrap.transaction(scope) as ports:
            me = UserScope(USER)
            await ports.users.add(me, ada, hashed)
            await ports.tenants.ensure(ORG, "Example", START)
            await ports.members.add(scope, Membership(ORG, USER, BuiltIn.OWNER, START))
            await ports.users.link(me, Identity(USER, COMPANY.issuer, "248289761001", START))
            token = RefreshToken(USER, SESSION, secret_hash(REFRESH_TOKEN), START)
            await ports.sessions.add(me, session(SESSION), token)
            other = RefreshToken(USER, OTHER_SESSION, secret_hash("other"), START)
            await ports.sessions.add(me, session(OTHER_SESSION), other)
            await ports.tickets.put(reset_ticket(USER, ada.email_key, hashed, RESET, START))
            payload = {"email": "bo@example.com", "name": "Bo", "organisation": "Bo's", "password": hashed}
            until = START.replace(year=2027)
            registration = Ticket(TicketKind.REGISTRATION, secret_hash(REGISTRATION), payload, START, until)
            await ports.tickets.put(registration)
            noted = {"provider": COMPANY.name, "nonce": "nonce", "verifier": "verifier", "user": None, "session": None}
            noted |= {"redirect_uri": COMPANY.redirect_uris[0]}
            moving = {"user": str(USER), "email": "ada@elsewhere.example", "instead_of": mark(ada.email_key, hashed)}
            await ports.tickets.put(Ticket(TicketKind.EMAIL_CHANGE, secret_hash(MOVE), moving, START, until))
            under_way = secret_hash(f"{STATE}.{BINDING}")
            await ports.tickets.put(Ticket(TicketKind.OIDC_SIGN_IN, under_way, noted, START, until))
            cy = User(OTHER_OWNER, "cy@example.com", "Cy", START, verified_at=START)
            await ports.users.add(UserScope(cy.id), cy, None)
            await ports.members.add(scope, Membership(ORG, cy.id, BuiltIn.OWNER, START))

    async def invite() -> None:
        scope = founding_scope(INVITING)
        until = START.replace(year=2027)
        asked = Invitation(
            INVITING, INVITING, ada.email, BuiltIn.EDITOR, None, None, str(scope.principal), START, until
        )
        async with bootstrap.transaction(scope) as ports:
            await ports.tenants.ensure(INVITING, "Engines", START)
            await ports.invitations.add(scope, asked, secret_hash(INVITATION))

    run(add())
    run(invite())
    asked = {"nonce": "nonce", "redirect_uri": COMPANY.redirect_uris[0], "state": STATE}
    asked |= {"code_challenge": base64.urlsafe_b64encode(hashlib.sha256(b"verifier").digest()).rstrip(b"=").decode()}
    times = {"iat": int(START.timestamp()), "exp": int(START.timestamp()) + 300}
    told = {"sub": "248289761001", "email": ada.email, "email_verified": True, **times}
    world.issuers.visit(COMPANY, f"{COMPANY.issuer}/authorize?{urlencode(asked)}", CODE, **told)
