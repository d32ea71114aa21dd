"""People who joined: their handles, what they consented to, and how they leave without a trace in the numbers."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType

from sqlalchemy import ColumnElement, delete, func, update
from sqlmodel import Session, col, select

from bot.domain.handles import HandleKind
from bot.domain.split import Outside
from bot.store.tables import (
    AccountDay,
    Activity,
    AgentCounter,
    AgentDay,
    AgentEvent,
    AgentModel,
    AgentPlace,
    AgentRequest,
    AgentSession,
    Attribution,
    Booking,
    Consent,
    Handle,
    IngestToken,
    OpenWork,
    Person,
    PersonDay,
    Remainder,
    SessionCommit,
    SessionSpend,
    SourceCursor,
    Spend,
    Withdrawal,
    table,
)


@dataclass(frozen=True, slots=True)
class Known:
    """Whose a handle is (None: a tombstone), and the first UTC day that may count for it."""

    person: str | None
    since: date


@dataclass(frozen=True, slots=True)
class Joined:
    """Somebody who joined; `team_from` is the Monday from which they count in their team, `returned` is true for who
    has left before."""

    person: str
    collect_from: date
    team_from: date | None
    returned: bool
    joined_at: datetime


def handles(session: Session) -> Mapping[str, Known]:
    """All handles by hash, to recognise people in a fetched report."""
    rows = session.exec(select(col(Handle.hash), col(Handle.person_key), col(Handle.since))).all()
    return MappingProxyType({hash_: Known(person, since) for hash_, person, since in rows})


def owners(session: Session, hashes: Collection[str]) -> dict[str, Known]:
    """Those of these handles that are known, by hash."""
    rows = session.exec(
        select(col(Handle.hash), col(Handle.person_key), col(Handle.since)).where(col(Handle.hash).in_(hashes))
    ).all()
    return {hash_: Known(person, since) for hash_, person, since in rows}


def behind(session: Session, hash_: str) -> tuple[str, datetime, date, date | None] | None:
    """Whose a handle is: person key, when they joined, `collect_from`, `team_from`. None for nobody's."""
    rows = session.exec(
        select(col(Person.person_key), col(Person.joined_at), col(Person.collect_from), col(Person.team_from))
        .join(Handle, col(Handle.person_key) == col(Person.person_key))
        .where(col(Handle.hash) == hash_)
    )
    return next(((person, at, collect, team) for person, at, collect, team in rows), None)


def hashes(session: Session, person: str) -> frozenset[str]:
    """The person's own handles."""
    return frozenset(session.exec(select(col(Handle.hash)).where(col(Handle.person_key) == person)).all())


def joined(session: Session, people: Collection[str]) -> dict[str, Joined]:
    rows = session.exec(select(Person).where(col(Person.person_key).in_(people))).all()
    return {row.person_key: Joined(**row.model_dump(exclude={"person_key"}), person=row.person_key) for row in rows}


def add(session: Session, person: Joined, hashes: Mapping[str, HandleKind], *, proved: bool) -> None:
    """Write a person and their handles; tombstones among these are lifted for days from `collect_from` on."""
    session.add(
        Person(
            person_key=person.person,
            joined_at=person.joined_at,
            collect_from=person.collect_from,
            team_from=person.team_from,
            returned=person.returned,
        )
    )
    for hash_, kind in hashes.items():
        handle = Handle(hash=hash_, kind=kind, person_key=person.person, since=person.collect_from, proved=proved)
        session.merge(handle)


def stop_counting(session: Session, person: str) -> None:
    """Take somebody out of their team at once; open work is booked as withdrawn, so that it never lands later."""
    _withdraw_open_work(session, person)
    session.execute(delete(OpenWork).where(col(OpenWork.person_key) == person))
    count_from(session, [person], None)


def count_from(session: Session, people: Iterable[str], monday: date | None) -> None:
    """Let people count in their team from this Monday; None: not any more."""
    session.execute(update(Person).where(col(Person.person_key).in_(list(people))).values(team_from=monday))


def log_consent(
    session: Session, person: str, scopes: Iterable[str], *, granted: bool, text_version: int, now: datetime
) -> None:
    for scope in scopes:
        session.add(Consent(person_key=person, scope=scope, granted=granted, text_version=text_version, at=now))


def granted(session: Session, person: str) -> dict[str, bool]:
    """Every scope the person ever switched, and whether it is on now."""
    rows = session.exec(
        select(Consent.scope, Consent.granted).where(Consent.person_key == person).order_by(col(Consent.id))
    )
    return dict(rows.all())


PERSONAL = (
    *(Spend, PersonDay, SessionSpend, Activity, SessionCommit, Attribution, OpenWork, Booking, Person),
    *(AgentRequest, AgentEvent, AgentPlace, AgentCounter, AgentDay, AgentModel, AgentSession, IngestToken),
)
"""Whatever has a person's key and is erased with them; of the consent log the withdrawal stays."""


def forget(session: Session, person: str, from_day: date) -> None:
    """Erase a person: bills join the remainder, open work is booked as withdrawn, handles become tombstones that let
    nothing before `from_day` come back."""
    _return_bills(session, person)
    _withdraw_open_work(session, person)
    for model in PERSONAL:
        rows = table(model)
        session.execute(delete(rows).where(rows.c.person_key == person))
    named = (col(SourceCursor.kind) == "telemetry", col(SourceCursor.unpriced) != "")
    session.execute(update(SourceCursor).where(*named).values(unpriced=""))  # a model may be the person's own word
    session.execute(
        update(Handle).where(col(Handle.person_key) == person).values(person_key=None, since=from_day, proved=False)
    )


def _return_bills(session: Session, person: str) -> None:
    days = session.exec(
        select(col(PersonDay.account), col(PersonDay.day), col(PersonDay.billed_micro)).where(
            PersonDay.person_key == person
        )
    ).all()
    for account, day, billed in days:
        of_day = (col(Remainder.account) == account, col(Remainder.day) == day)
        session.execute(
            update(Remainder).where(*of_day).values(billed_micro=col(Remainder.billed_micro) + (billed or 0))
        )
        alone = (
            col(AccountDay.account) == account,
            col(AccountDay.day) == day,
            col(AccountDay.outside) == Outside.NONE,
        )
        session.execute(update(AccountDay).where(*alone).values(outside=Outside.FEW))


def _withdraw_open_work(session: Session, person: str) -> None:
    withdraw(session, col(OpenWork.person_key) == person)


def withdraw(session: Session, which: ColumnElement[bool]) -> None:
    """Book this open work as withdrawn, by account-day."""
    lost = session.exec(
        select(col(OpenWork.account), col(OpenWork.day), func.sum(OpenWork.micro))
        .where(which)
        .group_by(col(OpenWork.account), col(OpenWork.day))
    ).all()
    for account, day, micro in lost:
        row = session.get(Withdrawal, (account, day)) or Withdrawal(account=account, day=day, micro=0)
        row.micro += int(micro)
        session.add(row)
