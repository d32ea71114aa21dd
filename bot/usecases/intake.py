"""Taking in what GitHub delivers: stored before it is answered, worked off later.

Nothing but storing happens in the request. Working off asks nobody: an event only says which pull request is to be
looked at, and `bot.usecases.comment` looks.
"""

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Engine
from sqlmodel import Session

from bot.domain.comment import PullEvent
from bot.store import comments, inbox
from bot.store.db import reading, transaction

PULL_REQUEST = "github/pull_request"
WORKED_OFF = frozenset({PULL_REQUEST})
"""Of every other event only the id is kept."""

KEPT = timedelta(days=30)
MALFORMED = "malformed"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A webhook whose signature is right; `body` is foreign text."""

    id: str
    event: str
    body: str = field(repr=False)


class Unreadable(Exception):
    """A delivery is not what its kind says."""


Parse = Callable[[str, str], PullEvent | None]
"""From a kind and a body to what it says; None if it is nothing for us. Raises Unreadable."""


@dataclass(frozen=True, slots=True)
class Worked:
    """How many deliveries there were: those a pull request is looked at for, those nothing follows from, bad ones."""

    due: int = 0
    idle: int = 0
    failed: int = 0


def store(engine: Engine, delivery: Delivery, now: datetime) -> bool:
    """Keep a delivery; once this returns it cannot be lost. False: it is a repeat that changes nothing."""
    kind = f"github/{delivery.event}"
    with transaction(engine) as session:
        body = delivery.body if kind in WORKED_OFF else None
        return inbox.put(session, f"github/{delivery.id}", kind, body, now)


def work_inbox(
    engine: Engine, repositories: Collection[str], parse: Parse, now: datetime, going: Callable[[], bool] = lambda: True
) -> Worked:
    """Work off all that is pending, about these repositories; others are not observed. Any number of processes may.
    `going` turns false when the process is to stop."""
    observed = {name.casefold() for name in repositories}
    counts: Counter[str] = Counter()
    with reading(engine) as session:
        if not inbox.stirring(session, WORKED_OFF, now, now - KEPT):
            return Worked()
    while going() and (item := _take(engine, now)):
        with transaction(engine) as session:
            counts[_work_off(session, item, observed, parse, now)] += 1
    with transaction(engine) as session:
        inbox.forget(session, now - KEPT)
    if counts["failed"]:
        log.warning("deliveries could not be read", count=counts["failed"], error=MALFORMED)
    return Worked(counts["due"], counts["idle"], counts["failed"])


def _take(engine: Engine, now: datetime) -> inbox.Item | None:
    with transaction(engine) as session:
        return inbox.take(session, WORKED_OFF, now)


def _work_off(session: Session, item: inbox.Item, observed: Collection[str], parse: Parse, now: datetime) -> str:
    try:
        event = parse(item.kind, item.body)
    except Unreadable:
        inbox.failed(session, item.id, MALFORMED)
        return "failed"
    inbox.done(session, item.id)
    if event is None or not event.private or event.repository.casefold() not in observed:
        return "idle"
    return "due" if comments.happened(session, event, now) else "idle"
