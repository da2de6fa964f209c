"""A valid request for every route: what the generated probes start from."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from shared.domain.tenants import Permission
from shared.runtime.routes import ROUTES, Access
from tests.functions.crew import join, new_account, new_invitation, new_key, new_role, new_unit
from tests.functions.texts import GARDEN, LEAVE
from tests.functions.world import Client, World

type Route = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Things:
    """Ids of one of each, in one project; `deleted_id` names a document with a complete receipt."""

    client: Client
    collection_id: str
    document_id: str
    deleted_id: str
    chat_id: str
    ingestion_id: str
    receipt_id: str
    tenant: str
    webhook_id: str
    delivery_id: str
    user_id: str = ""
    role_id: str = ""
    unit_id: str = ""
    invitation_id: str = ""
    key_id: str = ""
    account_id: str = ""

    @property
    def project_id(self) -> str:
        """The project's id."""
        return str(self.client.project_id)


@dataclass(frozen=True, slots=True)
class Probe:
    """A request: the body may name `{collection_id}` and the like, which are filled in from `Things`."""

    status: int
    body: Mapping[str, Any] | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    foreign: int | None = 404
    """What another tenant's ids get; None: the request names none."""


PROBES: Mapping[Route, Probe] = {
    ("GET", "/api/v1/openapi.json"): Probe(200, foreign=None),
    ("GET", "/api/v1/docs"): Probe(200, foreign=None),
    ("GET", "/api/v1/docs/redoc.js"): Probe(200, foreign=None),
    ("GET", "/api/v1/health/live"): Probe(200, foreign=None),
    ("GET", "/api/v1/health"): Probe(200, foreign=None),
    ("GET", "/api/v1/health/details"): Probe(200, foreign=None),
    ("GET", "/api/v1/health/waiting"): Probe(200, foreign=None),
    ("POST", "/api/v1/projects"): Probe(201, {"name": "Another"}, foreign=None),
    ("GET", "/api/v1/projects"): Probe(200, foreign=None),
    ("GET", "/api/v1/projects/{project_id}"): Probe(200),
    ("PATCH", "/api/v1/projects/{project_id}"): Probe(200, {"name": "Another"}),
    ("DELETE", "/api/v1/projects/{project_id}"): Probe(202, {"name": "default"}),
    ("POST", "/api/v1/projects/{project_id}/move"): Probe(200, {"unit_id": "{unit_id}"}),
    ("POST", "/api/v1/projects/{project_id}/archive"): Probe(200),
    ("POST", "/api/v1/projects/{project_id}/unarchive"): Probe(200),
    ("GET", "/api/v1/projects/{project_id}/members"): Probe(200),
    ("PUT", "/api/v1/projects/{project_id}/members/{user_id}"): Probe(200, {"role": "editor"}),
    ("DELETE", "/api/v1/projects/{project_id}/members/{user_id}"): Probe(204),
    ("GET", "/api/v1/orgs/{org_id}"): Probe(200),
    ("DELETE", "/api/v1/orgs/{org_id}"): Probe(202, {"name": "{tenant}"}),
    ("POST", "/api/v1/orgs/{org_id}/invitations"): Probe(201, {"email": "cy@example.com", "role": "editor"}),
    ("GET", "/api/v1/orgs/{org_id}/invitations"): Probe(200),
    ("DELETE", "/api/v1/orgs/{org_id}/invitations/{invitation_id}"): Probe(204),
    ("PATCH", "/api/v1/orgs/{org_id}"): Probe(200, {"name": "Another"}),
    ("GET", "/api/v1/orgs/{org_id}/audit"): Probe(200, query={"action": "role"}),
    ("GET", "/api/v1/orgs/{org_id}/members"): Probe(200),
    ("GET", "/api/v1/orgs/{org_id}/members/{user_id}"): Probe(200),
    ("PATCH", "/api/v1/orgs/{org_id}/members/{user_id}"): Probe(200, {"role": "editor"}),
    ("POST", "/api/v1/orgs/{org_id}/members/{user_id}/suspend"): Probe(200),
    ("POST", "/api/v1/orgs/{org_id}/members/{user_id}/reinstate"): Probe(200),
    ("DELETE", "/api/v1/orgs/{org_id}/members/{user_id}"): Probe(204),
    ("POST", "/api/v1/orgs/{org_id}/roles"): Probe(
        201, {"name": "Reader", "description": "reads", "permissions": ["documents:read", "search:query"]}
    ),
    ("GET", "/api/v1/orgs/{org_id}/roles"): Probe(200),
    ("GET", "/api/v1/orgs/{org_id}/roles/{role_id}"): Probe(200),
    ("PATCH", "/api/v1/orgs/{org_id}/roles/{role_id}"): Probe(200, {"description": "changed"}),
    ("DELETE", "/api/v1/orgs/{org_id}/roles/{role_id}"): Probe(204),
    ("POST", "/api/v1/orgs/{org_id}/units"): Probe(201, {"name": "Sales", "parent_id": "{unit_id}"}),
    ("GET", "/api/v1/orgs/{org_id}/units"): Probe(200),
    ("GET", "/api/v1/orgs/{org_id}/units/{unit_id}"): Probe(200),
    ("PATCH", "/api/v1/orgs/{org_id}/units/{unit_id}"): Probe(200, {"name": "Development"}),
    ("POST", "/api/v1/orgs/{org_id}/units/{unit_id}/move"): Probe(200, {"parent_id": None}),
    ("DELETE", "/api/v1/orgs/{org_id}/units/{unit_id}"): Probe(204),
    ("GET", "/api/v1/orgs/{org_id}/units/{unit_id}/members"): Probe(200),
    ("PUT", "/api/v1/orgs/{org_id}/units/{unit_id}/members/{user_id}"): Probe(200, {"role": "{role_id}"}),
    ("DELETE", "/api/v1/orgs/{org_id}/units/{unit_id}/members/{user_id}"): Probe(204),
    ("POST", "/api/v1/orgs/{org_id}/keys"): Probe(
        201, {"name": "Nightly", "permissions": ["documents:read", "search:query"], "expires_at": "2027-01-01T00:00Z"}
    ),
    ("GET", "/api/v1/orgs/{org_id}/keys"): Probe(200),
    ("GET", "/api/v1/orgs/{org_id}/keys/{key_id}"): Probe(200),
    ("DELETE", "/api/v1/orgs/{org_id}/keys/{key_id}"): Probe(204),
    ("POST", "/api/v1/orgs/{org_id}/service-accounts"): Probe(201, {"name": "Robot", "role": "editor"}),
    ("GET", "/api/v1/orgs/{org_id}/service-accounts"): Probe(200),
    ("GET", "/api/v1/orgs/{org_id}/service-accounts/{account_id}"): Probe(200),
    ("PATCH", "/api/v1/orgs/{org_id}/service-accounts/{account_id}"): Probe(200, {"role": "{role_id}"}),
    ("POST", "/api/v1/orgs/{org_id}/service-accounts/{account_id}/disable"): Probe(200),
    ("POST", "/api/v1/orgs/{org_id}/service-accounts/{account_id}/enable"): Probe(200),
    ("DELETE", "/api/v1/orgs/{org_id}/service-accounts/{account_id}"): Probe(204),
    ("POST", "/api/v1/orgs/{org_id}/service-accounts/{account_id}/keys"): Probe(
        201, {"name": "Nightly", "permissions": ["documents:read"]}
    ),
    ("GET", "/api/v1/receipts"): Probe(200, foreign=None),
    ("GET", "/api/v1/receipts/key"): Probe(200, foreign=None),
    ("GET", "/api/v1/receipts/{receipt_id}"): Probe(200),
    ("POST", "/api/v1/collections"): Probe(201, {"name": "Another"}, foreign=None),
    ("GET", "/api/v1/collections"): Probe(200, foreign=None),
    ("GET", "/api/v1/collections/{collection_id}"): Probe(200),
    ("PATCH", "/api/v1/collections/{collection_id}"): Probe(200, {"description": "changed"}),
    ("GET", "/api/v1/collections/{collection_id}/access-list"): Probe(200),
    ("PUT", "/api/v1/collections/{collection_id}/access-list"): Probe(200, {"readers": [{"kind": "everyone"}]}),
    ("GET", "/api/v1/reindexes/plan"): Probe(200, query={"collection_id": "{collection_id}"}),
    ("GET", "/api/v1/reindexes/questions"): Probe(200, query={"collection_id": "{collection_id}"}),
    ("PUT", "/api/v1/reindexes/questions"): Probe(
        200,
        {
            "collection_id": "{collection_id}",
            "questions": [{"text": "How many days?", "expected": [{"document_id": "{document_id}"}]}],
        },
    ),
    ("POST", "/api/v1/reindexes"): Probe(202, {"collection_id": "{collection_id}"}),
    ("GET", "/api/v1/reindexes"): Probe(200, query={"collection_id": "{collection_id}"}),
    # A collection's first index bears its id. It is searched already, and there is none before it.
    ("GET", "/api/v1/reindexes/{reindex_id}"): Probe(200),
    ("POST", "/api/v1/reindexes/{reindex_id}/promote"): Probe(200),
    ("POST", "/api/v1/reindexes/{reindex_id}/rollback"): Probe(409),
    ("DELETE", "/api/v1/collections/{collection_id}"): Probe(202),
    ("POST", "/api/v1/documents"): Probe(201, {"collection_id": "{collection_id}", "name": "new.txt"}),
    # A listing by a foreign collection is a listing of nothing: it is a filter, not a name.
    ("GET", "/api/v1/documents"): Probe(200, query={"collection_id": "{collection_id}"}, foreign=200),
    ("POST", "/api/v1/documents/retry"): Probe(202, {"collection_id": "{collection_id}"}),
    ("GET", "/api/v1/documents/{document_id}"): Probe(200),
    ("PATCH", "/api/v1/documents/{document_id}"): Probe(200, {"tags": ["changed"]}),
    ("DELETE", "/api/v1/documents/{document_id}"): Probe(202),
    ("POST", "/api/v1/documents/{document_id}/versions"): Probe(201, {"media_type": "text/plain"}),
    ("POST", "/api/v1/documents/{document_id}/process"): Probe(202),
    ("POST", "/api/v1/documents/{document_id}/retry"): Probe(202),
    ("GET", "/api/v1/documents/{document_id}/why"): Probe(200),
    ("GET", "/api/v1/documents/{document_id}/content"): Probe(200),
    ("GET", "/api/v1/documents/{document_id}/text"): Probe(200, query={"start": "0", "end": "10"}),
    ("GET", "/api/v1/documents/{document_id}/chunks"): Probe(200),
    ("GET", "/api/v1/documents/{document_id}/receipt"): Probe(200),
    ("GET", "/api/v1/documents/{document_id}/access-list"): Probe(200),
    ("PUT", "/api/v1/documents/{document_id}/access-list"): Probe(
        200, {"readers": [{"kind": "everyone"}, {"kind": "role", "id": "editor"}]}
    ),
    ("GET", "/api/v1/documents/{document_id}/access"): Probe(
        200, query={"user": "00000000-0000-7000-8000-000000000001"}
    ),
    ("POST", "/api/v1/ingestions"): Probe(201, {"name": "July", "collection_id": "{collection_id}", "expected": 3}),
    ("GET", "/api/v1/ingestions"): Probe(200, query={"collection_id": "{collection_id}"}, foreign=200),
    ("GET", "/api/v1/ingestions/{ingestion_id}"): Probe(200),
    ("GET", "/api/v1/ingestions/{ingestion_id}/documents"): Probe(200, query={"state": "committed"}),
    ("GET", "/api/v1/ingestions/{ingestion_id}/events"): Probe(200, query={"after": "1"}),
    ("POST", "/api/v1/ingestions/{ingestion_id}/close"): Probe(200),
    ("POST", "/api/v1/ingestions/{ingestion_id}/cancel"): Probe(202),
    ("POST", "/api/v1/ingestions/{ingestion_id}/retry"): Probe(202),
    ("POST", "/api/v1/webhooks"): Probe(201, {"url": "https://hooks.example.com/x"}, foreign=None),
    ("GET", "/api/v1/webhooks"): Probe(200, foreign=None),
    ("GET", "/api/v1/webhooks/{webhook_id}"): Probe(200),
    ("DELETE", "/api/v1/webhooks/{webhook_id}"): Probe(204),
    ("POST", "/api/v1/webhooks/{webhook_id}/rotate"): Probe(200),
    ("POST", "/api/v1/webhooks/{webhook_id}/enable"): Probe(200),
    ("GET", "/api/v1/webhooks/{webhook_id}/deliveries"): Probe(200),
    ("POST", "/api/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver"): Probe(202),
    ("POST", "/api/v1/search"): Probe(200, {"query": "paid leave", "collection_ids": ["{collection_id}"]}),
    ("POST", "/api/v1/chats"): Probe(201, {"collection_ids": ["{collection_id}"]}),
    ("GET", "/api/v1/chats"): Probe(200, foreign=None),
    ("GET", "/api/v1/chats/{chat_id}"): Probe(200),
    ("DELETE", "/api/v1/chats/{chat_id}"): Probe(204),
    ("GET", "/api/v1/chats/{chat_id}/messages"): Probe(200),
    ("POST", "/api/v1/chats/{chat_id}/messages"): Probe(201, {"question": "How many days of leave?"}),
    ("POST", "/api/v1/streams/chats/{chat_id}/messages"): Probe(200, {"question": "How many days of leave?"}),
    ("GET", "/api/v1/streams/ingestions/{ingestion_id}"): Probe(200),
}
OF_PEOPLE = frozenset(
    route
    for route, permission in ROUTES.items()
    if route[1].split("/")[3] in ("auth", "users") or permission is Access.SIGNED_IN
)
"""What strangers and users do about themselves: test_auth and test_users are about these."""
SCOPED = [route for route, permission in ROUTES.items() if isinstance(permission, Permission)]
WITH_BODY = [route for route in SCOPED if PROBES[route].body is not None]
NAMING = [route for route in SCOPED if PROBES[route].foreign is not None]
WHOLE_TENANT = ("{project_id}", "{org_id}")
"""What every project of a tenant may name."""
OF_ONE_PROJECT = [route for route in NAMING if not any(name in route[1] for name in WHOLE_TENANT)]


