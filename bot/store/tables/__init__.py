"""Every table. Classes of data (A to G) and how long they live: docs/privacy.md.

Tables that grow are stored in the order of their key (WITHOUT ROWID on SQLite). Those of people start it with
`person_key`, so that neighbours on disk are one person's and a company that outgrows one PostgreSQL can distribute
them by it. No row of spend names a team: that is resolved when it is read.
"""

from sqlalchemy import Table
from sqlmodel import SQLModel

from bot.store.tables.deployment import Meta, OutboxRow
from bot.store.tables.faces import CardRow, CommentRow, InboxRow
from bot.store.tables.ledger import Attribution, BlockRow, Booking, OpenWork, Withdrawal
from bot.store.tables.naming import CLUSTERED, METADATA
from bot.store.tables.people import Consent, Handle, Person, Roster, Unit
from bot.store.tables.pulls import CommitDay, Pull, PullCommit, PullReview
from bot.store.tables.spend import (
    AccountDay,
    Activity,
    PersonDay,
    Remainder,
    ServiceSpend,
    SessionCommit,
    SessionSpend,
    SourceCursor,
    Spend,
)
from bot.store.tables.telemetry import (
    AgentCounter,
    AgentDay,
    AgentEvent,
    AgentModel,
    AgentPlace,
    AgentRequest,
    AgentSession,
    IngestToken,
)

__all__ = [
    "CLUSTERED",
    "METADATA",
    "AccountDay",
    "Activity",
    "AgentCounter",
    "AgentDay",
    "AgentEvent",
    "AgentModel",
    "AgentPlace",
    "AgentRequest",
    "AgentSession",
    "Attribution",
    "BlockRow",
    "Booking",
    "CardRow",
    "CommentRow",
    "CommitDay",
    "Consent",
    "Handle",
    "InboxRow",
    "IngestToken",
    "Meta",
    "OpenWork",
    "OutboxRow",
    "Person",
    "PersonDay",
    "Pull",
    "PullCommit",
    "PullReview",
    "Remainder",
    "Roster",
    "ServiceSpend",
    "SessionCommit",
    "SessionSpend",
    "SourceCursor",
    "Spend",
    "Unit",
    "Withdrawal",
    "table",
]


def table(model: type[SQLModel]) -> Table:
    """The SQLAlchemy table of a class, for queries by column."""
    return METADATA.tables[str(model.__tablename__)]
