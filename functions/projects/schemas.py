"""Requests and responses about projects."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from shared.domain.roles import BuiltIn
from shared.runtime.schemas import Body, Out

Name = Annotated[str, Field(min_length=1, max_length=255)]
AnyRole = Annotated[BuiltIn | UUID, Field(description="a built-in role by name, or one of your own by id")]


class NewProject(Body):
    """A project to make."""

    name: Name
    unit_id: UUID | None = Field(default=None, description="the org unit it lies in")


class ProjectChange(Body):
    """Another name."""

    name: Name


class ProjectMove(Body):
    """Another place."""

    unit_id: UUID | None = Field(description="the org unit it is to lie in; null: none")


class ProjectOut(Out):
    """A project."""

    id: UUID
    name: str
    created_at: datetime
    unit_id: UUID | None
    archived_at: datetime | None = Field(description="nobody works in it while this is set")


class ProjectPage(Out):
    """A page of projects; send `next` back as `cursor`."""

    items: list[ProjectOut]
    next: str | None


class ProjectRole(Body):
    """The role that a member is to have in the project."""

    role: AnyRole


class ProjectMemberOut(Out):
    """A member's role in the project itself."""

    user_id: UUID
    role: AnyRole
    created_at: datetime


class ProjectMemberList(Out):
    """Who has a role in the project itself."""

    items: list[ProjectMemberOut]
