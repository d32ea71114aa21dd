"""Slack says that our app was taken out of the workspace, or that its token is not good any more."""

from datetime import datetime

from sqlalchemy import Engine

from bot.store import inbox
from bot.store.db import transaction


def note(engine: Engine, event_id: str, kind: str, now: datetime) -> bool:
    """Keep the event without anything it carried. Returns False for one that is known already."""
    with transaction(engine) as session:
        return inbox.put(session, event_id, kind, None, now)