def make_things(world: World, tenant: str) -> Things:
    """A tenant with one of each."""
    return furnish(world, world.owner(tenant), tenant)


def furnish(world: World, client: Client, tenant: str, mark: str = "") -> Things:
    """One of each, in the client's project.

    Args:
        world: the deployment.
        client: an owner.
        tenant: the name of their organisation.
        mark: ends every name, so that each project of one organisation can be furnished.
    """
    collection = client.collection(f"Handbook{mark}", chunking={"method": "structure", "size": 40})
    webhook = client.post("/webhooks", {"url": f"https://hooks.example.com/{mark}", "all_runs": True}).json["id"]
    ingestion = client.ingestion(collection, f"July{mark}")
    document = client.upload(collection, LEAVE + mark, f"leave{mark}.txt", ingestion_id=ingestion)
    deleted = client.upload(collection, GARDEN, f"garden{mark}.txt")
    world.settle()
    receipt = client.delete(f"/documents/{deleted}")
    assert receipt.status == 202
    world.settle()
    chat = client.post("/chats", {"collection_ids": [collection]})
    assert chat.status == 201, chat.body
    assert client.post(f"/ingestions/{ingestion}/close").json["status"] == "completed"
    world.settle()
    delivery = delivered(client, webhook)
    user, unit = join(world, client).user_id, new_unit(client, f"Research{mark}")
    assert client("PUT", f"/orgs/{client.tenant_id}/units/{unit}/members/{user}", {"role": None}).status == 200
    assert client("PUT", f"/projects/{client.project_id}/members/{user}", {"role": "viewer"}).status == 200
    return Things(
        client=client,
        collection_id=collection,
        document_id=document,
        deleted_id=deleted,
        chat_id=chat.json["id"],
        ingestion_id=ingestion,
        receipt_id=receipt.json["id"],
        tenant=tenant,
        webhook_id=webhook,
        delivery_id=delivery,
        user_id=user,
        role_id=new_role(client, Permission.SEARCH_QUERY, name=f"custom{mark}"),
        unit_id=unit,
        invitation_id=new_invitation(client, f"new{mark}@example.com"),
        key_id=str(new_key(client, Permission.SEARCH_QUERY).json["id"]),
        account_id=new_account(client, "viewer", f"robot{mark}"),
    )


