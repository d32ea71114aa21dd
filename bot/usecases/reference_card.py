"""Reference cards: made once an epoch from closed books, then only read."""

from datetime import datetime

from sqlalchemy import Engine
from sqlmodel import Session

from bot.domain.card_levels import CostedPull, Reference, period, reference_cards
from bot.domain.metrics.included import responsible
from bot.domain.metrics.size import size_class
from bot.domain.model import PullRequest
from bot.domain.privacy.gate import Rule
from bot.domain.team import Team
from bot.domain.weeks import EPOCH_WEEKS, Week, epoch_start
from bot.store import blocks, cards, pulls
from bot.store.db import transaction


def ensure_cards(engine: Engine, team: Team, rule: Rule, now: datetime) -> bool:
    """Freeze this epoch's cards of a team unless that is done; returns whether they were made.

    Safe to call at any time. They wait for the block of the last week they are made from, and a unit without a first
    block has none.
    """
    with transaction(engine) as session:
        return ensure(session, team, rule, now)


def ensure(session: Session, team: Team, rule: Rule, now: datetime) -> bool:
    """As `ensure_cards`, within a transaction."""
    epoch = _epoch(team, now)
    opened = cards.opened(session, team.name)
    weeks = period(opened, epoch) if opened else None
    if weeks is None or cards.decided(session, team.name, epoch):
        return False
    first, last = weeks
    closed = blocks.last_frozen(session, team.name)
    if closed is None or closed < last:
        return False
    made = reference_cards(_costed(session, team, first, last), rule)
    cards.freeze(session, team.name, epoch, made)
    return True


def reference(session: Session, team: Team, pull: PullRequest, now: datetime) -> Reference | None:
    """What may be said beside this pull request; until an epoch's cards are made, the previous epoch's stand."""
    epoch = _epoch(team, now)
    if not cards.decided(session, team.name, epoch):
        epoch = epoch.plus(-EPOCH_WEEKS)
    return cards.find(session, team.name, epoch, pull.repository_id, size_class(pull.lines))


def _epoch(team: Team, now: datetime) -> Week:
    return epoch_start(Week.of(now, team.zone))


def _costed(session: Session, team: Team, first: Week, last: Week) -> list[CostedPull]:
    """The pull requests that merged in these weeks with what was recognised for them in these weeks. A correction of an
    earlier one is left out, so that no pull request is in two epochs' cards."""
    costs = cards.direct_costs(session, team.name, first, last)
    start, end = first.window(team.zone).start, last.window(team.zone).end
    found = []
    for pull in pulls.by_id(session, costs).values():
        human = responsible(pull)
        if human is not None and pull.merged_at is not None and start <= pull.merged_at < end:
            found.append(CostedPull(pull.repository_id, size_class(pull.lines), human.id, costs[pull.id]))
    return found
