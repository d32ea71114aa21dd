"""Signs of life: when the jobs last ran through, for health checks and for the watchdog."""

from datetime import datetime

from sqlmodel import Session

from bot.store.bulk import upsert
from bot.store.tables import Meta

NAME = "heartbeat"


def beat(session: Session, now: datetime) -> None:
    upsert(session, Meta, [{"name": NAME, "value": now.isoformat()}])


def last(session: Session) -> datetime | None:
    row = session.get(Meta, NAME)
    return datetime.fromisoformat(row.value) if row else None
