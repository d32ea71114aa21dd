"""Joining, switching and leaving. Only the person does this, for the own account; nobody can do it for another."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import Engine
from sqlmodel import Session

from bot.domain.handles import HandleKind, keyed_hash
from bot.domain.me import Comments, Switches
from bot.domain.weeks import EPOCH_WEEKS, Week, epoch_start
from bot.store import people
from bot.store.db import transaction
from bot.store.people import Joined, Known

TEXT_VERSION = 2
WEEKS_BACK = 4


class Scope(StrEnum):
    """What a person can switch on. `team` and the comment modes need `collect`."""

    COLLECT = "collect"
    TEAM = "team"
    PR_BAND = "pr_band"
    PR_EXACT = "pr_exact"


COMMENT_SCOPES = (Scope.PR_BAND, Scope.PR_EXACT)


class AlreadyTaken(Exception):
    """One of the handles belongs to somebody who has joined already."""


class NotJoined(Exception):
    """`team` needs `collect`: whoever has not joined, or has left, counts in no team."""


@dataclass(frozen=True, slots=True)
class Handles:
    """A person's own accounts: GitHub node id, Slack user id, the verified e-mail. Kept as keyed hashes only."""

    github: str
    slack: str
    email: str

    def hashed(self, secret: bytes) -> dict[str, HandleKind]:
        named = ((HandleKind.GITHUB, self.github), (HandleKind.SLACK, self.slack), (HandleKind.EMAIL, self.email))
        return {keyed_hash(secret, kind, name): kind for kind, name in named}


def switches(session: Session, secret: bytes, slack: str) -> Switches | None:
    """What the person behind this Slack account has switched on; None if they have not joined."""
    found = people.behind(session, keyed_hash(secret, HandleKind.SLACK, slack))
    if found is None:
        return None
    person, joined_at, collect_from, team_from = found
    return Switches(person, joined_at, collect_from, team_from, _comments(people.granted(session, person)))


def _comments(switched: Mapping[str, bool]) -> Comments:
    """The mode that is on; of two the one that tells less."""
    shown = (mode for mode in (Comments.BAND, Comments.AMOUNT) if switched.get(mode))
    return next(shown, Comments.NOTHING)


def join(
    engine: Engine,
    secret: bytes,
    handles: Handles,
    zone: ZoneInfo,
    now: datetime,
    *,
    team: bool,
    proved: bool,
    comments: Comments = Comments.NOTHING,
) -> str:
    """Let somebody in with `collect`, and with what else they wish. Returns the new person key. Raises AlreadyTaken.

    Their spend counts from the start of the fourth complete week before this one, never from before an earlier
    withdrawal; in their team they count from next Monday, or after an earlier withdrawal from the next epoch.
    """
    hashes = handles.hashed(secret)
    with transaction(engine) as session:
        known = people.owners(session, hashes)
        if any(owner.person for owner in known.values()):
            raise AlreadyTaken("One of these accounts has joined already.")
        person, returned = secrets.token_urlsafe(16), bool(known)
        team_from = _team_from(now, zone, again=returned) if team else None
        joined = Joined(person, _collect_from(known, zone, now), team_from, returned, now)
        people.add(session, joined, hashes, proved=proved)
        scopes = [Scope.COLLECT, *([Scope.TEAM] if team else []), *_scopes(comments)]
        people.log_consent(session, person, scopes, granted=True, text_version=TEXT_VERSION, now=now)
    return person


def switch_team(engine: Engine, person: str, zone: ZoneInfo, now: datetime, *, on: bool) -> None:
    """Count in the team from next Monday (again: from the next epoch), or stop counting at once. Raises NotJoined."""
    with transaction(engine) as session:
        joined = people.joined(session, [person]).get(person)
        if joined is None:
            raise NotJoined("Only who has joined can count in a team.")
        switched = people.granted(session, person)
        if switched.get(Scope.TEAM, False) == on:
            return
        if on:
            again = joined.returned or Scope.TEAM in switched
            people.count_from(session, [person], _team_from(now, zone, again=again))
        else:
            people.stop_counting(session, person)
        people.log_consent(session, person, [Scope.TEAM], granted=on, text_version=TEXT_VERSION, now=now)


def switch_comments(engine: Engine, person: str, comments: Comments, now: datetime) -> None:
    """Choose what comments on the person's pull requests show of the own cost. Raises NotJoined."""
    with transaction(engine) as session:
        if person not in people.joined(session, [person]):
            raise NotJoined("Only who has joined can show a cost.")
        switched = people.granted(session, person)
        wanted = _scopes(comments)
        on = [scope for scope in wanted if not switched.get(scope)]
        off = [scope for scope in COMMENT_SCOPES if scope not in wanted and switched.get(scope)]
        people.log_consent(session, person, off, granted=False, text_version=TEXT_VERSION, now=now)
        people.log_consent(session, person, on, granted=True, text_version=TEXT_VERSION, now=now)


def _scopes(comments: Comments) -> list[Scope]:
    return [scope for scope in COMMENT_SCOPES if scope.value == comments.value]


def leave(engine: Engine, person: str, now: datetime) -> None:
    """Withdraw everything: what is kept of the person is erased in this one transaction, and cannot be pulled again."""
    with transaction(engine) as session:
        _withdraw(session, person, people.granted(session, person), now)


def _withdraw(session: Session, person: str, switched: Mapping[str, bool], now: datetime) -> None:
    on = [scope for scope, granted in switched.items() if granted]
    people.log_consent(session, person, on, granted=False, text_version=TEXT_VERSION, now=now)
    people.forget(session, person, now.astimezone(UTC).date() + timedelta(days=1))


def _collect_from(known: Mapping[str, Known], zone: ZoneInfo, now: datetime) -> date:
    first = Week.of(now, zone).plus(-WEEKS_BACK).days(zone)[0]
    return max([first, *(owner.since for owner in known.values())])


def _team_from(now: datetime, zone: ZoneInfo, *, again: bool) -> date:
    week = Week.of(now, zone)
    return epoch_start(week).plus(EPOCH_WEEKS).monday if again else week.next().monday
