"""One person's own rows, for that person only. Every query is by one person key, or by one person's accounts."""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlmodel import Session

from bot.domain.binding.bound import Grade
from bot.domain.block import Part
from bot.domain.me import DaySpend, OwnPull, Told
from bot.domain.model import PullState, Tokens
from bot.store import tables
from bot.store.tables import AgentDay, Booking, OpenWork, Pull, Roster, Spend

SPEND = tables.table(Spend).c
BOOKINGS = tables.table(Booking).c
PULLS = tables.table(Pull).c
AGENT_DAYS = tables.table(AgentDay).c
OPEN_WORK = tables.table(OpenWork).c
ROSTERS = tables.table(Roster).c
KINDS = ("fresh", "cache_write_5m", "cache_write_1h", "cache_read", "output", "reasoning")


def spend(session: Session, person: str, first: date, last: date) -> list[DaySpend]:
    """What the person spent on the UTC days `first` to `last`, over all accounts and models."""
    sums = [func.sum(SPEND[name]) for name in ("list_micro", *KINDS)]
    rows = session.execute(
        select(SPEND.day, *sums)
        .where(SPEND.person_key == person, SPEND.day.between(first, last))
        .group_by(SPEND.day)
        .order_by(SPEND.day)
    ).all()
    return [_day(day, int(micro or 0), tokens) for day, micro, *tokens in rows]


def _day(day: date, micro: int, tokens: list[int | None]) -> DaySpend:
    # PostgreSQL adds integers up to a decimal
    counted: dict[str, Any] = {
        kind: None if count is None else int(count) for kind, count in zip(KINDS, tokens, strict=True)
    }
    return DaySpend(day, micro, Tokens(**counted))


def booked(session: Session, person: str, first: date, last: date) -> dict[Part, int]:
    """What digests took in of the person's spend of these days, by part."""
    rows = session.execute(
        select(BOOKINGS.part, func.sum(BOOKINGS.micro))
        .where(BOOKINGS.person_key == person, BOOKINGS.day.between(first, last))
        .group_by(BOOKINGS.part)
    ).all()
    return {Part(part): int(micro) for part, micro in rows}


def accounts(session: Session, units: Collection[str], since: date) -> list[tuple[str, str]]:
    """Who was on a roster of these units in the epochs from `since` on, as (unit, GitHub id), newest epoch first."""
    rows = session.execute(
        select(ROSTERS.unit, ROSTERS.github_id)
        .where(ROSTERS.unit.in_(units), ROSTERS.epoch >= since)
        .order_by(ROSTERS.epoch.desc(), ROSTERS.unit, ROSTERS.github_id)
    ).all()
    return [(unit, account) for unit, account in rows]


def told(session: Session, person: str, first: date, last: date) -> Told:
    """What the person's agents told of these days."""
    sums = [func.sum(AGENT_DAYS[name]) for name in ("requests", "human_turns", "auto_turns")]
    row = session.execute(
        select(*sums).where(AGENT_DAYS.person_key == person, AGENT_DAYS.day.between(first, last))
    ).one()
    return Told(*(int(count or 0) for count in row))


def measured(session: Session, person: str) -> dict[str, int]:
    """What was measured of the person's spend on each pull request, in the books so far."""
    sums: dict[str, int] = {}
    for row in (BOOKINGS, OPEN_WORK):
        found = session.execute(
            select(row.pull_id, func.sum(row.micro))
            .where(row.person_key == person, row.grade == Grade.MEASURED)
            .group_by(row.pull_id)
        )
        for pull, micro in found:
            sums[pull] = sums.get(pull, 0) + int(micro)
    return sums


def pulls(session: Session, account: str, since: datetime, measured: Mapping[str, int]) -> list[OwnPull]:
    """The account's own pull requests, and its coding agents', that were merged, closed or opened since then, each with
    what was measured of it."""
    lately = or_(
        PULLS.merged_at >= since,
        and_(PULLS.state == PullState.CLOSED, PULLS.closed_at >= since),
        and_(PULLS.state == PullState.OPEN, PULLS.created_at >= since),
    )
    rows = session.execute(
        select(
            PULLS.id, PULLS.repository, PULLS.number, PULLS.state, PULLS.merged_at, PULLS.closed_at, PULLS.created_at
        )
        .where(or_(PULLS.author_id == account, PULLS.owner_id == account), lately)
        .order_by(PULLS.id)
    ).all()
    return [
        OwnPull(repository, number, PullState(state), merged or closed or created, measured.get(pull, 0))
        for pull, repository, number, state, merged, closed, created in rows
    ]
