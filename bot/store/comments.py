"""Our comments on pull requests: when each is due, who works on it, what is known of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select, update
from sqlmodel import Session

from bot.domain.comment import CommentState, PullEvent, look_at
from bot.store import tables
from bot.store.tables import CommentRow

COMMENTS = tables.table(CommentRow).c


@dataclass(frozen=True, slots=True)
class Claim:
    """A pull request somebody works on; `owner` names this one attempt. `attempts` failed before it."""

    owner: str
    pull_id: str
    repository: str
    number: int
    comment_id: int | None
    due_at: datetime
    attempts: int


def happened(session: Session, event: PullEvent, now: datetime) -> bool:
    """Note an event; returns whether the pull request is to be looked at for it."""
    row = session.get(CommentRow, event.id)
    state = CommentState(row.state) if row else CommentState.NONE
    due_at = look_at(event.action, state, row.due_at if row else None, now)
    if due_at is None:
        return False
    row = row or CommentRow(pull_id=event.id, repository=event.repository, number=event.number, state=state)
    if row.due_at is None:
        row.attempts, row.last_error = 0, None
    row.repository, row.number, row.due_at = event.repository, event.number, due_at
    session.add(row)
    return True


def any_due(session: Session, now: datetime) -> bool:
    """Whether there may be something to `claim`: an idle round takes no writer's turn."""
    return session.execute(select(COMMENTS.pull_id).where(*_due(now)).limit(1)).first() is not None


def claim(session: Session, owner: str, now: datetime, lease: timedelta) -> Claim | None:
    """The one that is due longest and that nobody else works on."""
    free = or_(COMMENTS.lease_until.is_(None), COMMENTS.lease_until <= now)
    due = (*_due(now), free)
    columns = (
        *(COMMENTS.pull_id, COMMENTS.repository, COMMENTS.number),
        *(COMMENTS.comment_id, COMMENTS.due_at, COMMENTS.attempts),
    )
    found = session.execute(select(*columns).where(*due).order_by(COMMENTS.due_at, COMMENTS.pull_id).limit(1)).first()
    if found is None:
        return None
    won = _update(session, (COMMENTS.pull_id == found.pull_id, *due), owner=owner, lease_until=now + lease)
    return Claim(owner, *found) if won else None


def hold(session: Session, claim: Claim, now: datetime, lease: timedelta) -> bool:
    """Prolong a claim just before a write; False if it is somebody else's by now."""
    return _update(session, (*_mine(claim), COMMENTS.lease_until > now), lease_until=now + lease)


def posted(session: Session, claim: Claim, comment_id: int, body_hash: str | None) -> bool:
    """Close a claim: the comment is there. As with the others: False if the claim was lost, and nothing is changed."""
    return _close(session, claim, state=CommentState.POSTED, comment_id=comment_id, body_hash=body_hash)


def stopped(session: Session, claim: Claim, state: CommentState | None, error: str | None) -> bool:
    """Close a claim until the next event; what is wrong, if anything, stays noted. No state: it stays as it is."""
    return _close(session, claim, last_error=error, **({"state": state} if state else {}))


def postponed(session: Session, claim: Claim, at: datetime, error: str) -> bool:
    """Close a claim for now; an event since then does not bring it forward."""
    return _update(session, _mine(claim), **FREE, due_at=at, attempts=claim.attempts + 1, last_error=error)


def _close(session: Session, claim: Claim, **values: object) -> bool:
    """An event since the claim keeps the pull request due."""
    if not _update(session, _mine(claim), **(FREE | {"attempts": 0, "last_error": None} | values)):
        return False
    _update(session, (COMMENTS.pull_id == claim.pull_id, COMMENTS.due_at == claim.due_at), due_at=None)
    return True


def look_again(session: Session, pull_id: str, at: datetime) -> None:
    """Somebody else may have written at the same time: whoever looks next puts it right."""
    _update(session, (COMMENTS.pull_id == pull_id,), due_at=at)


FREE: dict[str, object] = {"owner": None, "lease_until": None}


def _due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return COMMENTS.due_at <= now, COMMENTS.state != CommentState.GONE


def _mine(claim: Claim) -> tuple[ColumnElement[bool], ...]:
    return COMMENTS.pull_id == claim.pull_id, COMMENTS.owner == claim.owner


def _update(session: Session, where: tuple[ColumnElement[bool], ...], **values: object) -> bool:
    """Whether exactly one row was changed."""
    result = session.connection().execute(update(tables.table(CommentRow)).where(*where).values(**values))
    return result.rowcount == 1
