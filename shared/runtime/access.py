"""Access lists as the doors of documents and of collections show them: the same of both."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.domain.access import MAX_READERS, AccessList, ListKind, Lists, Reader, ReaderKind, Standing
from shared.domain.access_words import Question
from shared.runtime.auth import Authorised, Call
from shared.runtime.schemas import Body, Out
from shared.runtime.web import Query, Router
from shared.usecases.access import explain, manage


class ReaderBody(Body):
    """Somebody a list admits."""

    kind: ReaderKind
    id: str = Field(default="", max_length=64, description="of `everyone` nothing; of a built-in role its name")


class AccessListBody(Body):
    """A list as it is to be."""

    readers: list[ReaderBody] | None = Field(
        max_length=MAX_READERS,
        description="who may read, nobody else; null takes the list away: of a document its collection's counts then, "
        "of a collection everyone of the project reads",
    )
    fresh_until: AwareDatetime | None = Field(
        default=None, description="when the list has to be set again; from then on it admits nobody"
    )
    problem: str | None = Field(
        default=None,
        min_length=1,
        max_length=500,
        description="why the list is not known, with `readers` null: it admits nobody until it is",
    )

    def domain(self) -> manage.Wanted:
        """The use case's command."""
        readers = None if self.readers is None else [Reader(one.kind, one.id) for one in self.readers]
        return manage.Wanted(readers, self.fresh_until, self.problem)


class ReaderOut(Out):
    """Somebody a list admits."""

    kind: ReaderKind
    id: str


class AccessListOut(Out):
    """Who may read."""

    readers: list[ReaderOut] | None = Field(description="null: there is no list")
    source: ListKind | None = Field(description="whose list counts: its own, its collection's, or none")
    standing: Standing = Field(description="a list that is stale or unknown admits nobody")
    fresh_until: datetime | None
    problem: str | None
    set_at: datetime | None
    set_by: str | None
    admits_you: bool = Field(description="false: you may see and set the list, and read nothing that it keeps back")

    @classmethod
    def of(cls, kind: ListKind, lists: Lists, call: Call) -> Self:
        """From the use case's answer."""
        access: AccessList | None = lists.decisive
        now = call.ports.clock.now()
        if access is None:
            return cls(
                readers=None,
                source=None,
                standing=Standing.GOOD,
                fresh_until=None,
                problem=None,
                set_at=None,
                set_by=None,
                admits_you=True,
            )
        return cls(
            readers=[ReaderOut(kind=one.kind, id=one.id) for one in sorted(access.readers)],
            source=ListKind.COLLECTION if lists.own is None else kind,
            standing=access.standing(now),
            fresh_until=access.fresh_until,
            problem=access.problem,
            set_at=access.set_at,
            set_by=access.set_by,
            admits_you=lists.admit(call.scope.readers, now),
        )


class AnswerOut(Out):
    """One thing that has to be so."""

    question: Question
    passed: bool
    words: str


class VerdictOut(Out):
    """Whether a user may read a document."""

    allowed: bool
    answers: list[AnswerOut] = Field(description="in the order asked; the last decides")
    hint: str = Field(description="what would change it")


async def get_document_list(document_id: UUID, call: Authorised) -> AccessListOut:
    """Who may read a document, by its own list or its collection's."""
    lists = await manage.read_list(call.scope, call.ports, ListKind.DOCUMENT, document_id)
    return AccessListOut.of(ListKind.DOCUMENT, lists, call)


async def set_document_list(document_id: UUID, body: AccessListBody, call: Authorised) -> AccessListOut:
    """Say who may read a document. The list replaces the one before; it allows, nothing in it forbids."""
    lists = await manage.set_list(call.scope, call.ports, ListKind.DOCUMENT, document_id, body.domain())
    return AccessListOut.of(ListKind.DOCUMENT, lists, call)


async def explain_document_access(
    document_id: UUID, user: Annotated[UUID, Query(description="whose access")], call: Authorised
) -> VerdictOut:
    """In words: why a user can or cannot read a document."""
    return VerdictOut.model_validate(await explain.explain(call.scope, call.ports, document_id, user))


async def get_collection_list(collection_id: UUID, call: Authorised) -> AccessListOut:
    """Who may read the documents of a collection that have no list of their own."""
    lists = await manage.read_list(call.scope, call.ports, ListKind.COLLECTION, collection_id)
    return AccessListOut.of(ListKind.COLLECTION, lists, call)


async def set_collection_list(collection_id: UUID, body: AccessListBody, call: Authorised) -> AccessListOut:
    """Say who may read the documents of a collection that have no list of their own."""
    lists = await manage.set_list(call.scope, call.ports, ListKind.COLLECTION, collection_id, body.domain())
    return AccessListOut.of(ListKind.COLLECTION, lists, call)


def serve_document_access(router: Router) -> None:
    """Add the routes about a document's readers."""
    router.get("/documents/{document_id}/access-list")(get_document_list)
    router.put("/documents/{document_id}/access-list")(set_document_list)
    router.get("/documents/{document_id}/access")(explain_document_access)


def serve_collection_access(router: Router) -> None:
    """Add the routes about a collection's readers."""
    router.get("/collections/{collection_id}/access-list")(get_collection_list)
    router.put("/collections/{collection_id}/access-list")(set_collection_list)
