"""Keeping one comment of ours on each pull request that speaks: claim, look, decide, write, settle.

No transaction is open during a request. Killed between any two steps, the claim runs out and somebody looks again;
every look begins with a list of what is there, so an answer that was lost never makes a second comment.
"""

import hashlib
import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import Engine
from sqlmodel import Session

from bot.domain.comment import (
    Again,
    CommentState,
    Create,
    Ended,
    GiveUp,
    Keep,
    Posted,
    Result,
    Step,
    after,
    again,
    plan,
    speaks,
)
from bot.domain.delivery import Answer
from bot.domain.metrics.included import responsible
from bot.domain.model import PullRequest
from bot.domain.ports import Commenter, PullSource, SourceError
from bot.domain.privacy.gate import Rule
from bot.domain.team import Team
from bot.domain.weeks import Week, epoch_start
from bot.render_comment import comment_body
from bot.store import comments, pulls, units
from bot.store.comments import Claim
from bot.store.db import reading, transaction
from bot.usecases.reference_card import ensure, reference

LEASE = timedelta(seconds=120)
MOST_WRITES = 3
"""A round, so that a tick every half minute stays below GitHub's 400 comments an hour."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Commenting:
    """What is needed besides the database. `going` turns false when the process is to stop."""

    teams: tuple[Team, ...]
    rule: Rule
    method_url: str
    source: PullSource
    commenter: Commenter
    clock: Callable[[], datetime]
    going: Callable[[], bool] = lambda: True


@dataclass(frozen=True, slots=True)
class Commented:
    """How many pull requests went which way, and how many writes that took."""

    posted: int = 0
    silent: int = 0
    again: int = 0
    writes: int = 0


def work_comments(engine: Engine, commenting: Commenting) -> Commented:
    """Look at the pull requests that are due. Safe to call at any time, from any number of processes."""
    counts: Counter[str] = Counter()
    while commenting.going() and counts["writes"] < MOST_WRITES and (claim := _claim(engine, commenting.clock())):
        visit = _Visit(engine, commenting, claim)
        counts[visit.run()] += 1
        counts["writes"] += visit.writes
    return Commented(counts["posted"], counts["silent"], counts["again"], counts["writes"])


def _claim(engine: Engine, now: datetime) -> Claim | None:
    with reading(engine) as session:
        if not comments.any_due(session, now):
            return None
    with transaction(engine) as session:
        return comments.claim(session, secrets.token_hex(8), now, LEASE)


class _Visit:
    """A look at one claimed pull request; `writes` counts what was sent to GitHub."""

    def __init__(self, engine: Engine, commenting: Commenting, claim: Claim) -> None:
        self.writes = 0
        self._engine = engine
        self._with = commenting
        self._claim = claim

    def run(self) -> str:
        """Do it, and say in one word how it went."""
        try:
            body = self._look()
            result = self._put(body) if body else Ended(None)
        except SourceError as error:
            result = self._failed(error)
        return self._close(result, body_hash=_hash(body) if isinstance(result, Posted) and body else None)

    def _look(self) -> str | None:
        """What the comment is to say, from public facts and frozen cards; None if there is nothing to say."""
        seen = self._with.source.pull_request(self._claim.repository, self._claim.number)
        if seen is None:
            return None
        pull, now = seen.pull, self._with.clock()
        with transaction(self._engine) as session:
            pulls.save(session, [pull])
            team = self._team_of(session, pull, now) if seen.private and speaks(pull) else None
            if team is None:
                return None
            ensure(session, team, self._with.rule, now)
            found = reference(session, team, pull, now)
        return comment_body(found, self._with.method_url) if found else None

    def _team_of(self, session: Session, pull: PullRequest, now: datetime) -> Team | None:
        """The team of the human who answers for it; for most bots nobody does."""
        human = responsible(pull)
        for team in self._with.teams if human else ():
            roster = units.roster(session, team.name, epoch_start(Week.of(now, team.zone)))
            if human and human.id in {member.id for member in roster}:
                return team
        return None

    def _put(self, body: str) -> Result | None:
        """Make it so. None if the claim ran out meanwhile."""
        claim, commenter = self._claim, self._with.commenter
        step: Step = plan(claim.comment_id, commenter.comments(claim.repository, claim.number), body)
        match step:
            case Create():
                return self._write(lambda: commenter.create(claim.repository, claim.number, body))
            case Keep():
                return self._tidied(step) or self._kept(step, body)
            case GiveUp():
                return Ended(CommentState.GONE)

    def _tidied(self, step: Keep) -> Result | None:
        """Delete further copies of ours; what went wrong, if anything."""
        for one in step.extra:
            result = self._write(partial(self._with.commenter.delete, self._claim.repository, one))
            if not isinstance(result, Posted):
                return result
        return None

    def _kept(self, step: Keep, body: str) -> Result | None:
        if not step.rewrite:
            return Posted(step.id)
        return self._write(lambda: self._with.commenter.update(self._claim.repository, step.id, body))

    def _write(self, send: Callable[[], Answer]) -> Result | None:
        """One request that changes something, while the claim is ours and for longer than it can take."""
        with transaction(self._engine) as session:
            if not comments.hold(session, self._claim, self._with.clock(), LEASE):
                return None
        self.writes += 1
        result = after(send(), self._claim.attempts, self._with.clock())
        if not isinstance(result, Posted) and result.reason:
            log.warning("a comment was not written", error=result.reason, attempt=self._claim.attempts + 1)
        return result

    def _failed(self, error: SourceError) -> Result:
        log.warning("a pull request could not be looked at", error=error, permanent=error.permanent)
        if error.permanent:
            return Ended(None, str(error))
        return again(str(error), self._claim.attempts, self._with.clock())

    def _close(self, result: Result | None, body_hash: str | None) -> str:
        """Write down how it went. If the claim was lost after a write, there may be two: somebody looks again."""
        claim = self._claim
        with transaction(self._engine) as session:
            match result:
                case Posted(comment_id):
                    kept = comments.posted(session, claim, comment_id, body_hash)
                case Ended(state, reason):
                    kept = comments.stopped(session, claim, state, reason)
                case Again(at, reason):
                    kept = comments.postponed(session, claim, at, reason)
                case None:
                    kept = False
            if not kept and self.writes:
                comments.look_again(session, claim.pull_id, self._with.clock())
        return _word(result)


def _word(result: Result | None) -> str:
    match result:
        case Posted():
            return "posted"
        case Again():
            return "again"
        case Ended():
            return "silent"
        case None:
            return "lost"


def _hash(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()
