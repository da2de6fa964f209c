"""What every command is given: where the API is, and where its words go. Made when first used: help needs neither."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from shared.cli.output import Output

if TYPE_CHECKING:
    from shared.cli.address import Address
    from shared.cli.api import Api
    from shared.cli.local_cloud import LocalCloud


@dataclass(frozen=True, slots=True)
class Asked:
    """The options every command takes."""

    url: str = ""
    key: str = ""
    project: str = ""
    json: bool = False
    debug: bool = False

    def over(self, other: "Asked | None") -> "Asked":
        """These, and `other` where these say nothing."""
        if other is None:
            return self
        return Asked(
            self.url or other.url,
            self.key or other.key,
            self.project or other.project,
            self.json or other.json,
            self.debug or other.debug,
        )


@dataclass
class Session:
    """One run of one command."""

    asked: Asked
    closing: list[Callable[[], None]] = field(default_factory=list)

    @property
    def json(self) -> bool:
        """True when a program reads the output."""
        return self.asked.json

    @cached_property
    def output(self) -> Output:
        """Where words go."""
        return Output(json=self.asked.json)

    @cached_property
    def root(self) -> Path:
        """The checkout, for the local cloud."""
        from shared.cli.address import repository_root

        return repository_root()

    @cached_property
    def cloud(self) -> "LocalCloud":
        """The local cloud.

        Raises:
            CliError: this is no checkout, or its packages are missing.
        """
        from shared.cli.errors import CliError
        from shared.cli.local_cloud import load

        if not (self.root / "template.yaml").is_file():
            raise CliError(
                "this command was installed without template.yaml, which the local cloud runs",
                code="no_template",
                hint="run it from a checkout: uv sync && uv run lambent up",
            )
        return load()

    @cached_property
    def address(self) -> "Address":
        """Where the API is.

        Raises:
            NoAddress: nobody said, and no local cloud runs.
        """
        from shared.cli.address import find_address

        return find_address(self.asked.url, self.asked.key, self.asked.project, self.root)

    @cached_property
    def api(self) -> "Api":
        """The API."""
        return self.api_at(self.address)

    def api_at(self, address: "Address") -> "Api":
        """The API at an address."""
        from shared.cli.api import Api
        from shared.cli.client import Client

        client = Client(address)
        self.closing.append(client.close)
        return Api(client)

    def close(self) -> None:
        """Close what was opened."""
        while self.closing:
            self.closing.pop()()
