"""A database behaves the same whatever its kind, and what is wrong with it is said in one clear line."""

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Engine, Executable, create_engine, event, make_url, text
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError, StatementError
from sqlmodel import Session, select

from bot.store.bulk import upsert
from bot.store.db import connect, reading, transaction
from bot.store.errors import StoreError
from bot.store.migrate import migrate
from bot.store.tables import Meta, OutboxRow, SourceCursor
from bot.store.trouble import of_sqlite

PASSWORD = "hunter2"
NOON = datetime(2026, 5, 11, 12, tzinfo=UTC)

Opened = Callable[[Engine], AbstractContextManager[Session]]


def read_something(engine: Engine) -> None:
    with reading(engine) as session:
        session.exec(select(Meta)).all()


def write_something(engine: Engine) -> None:
    with transaction(engine) as session:
        session.add(Meta(name="something", value="written"))


EVERY_USE = pytest.mark.parametrize("use", [read_something, write_something, migrate])


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    engine = connect(url)
    try:
        yield engine
    finally:
        engine.dispose()


def complaint(url: str, use: Callable[[Engine], None]) -> str:
    """What using the database says is wrong: one line that quotes no password, nor does anything it was caused by."""
    with pytest.raises(StoreError) as caught, opened(url) as engine:
        use(engine)
    error: BaseException | None = caught.value
    while error:
        assert PASSWORD not in str(error)
        error = error.__cause__ or error.__context__
    assert "\n" not in str(caught.value)
    return str(caught.value)


# Addresses


@pytest.mark.parametrize(
    "url",
    [
        *("", "leverage.db", "leverage", "://", "mongodb://u:hunter2@host/db", "mysql://u:hunter2@host/db"),
        *("postgresql://u:hunter2@host:port/db", "postgresql://u:x@hunter2:word@host/db", "oracle+cx://u:hunter2@h/d"),
    ],
)
def test_an_address_of_an_unknown_kind_is_refused_with_two_good_examples(url):
    message = complaint(url, read_something)
    assert "sqlite:///leverage.db" in message
    assert "postgresql://" in message


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg", "postgresql+psycopg2"])
def test_postgresql_is_understood_however_a_platform_spells_it(scheme):
    with opened(f"{scheme}://u:hunter2@host/db") as engine:
        assert (engine.dialect.name, engine.dialect.driver) == ("postgresql", "psycopg")


# What can be wrong


@EVERY_USE
def test_a_file_that_is_no_database_is_named_and_left_alone(tmp_path, use):
    file = tmp_path / "minutes.txt"
    file.write_text("What we said on Monday.\n" * 300)
    before = file.read_bytes()
    message = complaint(f"sqlite:///{file}", use)
    assert message.startswith("The database minutes.txt is not a SQLite database")
    assert file.read_bytes() == before


@EVERY_USE
def test_a_damaged_file_is_told_from_a_strange_one(sqlite_template, tmp_path, use):
    file = tmp_path / "leverage.db"
    whole = sqlite_template.read_bytes()
    file.write_bytes(whole[:100] + b"\xff" * (len(whole) - 100))
    assert "is damaged" in complaint(f"sqlite:///{file}", use)


@EVERY_USE
def test_a_folder_that_is_not_there_is_told(tmp_path, use):
    file = tmp_path / "no" / "such.db"
    assert f"because the folder of {file} is not there" in complaint(f"sqlite:///{file}", use)


@EVERY_USE
def test_a_folder_is_no_database(tmp_path, use):
    assert "is a directory" in complaint(f"sqlite:///{tmp_path}", use)


def test_a_file_that_may_not_be_read_is_told_from_a_folder_that_may_not_be_written(tmp_path):
    """By an answer of its own: who runs the tests may be root, who may read everything."""
    file = tmp_path / "secret.db"
    file.touch()
    assert denied(file, readable=False) == "may not be read: check the file's own permissions"
    assert denied(file, readable=True) == "cannot be opened: check that its folder may be written"


