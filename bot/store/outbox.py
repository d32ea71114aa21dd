"""The outbox: outward writes that are due, written in the transaction of what they tell about."""

from datetime import datetime

from sqlmodel import Session

from bot.store.tables import OutboxRow


def put(session: Session, key: str, kind: str, target: str, payload: str, now: datetime) -> None:
    """Queue one outward write. The key is unique: the same thing is never said twice."""
    session.add(
        OutboxRow(key=key, kind=kind, target=target, payload=payload, state="due", created_at=now, not_before=now)
    )
