"""Frozen blocks: written once, read many times."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from bot.domain.block import METRIC_VERSION, Block, Held, Published
from bot.domain.weeks import Week
from bot.store.block_codec import decode, encode
from bot.store.tables import BlockRow

PUBLISHED = "published"
UNSEEN = "unseen"
"""A held week of which nobody had seen what merged: that counts in the next week that is seen."""


def freeze(session: Session, block: Block, now: datetime, *, unseen: bool = False) -> None:
    """Write a block. It is never changed afterwards: a second one with the same key is an error of the database."""
    session.add(
        BlockRow(
            unit=block.unit,
            first_week=block.first.monday,
            last_week=block.last.monday,
            state=UNSEEN if unseen else _state(block),
            frozen_at=now,
            metric_version=METRIC_VERSION,
            content=encode(block),
        )
    )


def _state(block: Block) -> str:
    return PUBLISHED if isinstance(block, Published) else block.reason


def last_frozen(session: Session, unit: str) -> Week | None:
    """The newest week of the unit that is frozen."""
    newest = (
        select(col(BlockRow.last_week)).where(BlockRow.unit == unit).order_by(col(BlockRow.last_week).desc()).limit(1)
    )
    monday = session.exec(newest).first()
    return Week(monday) if monday else None


def last_seen(session: Session, unit: str) -> Week | None:
    """The newest frozen week of the unit whose merges were seen."""
    seen = select(func.max(BlockRow.last_week)).where(BlockRow.unit == unit, BlockRow.state != UNSEEN)
    monday = session.exec(seen).first()
    return Week(monday) if monday else None


def of_week(session: Session, unit: str, week: Week) -> Block | None:
    """The block that ends with this week, or None if it is not frozen."""
    rows = select(BlockRow.content).where(BlockRow.unit == unit, BlockRow.last_week == week.monday)
    content = session.exec(rows).first()
    return decode(content) if content else None


def history(session: Session, unit: str, until: Week, most: int) -> tuple[Published, ...]:
    """The unit's newest published blocks up to this week, oldest first."""
    rows = (
        select(BlockRow.content)
        .where(BlockRow.unit == unit, BlockRow.state == PUBLISHED, col(BlockRow.last_week) <= until.monday)
        .order_by(col(BlockRow.last_week).desc())
        .limit(most)
    )
    blocks = [decode(content) for content in session.exec(rows).all()]
    return tuple(block for block in reversed(blocks) if isinstance(block, Published))


def every(session: Session, unit: str) -> Sequence[Published | Held]:
    """All blocks of a unit, oldest first."""
    rows = select(BlockRow.content).where(BlockRow.unit == unit).order_by(col(BlockRow.last_week))
    return [decode(content) for content in session.exec(rows).all()]