def denied(file: Path, *, readable: bool) -> str | None:
    cause = sqlite3.OperationalError("unable to open database file")
    cause.sqlite_errorcode = sqlite3.SQLITE_CANTOPEN
    return of_sqlite(OperationalError("SELECT 1", None, cause), file, readable=lambda _: readable)


def test_a_file_that_may_not_be_written_can_still_be_read(sqlite_template, tmp_path):
    file = tmp_path / "leverage.db"
    file.write_bytes(sqlite_template.read_bytes())
    url = f"sqlite:///file:{file}?mode=ro&uri=true"
    assert "permissions" in complaint(url, write_something)
    with opened(url) as engine:
        read_something(engine)


@EVERY_USE
def test_a_server_nobody_answers_for_is_told_without_user_or_password(use):
    message = complaint(f"postgresql://someone:{PASSWORD}@127.0.0.1:1/books", use)
    assert message.startswith("The database books on 127.0.0.1 does not answer")
    assert "someone" not in message


@EVERY_USE
def test_a_database_that_is_not_on_the_server_is_told(postgres, use):
    assert "does not exist on that server" in complaint(postgres.url("nowhere"), use)


@EVERY_USE
@pytest.mark.parametrize("role", ["locked_out", "nobody"])
def test_a_wrong_user_or_password_is_told_and_never_printed(postgres, role, use):
    demand_a_password(postgres, "locked_out")
    url = make_url(postgres.url("postgres")).set(username=role, password=PASSWORD)
    message = complaint(url.render_as_string(hide_password=False), use)
    assert "refuses the user or password" in message


@EVERY_USE
def test_a_password_that_is_missing_is_told(postgres, use):
    demand_a_password(postgres, "locked_out")
    url = make_url(postgres.url("postgres")).set(username="locked_out", password=None)
    message = complaint(url.render_as_string(hide_password=False), use)
    assert "wants a password" in message


def test_a_port_that_is_none_is_told():
    assert "has a port that is none" in complaint("postgresql://u:hunter2@127.0.0.1:99999/db", read_something)


def demand_a_password(postgres: Any, role: str) -> None:
    """The server of the tests trusts everybody; make it ask this one role for a password it never told."""
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as admin:
        admin.execute("SELECT pg_advisory_lock(2)")  # other workers of this run may want it too
        if admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
            return
        admin.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'another'").format(sql.Identifier(role)))
        (file,) = admin.execute("SHOW hba_file").fetchone() or ("",)
        rules = Path(file).read_text()
        Path(file).write_text(f"local all {role} scram-sha-256\nhost all {role} all scram-sha-256\n{rules}")
        admin.execute("SELECT pg_reload_conf()")
        time.sleep(0.1)


@pytest.mark.parametrize("use", [read_something, write_something])
def test_a_database_that_was_never_migrated_says_which_command_to_run(empty_database_url, use):
    assert "`leverage migrate`" in complaint(empty_database_url, use)


def test_a_column_that_an_older_version_had_not_says_so_too(engine):
    with transaction(engine) as session:
        session.execute(text("ALTER TABLE meta RENAME COLUMN value TO old_value"))
    with pytest.raises(StoreError, match="`leverage migrate`"):
        write_something(engine)
    with pytest.raises(StoreError, match="`leverage migrate`"):
        read_something(engine)


# A full disk


def many_rows() -> list[dict[str, Any]]:
    padding = {"error": "x" * 500, "first_day": date(2026, 5, 11), "fetched_at": NOON, "lag_days": 0, "disabled": False}
    return [{"kind": "spend", "source": f"account-{number}", **padding} for number in range(500)]


