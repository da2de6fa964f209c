"""People in a world's organisations: members with API keys of their own."""

from dataclasses import dataclass
from typing import Any

from shared import bootstrap
from shared.domain.members import Membership
from shared.domain.roles import BuiltIn, RoleRef
from shared.domain.tenants import KEY_PERMISSIONS, Credential, Permission
from shared.domain.users import User, UserScope
from shared.runtime.invocation import run
from shared.usecases.projects.bootstrap import KEY_PREFIX, founding_scope, key_hash
from tests.functions.gateway import Answer
from tests.functions.world import Client, World


@dataclass(frozen=True, slots=True)
class Member(Client):
    """Calls the API by a key that acts for a member."""

    user_id: str

    @property
    def org(self) -> str:
        """The path of the organisation."""
        return f"/orgs/{self.tenant_id}"


def join(
    world: World,
    of: Client,
    role: RoleRef | None = BuiltIn.VIEWER,
    permissions: frozenset[Permission] = KEY_PERMISSIONS,
) -> Member:
    """A new user becomes a member of the client's organisation and makes a key, tied to no project."""
    now, id = world.clock.now(), world.ids.new()
    user = User(id, f"{id}@example.com", "Bo", now, verified_at=now)
    secret = KEY_PREFIX + world.ids.secret()
    key = Credential(world.ids.new(), of.tenant_id, None, "theirs", permissions, None, None, user_id=id)

    async def add() -> None:
        scope = founding_scope(of.tenant_id)
        async with bootstrap.transaction(scope) as ports:
            await ports.users.add(UserScope(id), user, None)
            await ports.members.add(scope, Membership(of.tenant_id, id, role, now))
            await ports.keys.add(scope, key, key_hash(secret), now)

    run(add())
    return Member(world, secret, of.tenant_id, of.project_id, str(id))


def new_role(of: Client, *permissions: Permission, name: str = "custom") -> str:
    """Make a role; returns its id."""
    answer = of.post(f"/orgs/{of.tenant_id}/roles", {"name": name, "permissions": list(permissions)})
    assert answer.status == 201, answer.body
    return str(answer.json["id"])


def new_unit(of: Client, name: str = "Research", parent_id: str | None = None) -> str:
    """Make a unit; returns its id."""
    answer = of.post(f"/orgs/{of.tenant_id}/units", {"name": name, "parent_id": parent_id})
    assert answer.status == 201, answer.body
    return str(answer.json["id"])


def new_key(of: Client, *permissions: Permission, **fields: Any) -> Answer:
    """Ask for a key."""
    return of.post(f"/orgs/{of.tenant_id}/keys", {"name": "made", "permissions": list(permissions), **fields})


def by(answer: Answer, of: Client) -> Client:
    """Whoever calls with a key that was minted."""
    assert answer.status == 201, answer.body
    return Client(of.world, answer.json["secret"], of.tenant_id, of.project_id)


def new_account(of: Client, role: str, name: str = "robot", **fields: Any) -> str:
    """Make a service account; returns its id."""
    answer = of.post(f"/orgs/{of.tenant_id}/service-accounts", {"name": name, "role": role, **fields})
    assert answer.status == 201, answer.body
    return str(answer.json["id"])


def new_invitation(of: Client, email: str = "new@example.com", **fields: Any) -> str:
    """Invite somebody; returns the invitation's id."""
    answer = of.post(f"/orgs/{of.tenant_id}/invitations", {"email": email, "role": "viewer", **fields})
    assert answer.status == 201, answer.body
    return str(answer.json["id"])


def events(of: Client, **wanted: str) -> list[tuple[str, str, str, dict[str, object]]]:
    """Action, actor, subject and details of the audit events, newest first."""
    page = of.get(f"/orgs/{of.tenant_id}/audit", **wanted)
    assert page.status == 200, page.body
    return [(one["action"], one["actor"], one["subject_id"], one["details"]) for one in page.json["items"]]