def delivered(client: Client, webhook: str) -> str:
    """Id of the one delivery that a webhook got."""
    (delivery,) = client.get(f"/webhooks/{webhook}/deliveries").json["items"]
    assert delivery["state"] == "delivered"
    return str(delivery["id"])


def probe(route: Route, things: Things, sender: Client, **changes: Any) -> tuple[str, str, Any, Mapping[str, str]]:
    """Method, path, body and query of a route's valid request, naming `things`.

    Args:
        route: a key of PROBES.
        things: whose ids are named.
        sender: who will send it; told apart so that a call reads `sender(*probe(route, things, sender))`.
        changes: further fields of the body.
    """
    method, template = route
    wanted, names = PROBES[route], names_of(things, template)
    path = template.removeprefix("/api/v1").format(**names)
    body = filled(wanted.body, names)
    if changes:
        body = {**(body or {}), **changes}
    return method, path, body, {key: str(filled(value, names)) for key, value in wanted.query.items()}


def names_of(things: Things, template: str = "") -> Mapping[str, str]:
    """What `{collection_id}` and the like stand for in a request of the route with this path."""
    return {
        "project_id": things.project_id,
        "collection_id": things.collection_id,
        "reindex_id": things.collection_id,
        "document_id": things.deleted_id if template.endswith("/receipt") else things.document_id,
        "chat_id": things.chat_id,
        "ingestion_id": things.ingestion_id,
        "receipt_id": things.receipt_id,
        "org_id": str(things.client.tenant_id),
        "tenant": things.tenant,
        "webhook_id": things.webhook_id,
        "delivery_id": things.delivery_id,
        "user_id": things.user_id,
        "role_id": things.role_id,
        "unit_id": things.unit_id,
        "invitation_id": things.invitation_id,
        "key_id": things.key_id,
        "account_id": things.account_id,
    }


def unlike(things: Things, number: int) -> Things:
    """Things with ids that nobody has."""
    nobody = f"00000000-0000-7000-8000-{number:012d}"
    return replace(
        things,
        collection_id=nobody,
        document_id=nobody,
        deleted_id=nobody,
        chat_id=nobody,
        ingestion_id=nobody,
        receipt_id=nobody,
        webhook_id=nobody,
        delivery_id=nobody,
        user_id=nobody,
        role_id=nobody,
        unit_id=nobody,
        invitation_id=nobody,
        key_id=nobody,
        account_id=nobody,
    )


def filled(value: Any, names: Mapping[str, str]) -> Any:
    """A value with its `{names}` filled in."""
    if isinstance(value, str):
        return value.format(**names) if value.startswith("{") else value
    if isinstance(value, list):
        return [filled(one, names) for one in value]
    if isinstance(value, Mapping):
        return {key: filled(one, names) for key, one in value.items()}
    return value
