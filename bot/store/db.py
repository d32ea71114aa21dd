"""Opening a database and working in it: one engine, short transactions, migrations at start.

SQLite and PostgreSQL behave alike from here on: one writing transaction at a time, from its first statement (BEGIN
IMMEDIATE there, a lock of this database here), so that two writers wait for each other. What a transaction has read
still holds when it writes: no update is lost, and nobody who has just withdrawn is written back.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from types import MappingProxyType
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, TimeoutError
from sqlmodel import Session

from bot.store.errors import StoreError
from bot.store.trouble import of_postgres, of_sqlite

BUSY_TIMEOUT_S = 10
READ_ONLY = "leverage_read_only"
SNAPSHOT = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}

POSTGRES_OPTIONS = MappingProxyType(
    {
        "statement_timeout": "15s",
        "lock_timeout": f"{BUSY_TIMEOUT_S}s",
        "idle_in_transaction_session_timeout": "60s",  # a stopped process must not keep the others from writing
        "timezone": "UTC",
    }
)


def connect(url: str) -> Engine:
    """An engine for this URL. Raises StoreError for a URL of an unknown kind; nothing is opened yet."""
    parsed = _parse(url)
    return _sqlite(parsed) if parsed.get_backend_name() == "sqlite" else _postgres(parsed)


@contextmanager
def transaction(engine: Engine) -> Iterator[Session]:
    """A writing transaction: all of it or nothing. Never hold one over a network call."""
    with _clear_errors(engine), Session(engine, expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """A reading transaction: one consistent view, never waits for a writer."""
    options = {} if engine.dialect.name == "sqlite" else SNAPSHOT
    with _clear_errors(engine), Session(engine.execution_options(**options, **{READ_ONLY: True})) as session:
        yield session


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise StoreError(UNKNOWN_KIND) from None  # their words may quote the password
    if parsed.get_backend_name() not in DRIVERS:
        raise StoreError(UNKNOWN_KIND)
    return parsed.set(drivername=DRIVERS[parsed.get_backend_name()])


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
    connection.exec_driver_sql("BEGIN" if _reads_only(connection) else "BEGIN IMMEDIATE")


def _postgres(url: URL) -> Engine:
    options = " ".join(f"-c {name}={value}" for name, value in POSTGRES_OPTIONS.items())
    arguments = {"options": options, "connect_timeout": 10}
    engine = create_engine(url, hide_parameters=True, pool_pre_ping=True, pool_recycle=300, connect_args=arguments)
    event.listen(engine, "begin", _begin_postgres)
    return engine


def _begin_postgres(connection: Connection) -> None:
    if not _reads_only(connection):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITER})")


WRITER = 0x6C657665  # any number will do, as long as it is always the same


def _reads_only(connection: Connection) -> bool:
    return READ_ONLY in connection.get_execution_options()


@contextmanager
def _clear_errors(engine: Engine) -> Iterator[None]:
    """Say what is wrong with the database itself in one line; a constraint that fails stays what it is."""
    try:
        yield
    except TimeoutError as error:
        raise StoreError(f"The database {_name(engine)} has no connection free for now.") from error
    except DatabaseError as error:
        file = Path(engine.url.database or "")
        sentence = of_sqlite(error, file) if engine.dialect.name == "sqlite" else of_postgres(error)
        if sentence is None:
            raise
        raise StoreError(f"The database {_name(engine)} {sentence}.") from error


def _name(engine: Engine) -> str:
    """What to call a database in a message: a file name, or host and name; never a user or password."""
    url = engine.url
    if url.get_backend_name() == "sqlite":
        return Path(url.database or "in memory").name
    return f"{url.database} on {url.host or 'this machine'}"
