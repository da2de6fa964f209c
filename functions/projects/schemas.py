"""Requests and responses about projects."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from shared.runtime.schemas import Body, Out


class NewProject(Body):
    """A project to make."""

    name: str = Field(min_length=1, max_length=255)


class ProjectOut(Out):
    """A project."""

    id: UUID
    name: str
    created_at: datetime


class ProjectPage(Out):
    """A page of projects; send `next` back as `cursor`."""

    items: list[ProjectOut]
    next: str | None
