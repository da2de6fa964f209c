"""The API's routes about one organisation, as functions."""

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from shared.cli.client import Client
from shared.cli.shapes.documents import DeletionReceipt
from shared.cli.shapes.organisations import Account, ApiKey, AuditEvent, Invitation, Member, Org, Role, Roles, Unit


class Organisation:
    """Routes below `/orgs/{org_id}`. Errors are those of `Client.call`."""

    def __init__(self, client: Client, id: str) -> None:
        self.client = client
        self.id = id
        self._path = f"/orgs/{id}"

    def get(self) -> Org:
        """The organisation itself."""
        return cast(Org, self.client.call("GET", self._path))

    def rename(self, name: str) -> Org:
        """Give it another name."""
        return cast(Org, self.client.call("PATCH", self._path, json={"name": name}))

    def delete(self, name: str) -> DeletionReceipt:
        """Delete it with everything in it."""
        return cast(DeletionReceipt, self.client.call("DELETE", self._path, json={"name": name}))

    def audit(self, wanted: Mapping[str, str]) -> Iterator[AuditEvent]:
        """What was done, newest first."""
        return self.client.pages(f"{self._path}/audit", wanted)

    def members(self) -> Iterator[Member]:
        """Members, newest first."""
        return self.client.pages(f"{self._path}/members")

    def change_member(self, user_id: str, role: str | None) -> Member:
        """Give a member another role."""
        return cast(Member, self.client.call("PATCH", f"{self._path}/members/{user_id}", json={"role": role}))

    def suspend(self, user_id: str) -> Member:
        """Take all rights from a member until they are reinstated."""
        return cast(Member, self.client.call("POST", f"{self._path}/members/{user_id}/suspend", repeatable=True))

    def reinstate(self, user_id: str) -> Member:
        """Give a suspended member back what they held."""
        return cast(Member, self.client.call("POST", f"{self._path}/members/{user_id}/reinstate", repeatable=True))

    def remove_member(self, user_id: str) -> None:
        """End a membership."""
        self.client.call("DELETE", f"{self._path}/members/{user_id}")

    def project_members(self, project_id: str) -> list[Member]:
        """Who has a role in a project itself."""
        return cast(list[Member], self.client.call("GET", f"/projects/{project_id}/members")["items"])

    def put_project_member(self, project_id: str, user_id: str, role: str | None) -> Member:
        """Give a member a role in a project."""
        return cast(Member, self.client.call("PUT", f"/projects/{project_id}/members/{user_id}", json={"role": role}))

    def remove_project_member(self, project_id: str, user_id: str) -> None:
        """Take a member's role in a project."""
        self.client.call("DELETE", f"/projects/{project_id}/members/{user_id}")

    def unit_members(self, unit_id: str) -> list[Member]:
        """Members of a unit itself."""
        return cast(list[Member], self.client.call("GET", f"{self._path}/units/{unit_id}/members")["items"])

    def put_unit_member(self, unit_id: str, user_id: str, role: str | None) -> Member:
        """Put a member into a unit."""
        path = f"{self._path}/units/{unit_id}/members/{user_id}"
        return cast(Member, self.client.call("PUT", path, json={"role": role}))

    def remove_unit_member(self, unit_id: str, user_id: str) -> None:
        """Take a member out of a unit."""
        self.client.call("DELETE", f"{self._path}/units/{unit_id}/members/{user_id}")

    def invite(self, body: Mapping[str, object]) -> Invitation:
        """Ask somebody to join, by mail."""
        return cast(Invitation, self.client.call("POST", f"{self._path}/invitations", json=body, once=True))

    def invitations(self) -> Iterator[Invitation]:
        """Invitations, newest first."""
        return self.client.pages(f"{self._path}/invitations")

    def revoke_invitation(self, invitation_id: str) -> None:
        """Take an invitation back."""
        self.client.call("DELETE", f"{self._path}/invitations/{invitation_id}")

    def roles(self) -> Roles:
        """Every role."""
        return cast(Roles, self.client.call("GET", f"{self._path}/roles"))

    def create_role(self, name: str, description: str, permissions: Sequence[str]) -> Role:
        """Make a role."""
        body = {"name": name, "description": description, "permissions": list(permissions)}
        return cast(Role, self.client.call("POST", f"{self._path}/roles", json=body, once=True))

    def change_role(self, role_id: str, change: Mapping[str, object]) -> Role:
        """Change a role."""
        return cast(Role, self.client.call("PATCH", f"{self._path}/roles/{role_id}", json=change))

    def delete_role(self, role_id: str) -> None:
        """Delete a role."""
        self.client.call("DELETE", f"{self._path}/roles/{role_id}")

    def units(self) -> list[Unit]:
        """Every unit, by name."""
        return cast(list[Unit], self.client.call("GET", f"{self._path}/units")["items"])

    def create_unit(self, name: str, parent_id: str | None) -> Unit:
        """Make a unit."""
        return cast(
            Unit,
            self.client.call("POST", f"{self._path}/units", json={"name": name, "parent_id": parent_id}, once=True),
        )

    def rename_unit(self, unit_id: str, name: str) -> Unit:
        """Give a unit another name."""
        return cast(Unit, self.client.call("PATCH", f"{self._path}/units/{unit_id}", json={"name": name}))

    def move_unit(self, unit_id: str, parent_id: str | None) -> Unit:
        """Put a unit into another one."""
        path = f"{self._path}/units/{unit_id}/move"
        return cast(Unit, self.client.call("POST", path, json={"parent_id": parent_id}, repeatable=True))

    def delete_unit(self, unit_id: str) -> None:
        """Delete a unit."""
        self.client.call("DELETE", f"{self._path}/units/{unit_id}")

    def keys(self, owner: str = "") -> Iterator[ApiKey]:
        """Keys, newest first, of all or of one owner."""
        return self.client.pages(f"{self._path}/keys", {"owner": owner} if owner else None)

    def mint(self, body: Mapping[str, object], account_id: str = "") -> ApiKey:
        """Mint a key for oneself or for a service account; its secret is in this answer alone."""
        owner = f"/service-accounts/{account_id}" if account_id else ""
        return cast(ApiKey, self.client.call("POST", f"{self._path}{owner}/keys", json=body, once=True))

    def revoke_key(self, key_id: str) -> None:
        """End a key."""
        self.client.call("DELETE", f"{self._path}/keys/{key_id}")

    def accounts(self) -> Iterator[Account]:
        """Service accounts, newest first."""
        return self.client.pages(f"{self._path}/service-accounts")

    def create_account(self, body: Mapping[str, object]) -> Account:
        """Make a service account."""
        return cast(Account, self.client.call("POST", f"{self._path}/service-accounts", json=body, once=True))

    def change_account(self, account_id: str, change: Mapping[str, object]) -> Account:
        """Change a service account."""
        return cast(Account, self.client.call("PATCH", f"{self._path}/service-accounts/{account_id}", json=change))

    def switch_account(self, account_id: str, *, on: bool) -> Account:
        """Let its keys be good or not."""
        path = f"{self._path}/service-accounts/{account_id}/{'enable' if on else 'disable'}"
        return cast(Account, self.client.call("POST", path, repeatable=True))

    def delete_account(self, account_id: str) -> None:
        """Delete it with its keys."""
        self.client.call("DELETE", f"{self._path}/service-accounts/{account_id}")
