"""What every command is given: where the API is, and where its words go. Made when first used: help needs neither."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from shared.cli.output import Output

if TYPE_CHECKING:
    from shared.cli.address import Address, Place
    from shared.cli.api import Api
    from shared.cli.client import Client
    from shared.cli.identity import Identity
    from shared.cli.local_cloud import LocalCloud
    from shared.cli.logins import Logins
    from shared.cli.organisation import Organisation


@dataclass(frozen=True, slots=True)
class Asked:
    """The options every command takes."""

    url: str = ""
    key: str = field(default="", repr=False)
    project: str = ""
    org: str = ""
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
            self.org or other.org,
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
    def place(self) -> "Place":
        """Where the API is.

        Raises:
            NoAddress: nobody said, and no local cloud runs.
        """
        from shared.cli.address import find_place

        return find_place(self.asked.url, self.root)

    @cached_property
    def logins(self) -> "Logins":
        """Who is signed in there."""
        import typer

        from shared.cli.logins import Logins

        return Logins(Path(typer.get_app_dir("lambent")) / "logins", self.place.realm)

    @cached_property
    def address(self) -> "Address":
        """Where the API is, and as whom to talk to it, in which organisation and project.

        Raises:
            CliError: nobody is signed in and no key is given, or something is named that is not there.
        """
        from shared.cli.address import find_address

        return self.resolved(find_address(self.place, self.asked, lambda: self.logins))

    def resolved(self, address: "Address") -> "Address":
        """An address in which organisation and project are ids, not names."""
        from shared.cli.identity import Identity
        from shared.cli.names import as_id, organisation_id, project_id

        if address.org and not as_id(address.org):
            bare = self.client_at(replace(address, org="", project=""))
            address = replace(address, org=organisation_id(Identity(bare), address.org))
        if address.project and not as_id(address.project):
            bare = self.client_at(replace(address, project=""))
            address = replace(address, project=project_id(bare, address.project))
        return address

    @cached_property
    def client(self) -> "Client":
        """What speaks to the API."""
        return self.client_at(self.address)

    @cached_property
    def api(self) -> "Api":
        """The API."""
        from shared.cli.api import Api

        return Api(self.client)

    @cached_property
    def identity(self) -> "Identity":
        """The API's routes about the user."""
        from shared.cli.identity import Identity

        return Identity(self.client)

    @cached_property
    def stranger(self) -> "Identity":
        """The same for whoever is not signed in yet."""
        from shared.cli.address import Address
        from shared.cli.credentials import Nobody
        from shared.cli.identity import Identity

        return Identity(self.client_at(Address(self.place.url, Nobody())))

    @cached_property
    def organisation(self) -> "Organisation":
        """The API's routes about the organisation that is worked in.

        Raises:
            CliError: nobody said which, and it is not the only one.
        """
        from shared.cli.names import only_organisation
        from shared.cli.organisation import Organisation

        return Organisation(self.client, self.address.org or only_organisation(self.identity, self.address))

    def organisation_named(self, wanted: str) -> "Organisation":
        """The organisation of this name or id, else the one that is worked in.

        Raises:
            CliError: there is none, or nobody said which.
        """
        if not wanted:
            return self.organisation
        from shared.cli.names import organisation_id
        from shared.cli.organisation import Organisation

        id = organisation_id(self.identity, wanted)
        # The headers would name another organisation than the path does.
        return Organisation(self.client_at(replace(self.address, org=id, project="")), id)

    def use(self, address: "Address") -> None:
        """Talk to this address from now on."""
        for made in ("client", "api", "identity", "organisation"):
            self.__dict__.pop(made, None)
        self.address = address

    def client_at(self, address: "Address") -> "Client":
        """What speaks to an address."""
        from shared.cli.client import Client

        client = Client(address)
        self.closing.append(client.close)
        return client

    def close(self) -> None:
        """Close what was opened."""
        while self.closing:
            self.closing.pop()()
