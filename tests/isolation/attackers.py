"""Whoever should get nowhere: one of each sort in every organisation, with every kind of credential they may show."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from shared import bootstrap
from shared.domain.members import Membership, ProjectMember, ServiceAccount
from shared.domain.roles import BuiltIn, Role, RoleRef
from shared.domain.sessions import ACCESS_LIFE, RefreshToken, UserSession, session_end
from shared.domain.tenants import KEY_PERMISSIONS, Credential, Permission
from shared.domain.tokens import AccessClaims
from shared.domain.users import User, UserScope
from shared.ports.ports import Ports
from shared.runtime.invocation import run
from shared.runtime.routes import ROUTES, Access
from shared.usecases.projects.bootstrap import KEY_PREFIX, founding_scope, key_hash
from tests.functions.requests import Route
from tests.isolation.town import (
    ARCHIVED,
    DEFAULT,
    HOUSES,
    KEPT_BACK,
    NEXT_DOOR,
    House,
    Room,
    Sender,
    Town,
    bearer,
    where,
)

REFUSED = frozenset({401, 403})
"""Where a person is asked for, whatever looks like a key is told so before anybody looks whose it is."""
HIDDEN = frozenset({403, 404})


@dataclass(frozen=True, slots=True)
class Shown:
    """What one person of an organisation may show."""

    token: str
    key: str
    user_id: str = ""


@dataclass(frozen=True, slots=True)
class Crowd:
    """The people of one organisation who may do less than its owner."""

    shown: Mapping[str, Shown]
    without: Mapping[Permission, Shown]
    """Members, and keys, that lack exactly this."""


class Crowds:
    """Every organisation's crowd, and those who belong nowhere."""

    def __init__(self, town: Town) -> None:
        """Let them all register, join, and be thrown out."""
        self.town = town
        self.of = {name: _crowd(town, town.houses[name]) for name in HOUSES}
        # That a key was used is noted once in five minutes, which would be a change.
        town.witness.execute(f"UPDATE api_keys SET last_used_at = '{town.world.clock.now().isoformat()}'")
        town.witness.remember()

    def neighbour(self, room: Room) -> House:
        """Another organisation than the room's."""
        return self.town.houses[HOUSES[(HOUSES.index(room.house) + 1) % len(HOUSES)]]


type Form = Callable[[Crowds, Room, Route], Sender]


@dataclass(frozen=True, slots=True)
class Attacker:
    """One sort of people who should get nowhere, and how they may look."""

    name: str
    forms: Mapping[str, Form]
    answers: frozenset[int]
    """What they are answered, whatever they ask."""
    known: bool
    """Whether their credential is good somewhere: then they may name what is theirs, and look for what is not."""
    within: str = DEFAULT
    """The project they are after."""


def _shows(secret: str) -> Form:
    return lambda crowds, room, route: Sender("", bearer(secret) if secret else {})


def _somebody(who: str, kind: str, project: str = DEFAULT) -> Form:
    """Somebody of the room's own organisation."""

    def form(crowds: Crowds, room: Room, route: Route) -> Sender:
        secret = getattr(crowds.of[room.house].shown[who], kind)
        home = crowds.town.houses[room.house].rooms[project]
        return Sender(f"{who} by {kind}", {**bearer(secret), **where(home)}, home)

    return form


def _foreigner(kind: str) -> Form:
    def form(crowds: Crowds, room: Room, route: Route) -> Sender:
        house = crowds.neighbour(room)
        home, secret = house.rooms[DEFAULT], getattr(crowds.of[house.name].shown["owner"], kind)
        return Sender(f"{house.name}'s owner by {kind}", {**bearer(secret), **where(home)}, home)

    return form


def _without(kind: str) -> Form:
    def form(crowds: Crowds, room: Room, route: Route) -> Sender:
        needed = ROUTES[route]
        crowd = crowds.of[room.house]
        shown = crowd.without[needed] if isinstance(needed, Permission) else crowd.shown["member without a role"]
        return Sender(f"without {needed} by {kind}", {**bearer(getattr(shown, kind)), **where(room)}, room)

    return form