def test_a_full_disk_is_told_leaves_nothing_half_written_and_is_over_when_there_is_space(sqlite_template, tmp_path):
    file = tmp_path / "leverage.db"
    file.write_bytes(sqlite_template.read_bytes())
    with opened(f"sqlite:///{file}") as engine:
        write_something(engine)
        with no_more_pages(engine, 8), pytest.raises(StoreError, match="disk is full"):
            write_a_little_and_then_much(engine)
        with reading(engine) as session:
            assert [row.name for row in session.exec(select(Meta)).all()] == ["something"]
            assert session.execute(text("PRAGMA integrity_check")).scalar() == "ok"
        with transaction(engine) as session:
            upsert(session, SourceCursor, many_rows())
        assert count(engine, "source_cursors") == 500


def write_a_little_and_then_much(engine: Engine) -> None:
    with transaction(engine) as session:
        session.add(Meta(name="first", value="half"))
        session.flush()
        upsert(session, SourceCursor, many_rows())


@contextmanager
def no_more_pages(engine: Engine, more: int) -> Iterator[None]:
    """New connections of this engine can make the file grow by so many pages only."""

    def limit(connection: Any, _record: Any) -> None:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count={pages + more}")

    engine.dispose()
    event.listen(engine, "connect", limit)
    yield
    event.remove(engine, "connect", limit)
    engine.dispose()


def test_a_full_disk_of_the_server_is_told(postgres):
    with (
        postgres.database("migrated") as url,
        opened(url) as engine,
        pytest.raises(StoreError, match="disk is full"),
        transaction(engine) as session,
    ):
        session.execute(text("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'disk_full', MESSAGE = 'voll'; END $$"))


# Others at work


@pytest.fixture
def other(database_url) -> Iterator[Engine]:
    """A second program on the same database."""
    with opened(database_url) as engine:
        yield engine


@pytest.fixture
def hasty(other: Engine) -> Engine:
    """A second program that waits for 0.3 seconds only."""

    def hurry(connection: Any, _record: Any) -> None:
        if other.dialect.name == "sqlite":
            connection.execute("PRAGMA busy_timeout=300")
        else:
            connection.execute("SET lock_timeout = '300ms'")
            connection.commit()

    event.listen(other, "connect", hurry)
    return other


def test_who_finds_the_database_held_waits_and_then_says_so(engine, hasty):
    with transaction(engine) as session:
        session.execute(text("SELECT 1"))
        started = time.monotonic()
        with pytest.raises(StoreError, match="is held by another process"):
            write_something(hasty)
        assert time.monotonic() - started >= 0.25
    write_something(hasty)


def test_who_waits_for_another_goes_on_when_that_one_is_done(engine, other):
    with transaction(engine) as session:
        session.add(Meta(name="first", value="1"))
        session.flush()
        waiting = threading.Thread(target=write_something, args=[other])
        waiting.start()
        time.sleep(0.1)
        assert waiting.is_alive()
    waiting.join()
    assert count(engine, "meta") == 2


def test_a_reader_never_waits_and_sees_one_state_from_first_to_last(engine, hasty):
    write_something(engine)
    with reading(hasty) as reader:
        assert values(reader) == ["written"]
        with transaction(engine) as session:
            session.execute(text("UPDATE meta SET value = 'later'"))
            with reading(hasty) as another:
                assert values(another) == ["written"]
        assert values(reader) == ["written"]
    with reading(hasty) as reader:
        assert values(reader) == ["later"]


def values(session: Session) -> list[str]:
    return [value for (value,) in session.execute(text("SELECT value FROM meta"))]


def increment(opens: Opened, engine: Engine, has_read: Callable[[], None] = lambda: None) -> None:
    """Read, think, write: what loses an update when two do it at once."""
    with opens(engine) as session:
        row = session.get_one(Meta, "count")
        has_read()
        row.value = str(int(row.value) + 1)
        session.add(row)


def increment_often(engine: Engine, times: int) -> None:
    for _ in range(times):
        increment(transaction, engine)


