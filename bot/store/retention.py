"""Deleting what is older than its lifetime."""

from datetime import date, datetime

from sqlalchemy import and_, delete, func, select
from sqlmodel import Session, col

from bot.store.people import withdraw
from bot.store.tables import (
    Activity,
    Attribution,
    Booking,
    CommitDay,
    Consent,
    OpenWork,
    Person,
    PersonDay,
    Pull,
    PullCommit,
    PullReview,
    SessionCommit,
    SessionSpend,
    Spend,
)


def drop_spend(session: Session, before: date) -> int:
    """Days of people's spend before this one. What waits for somebody to become a verified contributor is open work."""
    waits = select(col(Person.person_key)).where(
        col(Person.person_key) == col(PersonDay.person_key), col(Person.team_from) <= col(PersonDay.day)
    )
    waiting = and_(col(PersonDay.pending).is_(True), waits.exists())
    days = [
        *(delete(table).where(col(table.day) < before) for table in (Spend, SessionSpend, Activity, SessionCommit)),
        delete(PersonDay).where(col(PersonDay.day) < before, ~waiting),
    ]
    return sum(session.connection().execute(statement).rowcount for statement in days)


def drop_recognised(session: Session, before: date) -> int:
    """Bookings of blocks before this week, and the splits that no open work needs any more."""
    booked = session.connection().execute(delete(Booking).where(col(Booking.week) < before))
    open_days = select(col(OpenWork.person_key)).where(
        col(OpenWork.person_key) == col(Attribution.person_key), col(OpenWork.day) == col(Attribution.day)
    )
    session.execute(delete(Attribution).where(col(Attribution.day) < before, ~open_days.exists()))
    return booked.rowcount


def drop_open_work(session: Session, before: date) -> None:
    """Open work of days before this one is booked as withdrawn."""
    withdraw(session, col(OpenWork.day) < before)
    for table in (OpenWork, PersonDay):
        session.execute(delete(table).where(col(table.day) < before))


def drop_pulls(session: Session, before: datetime) -> None:
    """Pull requests that nothing has happened to since then."""
    old = select(col(Pull.id)).where(col(Pull.updated_at) < before)
    for table in (PullReview, CommitDay, PullCommit):
        session.execute(delete(table).where(col(table.pull_id).in_(old)))
    session.execute(delete(Pull).where(col(Pull.updated_at) < before))


def drop_consents(session: Session, before: datetime) -> None:
    """The log of people who left, once its last entry is older."""
    gone = (
        select(col(Consent.person_key))
        .where(col(Consent.person_key).not_in(select(col(Person.person_key))))
        .group_by(col(Consent.person_key))
        .having(func.max(col(Consent.at)) < before)
    )
    session.execute(delete(Consent).where(col(Consent.person_key).in_(gone)))
