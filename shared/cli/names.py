"""From what a person types to what the API knows: collections by name, documents by path, name or id."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from shared.cli.credentials import Key
from shared.cli.errors import ApiProblem, Unresolved
from shared.cli.shapes.documents import Document
from shared.cli.shapes.rooms import Collection

if TYPE_CHECKING:
    from shared.cli.address import Address
    from shared.cli.api import Api
    from shared.cli.client import Client
    from shared.cli.identity import Identity

MAX_SEARCHED = 20
"""Collections one search may span."""
_SHOWN = 5


def as_id(text: str) -> str | None:
    """The text as an id in its usual form; None when it is none."""
    try:
        return str(UUID(text))
    except ValueError:
        return None


def organisation_id(identity: "Identity", wanted: str) -> str:
    """The id of the signed-in user's organisation of this name or id.

    Raises:
        Unresolved: there is none, or more than one.
    """
    known = as_id(wanted)
    if known is not None:
        return known
    found = [one["id"] for one in identity.organisations() if one["name"] == wanted]
    return single(found, "organisation", wanted, "lambent orgs")


def only_organisation(identity: "Identity", address: "Address") -> str:
    """The id of the organisation to work in when none is named.

    Raises:
        Unresolved: there is none, or more than one.
    """
    if isinstance(address.credential, Key):
        raise Unresolved(
            "a key does not say which organisation it belongs to", code="organisation_required", hint="give --org ID"
        )
    found = identity.organisations()
    if len(found) == 1:
        return found[0]["id"]
    if not found:
        hint = "make one with lambent orgs create NAME, or join one with lambent invitations accept CODE"
        raise Unresolved("you belong to no organisation", code="no_organisation", hint=hint)
    named = ", ".join(one["name"] for one in found[:_SHOWN])
    hint = "choose with lambent orgs use NAME, or give --org NAME"
    raise Unresolved(f"you belong to several organisations: {named}", code="organisation_required", hint=hint)


def project_id(client: "Client", wanted: str) -> str:
    """The id of the project of this name or id.

    Raises:
        Unresolved: there is none, or more than one.
    """
    known = as_id(wanted)
    if known is not None:
        return known
    found = [one["id"] for one in client.pages("/projects") if one["name"] == wanted]
    return single(found, "project", wanted, "lambent projects")


def single(found: Sequence[str], what: str, wanted: str, listing: str) -> str:
    """The one id that was found.

    Args:
        found: ids.
        what: the noun, for words and for the code.
        wanted: as typed.
        listing: the command that lists them.

    Raises:
        Unresolved: there is none, or more than one.
    """
    if not found:
        raise Unresolved(f"there is no {what} {wanted!r}", code=f"{what.replace(' ', '_')}_not_found", hint=listing)
    if len(found) > 1:
        raise Unresolved(
            f"{len(found)} have the name {wanted!r}: {', '.join(found[:_SHOWN])}",
            code="ambiguous",
            hint="name one by its id",
        )
    return found[0]


def find_collection(api: "Api", wanted: str) -> Collection | None:
    """The collection of this name, else of this id."""
    collections = list(api.collections())
    named = next((one for one in collections if one["name"] == wanted), None)
    return named or next((one for one in collections if one["id"] == as_id(wanted)), None)


def collection(api: "Api", wanted: str) -> Collection:
    """The collection of this name or id.

    Raises:
        Unresolved: there is none.
    """
    found = find_collection(api, wanted)
    if found is None:
        raise Unresolved(f"there is no collection {wanted!r}", code="collection_not_found", hint="lambent collections")
    return found


def searched_collections(api: "Api", wanted: Sequence[str]) -> list[Collection]:
    """The collections to search: those named, or all of the project.

    Raises:
        Unresolved: one of them does not exist, there is none at all, or there are more than one search may span.
    """
    known = list(api.collections())
    if not wanted:
        if not known:
            raise Unresolved("there is nothing to search yet", code="no_collection", hint="lambent ingest FOLDER")
        if len(known) > MAX_SEARCHED:
            raise Unresolved(
                f"there are {len(known)} collections, and one search spans {MAX_SEARCHED} at most",
                code="too_many_collections",
                hint="choose with --collection NAME",
            )
        return known
    found = [next((one for one in known if name in (one["name"], one["id"])), None) for name in wanted]
    missing = [name for name, one in zip(wanted, found, strict=True) if one is None]
    if missing:
        raise Unresolved(
            f"there is no collection {missing[0]!r}", code="collection_not_found", hint="lambent collections"
        )
    return [one for one in found if one is not None]


def document_id(api: "Api", wanted: str, collection_name: str | None = None) -> str:
    """The id of the document with this id, path or name.

    An id is taken as it is, so that deleted documents can be asked about too.

    Raises:
        Unresolved: there is none, or more than one has this name.
    """
    known = as_id(wanted)
    if known is not None:
        return known
    within = collection(api, wanted=collection_name)["id"] if collection_name else ""
    condition = {"or": [{"field": "path", "op": "eq", "value": wanted}, {"field": "name", "op": "eq", "value": wanted}]}
    found = list(api.documents(collection_id=within, filter=condition))
    by_path = [one for one in found if one["path"] == wanted]
    chosen = by_path or found
    if not chosen:
        raise Unresolved(
            f"there is no document {wanted!r}",
            code="document_not_found",
            hint="list them with: lambent documents (one that was deleted is known by its id only)",
        )
    if len(chosen) > 1:
        ways = ", ".join(_described(one) for one in chosen[:_SHOWN])
        more = f", and {len(chosen) - _SHOWN} more" if len(chosen) > _SHOWN else ""
        raise Unresolved(
            f"{len(chosen)} documents are called {wanted!r}: {ways}{more}",
            code="ambiguous",
            hint="use the id, or --collection NAME",
        )
    return chosen[0]["id"]


def document(api: "Api", wanted: str, collection_name: str | None = None) -> Document:
    """The document with this id, path or name, and the progress of its latest version.

    Raises:
        Unresolved: there is none, or more than one has this name.
    """
    try:
        return api.document(document_id(api, wanted, collection_name))
    except ApiProblem as problem:
        if problem.status == 404:
            raise Unresolved(
                f"there is no document {wanted!r}", code="document_not_found", hint="lambent documents"
            ) from problem
        raise


def _described(one: Document) -> str:
    return f"{one['path'] or one['name']} ({one['id']})"