def test_two_who_count_at_once_lose_no_update(engine):
    with transaction(engine) as session:
        session.add(Meta(name="count", value="0"))
    threads = [threading.Thread(target=increment_often, args=[engine, 15]) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with reading(engine) as session:
        assert session.get_one(Meta, "count").value == "30"


def test_without_our_way_of_beginning_an_update_is_lost_or_refused(engine):
    """The control of the test above: plain transactions, as the drivers begin them."""
    with transaction(engine) as session:
        session.add(Meta(name="count", value="0"))
    plain = create_engine(engine.url)
    refused = 0
    try:
        increment(plainly, plain, has_read=lambda: increment(plainly, plain))
    except OperationalError:
        refused = 1
    plain.dispose()
    with reading(engine) as session:
        assert int(session.get_one(Meta, "count").value) == 1
    assert refused == (1 if engine.dialect.name == "sqlite" else 0)


@contextmanager
def plainly(engine: Engine) -> Iterator[Session]:
    with Session(engine) as session, session.begin():
        if engine.dialect.name == "sqlite":
            session.execute(text("BEGIN"))
        yield session


# All or nothing


def test_a_transaction_that_fails_leaves_nothing(engine):
    with pytest.raises(KeyError, match="half-way"):
        write_and_fail(engine)
    assert count(engine, "meta") == 0


def write_and_fail(engine: Engine) -> None:
    with transaction(engine) as session:
        session.add(Meta(name="first", value="1"))
        session.flush()
        raise KeyError("half-way")


def test_what_is_written_while_reading_is_not_kept(engine):
    with contextlib.suppress(StoreError), reading(engine) as session:
        session.execute(text("INSERT INTO meta VALUES ('sly', '1')"))
    assert count(engine, "meta") == 0


def test_a_constraint_that_fails_stays_what_it_is(engine):
    write_something(engine)
    with pytest.raises(IntegrityError):
        write_something(engine)


@pytest.mark.parametrize("query", ["SELEKT 1", "SELECT no_such_function()"])
def test_a_defect_of_ours_is_not_blamed_on_the_database(engine, query):
    statement: Executable = text(query)
    with pytest.raises((OperationalError, ProgrammingError)), transaction(engine) as session:
        session.execute(statement)


def test_an_error_quotes_no_values(engine):
    with pytest.raises(IntegrityError) as caught, transaction(engine) as session:
        session.execute(text("INSERT INTO meta (name, value) VALUES (:name, NULL)"), {"name": "unseen"})
    assert "[SQL parameters hidden" in str(caught.value)


# Times


def test_a_time_without_a_zone_is_refused(engine):
    naive = datetime(2026, 5, 11, 12)  # noqa: DTZ001
    with pytest.raises(StatementError, match="without a zone"), transaction(engine) as session:
        session.add(outbox_row(naive))
    assert count(engine, "outbox") == 0


@pytest.mark.parametrize("hours", [-11, 0, 5.5, 14])
def test_a_time_comes_back_as_the_same_instant_in_utc(engine, hours):
    there = timezone(timedelta(hours=hours))
    with transaction(engine) as session:
        session.add(outbox_row(NOON.astimezone(there) + timedelta(microseconds=1)))
    with reading(engine) as session:
        (row,) = session.exec(select(OutboxRow)).all()
    assert row.created_at == NOON + timedelta(microseconds=1)
    assert row.created_at.utcoffset() == timedelta(0)
    assert row.lease_until is None


def outbox_row(at: datetime) -> OutboxRow:
    return OutboxRow(key="k", kind="digest", target="C1", payload="{}", created_at=at, not_before=at)


def test_sqlite_is_set_up_to_survive_a_power_cut(tmp_path):
    with opened(f"sqlite:///{tmp_path / 'leverage.db'}") as engine, reading(engine) as session:
        settings = {
            name: session.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}


def test_postgresql_is_set_up_to_wait_for_nobody_for_ever(postgres):
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "TimeZone")
    with opened(postgres.url("postgres")) as engine, reading(engine) as session:
        assert [session.execute(text(f"SHOW {name}")).scalar() for name in names] == ["15s", "10s", "1min", "UTC"]


def count(engine: Engine, table: str) -> int:
    with reading(engine) as session:
        return int(session.execute(text(f"SELECT count(*) FROM {table}")).scalar() or 0)
