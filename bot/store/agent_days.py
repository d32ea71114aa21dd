"""What a person's agents took on a day: what waits to be summed up, and the sums."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select, update
from sqlmodel import Session

from bot.domain.measured import is_measured_only
from bot.store import tables
from bot.store.bulk import replace, upsert
from bot.store.tables import AgentDay, PersonDay

DAYS = tables.table(AgentDay).c
PERSON_DAYS = tables.table(PersonDay).c
SUMS = ("list_micro", "requests", "unpriced", "human_turns", "auto_turns")


@dataclass(frozen=True, slots=True)
class Day:
    """What one agent took on a day, each request once."""

    agent: str
    list_micro: int
    requests: int
    unpriced: int
    human_turns: int
    auto_turns: int


def arrived(session: Session, person: str, days: Iterable[tuple[date, str]]) -> None:
    """Something of these days came that the sums do not hold yet."""
    nothing = dict.fromkeys(SUMS, 0)
    rows = [{"person_key": person, "day": day, "agent": agent, **nothing, "pending": True} for day, agent in days]
    upsert(session, AgentDay, rows, keep=SUMS)


def told_anew(session: Session, people: Collection[str], day: date) -> None:
    """A provider has told of these people's day anew: what was only measured has to be looked at again."""
    if people:
        of_day = (DAYS.person_key.in_(list(people)), DAYS.day == day, DAYS.pending.is_(False))
        session.execute(update(AgentDay).where(*of_day).values(pending=True))


def pending(session: Session, most: int) -> list[tuple[str, date]]:
    """Person-days that wait, oldest first."""
    found = session.execute(
        select(DAYS.person_key, DAYS.day).where(DAYS.pending.is_(True)).distinct().order_by(DAYS.day).limit(most)
    )
    return [(person, day) for person, day in found]


def days(session: Session, people: Collection[str], first: date, last: date) -> set[date]:
    """On which of these days any agent told of any of these people."""
    within = (DAYS.person_key.in_(list(people)), DAYS.day.between(first, last))
    return set(session.execute(select(DAYS.day).where(*within).distinct()).scalars())


def write(session: Session, person: str, day: date, sums: Collection[Day]) -> None:
    """Make these the sums of a person-day; nothing of it waits any more."""
    rows = [
        {
            "person_key": person,
            "day": day,
            "agent": one.agent,
            "list_micro": one.list_micro,
            "requests": one.requests,
            "unpriced": one.unpriced,
            "human_turns": one.human_turns,
            "auto_turns": one.auto_turns,
            "pending": False,
        }
        for one in sums
    ]
    replace(session, AgentDay, rows, DAYS.person_key == person, DAYS.day == day)


def accounts(session: Session, people: Collection[str], first: date, last: date) -> dict[tuple[str, date], list[str]]:
    """The provider accounts that tell of each of these person-days."""
    rows = session.execute(
        select(PERSON_DAYS.person_key, PERSON_DAYS.day, PERSON_DAYS.account)
        .where(PERSON_DAYS.person_key.in_(list(people)), PERSON_DAYS.day.between(first, last))
        .where(PERSON_DAYS.requests + PERSON_DAYS.list_micro > 0)
        .order_by(PERSON_DAYS.account)
    )
    found: dict[tuple[str, date], list[str]] = {}
    for person, day, account in rows:
        if not is_measured_only(account):
            found.setdefault((person, day), []).append(account)
    return found
