"""Why somebody can or cannot read a document, in words."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.domain.access import EVERYONE, AccessList, Lists, Standing
from shared.domain.members import Member
from shared.domain.tenants import Permission


class Question(StrEnum):
    """What has to be so, in the order it is asked."""

    MEMBERSHIP = "membership"
    ACCOUNT = "account"
    PERMISSION = "permission"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class Answer:
    """One question and how it came out."""

    question: Question
    passed: bool
    words: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether somebody may read a document, with the answers that led to it; the last decides."""

    allowed: bool
    answers: tuple[Answer, ...]
    hint: str
    """What would change it; '' when nothing has to."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is known of a user and a document."""

    member: Member | None
    permissions: frozenset[Permission]
    """Held in the document's project."""
    names: frozenset[str]
    """By which lists admit them there."""
    lists: Lists


def verdict(asked: Asked, now: datetime) -> Verdict:
    """The first question that is not passed decides; who passes all may read."""
    answers: list[Answer] = []
    for answer, hint in _asked(asked, now):
        answers.append(answer)
        if not answer.passed:
            return Verdict(False, tuple(answers), hint)
    return Verdict(True, tuple(answers), "")


def _asked(asked: Asked, now: datetime) -> Iterable[tuple[Answer, str]]:
    member = asked.member
    if member is None:
        words = "the user is no member of this organisation"
        yield Answer(Question.MEMBERSHIP, False, words), "invite them"
        return
    if member.membership.suspended_at is not None:
        words = f"the membership has been suspended since {_moment(member.membership.suspended_at)}"
        yield Answer(Question.MEMBERSHIP, False, words), "lift the suspension"
        return
    yield Answer(Question.MEMBERSHIP, True, "the user is a member of this organisation"), ""
    if member.user.disabled_at is not None:
        words = f"the user's account has been disabled since {_moment(member.user.disabled_at)}"
        yield Answer(Question.ACCOUNT, False, words), "only whoever runs this deployment can enable it"
        return
    held = Permission.DOCUMENTS_READ in asked.permissions
    words = f"the user's roles in this project {'hold' if held else 'do not hold'} {Permission.DOCUMENTS_READ}"
    yield Answer(Question.PERMISSION, held, words), "give them a role here that holds it, viewer for example"
    yield _listed(asked, now)


def _listed(asked: Asked, now: datetime) -> tuple[Answer, str]:
    access = asked.lists.decisive
    if access is None:
        words = "neither the document nor its collection has a list, so everyone of the project may read"
        return Answer(Question.LIST, True, words), ""
    own = asked.lists.own is not None
    whose = "the document's own list" if own else "the list of its collection, as the document has none of its own,"
    said, hint = _standing(access, now)
    if said:
        return Answer(Question.LIST, False, f"{whose} {said}"), hint
    found = sorted({EVERYONE, *asked.names} & {reader.name for reader in access.readers})
    if found:
        return Answer(Question.LIST, True, f"{whose} admits {', '.join(found)}"), ""
    words = f"{whose} names {len(access.readers)} readers, and the user is none of them" if access.readers else ""
    hint = "add the user, a unit they belong to, or a role they have"
    return Answer(Question.LIST, False, words or f"{whose} admits nobody"), hint


def _standing(access: AccessList, now: datetime) -> tuple[str, str]:
    standing = access.standing(now)
    if standing is Standing.UNKNOWN:
        return f"is not known and admits nobody: {access.problem}", "mend that, or set the list by hand"
    if standing is Standing.STALE and access.fresh_until is not None:
        words = f"was good until {_moment(access.fresh_until)} and has not been said again, so it admits nobody"
        return words, "let its connector run, or set the list again"
    return "", ""


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
