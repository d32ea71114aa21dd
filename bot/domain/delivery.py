"""Outward writes: what may have become of one, and what is done next. Clients try once; only the outbox tries again.

The danger is not a lost answer but a second message: when nobody can say whether a digest arrived, it is not repeated.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=1)
ATTEMPTS = 8
LATEST = timedelta(hours=72)


@dataclass(frozen=True, slots=True)
class Sent:
    """It is there; `remote_id` is the other side's name for it."""

    remote_id: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """It certainly is not there: try again, not before `wait` if the other side said so.

    `outage` means that nobody looked at it (no connection, 429): that uses up no attempt.
    """

    reason: str
    wait: timedelta | None = None
    outage: bool = False


@dataclass(frozen=True, slots=True)
class Uncertain:
    """Nobody can say (time-out, lost answer, 5xx): never repeated by itself."""

    reason: str


@dataclass(frozen=True, slots=True)
class BadMessage:
    """The other side does not take this form of it (`invalid_blocks`, `msg_too_long`): the plain text, once."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The target does not take it until a person changes something (archived, not a member, a scope is missing)."""

    reason: str


@dataclass(frozen=True, slots=True)
class Revoked:
    """Our key is not taken any more: no further calls with it."""

    reason: str


Answer = Sent | NotSent | Uncertain | BadMessage | Refused | Revoked


class State(StrEnum):
    """Of an outward write. Nothing leaves UNKNOWN, FAILED or SKIPPED for DUE unless a person asks for it."""

    DUE = "due"
    CLAIMED = "claimed"
    POSTING = "posting"
    SENT = "sent"
    UNKNOWN = "unknown"
    FAILED = "failed"
    SKIPPED = "skipped"


class Kind(StrEnum):
    """What the outbox carries. A second digest does harm; a second note does less than none, a second delete none."""

    DIGEST = "digest"
    NOTE = "note"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Timing:
    """How long a claim holds, and what must be left of it when the request starts: `request` is the longest a call of
    the messenger may take (it may look before it writes: twice its time-out)."""

    lease: timedelta = timedelta(seconds=120)
    request: timedelta = timedelta(seconds=20)
    spare: timedelta = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Pace:
    """Never faster than this, all processes together."""

    channel: timedelta = timedelta(seconds=1)
    a_minute: int = 20


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try: the how-manieth it was, and whether it had only its plain text to say."""

    kind: Kind
    number: int
    plain: bool


@dataclass(frozen=True, slots=True)
class Done:
    """It is there."""

    remote_id: str


@dataclass(frozen=True, slots=True)
class Again:
    """Due again from this moment on; `as_text` without its blocks."""

    not_before: datetime
    reason: str
    as_text: bool = False


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Not sent, and not tried again: a person is told."""

    reason: str


@dataclass(frozen=True, slots=True)
class LeaveOpen:
    """Stays as it is until its lease ends; then it is unknown, and a person is told."""

    reason: str


@dataclass(frozen=True, slots=True)
class StopAll:
    """Due again once the installation is on again; until then nothing is sent."""

    reason: str


Step = Done | Again | GiveUp | LeaveOpen | StopAll


def next_step(answer: Answer, attempt: Attempt, now: datetime, jitter: float) -> Step:
    """What follows from an answer. `jitter` is a number in [0, 1) that spreads those who wait."""
    match answer:
        case Sent(remote_id):
            return Done(remote_id)
        case Uncertain(reason) if attempt.kind is Kind.DIGEST:
            return LeaveOpen(reason)
        case NotSent(reason) | Uncertain(reason):
            return _again(answer, reason, attempt, now, jitter)
        case BadMessage(reason):
            return GiveUp(reason) if attempt.plain else Again(now, reason, as_text=True)
        case Refused(reason):
            return GiveUp(reason)
        case Revoked(reason):
            return StopAll(reason)


def _again(answer: NotSent | Uncertain, reason: str, attempt: Attempt, now: datetime, jitter: float) -> Again | GiveUp:
    told = answer if isinstance(answer, NotSent) else NotSent(reason)
    if attempt.number >= ATTEMPTS and not told.outage:
        return GiveUp(reason)
    wait = min(told.wait, LATEST) if told.wait else back_off(attempt.number, jitter)
    return Again(now + wait, reason)


def back_off(number: int, jitter: float) -> timedelta:
    """The wait after this attempt, the first being 1: doubled each time, and up to a quarter less by chance."""
    doublings: int = 1 << min(number - 1, ATTEMPTS)
    return min(LONGEST_WAIT, FIRST_WAIT * doublings) * (1 - jitter / 4)


@dataclass(frozen=True, slots=True)
class Queued:
    """A digest that waits, and since when it is due."""

    key: str
    due: datetime


NEWER = "a newer digest is due"
TOO_LATE = f"more than {LATEST // timedelta(hours=1)} hours late"


def outdated(waiting: Iterable[Queued], newest: Mapping[str, datetime], now: datetime) -> dict[str, str]:
    """Which waiting digests are not worth posting any more, and why. `newest` is each team's last due time up to now:
    after a long silence a team gets one digest, not all that it missed."""
    late: dict[str, str] = {}
    for one in waiting:
        team, _ = team_and_week(one.key)
        if newest.get(team, one.due) > one.due:
            late[one.key] = NEWER
        elif now - one.due > LATEST:
            late[one.key] = TOO_LATE
    return late


def team_and_week(key: str) -> tuple[str, str]:
    """Whose digest a key is about, and of which week; also of a note's key. A team's name may hold any sign."""
    digest = key.removeprefix("note/").removeprefix("digest/")
    team, _, week = (digest.rpartition("/")[0] if key.startswith("note/") else digest).rpartition("/")
    return team, week


def note_key(digest: str, about: State) -> str:
    """A person is told of each thing once."""
    return f"note/{digest}/{about}"


def opaque(key: str) -> str:
    """The key as everybody in the workspace may read it."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]
