"""Units (teams as the books know them) and who was on their roster in each epoch."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import delete, func
from sqlmodel import Session, col, select

from bot.domain.model import GitHubUser
from bot.domain.team import Team
from bot.domain.weeks import Week
from bot.store import tables
from bot.store.tables import Roster, Unit


@dataclass(frozen=True, slots=True)
class UnitBooks:
    """A unit: when it was set up, its first digest week, and the first week of its first published block."""

    name: str
    created_at: datetime
    first_week: Week
    opened: Week | None


def ensure(session: Session, team: Team, now: datetime) -> UnitBooks:
    """The team's unit. A new one's first digest is about the week that has just ended."""
    row = session.get(Unit, team.name)
    if row is None:
        row = Unit(name=team.name, created_at=now, first_week=Week.of(now, team.zone).plus(-1).monday)
        session.add(row)
    return UnitBooks(row.name, row.created_at, Week(row.first_week), Week(row.opened) if row.opened else None)


def opened(session: Session, name: str, first: Week) -> None:
    """The unit's first block was published; it starts with this week."""
    row = session.get_one(Unit, name)
    row.opened = first.monday
    session.add(row)


def roster(session: Session, unit: str, epoch: Week) -> list[GitHubUser]:
    """The roster of the unit's newest epoch up to this one; empty if it was never taken. Where that is an older one,
    whoever is on a newer roster of another unit is left out: nobody is in two units."""
    row = tables.table(Roster).c
    oldest = select(func.min(row.epoch)).where(row.unit == unit).scalar_subquery()
    newest = select(func.max(row.epoch)).where(row.unit == unit, row.epoch <= epoch.monday).scalar_subquery()
    rows = session.execute(
        select(row.github_id, row.login, row.epoch)
        .where(row.unit == unit, row.epoch == func.coalesce(newest, oldest))
        .order_by(row.github_id)
    ).all()
    moved = _moved(session, unit, rows[0].epoch, epoch.monday) if rows else set()
    return [GitHubUser(id_, login) for id_, login, _ in rows if id_ not in moved]


def _moved(session: Session, unit: str, taken: date, epoch: date) -> set[str]:
    """Who was put on another unit's roster after this unit's was taken."""
    if taken >= epoch:
        return set()
    row = tables.table(Roster).c
    others = select(row.github_id).where(row.unit != unit, row.epoch > taken, row.epoch <= epoch)
    return set(session.execute(others).scalars())


def has_roster(session: Session, unit: str, epoch: Week) -> bool:
    """Whether the epoch's roster was taken."""
    of_epoch = select(Roster.unit).where(Roster.unit == unit, Roster.epoch == epoch.monday).limit(1)
    return session.exec(of_epoch).first() is not None


def is_roster_settled(session: Session, unit: str, epoch: Week) -> bool:
    """Whether the epoch's roster holds: it was taken, and a block is published that later ones stay disjoint from."""
    row = session.get(Unit, unit)
    return row is not None and row.opened is not None and has_roster(session, unit, epoch)


def take_roster(session: Session, unit: str, epoch: Week, members: Iterable[GitHubUser]) -> bool:
    """Write the epoch's roster, in place of one that is not settled. Returns whether it was written."""
    if is_roster_settled(session, unit, epoch):
        return False
    session.execute(delete(Roster).where(col(Roster.unit) == unit, col(Roster.epoch) == epoch.monday))
    for member in members:
        session.add(Roster(unit=unit, epoch=epoch.monday, github_id=member.id, login=member.login))
    return True


def on_other_rosters(
    session: Session, unit: str, epoch: Week, members: Iterable[GitHubUser], among: Collection[str]
) -> list[tuple[str, str]]:
    """Members that another of the units `among` has on its roster of this epoch, as (login, unit)."""
    ids = [member.id for member in members]
    others = set(among) - {unit}
    rows = session.exec(
        select(Roster.login, Roster.unit).where(
            col(Roster.unit).in_(others), Roster.epoch == epoch.monday, col(Roster.github_id).in_(ids)
        )
    ).all()
    return [(login, other) for login, other in rows]
