"""Probes sent, and what is judged of each: refused in the same words, nothing told, nothing changed."""

import math
import random
import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from shared.runtime.invocation import run
from tests.functions.gateway import Answer
from tests.functions.requests import PROBES, Route
from tests.isolation.asking import UNKNOWN, Asked, asked, cursor_of, example_of, names_anything, send
from tests.isolation.attackers import Crowds
from tests.isolation.cells import BESIDE, SPELLINGS, Cell, Probe, cells, in_project, theirs
from tests.isolation.positions import Place, Position
from tests.isolation.town import ARCHIVED, HOUSES, SECRET, Room, Sender, Town
from tests.isolation.witness import ID

PROBLEM = {"type", "title", "status", "code", "detail", "hint", "request_id", "errors"}
REFUSALS = {"unknown_reader", "invalid_cursor", "invalid_token"}
"""Codes of what is not to be had, for whatever reason: an id that is nobody's gets the same."""
FILTERS = frozenset(
    {
        (("GET", "/api/v1/documents"), "collection_id"),
        (("GET", "/api/v1/documents"), "filter"),
        (("GET", "/api/v1/ingestions"), "collection_id"),
        (("GET", "/api/v1/receipts"), "parent_id"),
        (("GET", "/api/v1/orgs/{org_id}/audit"), "actor"),
        (("GET", "/api/v1/orgs/{org_id}/audit"), "subject_id"),
        (("GET", "/api/v1/orgs/{org_id}/audit"), "project_id"),
        (("GET", "/api/v1/orgs/{org_id}/keys"), "owner"),
        (("POST", "/api/v1/search"), "filter"),
        # Of who is no member nothing is said but that.
        (("GET", "/api/v1/documents/{document_id}/access"), "user"),
    }
)
"""Where an id is a filter and no name: by one that is not the caller's nothing is found, as by one that is nobody's."""

RETRIED = "retry_key"
"""Names an answer that its sender was given before: from anybody else it is a key as good as any."""
ORG = Position(Place.HEADER, ("Lambent-Org",), "org_id")


@dataclass
class Tally:
    """What came of it."""

    probes: int = 0
    cells: set[str] = field(default_factory=set)
    controls: int = 0
    """Requests that the owner sent and that succeeded."""
    unfit: list[str] = field(default_factory=list)
    """Requests that failed for the owner too, so that refusing them proves nothing."""
    leaks: list[str] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    by_attacker: Counter[str] = field(default_factory=Counter)
    changes: int = 0
    seconds: float = 0.0


