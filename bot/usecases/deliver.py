"""Delivering what the outbox owes: claim, `posting`, one request, mark. Each step is a transaction of its own.

Killed between any two of them, a digest is either tried again (the request had not begun) or becomes `unknown` and a
person is told. Safe to call at any time, as often as you like, from any number of processes.
"""

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from sqlalchemy import Engine
from sqlmodel import Session

from bot.domain import notes
from bot.domain.delivery import (
    Again,
    Answer,
    Attempt,
    Done,
    GiveUp,
    Kind,
    LeaveOpen,
    Pace,
    Revoked,
    Sent,
    State,
    Step,
    StopAll,
    Timing,
    back_off,
    next_step,
    note_key,
    opaque,
    outdated,
    team_and_week,
)
from bot.domain.ports import Messenger
from bot.domain.team import Team
from bot.domain.weeks import Week
from bot.render import mrkdwn
from bot.store import outbox
from bot.store.db import reading, transaction
from bot.store.errors import StoreError
from bot.store.outbox import Claim, Record

log = structlog.get_logger(__name__)

OwnerOf = Callable[[str], str | None]
MARKING_AGAIN_S = (0.5, 1.0, 2.0, 4.0)


@dataclass(frozen=True, slots=True)
class Worker:
    """Who delivers, and how: `me` is the process's name for itself, `going` turns false when it is to stop."""

    me: str
    clock: Callable[[], datetime]
    timing: Timing = field(default_factory=Timing)
    pace: Pace = field(default_factory=Pace)
    jitter: Callable[[], float] = random.random
    pause: Callable[[float], None] = time.sleep
    going: Callable[[], bool] = lambda: True


@dataclass(frozen=True, slots=True)
class Delivered:
    """How many writes went which way; `again` waits for another try, `unknown` and `failed` for a person."""

    sent: int = 0
    again: int = 0
    failed: int = 0
    unknown: int = 0
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class Problem:
    """Something a person should know about the deliveries; `sentence` says what happened and what to do."""

    key: str
    state: State | None
    sentence: str


def deliver_due(
    engine: Engine, messenger: Messenger, owner_of: OwnerOf, me: str, clock: Callable[[], datetime]
) -> Delivered:
    """Work off everything that is due now, as far as the pace allows."""
    return work_off(engine, messenger, owner_of, Worker(me, clock))


def work_off(engine: Engine, messenger: Messenger, owner_of: OwnerOf, worker: Worker) -> Delivered:
    """`deliver_due`, by a worker with times of its own."""
    with reading(engine) as session:
        if not outbox.stirring(session, worker.clock()):
            return Delivered()
    counts = _tidy(engine, owner_of, worker)
    while worker.going() and (claim := _claim(engine, worker)):
        counts[_attempt(engine, messenger, owner_of, worker, claim)] += 1
    return Delivered(**{name: counts[name] for name in Delivered.__slots__})


def _tidy(engine: Engine, owner_of: OwnerOf, worker: Worker) -> Counter[str]:
    """Settle what was left behind: digests nobody can say anything of, and digests that come too late."""
    counts: Counter[str] = Counter()
    now = worker.clock()
    with transaction(engine) as session:
        for left in outbox.left_open(session, now):
            if left.kind is not Kind.DIGEST:
                outbox.take_back(session, left.key, now, now + back_off(1, worker.jitter()))
            elif outbox.unknown(session, left.key, now):
                _tell(session, owner_of, left.key, State.UNKNOWN, left.target, left.reason, now)
                counts["unknown"] += 1
        waiting = outbox.waiting_digests(session, now)
        if waiting:
            newest = outbox.newest_digests(session, min(one.due for one in waiting), now)
            for key, reason in outdated(waiting, newest, now).items():
                counts["skipped"] += outbox.skipped(session, key, now, reason)
    return counts


def _claim(engine: Engine, worker: Worker, only: str | None = None) -> Claim | None:
    with transaction(engine) as session:
        return outbox.claim(session, worker.me, worker.clock(), worker.timing, worker.pace, only)


def _attempt(engine: Engine, messenger: Messenger, owner_of: OwnerOf, worker: Worker, claim: Claim) -> str:
    """One request and what follows from it. Returns the count it belongs to."""
    with transaction(engine) as session:
        if not outbox.posting(session, claim, worker.clock(), worker.timing):
            return "lost"  # this process was stopped for so long that the write is somebody else's by now
    answer = _send(messenger, claim)
    attempt = Attempt(claim.kind, claim.attempts + 1, plain=not claim.payload.get("blocks"))
    now = worker.clock()
    step = next_step(answer, attempt, now, worker.jitter())
    outcome = _marked(worker, lambda: _mark(engine, owner_of, claim, step, now))
    team, week = team_and_week(claim.key)
    say = log.info if isinstance(answer, Sent) else log.warning
    error = None if isinstance(answer, Sent) else answer.reason.split(" ")[0]
    say(f"{claim.kind}: {outcome}", team=team, week=week, attempt=attempt.number, error=error)
    return outcome


