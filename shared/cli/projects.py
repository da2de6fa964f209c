"""The API's routes about projects, as functions."""

from collections.abc import Iterator
from typing import cast

from shared.cli.client import Client
from shared.cli.shapes.documents import DeletionReceipt
from shared.cli.shapes.rooms import Project


class Projects:
    """Routes of `projects`. Errors are those of `Client.call`."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def all(self) -> Iterator[Project]:
        """Every project."""
        return self.client.pages("/projects")

    def create(self, name: str, unit_id: str | None = None) -> Project:
        """Make a project."""
        body = {"name": name, "unit_id": unit_id}
        return cast(Project, self.client.call("POST", "/projects", json=body, once=True))

    def rename(self, project_id: str, name: str) -> Project:
        """Give a project another name."""
        return cast(Project, self.client.call("PATCH", f"/projects/{project_id}", json={"name": name}))

    def move(self, project_id: str, unit_id: str | None) -> Project:
        """Put a project into an org unit, or into none."""
        return cast(
            Project,
            self.client.call("POST", f"/projects/{project_id}/move", json={"unit_id": unit_id}, repeatable=True),
        )

    def archive(self, project_id: str, *, away: bool) -> Project:
        """Put a project into the archive, or take it out. It may be repeated."""
        action = "archive" if away else "unarchive"
        return cast(Project, self.client.call("POST", f"/projects/{project_id}/{action}", repeatable=True))

    def delete(self, project_id: str, name: str) -> DeletionReceipt:
        """Delete a project with everything in it."""
        return cast(DeletionReceipt, self.client.call("DELETE", f"/projects/{project_id}", json={"name": name}))
