"""The inbox: what arrived and was acknowledged, until it is worked off. A repeat is known by the sender's own id."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlmodel import Session

from bot.store import tables
from bot.store.tables import InboxRow

INBOX = tables.table(InboxRow).c
PENDING, DONE, FAILED = "pending", "done", "failed"
MOST_ATTEMPTS = 5
TRY_AGAIN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Item:
    """One that is being worked off. `body` is foreign text."""

    id: str
    kind: str
    body: str = field(repr=False)


def put(session: Session, id: str, kind: str, body: str | None, now: datetime) -> bool:
    """Keep what arrived, done at once if it has no body. Returns False for a repeat that changes nothing; one that
    failed before is pending again."""
    row = session.get(InboxRow, id)
    if row is not None and row.state != FAILED:
        return False
    state = DONE if body is None else PENDING
    row = row or InboxRow(id=id, kind=kind, state=state, received_at=now, not_before=now)
    row.body, row.state, row.not_before, row.attempts, row.error = body, state, now, 0, None
    session.add(row)
    return True


def stirring(session: Session, kinds: Collection[str], now: datetime, before: datetime) -> bool:
    """Whether there is anything to `take` or to `forget`: an idle round takes no writer's turn."""
    old = (INBOX.state.in_((DONE, FAILED)), INBOX.not_before < before)
    due = (INBOX.state == PENDING, INBOX.not_before <= now, INBOX.kind.in_(kinds))
    return any(session.execute(select(INBOX.id).where(*of).limit(1)).first() for of in (due, old))


def take(session: Session, kinds: Collection[str], now: datetime) -> Item | None:
    """The oldest that is pending, kept from others for a minute. What nobody could finish so far has failed."""
    due = (INBOX.state == PENDING, INBOX.not_before <= now, INBOX.kind.in_(kinds))
    worn_out = (*due, INBOX.attempts >= MOST_ATTEMPTS)
    session.execute(update(InboxRow).where(*worn_out).values(state=FAILED, body=None, error="gave_up"))
    oldest = select(INBOX.id, INBOX.kind, INBOX.body).where(*due).order_by(INBOX.not_before, INBOX.id).limit(1)
    found = session.execute(oldest).first()
    if found is None:
        return None
    taken = {"attempts": INBOX.attempts + 1, "not_before": now + TRY_AGAIN}
    session.execute(update(InboxRow).where(INBOX.id == found.id).values(taken))
    return Item(found.id, found.kind, found.body or "")


def done(session: Session, id: str) -> None:
    session.execute(update(InboxRow).where(INBOX.id == id).values(state=DONE, body=None, error=None))


def failed(session: Session, id: str, error: str) -> None:
    """It cannot be worked off; the sender may send it again."""
    session.execute(update(InboxRow).where(INBOX.id == id).values(state=FAILED, body=None, error=error))


def forget(session: Session, before: datetime) -> None:
    """Drop the ids of what is finished and was last touched before this time."""
    session.execute(delete(InboxRow).where(INBOX.state.in_((DONE, FAILED)), INBOX.not_before < before))
