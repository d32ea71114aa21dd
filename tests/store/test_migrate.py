"""Migrations bring a database to this version's schema, however often they are interrupted, and touch no other's."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from bot.store.db import connect, reading, transaction
from bot.store.errors import StoreError
from bot.store.migrate import migrate
from bot.store.tables import METADATA, Meta

ROOT = Path(__file__).parents[2]


@pytest.fixture
def empty(empty_database_url) -> Iterator[Engine]:
    with opened(empty_database_url) as engine:
        yield engine


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    engine = connect(url)
    try:
        yield engine
    finally:
        engine.dispose()


def left_to_do(engine: Engine) -> list[Any]:
    """What a next migration would change, by Alembic's own comparison of the database and the tables in the code."""
    with reading(engine) as session:
        context = MigrationContext.configure(session.connection(), opts={"render_as_batch": True})
        return list(compare_metadata(context, METADATA))


def schema(engine: Engine) -> dict[str, str]:
    with reading(engine) as session:
        found = inspect(session.connection())
        return {name: f"{found.get_columns(name)} {found.get_indexes(name)}" for name in found.get_table_names()}


def test_migrations_leave_nothing_to_do(empty):
    assert left_to_do(empty)
    migrate(empty)
    assert left_to_do(empty) == []
    assert set(schema(empty)) == {*METADATA.tables, "alembic_version"}


@pytest.mark.parametrize(
    "change",
    ["DROP INDEX ix_bookings_unit_week", "ALTER TABLE people DROP COLUMN returned", "ALTER TABLE units ADD more TEXT"],
)
def test_the_comparison_sees_what_is_missing_or_too_much(engine, change):
    with transaction(engine) as session:
        session.execute(text(change))
    assert left_to_do(engine)


def test_alembic_itself_finds_nothing_left_to_do(database_url, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", database_url)
    command.check(Config(toml_file=ROOT / "pyproject.toml"))


def test_migrating_again_changes_nothing(engine):
    with transaction(engine) as session:
        session.add(Meta(name="kept", value="as it was"))
    before = schema(engine)
    migrate(engine)
    assert schema(engine) == before
    with reading(engine) as session:
        assert session.get_one(Meta, "kept").value == "as it was"


def test_two_processes_that_start_at_once_both_find_the_schema_made(empty_database_url):
    errors: list[Exception] = []

    def start() -> None:
        try:
            with opened(empty_database_url) as engine:
                migrate(engine)
        except Exception as error:  # noqa: BLE001 - for the assertion below
            errors.append(error)

    threads = [threading.Thread(target=start) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with opened(empty_database_url) as engine:
        assert left_to_do(engine) == []


def test_a_database_of_a_newer_version_is_refused_and_left_alone(engine):
    with transaction(engine) as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        session.execute(text("ALTER TABLE units ADD of_the_future TEXT"))
    before = schema(engine)
    with pytest.raises(StoreError, match="newer version of Leverage"):
        migrate(engine)
    assert schema(engine) == before


def test_a_database_with_tables_of_another_program_is_refused_and_left_alone(empty):
    with transaction(empty) as session:
        session.execute(text("CREATE TABLE customers (name TEXT)"))
    with pytest.raises(StoreError, match="tables of another program"):
        migrate(empty)
    assert set(schema(empty)) == {"customers"}


def test_an_emptied_alembic_table_is_no_other_program(empty):
    with transaction(empty) as session:
        session.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
    migrate(empty)
    assert left_to_do(empty) == []


# Killed half-way

MIGRATE_AND_DIE = """
import os, signal, sys
from sqlalchemy import event
from bot.store.db import connect
from bot.store.migrate import migrate

url, *points = sys.argv[1:]
for point in map(int, points):
    child = os.fork()
    if child:
        assert os.waitpid(child, 0)[1] == signal.SIGKILL, point
        continue
    engine, seen = connect(url), 0

    def count(connection, cursor, statement, *rest):
        global seen
        seen += statement.lstrip().startswith(("CREATE", "INSERT"))
        if seen == point:
            os.kill(os.getpid(), signal.SIGKILL)

    def finish(connection):
        os.kill(os.getpid(), signal.SIGKILL)

    event.listen(engine, "before_cursor_execute" if point else "commit", count if point else finish)
    migrate(engine)
    os._exit(1)
"""


def test_a_migration_that_is_killed_leaves_nothing_and_starts_again_cleanly(empty_database_url):
    """Killed before the first statement that makes something, among the tables and indices, and before the commit."""
    before_commit = 0
    points = [1, 2, 13, 30, before_commit]
    script = [sys.executable, "-c", MIGRATE_AND_DIE, empty_database_url, *map(str, points)]
    subprocess.run(script, cwd=ROOT, check=True, timeout=60)
    with opened(empty_database_url) as engine:
        assert schema(engine) == {}
        migrate(engine)
        assert left_to_do(engine) == []


def test_the_killing_above_is_real(tmp_path):
    """Its control: a child that lives through its migration is noticed."""
    never, url = 10_000, f"sqlite:///{tmp_path / 'leverage.db'}"
    script = [sys.executable, "-c", MIGRATE_AND_DIE, url, str(never)]
    ended = subprocess.run(script, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert "AssertionError: 10000" in ended.stderr
    with opened(url) as engine:
        assert left_to_do(engine) == []