class Campaign:
    """Sends probes to a town and judges what comes of them."""

    def __init__(self, town: Town, crowds: Crowds, seed: int, *, safely: bool = False) -> None:
        """Args:
        town: with everything in it.
        crowds: who asks.
        seed: of chance.
        safely: whether what attackers do is undone too, because some of it is expected to work.
        """
        self.town, self.crowds, self.seed, self.safely = town, crowds, seed, safely
        self.tally = Tally()
        self._controlled: dict[str, bool] = {}
        self._unknown: dict[str, tuple[int, str]] = {}
        self._secrets: dict[tuple[str, str, bool], frozenset[str]] = {}
        self._cursors: dict[tuple[str, str, Route], str] = {}

    def run(self, count: int, among: Sequence[Cell] | None = None, *, seconds: float = math.inf) -> Tally:
        """So many probes: every cell once in an order of chance, then again with other forms.

        Args:
            count: of probes.
            among: the cells; None: all.
            seconds: after which no further one is sent.
        """
        began, wanted = time.perf_counter(), list(among if among is not None else cells())
        sweep = 0
        while self.tally.probes < count and time.perf_counter() - began < seconds:
            chance = random.Random(f"{self.seed}/{sweep}")
            chance.shuffle(wanted)
            for cell in wanted[: count - self.tally.probes]:
                if time.perf_counter() - began >= seconds:
                    break
                self.one(self.drawn(cell, chance, sweep))
            sweep += 1
        self.tally.seconds = time.perf_counter() - began
        return self.tally

    def drawn(self, cell: Cell, chance: random.Random, sweep: int) -> Probe:
        """What chance makes of a cell."""
        forms = sorted(cell.attacker.forms)
        house = HOUSES[(chance.randrange(len(HOUSES)) + sweep) % len(HOUSES)]
        room = self.town.houses[house].rooms[cell.attacker.within]
        ids = cell.at is None or (
            cell.at.place is not Place.HEADER and cell.at.shape == "{}" and cell.at.names != "cursor"
        )
        spelling = chance.choice(sorted(SPELLINGS)) if sweep and ids else "as it is"
        return Probe(cell, chance.choice(forms), room, chance.random() < 0.5, chance.random() < 0.5, spelling)

    def one(self, probe: Probe) -> None:
        """Send one and judge it."""
        tally, cell = self.tally, probe.cell
        victim = self._victim(probe)
        if not self._control(probe, self._owners(probe)):
            tally.unfit.append(str(probe))
        sender = cell.attacker.forms[probe.form](self.crowds, probe.room, cell.operation.route)
        sent = self._sent(probe, sender, victim)
        found = self._judged(probe, sender, sent)
        tally.probes += 1
        tally.cells.add(str(cell))
        tally.by_attacker[cell.attacker.name] += 1
        tally.leaks += [f"{probe}: {fault}\n    {sent.text}" for fault in found]

    # What is asked.

    def _owners(self, probe: Probe) -> Asked:
        """What the owner sends who names the same."""
        victim = self._victim(probe)
        return asked(probe.cell.operation, victim, probe.cell.at, self._id(probe, victim))

    def _victim(self, probe: Probe) -> Mapping[str, str]:
        spelt = SPELLINGS[probe.spelling]
        names = probe.room.names_for(probe.cell.operation.route)
        return {name: spelt(value) if ID.fullmatch(value) else value for name, value in names.items()}

    def _id(self, probe: Probe, names: Mapping[str, str]) -> str:
        at, operation = probe.cell.at, probe.cell.operation
        if at is None:
            return ""
        if at.names != "cursor":
            return names[at.names]
        key = (probe.room.house, probe.room.project, operation.route)
        if key not in self._cursors:
            self._cursors[key] = cursor_of(self.town, probe.room, operation)
        return self._cursors[key]

    def _sent(self, probe: Probe, sender: Sender, victim: Mapping[str, str], unknown: str = "") -> Asked:
        """What the attacker sends; with `unknown`, that instead of what is the victim's."""
        cell, home = probe.cell, sender.room
        if cell.at is not None:
            own = dict.fromkeys(probe.room.names, UNKNOWN)
            if home is not None and cell.attacker.known:
                own = dict(home.names_for(cell.operation.route))
            return asked(cell.operation, own, cell.at, unknown or self._id(probe, victim), among=probe.among)
        names = dict(victim)
        if unknown:
            known = theirs(home, probe.room, cell.operation.route)
            names = {name: value if name in known else unknown for name, value in victim.items() if name != "tenant"}
            names["tenant"] = victim["tenant"]
        request = asked(cell.operation, names)
        nothing = not names_anything(cell.operation) or (
            cell.attacker.name in BESIDE and "{" not in cell.operation.route[1]
        )
        if in_project(cell.operation) and (probe.elsewhere or nothing or cell.attacker.within == ARCHIVED):
            return replace(request, headers={"Lambent-Project": names["project_id"]})
        return request

    # What comes of it.

    def _control(self, probe: Probe, request: Asked) -> bool:
        """Whether the owner succeeds with this very request."""
        key = f"{probe.room.house} {probe.room.project} {request.text}"
        if key not in self._controlled:
            town = self.town
            with town.store.rehearsal():
                if probe.room.project == ARCHIVED:
                    path = f"/projects/{probe.room.names['project_id']}/unarchive"
                    assert town.ask(probe.room.owner, "POST", path).status == 200
                answer = send(town, probe.room.owner, request)
            self._swept()
            expected = example_of(probe.cell.operation).status
            self._controlled[key] = answer.status == expected
            if answer.status != expected:
                self.tally.unfit.append(f"{probe}: {answer.status} {answer.body[:300]}\n    {request.text}")
            self.tally.controls += 1
        return self._controlled[key]

    def _swept(self) -> None:
        """Forget what a rehearsal sent."""
        for lane in self.town.world.queue._lanes.values():
            lane.live.clear()
        self.town.witness.excuse()

    def _judged(self, probe: Probe, sender: Sender, sent: Asked) -> list[str]:
        cell, town = probe.cell, self.town
        if probe.room.kept.ids and sent.text == self._sent(probe, sender, self._victim(probe), UNKNOWN).text:
            return self._theirs_to_ask(probe, sender, sent)
        unknown = self._of_unknown(probe, sender) if self._comparable(probe, sender) else None
        retried = cell.at is not None and cell.at.names == RETRIED
        if self.safely or retried or (unknown is not None and unknown[0] < 300):
            # It does something of their own, whatever is named: then it must do just that.
            with town.store.rehearsal():
                if retried:
                    # So that there is an answer to be had by it.
                    send(town, probe.room.owner, self._owners(probe))
                before = self._digest(probe.room)
                answer = send(town, sender, sent)
                changed = ["rows of the victim changed"] if self._digest(probe.room) != before else []
            self._swept()
        else:
            answer = send(town, sender, sent)
            changed = town.witness.changes()
        self.tally.statuses[answer.status] += 1
        self.tally.changes += bool(changed)
        found = [*changed, *self._said(probe, sender, sent, answer)]
        if unknown is not None and (answer.status, self._plain(answer, sent, probe)) != unknown:
            found.append(f"told from an id that nobody has: {answer.status} {answer.body[:300]} != {unknown}")
        if not self._refused(cell, sender, answer):
            found.append(f"not refused: {answer.status} {answer.body[:300]}")
        return found

    def _theirs_to_ask(self, probe: Probe, sender: Sender, sent: Asked) -> list[str]:
        """By somebody who may do all this, and may not learn on the way what lists keep back."""
        with self.town.store.rehearsal():
            answer = send(self.town, sender, sent)
        self._swept()
        self.tally.statuses[answer.status] += 1
        found = self._said(probe, sender, sent, answer)
        return [*found, f"an error: {answer.status} {answer.body[:300]}"] if answer.status >= 500 else found

    def _comparable(self, probe: Probe, sender: Sender) -> bool:
        """Whether what is asked for could as well be nobody's, for all that they may know."""
        at = probe.cell.at
        if not probe.cell.attacker.known:
            return False
        return at is None or at.names not in {"cursor", *theirs(sender.room, probe.room, probe.cell.operation.route)}

    def _refused(self, cell: Cell, sender: Sender, answer: Answer) -> bool:
        if answer.status in cell.attacker.answers:
            return set(answer.json) == PROBLEM and answer.headers["content-type"] == "application/problem+json"
        if not cell.attacker.known:
            return False
        if answer.status == 422:
            return answer.json["code"] in REFUSALS
        route, at = cell.operation.route, cell.at
        if at is None:
            return route in PROBES and PROBES[route].foreign == 200
        # A key is of one organisation and need not say which.
        ignored = at.names == RETRIED or (at == ORG and "lam_" in sender.headers["Authorization"])
        return ignored or (route, at.path[0]) in FILTERS

    def _of_unknown(self, probe: Probe, sender: Sender) -> tuple[int, str]:
        """Status and words when an id that nobody has is named instead."""
        sent = self._sent(probe, sender, self._victim(probe), UNKNOWN)
        key = f"{sender.headers} {sent.text}"
        if key not in self._unknown:
            with self.town.store.rehearsal():
                answer = send(self.town, sender, sent)
            self._swept()
            self._unknown[key] = answer.status, self._plain(answer, sent, probe)
        return self._unknown[key]

    def _plain(self, answer: Answer, sent: Asked, probe: Probe) -> str:
        """The answer without ids and what differs from request to request."""
        if answer.status < 300 and sent.route[0] != "GET":
            # Something new, with an id, a secret and a moment of its own.
            return " ".join(sorted(answer.json)) if answer.body else ""
        return ID.sub("<id>", re.sub(r'"request_id": ?"[^"]*"', "", answer.body).lower())

    def _said(self, probe: Probe, sender: Sender, sent: Asked, answer: Answer) -> list[str]:
        """What an answer tells of somebody else."""
        home = sender.room
        beside = home is not None and home.house == probe.room.house
        key = (probe.room.house, probe.room.project, beside)
        if key not in self._secrets:
            client, witness = probe.room.client, self.town.witness
            of_room = witness.ids(client.tenant_id, client.project_id if beside else None)
            # People are in every project of theirs.
            own = (
                witness.ids(home.client.tenant_id, home.client.project_id)
                if home is not None and beside
                else frozenset()
            )
            self._secrets[key] = of_room - own
        if home is probe.room:
            told = probe.room.kept.told(answer.body, sent.text)
            return [f"tells {sorted(told)}"] if told else []
        known = sent.text.lower().replace("-", "")
        told = {id for id in ID.findall(answer.body) if id in self._secrets[key] and id.replace("-", "") not in known}
        words = {
            word
            for word in re.findall(rf"{SECRET}\w+", answer.body)
            if probe.room.word in word and word not in sent.text
        }
        return [f"tells {sorted(told | words)}"] if told or words else []

    def _digest(self, room: Room) -> Any:
        return run(self.town.store.line.asked("SELECT witness_digest(%s)", [room.client.tenant_id]))


def report(tally: Tally, seed: int) -> str:
    """In lines."""
    statuses = ", ".join(f"{status}: {count}" for status, count in sorted(tally.statuses.items()))
    attackers = ", ".join(f"{name}: {count}" for name, count in sorted(tally.by_attacker.items()))
    lines = [
        f"{tally.probes} probes with seed {seed}: {len(tally.leaks)} leaks, {tally.changes} changes in the database",
        f"{tally.seconds:.1f} s ({tally.probes / max(tally.seconds, 1e-9):.0f}/s)",
        f"{len(tally.cells)} of {len(cells())} cells (attacker, route, place of an id)",
        f"{tally.controls} requests that their owner sent too, {len(tally.unfit)} of which failed",
    ]
    return "\n".join([*lines, statuses, attackers, *tally.unfit[:20], *tally.leaks[:30]])
