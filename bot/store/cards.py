"""Reference cards, frozen once an epoch, and the books they are made from."""

import json
from dataclasses import fields
from fractions import Fraction
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session

from bot.domain.block import Part
from bot.domain.card_levels import ANY, Level, Reference, ReferenceCards, cell
from bot.domain.metrics.size import SizeClass
from bot.domain.privacy.cards import Card
from bot.domain.weeks import Week
from bot.store import tables
from bot.store.tables import CardRow

CARDS = tables.table(CardRow).c
BOOKINGS = tables.table(tables.Booking).c
UNITS = tables.table(tables.Unit).c


def opened(session: Session, unit: str) -> Week | None:
    """The first week of the unit's first published block; None before it."""
    monday = session.execute(select(UNITS.opened).where(UNITS.name == unit)).scalar()
    return Week(monday) if monday else None


def direct_costs(session: Session, unit: str, first: Week, last: Week) -> dict[str, int]:
    """What the unit's blocks of these weeks recognised for each pull request, micro-USD by its node id."""
    rows = session.execute(
        select(BOOKINGS.pull_id, func.sum(BOOKINGS.micro))
        .where(BOOKINGS.unit == unit, BOOKINGS.week.between(first.monday, last.monday), BOOKINGS.part == Part.DIRECT)
        .group_by(BOOKINGS.pull_id)
    )
    return {pull: int(micro) for pull, micro in rows}


def decided(session: Session, unit: str, epoch: Week) -> bool:
    """Whether the epoch's cards are frozen, silent ones too."""
    rows = select(CARDS.unit).where(CARDS.unit == unit, CARDS.epoch == epoch.monday).limit(1)
    return session.execute(rows).first() is not None


def freeze(session: Session, unit: str, epoch: Week, made: ReferenceCards) -> None:
    """Write an epoch's cards. They are never changed afterwards."""
    if made.level is None:
        session.add(CardRow(unit=unit, epoch=epoch.monday, repository=ANY, size=ANY, level=None, content=None))
    for (repository, size), card in made.cards.items():
        session.add(
            CardRow(
                unit=unit,
                epoch=epoch.monday,
                repository=repository,
                size=size,
                level=made.level,
                content=_encode(card),
            )
        )


def find(session: Session, unit: str, epoch: Week, repository_id: str, size: SizeClass) -> Reference | None:
    """The epoch's card for such a pull request; None if it is silent or not made yet."""
    of_epoch = (CARDS.unit == unit, CARDS.epoch == epoch.monday)
    level = session.execute(select(CARDS.level).where(*of_epoch).limit(1)).scalar()
    if level is None:
        return None
    repository, size_name = cell(Level(level), repository_id, size)
    content = session.execute(
        select(CARDS.content).where(*of_epoch, CARDS.repository == repository, CARDS.size == size_name)
    ).scalar()
    return Reference(Level(level), size, _decode(content)) if content else None


def _encode(card: Card) -> str:
    """Exactly: fractions are [numerator, denominator]."""
    values = {field.name: getattr(card, field.name) for field in fields(card)}
    return json.dumps(values, default=lambda fraction: [fraction.numerator, fraction.denominator])


def _decode(content: str) -> Card:
    values = json.loads(content).items()
    made: dict[str, Any] = {name: Fraction(*value) if isinstance(value, list) else value for name, value in values}
    return Card(**made)