def _send(messenger: Messenger, claim: Claim) -> Answer:
    match claim.kind:
        case Kind.DIGEST:
            text, blocks = claim.payload["text"], claim.payload.get("blocks")
            return messenger.post(claim.target, text, blocks, opaque(claim.key))
        case Kind.NOTE:
            return messenger.whisper(claim.target, claim.payload["text"])
        case Kind.DELETE:
            return messenger.delete(claim.target, claim.payload["remote_id"])


def _marked(worker: Worker, mark: Callable[[], str]) -> str:
    """Only this process knows what became of the request: a database that is away for a moment must not lose that."""
    for seconds in MARKING_AGAIN_S:
        try:
            return mark()
        except StoreError:
            worker.pause(seconds)
    return mark()


def _mark(engine: Engine, owner_of: OwnerOf, claim: Claim, step: Step, now: datetime) -> str:
    with transaction(engine) as session:
        match step:
            case Done(remote_id):
                if outbox.sent(session, claim, remote_id):
                    return "sent"
                return _withdraw(session, claim, remote_id, now)
            case Again(not_before, reason, as_text):
                payload = {**claim.payload, "blocks": None} if as_text else None
                outbox.again(session, claim, not_before, reason, payload)
                return "again"
            case GiveUp(reason):
                if outbox.failed(session, claim, reason) and claim.kind is Kind.DIGEST:
                    _tell(session, owner_of, claim.key, State.FAILED, claim.target, reason, now)
                return "failed"
            case LeaveOpen(reason):
                outbox.uncertain(session, claim, reason)
                return "open"
            case StopAll(reason):
                outbox.switch_off(session, reason)
                outbox.again(session, claim, now, reason)
                return "again"


def _withdraw(session: Session, claim: Claim, remote_id: str, now: datetime) -> str:
    """Somebody else has taken the digest over while this process stood still: its own copy must not stay."""
    found = outbox.record(session, claim.key)
    if claim.kind is Kind.DIGEST and (found is None or found.remote_id != remote_id):
        key = f"delete/{claim.key}/{remote_id}"
        outbox.put_once(session, key, Kind.DELETE, claim.target, {"remote_id": remote_id}, now)
    return "withdrawn"


def _tell(
    session: Session, owner_of: OwnerOf, key: str, about: State, target: str, reason: str | None, now: datetime
) -> None:
    """Queue a private note for the team's owner, once; a team without one has `leverage doctor`."""
    if owner := owner_of(team_and_week(key)[0]):
        text = mrkdwn(notes.say(key, about, target, reason)).replace(f"({target})", f"(<#{target}>)")
        outbox.put_once(session, note_key(key, about), Kind.NOTE, owner, {"text": text}, now)


def post_now(engine: Engine, messenger: Messenger, team: Team, week: Week, worker: Worker) -> Record | None:
    """What became of a frozen digest that a person wants posted now; None: that week has no message.

    One that failed or was skipped is tried again. One of which nobody knows whether it is there is not.
    """
    key = f"digest/{team.name}/{week}"
    with transaction(engine) as session:
        outbox.asked_for(session, key, team.slack_channel, worker.clock())
    claim = _claim(engine, worker, key)
    while claim:
        _attempt(engine, messenger, lambda _: team.owner, worker, claim)
        worker.pause(worker.pace.channel.total_seconds())
        claim = _claim(engine, worker, key)  # the plain text, if Slack did not take the blocks
    with reading(engine) as session:
        return outbox.record(session, key)


def token_checked(engine: Engine, answer: Answer) -> None:
    """Take note of what a harmless call with the token said: deliveries stop, or go on."""
    with transaction(engine) as session:
        if isinstance(answer, Revoked):
            outbox.switch_off(session, answer.reason)
        elif isinstance(answer, Sent):
            outbox.switch_on(session)


def problems(engine: Engine) -> list[Problem]:
    """What a person should look at, oldest first. A team's later digest in the channel settles what was before it."""
    with reading(engine) as session:
        off = outbox.installation_off(session)
        troubled = outbox.of_states(session, (State.UNKNOWN, State.FAILED, State.SKIPPED))
        arrived = {
            team_and_week(one.key)[0]: one.due
            for one in outbox.of_states(session, (State.SENT,))
            if one.kind is Kind.DIGEST
        }
    found = [] if off is None else [Problem(outbox.OFF, None, notes.OFF.format(reason=off))]
    for one in troubled:
        later = arrived.get(team_and_week(one.key)[0])
        if one.kind is Kind.DELETE or later is None or later < one.due:
            sentence = notes.problem(one.kind, one.key, one.state, one.target, one.reason)
            found.append(Problem(one.key, one.state, sentence))
    return found
