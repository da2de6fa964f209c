"""Who may read a document: lists that allow, and nothing that forbids.

A collection without a list is everyone's of its project. A document without a list of its own is read by those who may
read its collection's documents. A list that is not known, because whoever keeps it could not be asked, and one that is
older than was promised, admit nobody: what cannot be shown to be allowed is not.

Lists are about what documents hold and are called: name, settings and counts of a collection or a run are seen by
whoever may read those.

An API key reads as the member or the service account it acts for; one that belongs to nobody reads by a name of its
own. Whoever may manage lists sees and changes every list of the project, and is not by that admitted to what is listed.
"""

from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.domain.errors import Invalid
from shared.domain.tenants import READER

MAX_READERS = 100
"""Who has more to name makes an org unit of them."""
EVERYONE = "everyone"


class ReaderKind(StrEnum):
    """What sort of reader a list names."""

    EVERYONE = "everyone"
    """Of the project: what a document in a restricted collection may be opened to."""
    USER = "user"
    UNIT = "unit"
    """Whoever belongs to it, or to a unit below it."""
    ROLE = "role"
    """Whoever has it in the project: a built-in role by its name, others by their id."""
    SERVICE_ACCOUNT = "service_account"
    KEY = "key"
    """An API key that acts for nobody."""


@dataclass(frozen=True, slots=True, order=True)
class Reader:
    """One entry of a list.

    Raises:
        Invalid: it is none that could be a reader's.
    """

    kind: ReaderKind
    id: str = ""

    def __post_init__(self) -> None:
        if not READER.fullmatch(self.name) or (self.kind is ReaderKind.EVERYONE) is not (self.id == ""):
            raise Invalid(f"no reader is called {self.name!r}", code="invalid_reader")

    @property
    def name(self) -> str:
        """What it is kept and compared as."""
        return EVERYONE if self.kind is ReaderKind.EVERYONE else f"{self.kind}:{self.id}"

    @classmethod
    def of(cls, name: str) -> "Reader":
        """The reader that has this name."""
        kind, _, id = name.partition(":")
        return cls(ReaderKind(kind), id)


class ListKind(StrEnum):
    """What has a list."""

    DOCUMENT = "document"
    COLLECTION = "collection"


class Standing(StrEnum):
    """What a list is worth now."""

    GOOD = "good"
    STALE = "stale"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class AccessList:
    """Who may read, as somebody said.

    Raises:
        Invalid: too many readers, or an unknown list that names some.
    """

    readers: frozenset[Reader]
    set_at: datetime
    set_by: str
    """A principal as text."""
    fresh_until: datetime | None = None
    """When it has to be said again; None: it stands until it is changed."""
    problem: str | None = None
    """Why it is not known; None: it is."""

    def __post_init__(self) -> None:
        if len(self.readers) > MAX_READERS:
            raise Invalid(
                f"a list names at most {MAX_READERS} readers",
                code="too_many_readers",
                hint="put them into an org unit, and name the unit",
            )
        if self.problem is not None and self.readers:
            raise Invalid("a list that is not known names nobody", code="invalid_list")

    def standing(self, now: datetime) -> Standing:
        """What it is worth now."""
        if self.problem is not None:
            return Standing.UNKNOWN
        return Standing.STALE if self.fresh_until is not None and self.fresh_until <= now else Standing.GOOD

    def admits(self, names: Set[str], now: datetime) -> bool:
        """Whether somebody with these names may read."""
        named = {reader.name for reader in self.readers}
        return self.standing(now) is Standing.GOOD and not named.isdisjoint({EVERYONE, *names})


@dataclass(frozen=True, slots=True)
class Lists:
    """What decides about a document or a collection."""

    own: AccessList | None
    collection: AccessList | None
    """The list of the collection a document is in; of a collection, None."""

    @property
    def decisive(self) -> AccessList | None:
        """The one that counts; None: everyone of the project may read."""
        return self.own or self.collection

    def admit(self, names: Set[str], now: datetime) -> bool:
        """Whether somebody with these names may read."""
        return self.decisive is None or self.decisive.admits(names, now)
