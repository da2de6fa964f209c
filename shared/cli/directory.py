"""From what a person types to what an organisation knows: members by address, units by path, roles by name."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from shared.cli.errors import ApiProblem, Unresolved
from shared.cli.names import as_id, single

if TYPE_CHECKING:
    from shared.cli.organisation import Organisation
    from shared.cli.shapes.organisations import Account, ApiKey, BuiltInRole, Invitation, Role, Unit

NO_ROLE = "none"
_ROLES = "lambent roles"


def member_id(org: "Organisation", wanted: str) -> str:
    """The id of the member with this address or id.

    Raises:
        Unresolved: there is none.
    """
    known = as_id(wanted)
    if known is not None:
        return known
    found = [one["user_id"] for one in org.members() if one.get("email", "").lower() == wanted.lower()]
    return single(found, "member", wanted, "lambent members")


def role_ref(org: "Organisation", wanted: str) -> str | None:
    """A role as the API names it: a built-in one by name, one of the organisation's own by id; None for 'none'.

    Raises:
        Unresolved: there is none.
    """
    known = as_id(wanted)
    if known is not None or wanted == NO_ROLE:
        return known
    roles = org.roles()
    built_in = [one["name"] for one in roles["built_in"] if one["name"] == wanted]
    return single(built_in or [one["id"] for one in roles["items"] if one["name"] == wanted], "role", wanted, _ROLES)


def any_role(org: "Organisation", wanted: str) -> "Role | BuiltInRole":
    """The role of this name or id, built-in or the organisation's own.

    Raises:
        Unresolved: there is none.
    """
    roles = org.roles()
    found: list[Role | BuiltInRole] = [one for one in roles["built_in"] if one["name"] == wanted]
    found += [one for one in roles["items"] if wanted in (one["name"], one["id"])]
    if not found:
        raise Unresolved(f"there is no role {wanted!r}", code="role_not_found", hint=_ROLES)
    return found[0]


def own_role(org: "Organisation", wanted: str) -> "Role":
    """The organisation's own role of this name or id.

    Raises:
        Unresolved: there is none, or it is a built-in one.
    """
    roles = org.roles()
    found = next((one for one in roles["items"] if wanted in (one["name"], one["id"])), None)
    if found is not None:
        return found
    if wanted in {one["name"] for one in roles["built_in"]}:
        raise Unresolved(f"the role {wanted} is built in and stays as it is", code="role_built_in", hint=_ROLES)
    raise Unresolved(f"there is no role {wanted!r}", code="role_not_found", hint=_ROLES)


def role_names(org: "Organisation", refs: Iterable[str | None]) -> dict[str, str]:
    """Names of the organisation's own roles by id, asked for only when one of them is an id.

    Who may not see roles sees the id.
    """
    if not any(ref and as_id(ref) for ref in refs):
        return {}
    try:
        return {one["id"]: one["name"] for one in org.roles()["items"]}
    except ApiProblem as problem:
        if problem.status != 403:
            raise
        return {}


def shown_role(ref: str | None, names: dict[str, str]) -> str:
    """A role for people; a dash for none."""
    return "-" if ref is None else names.get(ref, ref)


def unit_paths(units: "Sequence[Unit]") -> dict[str, str]:
    """Path of each unit from the top of the tree, 'Sales/EMEA', by id."""
    by_id = {one["id"]: one for one in units}

    def path(id: str) -> str:
        one = by_id[id]
        parent = one["parent_id"]
        return f"{path(parent)}/{one['name']}" if parent in by_id else one["name"]

    return {id: path(id) for id in by_id}


def unit_id(org: "Organisation", wanted: str) -> str:
    """The id of the unit with this path, name or id.

    Raises:
        Unresolved: there is none, or several have the name.
    """
    known = as_id(wanted)
    if known is not None:
        return known
    units = org.units()
    by_path = [id for id, path in unit_paths(units).items() if path == wanted]
    return single(by_path or [one["id"] for one in units if one["name"] == wanted], "unit", wanted, "lambent units")


def account(org: "Organisation", wanted: str) -> "Account":
    """The service account of this name or id.

    Raises:
        Unresolved: there is none, or several have the name.
    """
    found = {one["id"]: one for one in org.accounts() if wanted in (one["name"], one["id"])}
    return found[single(list(found), "service account", wanted, "lambent accounts")]


def key(org: "Organisation", wanted: str) -> "ApiKey":
    """The key of this id, beginning or name; of a name or beginning, only those that are good.

    Raises:
        Unresolved: there is none, or several have the name.
    """
    known = list(org.keys())
    exact = {one["id"]: one for one in known if one["id"] == as_id(wanted)}
    found = exact or {
        one["id"]: one for one in known if wanted in (one["name"], one["prefix"]) and not one["revoked_at"]
    }
    return found[single(list(found), "key", wanted, "lambent keys")]


def invitation(org: "Organisation", wanted: str) -> "Invitation":
    """The invitation of this id, or the open one of this address.

    Raises:
        Unresolved: there is none, or there are several.
    """
    known = list(org.invitations())
    exact = {one["id"]: one for one in known if one["id"] == as_id(wanted)}
    found = exact or {
        one["id"]: one
        for one in known
        if one["email"].lower() == wanted.lower() and not one["accepted_at"] and not one["revoked_at"]
    }
    return found[single(list(found), "invitation", wanted, "lambent invitations")]
