"""Opening a database and working in it: one engine, short transactions, migrations at start.

SQLite and PostgreSQL behave alike from here on: a writing transaction is exclusive on SQLite from its first statement
(BEGIN IMMEDIATE), so two writers wait for each other instead of losing an update.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError, OperationalError
from sqlmodel import Session

from bot.store.errors import StoreError

BUSY_TIMEOUT_S = 10
READ_ONLY = {"leverage_read_only": True}


def connect(url: str) -> Engine:
    """An engine for this URL. Raises StoreError for a URL of an unknown kind; nothing is opened yet."""
    parsed = _parse(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed)
    return create_engine(
        parsed,
        hide_parameters=True,
        pool_pre_ping=True,
        pool_recycle=300,
        connect_args={"options": "-c statement_timeout=15000 -c timezone=UTC", "connect_timeout": 10},
    )


@contextmanager
def transaction(engine: Engine) -> Iterator[Session]:
    """A writing transaction: all of it or nothing. Never hold one over a network call."""
    with _clear_errors(engine), Session(engine, expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """A reading transaction: one consistent view, never waits for a writer."""
    with _clear_errors(engine), Session(engine.execution_options(**READ_ONLY)) as session:
        yield session


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
        parsed.get_dialect()
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise StoreError(UNKNOWN_KIND) from error
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise StoreError(UNKNOWN_KIND)
    return parsed


UNKNOWN_KIND = "DATABASE_URL is of a kind Leverage does not know: use sqlite:///leverage.db or postgresql://user:password@host/name"


def _sqlite(url: URL) -> Engine:
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": BUSY_TIMEOUT_S})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: SqliteConnection, _record: Any) -> None:
    connection.isolation_level = None  # the driver must not begin transactions of its own
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    read_only = connection.get_execution_options().get("leverage_read_only")
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


@contextmanager
def _clear_errors(engine: Engine) -> Iterator[None]:
    """Say what is wrong with the database itself in one line; a constraint that fails stays what it is."""
    try:
        yield
    except OperationalError as error:
        raise StoreError(_explain(engine, str(error.orig))) from error
    except DatabaseError as error:
        if "not a database" in str(error.orig) or "malformed" in str(error.orig):
            raise StoreError(_explain(engine, str(error.orig))) from error
        raise


REASONS = (
    ("not a database", "is not a SQLite database: name another file in DATABASE_URL, or move this one away"),
    ("malformed", "is damaged: restore it from a backup with `leverage restore`"),
    ("disk is full", "cannot grow because the disk is full: free some space; nothing of this step was written"),
    ("no space left", "cannot grow because the disk is full: free some space; nothing of this step was written"),
    ("locked", "is held by another process: stop that process or wait, then try again"),
    ("readonly", "cannot be written: check the file's permissions"),
    ("unable to open", "cannot be opened: check that its folder exists and may be written"),
    ("password authentication failed", "refuses the user or password in DATABASE_URL"),
    ("does not exist", "does not exist on that server: create it, or name another in DATABASE_URL"),
)


def _explain(engine: Engine, cause: str) -> str:
    for sign, sentence in REASONS:
        if sign in cause.lower():
            return f"The database {_name(engine)} {sentence}."
    return f"The database {_name(engine)} does not answer: check DATABASE_URL and that the server runs."


def _name(engine: Engine) -> str:
    """What to call a database in a message: a file name, or host and name; never a user or password."""
    url = engine.url
    if url.get_backend_name() == "sqlite":
        return Path(url.database or "in memory").name
    return f"{url.database} on {url.host or 'this machine'}"