TELLING = ("/audit", "/details", "/waiting")
"""How routes end that tell of every project's documents."""
UNKNOWN_KEY = KEY_PREFIX + "a" * 43
ATTACKERS = (
    Attacker(
        "no credential",
        {"none": _shows(""), "unknown key": _shows(UNKNOWN_KEY), "statement": _shows("lam_' OR 1=1; --")},
        REFUSED,
        known=False,
    ),
    Attacker("other tenant's user", {"token": _foreigner("token"), "key": _foreigner("key")}, HIDDEN, known=True),
    Attacker("member of nothing", {"token": _somebody("stranger", "token")}, HIDDEN, known=True),
    Attacker(
        "same tenant without the role",
        {
            "token": _without("token"),
            "key": _without("key"),
            "no role": _somebody("member without a role", "token"),
            "no role's key": _somebody("member without a role", "key"),
        },
        HIDDEN,
        known=True,
    ),
    Attacker(
        "revoked key",
        {
            "key": _somebody("revoked", "key"),
            "signed out": _somebody("revoked", "token"),
            "former member's key": _somebody("former member", "key"),
        },
        REFUSED,
        known=False,
    ),
    Attacker(
        "expired token",
        {"token": _somebody("expired", "token"), "key": _somebody("expired", "key")},
        REFUSED,
        known=False,
    ),
    Attacker(
        "other project's key",
        {
            "key": _somebody("key next door", "key", NEXT_DOOR),
            "rights next door": _somebody("owner next door", "token", NEXT_DOOR),
            "rights next door by key": _somebody("owner next door", "key", NEXT_DOOR),
            "account next door": _somebody("account next door", "key", NEXT_DOOR),
        },
        HIDDEN,
        known=True,
    ),
    Attacker(
        "disabled user",
        {
            "token": _somebody("disabled", "token"),
            "key": _somebody("disabled", "key"),
            "suspended member's key": _somebody("suspended", "key"),
            "disabled account's key": _somebody("disabled account", "key"),
        },
        REFUSED,
        known=False,
    ),
    Attacker(
        "archived project",
        {"token": _somebody("owner", "token", ARCHIVED), "key": _somebody("key in the archive", "key", ARCHIVED)},
        HIDDEN,
        known=False,
        within=ARCHIVED,
    ),
    Attacker(
        "left out by the list",
        {
            "token": _somebody("left out", "token", KEPT_BACK),
            "key": _somebody("left out", "key", KEPT_BACK),
            "organisation's key": _somebody("key on no list", "key", KEPT_BACK),
        },
        HIDDEN,
        known=True,
        within=KEPT_BACK,
    ),
)
"""Ten sorts, each of which is tried on every route with every id that the route takes."""


def by_name(name: str) -> Attacker:
    """One of them."""
    return next(one for one in ATTACKERS if one.name == name)


def concerns(attacker: Attacker, route: Route, *, naming: bool) -> bool:
    """Whether there is anything to refuse.

    Who is signed in may deal with themselves, whatever they may do elsewhere; and no project has to do with what an
    organisation is as a whole.

    Args:
        attacker: who asks.
        route: for what.
        naming: whether the route takes anything that names something.
    """
    if attacker.within == ARCHIVED:
        return isinstance(ROUTES[route], Permission) and _in_project(route)
    if attacker.within == KEPT_BACK:
        return isinstance(ROUTES[route], Permission) and (_in_project(route) or route[1].endswith(TELLING))
    if ROUTES[route] is Access.SIGNED_IN:
        of_theirs = "{org_id}" in route[1] and attacker.name == "same tenant without the role"
        return (naming and not of_theirs) or not attacker.known
    return True


def _in_project(route: Route) -> bool:
    return not any(f"/api/v1/{area}" in route[1] for area in ("orgs", "projects", "health"))


