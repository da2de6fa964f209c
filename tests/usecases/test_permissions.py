"""Every use case asks for its permission before it touches anything: a wall of its own, whatever the door did."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

import pytest

from shared.domain.access import ListKind
from shared.domain.documents import Source
from shared.domain.errors import Forbidden
from shared.domain.events import GenerationMessage, Queue
from shared.domain.roles import BuiltIn
from shared.domain.search import SearchQuery
from shared.domain.tenants import Permission, Principal, PrincipalKind, Scope
from shared.ports.audit import AuditFilter
from shared.ports.blobs import Bucket
from shared.ports.documents import DocumentFilter, DueGeneration
from shared.ports.ports import Ports
from shared.ports.receipts import ReceiptFilter
from shared.usecases.access import manage as access
from shared.usecases.access.explain import explain
from shared.usecases.audit import read as audit
from shared.usecases.chats import answer, converse
from shared.usecases.collections import manage as collections
from shared.usecases.deletion import erase, request
from shared.usecases.deletion import read as receipts
from shared.usecases.documents import delete, edit, process, read, upload, why
from shared.usecases.ingest import publish, reject, rescue, stage, sweep
from shared.usecases.invitations import invite
from shared.usecases.keys import manage as keys
from shared.usecases.members import manage as members
from shared.usecases.orgs import manage as orgs
from shared.usecases.projects import manage as projects
from shared.usecases.projects import people as crew
from shared.usecases.reconcile import documents, stores
from shared.usecases.roles import manage as roles
from shared.usecases.search import retrieve
from shared.usecases.service_accounts import manage as accounts
from shared.usecases.units import manage as units
from shared.usecases.units import people

ID = UUID(int=9)
AT = datetime(2026, 1, 1, tzinfo=UTC)
MESSAGE = GenerationMessage(UUID(int=1), UUID(int=2), ID, 1, AT, Queue.INGEST_CHUNK)
KEY = keys.KeyRequest("x", frozenset({Permission.SEARCH_QUERY}))
INVITATION = invite.InvitationRequest("ada@example.com", None)
ACCOUNT = accounts.AccountRequest("x", "", BuiltIn.VIEWER)
NO_FILTER = ReceiptFilter()
QUESTION = retrieve.Question(SearchQuery("x", (ID,)), {})


class Untouched:
    """Ports that nobody may look at."""

    def __getattr__(self, name: str) -> object:
        raise AssertionError(f"{name} was touched before the permission was asked for")


type UseCase = Callable[[Scope, Ports], Awaitable[object]]
P = Permission
USE_CASES: list[tuple[str, Permission, UseCase]] = [
    ("projects.create", P.PROJECTS_WRITE, lambda s, p: projects.create(s, p, "x")),
    ("projects.get", P.PROJECTS_READ, lambda s, p: projects.get(s, p, ID)),
    ("projects.list", P.PROJECTS_READ, lambda s, p: projects.list_projects(s, p, cursor=None, limit=1)),
    ("projects.rename", P.PROJECTS_WRITE, lambda s, p: projects.rename(s, p, ID, "x")),
    ("projects.move", P.PROJECTS_WRITE, lambda s, p: projects.move(s, p, ID, None)),
    ("projects.archive", P.PROJECTS_WRITE, lambda s, p: projects.archive(s, p, ID)),
    ("projects.unarchive", P.PROJECTS_WRITE, lambda s, p: projects.unarchive(s, p, ID)),
    ("projects.people", P.MEMBERS_READ, lambda s, p: crew.list_people(s, p, ID)),
    ("projects.put", P.MEMBERS_WRITE, lambda s, p: crew.put(s, p, ID, ID, BuiltIn.VIEWER)),
    ("projects.remove", P.MEMBERS_WRITE, lambda s, p: crew.remove(s, p, ID, ID)),
    ("collections.create", P.COLLECTIONS_WRITE, lambda s, p: collections.create(s, p, name="x")),
    ("collections.summary", P.COLLECTIONS_READ, lambda s, p: collections.summary(s, p, ID)),
    ("collections.list", P.COLLECTIONS_READ, lambda s, p: collections.list_collections(s, p, cursor=None, limit=1)),
    ("collections.change", P.COLLECTIONS_WRITE, lambda s, p: collections.change(s, p, ID, name="x")),
    ("deletion.collection", P.COLLECTIONS_WRITE, lambda s, p: request.delete_collection(s, p, ID)),
    ("deletion.project", P.PROJECTS_WRITE, lambda s, p: request.delete_project(s, p, ID, "x")),
    ("deletion.tenant", P.TENANT_DELETE, lambda s, p: request.delete_tenant(s, p, ID, "x")),
    ("receipts.list", P.DOCUMENTS_READ, lambda s, p: receipts.list_receipts(s, p, NO_FILTER, cursor=None, limit=1)),
    ("receipts.get", P.DOCUMENTS_READ, lambda s, p: receipts.get_receipt(s, p, ID)),
    ("receipts.kept", P.PROJECTS_READ, lambda s, p: receipts.kept_receipt(s, p, ID)),
    ("orgs.get", P.ORGS_READ, orgs.get),
    ("access.read", P.ACCESS_READ, lambda s, p: access.read_list(s, p, ListKind.DOCUMENT, ID)),
    ("access.set", P.ACCESS_WRITE, lambda s, p: access.set_list(s, p, ListKind.COLLECTION, ID, access.Wanted(None))),
    ("access.explain", P.ACCESS_READ, lambda s, p: explain(s, p, ID, ID)),
    ("orgs.rename", P.ORGS_WRITE, lambda s, p: orgs.rename(s, p, "x")),
    ("audit.list", P.AUDIT_READ, lambda s, p: audit.list_events(s, p, AuditFilter(), cursor=None, limit=1)),
    ("members.list", P.MEMBERS_READ, lambda s, p: members.list_members(s, p, cursor=None, limit=1)),
    ("members.get", P.MEMBERS_READ, lambda s, p: members.get(s, p, ID)),
    ("members.change_role", P.MEMBERS_WRITE, lambda s, p: members.change_role(s, p, ID, None)),
    ("members.suspend", P.MEMBERS_WRITE, lambda s, p: members.suspend(s, p, ID)),
    ("members.reinstate", P.MEMBERS_WRITE, lambda s, p: members.reinstate(s, p, ID)),
    ("members.remove", P.MEMBERS_WRITE, lambda s, p: members.remove(s, p, ID)),
    (
        "roles.create",
        P.ROLES_WRITE,
        lambda s, p: roles.create(s, p, name="x", description="", permissions=frozenset({P.SEARCH_QUERY})),
    ),
    ("roles.list", P.ROLES_READ, roles.list_roles),
    ("roles.get", P.ROLES_READ, lambda s, p: roles.get(s, p, ID)),
    (
        "roles.change",
        P.ROLES_WRITE,
        lambda s, p: roles.change(s, p, ID, name="x", description=None, permissions=None),
    ),
    ("roles.delete", P.ROLES_WRITE, lambda s, p: roles.delete(s, p, ID)),
    ("invitations.invite", P.MEMBERS_WRITE, lambda s, p: invite.invite(s, p, INVITATION)),
    ("invitations.list", P.MEMBERS_READ, lambda s, p: invite.list_invitations(s, p, cursor=None, limit=1)),
    ("invitations.revoke", P.MEMBERS_WRITE, lambda s, p: invite.revoke(s, p, ID)),
    ("keys.mint", P.KEYS_WRITE, lambda s, p: keys.mint(s, p, KEY)),
    ("keys.mint_for_account", P.SERVICE_ACCOUNTS_WRITE, lambda s, p: keys.mint_for_account(s, p, ID, KEY)),
    ("keys.list", P.KEYS_READ, lambda s, p: keys.list_keys(s, p, owner=None, cursor=None, limit=1)),
    ("keys.get", P.KEYS_READ, lambda s, p: keys.get(s, p, ID)),
    ("keys.revoke", P.KEYS_WRITE, lambda s, p: keys.revoke(s, p, ID)),
    ("accounts.create", P.SERVICE_ACCOUNTS_WRITE, lambda s, p: accounts.create(s, p, ACCOUNT)),
    ("accounts.list", P.SERVICE_ACCOUNTS_READ, lambda s, p: accounts.list_accounts(s, p, cursor=None, limit=1)),
    ("accounts.get", P.SERVICE_ACCOUNTS_READ, lambda s, p: accounts.get(s, p, ID)),
    (
        "accounts.change",
        P.SERVICE_ACCOUNTS_WRITE,
        lambda s, p: accounts.change(s, p, ID, name="x", description=None, role=None),
    ),
    ("accounts.disable", P.SERVICE_ACCOUNTS_WRITE, lambda s, p: accounts.disable(s, p, ID)),
    ("accounts.enable", P.SERVICE_ACCOUNTS_WRITE, lambda s, p: accounts.enable(s, p, ID)),
    ("accounts.delete", P.SERVICE_ACCOUNTS_WRITE, lambda s, p: accounts.delete(s, p, ID)),
    ("units.create", P.UNITS_WRITE, lambda s, p: units.create(s, p, name="x", parent_id=None)),
    ("units.list", P.UNITS_READ, units.list_units),
    ("units.get", P.UNITS_READ, lambda s, p: units.get(s, p, ID)),
    ("units.rename", P.UNITS_WRITE, lambda s, p: units.rename(s, p, ID, "x")),
    ("units.move", P.UNITS_WRITE, lambda s, p: units.move(s, p, ID, None)),
    ("units.delete", P.UNITS_WRITE, lambda s, p: units.delete(s, p, ID)),
    ("units.people", P.MEMBERS_READ, lambda s, p: people.list_people(s, p, ID)),
    ("units.put", P.MEMBERS_WRITE, lambda s, p: people.put(s, p, ID, ID, None)),
    ("units.remove", P.MEMBERS_WRITE, lambda s, p: people.remove(s, p, ID, ID)),
    ("reconcile.vectors", P.DOCUMENTS_DELETE, stores.reconcile_vectors),
    ("reconcile.objects", P.DOCUMENTS_DELETE, lambda s, p: stores.reconcile_objects(s, p, Bucket.WORK, "")),
    ("reconcile.document", P.DOCUMENTS_PROCESS, lambda s, p: documents.reconcile_document(s, p, ID)),
    ("deletion.erase", P.DOCUMENTS_DELETE, lambda s, p: erase.erase(s, p, ID, 0)),
    ("deletion.restart", P.DOCUMENTS_DELETE, lambda s, p: erase.restart(s, p, ID)),
    ("documents.upload", P.DOCUMENTS_WRITE, lambda s, p: upload.upload(s, p, upload.NewUpload(ID, "x"), max_bytes=1)),
    (
        "documents.upload_version",
        P.DOCUMENTS_WRITE,
        lambda s, p: upload.upload_version(s, p, ID, content_hash="", media_type="", max_bytes=1),
    ),
    ("documents.process", P.DOCUMENTS_WRITE, lambda s, p: process.process(s, p, ID)),
    ("documents.edit", P.DOCUMENTS_WRITE, lambda s, p: edit.edit(s, p, ID, name="x")),
    ("documents.delete", P.DOCUMENTS_DELETE, lambda s, p: delete.delete(s, p, ID)),
    ("documents.receipt", P.DOCUMENTS_READ, lambda s, p: delete.receipt(s, p, ID)),
    ("documents.get", P.DOCUMENTS_READ, lambda s, p: read.get(s, p, ID)),
    (
        "documents.list",
        P.DOCUMENTS_READ,
        lambda s, p: read.list_documents(s, p, DocumentFilter(), cursor=None, limit=1),
    ),
    ("documents.chunks", P.DOCUMENTS_READ, lambda s, p: read.chunks(s, p, ID, first=0, limit=1)),
    ("documents.text", P.DOCUMENTS_READ, lambda s, p: read.text(s, p, ID)),
    ("documents.download_link", P.DOCUMENTS_READ, lambda s, p: read.download_link(s, p, ID)),
    ("documents.why", P.DOCUMENTS_READ, lambda s, p: why.why(s, p, ID)),
    ("search.retrieve", P.SEARCH_QUERY, lambda s, p: retrieve.retrieve(s, p, QUESTION)),
    ("chats.start", P.CHATS_WRITE, lambda s, p: converse.start_chat(s, p, collection_ids=[ID])),
    ("chats.get", P.CHATS_READ, lambda s, p: converse.get_chat(s, p, ID)),
    ("chats.list", P.CHATS_READ, lambda s, p: converse.list_chats(s, p, cursor=None, limit=1)),
    ("chats.history", P.CHATS_READ, lambda s, p: converse.history(s, p, ID, limit=1)),
    ("chats.delete", P.CHATS_WRITE, lambda s, p: converse.delete_chat(s, p, ID)),
    ("chats.prepare", P.CHATS_WRITE, lambda s, p: answer.prepare(s, p, ID, QUESTION)),
    ("chats.record", P.CHATS_WRITE, lambda s, p: answer.record(s, p, cast(Any, Untouched()))),
    ("ingest.take", P.DOCUMENTS_PROCESS, lambda s, p: stage.take(s, p, MESSAGE, Queue.INGEST_CHUNK)),
    ("ingest.publish", P.DOCUMENTS_PROCESS, lambda s, p: publish.publish(s, p, MESSAGE)),
    ("ingest.reject", P.DOCUMENTS_PROCESS, lambda s, p: reject.reject(s, p, MESSAGE)),
    ("ingest.rescue", P.DOCUMENTS_PROCESS, lambda s, p: rescue.rescue(s, p, DueGeneration(ID, ID, ID, 1))),
    ("ingest.sweep", P.DOCUMENTS_DELETE, lambda s, p: sweep.sweep_document(s, p, ID)),
]


@pytest.mark.parametrize(
    ("permission", "use_case"), [case[1:] for case in USE_CASES], ids=[case[0] for case in USE_CASES]
)
async def test_use_case_without_its_permission_touches_nothing(permission: Permission, use_case: UseCase) -> None:
    everything_else = frozenset(Permission) - {permission}
    scope = Scope(UUID(int=1), Principal(PrincipalKind.USER, "u"), everything_else, UUID(int=2))
    with pytest.raises(Forbidden, match=permission.value):
        await use_case(scope, cast(Ports, Untouched()))


async def test_deleting_a_room_asks_for_the_right_to_delete_documents_too() -> None:
    rights = frozenset({P.COLLECTIONS_WRITE, P.PROJECTS_WRITE})
    scope = Scope(UUID(int=1), Principal(PrincipalKind.USER, "u"), rights, UUID(int=2))
    with pytest.raises(Forbidden, match="documents:delete"):
        await request.delete_collection(scope, cast(Ports, Untouched()), ID)
    with pytest.raises(Forbidden, match="documents:delete"):
        await request.delete_project(scope, cast(Ports, Untouched()), ID, "x")


def test_source_of_a_new_generation_is_not_yet_uploaded() -> None:
    assert Source("key").version_id == ""
