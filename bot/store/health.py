"""How the database itself stands, for `leverage doctor`: it only looks, and makes no file and no table."""

from pathlib import Path

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, select
from sqlmodel import Session

from bot.domain.comment import CommentState
from bot.domain.handles import check_value
from bot.domain.health import Schema
from bot.store import inbox, secrets, tables
from bot.store.db import reading
from bot.store.tables import CommentRow, InboxRow, Meta

MIGRATIONS = Path(__file__).parent / "migrations"
COMMENTS = tables.table(CommentRow).c
INBOX = tables.table(InboxRow).c


def schema(engine: Engine) -> Schema:
    """Raises StoreError if the database does not answer."""
    if _is_no_file(engine):
        return Schema.EMPTY
    with reading(engine) as session:
        return _schema(session.connection())


def _is_no_file(engine: Engine) -> bool:
    """A SQLite database that the next command would make: to connect would make it as well."""
    if engine.dialect.name != "sqlite" or not engine.url.database:
        return False
    file = Path(engine.url.database)
    return file.parent.is_dir() and not file.exists()


def _schema(connection: Connection) -> Schema:
    current = MigrationContext.configure(connection).get_current_revision()
    scripts = ScriptDirectory(str(MIGRATIONS))
    if current is None:
        others = set(inspect(connection).get_table_names()) - {"alembic_version"}
        return Schema.FOREIGN if others else Schema.EMPTY
    if current == scripts.get_current_head():
        return Schema.CURRENT
    known = {script.revision for script in scripts.walk_revisions()}
    return Schema.OLDER if current in known else Schema.NEWER


def is_secret(session: Session, secret: bytes) -> bool | None:
    """Whether the database was made with this secret; None before it was made with any."""
    known = session.get(Meta, secrets.NAME)
    return None if known is None else known.value == check_value(secret)


def given_up_comments(session: Session) -> list[str]:
    """Why comments were given up, until the next event of their pull request; what a person wanted so is no failure."""
    wanted = (CommentState.GONE, CommentState.LOCKED)
    given_up = (COMMENTS.last_error.is_not(None), COMMENTS.due_at.is_(None), COMMENTS.state.not_in(wanted))
    return list(session.execute(select(COMMENTS.last_error).where(*given_up).distinct()).scalars())


def has_failed_arrivals(session: Session) -> bool:
    return session.execute(select(INBOX.id).where(INBOX.state == inbox.FAILED).limit(1)).first() is not None
