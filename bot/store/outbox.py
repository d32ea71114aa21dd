"""The outbox: outward writes that are due, written in the transaction of what they tell about.

Whoever wins a conditional UPDATE has a write to itself, for a lease; each claim has an owner of its own. `lease_until`
stays on a row when the claim is over: it tells when the last attempt was, which keeps the pace of all processes.
"""

import json
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlmodel import Session

from bot.domain.delivery import Kind, Pace, Queued, State, Timing, team_and_week
from bot.store.tables import Meta, OutboxRow, table

OFF = "slack_off"
ROWS = table(OutboxRow)
ROW = ROWS.c
KNOWN = [str(kind) for kind in Kind]


@dataclass(frozen=True, slots=True)
class Claim:
    """A write that is this owner's alone while its lease lasts. `attempts` are those before this one."""

    key: str
    kind: Kind
    target: str
    payload: dict[str, Any]
    owner: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of a write."""

    key: str
    kind: Kind
    target: str
    state: State
    due: datetime
    not_before: datetime
    remote_id: str | None
    reason: str | None


def put(session: Session, key: str, kind: str, target: str, payload: str, now: datetime) -> None:
    """Queue one outward write. The key is unique: the same thing is never said twice."""
    session.add(
        OutboxRow(key=key, kind=kind, target=target, payload=payload, state="due", created_at=now, not_before=now)
    )


def put_once(session: Session, key: str, kind: Kind, target: str, payload: dict[str, Any], now: datetime) -> None:
    """Queue it, unless it was queued before."""
    if session.get(OutboxRow, key) is None:
        put(session, key, kind, target, json.dumps(payload), now)


def stirring(session: Session, now: datetime) -> bool:
    """Whether anything can be claimed, or was left behind. Cheap: asked at every tick."""
    left = and_(ROW.state == State.POSTING, ROW.lease_until <= now)
    return session.execute(select(ROW.key).where(_known(), or_(_claimable(now), left)).limit(1)).first() is not None


def claim(
    session: Session, me: str, now: datetime, timing: Timing, pace: Pace, only: str | None = None
) -> Claim | None:
    """Take the write that has waited longest, or only this one; None if there is none, or the pace forbids it."""
    if installation_off(session) is not None or _begun(session, now, timing) >= pace.a_minute:
        return None
    busy = select(ROW.target).where(_began_within(pace.channel, now, timing))
    chosen = [_known(), _claimable(now), ROW.target.not_in(busy), *([ROW.key == only] if only else [])]
    found = session.execute(
        select(ROW.key, ROW.kind, ROW.target, ROW.payload, ROW.attempts)
        .where(*chosen)
        .order_by(ROW.not_before, ROW.key)
        .limit(1)
    ).first()
    if found is None:
        return None
    owner = f"{me}/{secrets.token_hex(4)}"
    values = {"state": State.CLAIMED, "owner": owner, "lease_until": now + timing.lease}
    if not _change(session, found.key, (_claimable(now),), **values):
        return None
    return Claim(found.key, Kind(found.kind), found.target, json.loads(found.payload), owner, found.attempts)


def posting(session: Session, claim: Claim, now: datetime, timing: Timing) -> bool:
    """Commit this immediately before the request. False: the claim is lost or too old, so there must be no request."""
    enough = ROW.lease_until > now + timing.request + timing.spare
    return _change(
        session, claim.key, (*_mine(claim, State.CLAIMED), enough), state=State.POSTING, attempts=claim.attempts + 1
    )


def sent(session: Session, claim: Claim, remote_id: str) -> bool:
    """It is there; also if the answer came after the lease. False: somebody else has taken the write over."""
    mine = _mine(claim, State.POSTING, State.UNKNOWN)
    return _change(session, claim.key, mine, state=State.SENT, remote_id=remote_id, last_error=None)


def again(
    session: Session, claim: Claim, not_before: datetime, reason: str, payload: dict[str, Any] | None = None
) -> bool:
    """It is not there, and due again; with another payload if one is given."""
    new = {} if payload is None else {"payload": json.dumps(payload)}
    values = {"state": State.DUE, "owner": None, "not_before": not_before, "last_error": reason, **new}
    return _change(session, claim.key, _mine(claim, State.POSTING), **values)


def failed(session: Session, claim: Claim, reason: str) -> bool:
    return _change(session, claim.key, _mine(claim, State.POSTING), state=State.FAILED, last_error=reason)


def uncertain(session: Session, claim: Claim, reason: str) -> bool:
    """Remember why nobody can say; the state waits for the lease to end."""
    return _change(session, claim.key, _mine(claim, State.POSTING), last_error=reason)


def left_open(session: Session, now: datetime) -> list[Record]:
    """Writes whose request began and whose lease ended: nobody has said what became of them."""
    return _records(session, ROW.state == State.POSTING, ROW.lease_until <= now)


def unknown(session: Session, key: str, now: datetime) -> bool:
    """Its owner stays: an answer that still comes may settle it."""
    left = (ROW.state == State.POSTING, ROW.lease_until <= now)
    return _change(session, key, left, state=State.UNKNOWN)


def take_back(session: Session, key: str, now: datetime, not_before: datetime) -> bool:
    """Let a write that may be repeated be tried again."""
    left = (ROW.state == State.POSTING, ROW.lease_until <= now)
    return _change(session, key, left, state=State.DUE, owner=None, not_before=not_before)


def waiting_digests(session: Session, now: datetime) -> list[Queued]:
    """Digests that can be claimed, before any pace."""
    rows = session.execute(select(ROW.key, ROW.created_at).where(ROW.kind == Kind.DIGEST, _claimable(now)))
    return [Queued(key, due) for key, due in rows]


def newest_digests(session: Session, since: datetime, now: datetime) -> dict[str, datetime]:
    """When the last digest of each team was due, of those due between these times."""
    rows = session.execute(
        select(ROW.key, ROW.created_at)
        .where(ROW.kind == Kind.DIGEST, ROW.created_at >= since, ROW.created_at <= now)
        .order_by(ROW.created_at)
    )
    return {team_and_week(key)[0]: due for key, due in rows}


def skipped(session: Session, key: str, now: datetime, reason: str) -> bool:
    return _change(session, key, (_claimable(now),), state=State.SKIPPED, owner=None, last_error=reason)


def asked_for(session: Session, key: str, target: str, now: datetime) -> bool:
    """A person wants a write that certainly was not sent; it goes where the team's digests go now."""
    over = (ROW.state.in_([State.FAILED, State.SKIPPED]),)
    values = {"state": State.DUE, "owner": None, "target": target, "not_before": now, "attempts": 0}
    return _change(session, key, over, **values)