class _Maker:
    """Makes people, in one transaction."""

    def __init__(self, town: Town, house: House, ports: Ports) -> None:
        self.world, self.house, self.ports = town.world, house, ports
        self.now = town.world.clock.now()
        self.tenant = house.owner.tenant_id
        self.scope = founding_scope(self.tenant)

    async def key(self, **fields: object) -> str:
        """A key; with no owner it is the organisation's own."""
        secret = KEY_PREFIX + self.world.ids.secret()
        made = Credential(self.world.ids.new(), self.tenant, None, "extra", KEY_PERMISSIONS, None, None)
        await self.ports.keys.add(self.scope, replace(made, **fields), key_hash(secret), self.now)  # type: ignore[arg-type]
        return secret

    async def user(self, *, life: timedelta = ACCESS_LIFE, disabled: bool = False, revoked: bool = False) -> "_Made":
        """Somebody who is signed in; a life that is over makes a token that expired."""
        id, now = self.world.ids.new(), self.now
        gone = now if disabled else None
        user = User(id, f"{id}@example.com", "Bo", now, verified_at=now, disabled_at=gone)
        me = UserScope(id)
        await self.ports.users.add(me, user, None)
        begun = now - ACCESS_LIFE + life
        session = UserSession(self.world.ids.new(), id, "password", "", "", begun, begun, session_end(begun, begun))
        if revoked:
            session = replace(session, revoked_at=now, revoked_reason="signed_out")
        await self.ports.sessions.add(me, session, RefreshToken(id, session.id, self.world.ids.secret(), begun))
        claims = AccessClaims(id, session.id, begun, begun + ACCESS_LIFE)
        return _Made(user, self.world.tokens.issue(claims))

    async def member(self, role: RoleRef | None, *, suspended: bool = False, **fields: object) -> Shown:
        """A member with a role, with a key of their own."""
        made = await self.user(**fields)  # type: ignore[arg-type]
        gone = self.now if suspended else None
        await self.ports.members.add(self.scope, Membership(self.tenant, made.user.id, role, self.now, gone))
        return Shown(made.token, await self.key(user_id=made.user.id), str(made.user.id))

    async def role(self, permissions: frozenset[Permission]) -> RoleRef:
        """A role of these."""
        id = self.world.ids.new()
        await self.ports.roles.add(self.scope, Role(id, self.tenant, f"role {id}", "", permissions, self.now))
        return id

    async def account(self, room: Room, *, disabled: bool) -> str:
        """A key of a service account of one project."""
        now = self.now
        id, project = self.world.ids.new(), room.client.project_id
        made = ServiceAccount(id, self.tenant, project, f"robot {id}", "", BuiltIn.ADMIN, "test", now)
        made = replace(made, disabled_at=now if disabled else None)
        await self.ports.service_accounts.add(self.scope, made)
        return await self.key(service_account_id=made.id, project_id=project)


@dataclass(frozen=True, slots=True)
class _Made:
    user: User
    token: str


def _crowd(town: Town, house: House) -> Crowd:
    async def made() -> Crowd:
        async with bootstrap.transaction(founding_scope(house.owner.tenant_id)) as ports:
            maker = _Maker(town, house, ports)
            return Crowd(await _people(maker), await _lacking(maker))

    crowd = run(made())
    removed = house.owner.delete(f"/orgs/{house.owner.tenant_id}/members/{crowd.shown['former member'].user_id}")
    assert removed.status == 204, removed.body
    return crowd


async def _people(maker: _Maker) -> Mapping[str, Shown]:
    owner, now = BuiltIn.OWNER, maker.now
    rooms = maker.house.rooms
    next_door, archive = rooms[NEXT_DOOR], rooms[ARCHIVED]
    stranger = await maker.user()
    within = await maker.user()
    await maker.ports.members.add(maker.scope, Membership(maker.tenant, within.user.id, None, now))
    await maker.ports.members.put_in_project(
        maker.scope, ProjectMember(maker.tenant, next_door.client.project_id, within.user.id, owner, now)
    )
    everything_but = KEY_PERMISSIONS - {Permission.PROJECTS_WRITE}
    # Who may set lists could let themselves in.
    unlisting = KEY_PERMISSIONS - {Permission.ACCESS_READ, Permission.ACCESS_WRITE}
    revoked = await maker.member(owner, revoked=True)
    expired = await maker.member(owner, life=timedelta(0))
    return {
        "owner": await maker.member(owner),
        "stranger": Shown(stranger.token, ""),
        "member without a role": await maker.member(None),
        "former member": await maker.member(owner),
        "revoked": Shown(revoked.token, await maker.key(revoked_at=now)),
        "expired": Shown(expired.token, await maker.key(expires_at=now)),
        "disabled": await maker.member(owner, disabled=True),
        "suspended": await maker.member(owner, suspended=True),
        "disabled account": Shown("", await maker.account(rooms[DEFAULT], disabled=True)),
        "key next door": Shown("", await maker.key(project_id=next_door.client.project_id, permissions=everything_but)),
        "owner next door": Shown(within.token, await maker.key(user_id=within.user.id)),
        "account next door": Shown("", await maker.account(next_door, disabled=False)),
        "left out": await maker.member(await maker.role(unlisting)),
        "key on no list": Shown("", await maker.key(permissions=unlisting)),
        "key in the archive": Shown("", await maker.key(project_id=archive.client.project_id)),
    }


async def _lacking(maker: _Maker) -> Mapping[Permission, Shown]:
    found = {}
    for lacked in sorted(KEY_PERMISSIONS):
        rest = KEY_PERMISSIONS - {lacked}
        member = await maker.member(await maker.role(rest))
        found[lacked] = Shown(member.token, await maker.key(permissions=rest))
    return found