def record(session: Session, key: str) -> Record | None:
    return next(iter(_records(session, ROW.key == key)), None)


def of_states(session: Session, states: Collection[State]) -> list[Record]:
    """All writes in these states, oldest first."""
    return _records(session, ROW.state.in_(list(states)))


def installation_off(session: Session) -> str | None:
    """Why nothing is sent, if the token was refused."""
    row = session.get(Meta, OFF)
    return row.value if row else None


def switch_off(session: Session, reason: str) -> None:
    session.merge(Meta(name=OFF, value=reason))


def switch_on(session: Session) -> None:
    if row := session.get(Meta, OFF):
        session.delete(row)


def _claimable(now: datetime) -> ColumnElement[bool]:
    """Due; or claimed by somebody whose lease ended before the request began."""
    due = and_(ROW.state == State.DUE, ROW.not_before <= now)
    return or_(due, and_(ROW.state == State.CLAIMED, ROW.lease_until <= now))


def _known() -> ColumnElement[bool]:
    return ROW.kind.in_(KNOWN)


def _begun(session: Session, now: datetime, timing: Timing) -> int:
    """How many attempts the last minute saw."""
    last_minute = _began_within(timedelta(minutes=1), now, timing)
    return int(session.execute(select(func.count()).select_from(ROWS).where(last_minute)).scalar_one())


def _began_within(ago: timedelta, now: datetime, timing: Timing) -> ColumnElement[bool]:
    """Bounded on both sides: a clock that was set back must not stop everything until it has caught up."""
    return and_(ROW.lease_until > now + timing.lease - ago, ROW.lease_until < now + timing.lease + ago)


def _mine(claim: Claim, *states: State) -> tuple[ColumnElement[bool], ...]:
    return ROW.owner == claim.owner, ROW.state.in_(list(states))


def _change(session: Session, key: str, conditions: tuple[ColumnElement[bool], ...], **values: Any) -> bool:
    """The one conditional UPDATE that decides who wins."""
    return session.connection().execute(update(ROWS).where(ROW.key == key, *conditions).values(values)).rowcount == 1


def _records(session: Session, *conditions: ColumnElement[bool]) -> list[Record]:
    columns = (ROW.key, ROW.kind, ROW.target, ROW.state, ROW.created_at, ROW.not_before, ROW.remote_id, ROW.last_error)
    rows = session.execute(select(*columns).where(_known(), *conditions).order_by(ROW.created_at, ROW.key))
    return [Record(key, Kind(kind), target, State(state), *rest) for key, kind, target, state, *rest in rows]
