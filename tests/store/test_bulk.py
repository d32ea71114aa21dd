"""Bulk writes store what the ORM would have stored, may be repeated, and leave equal rows where they lie."""

import ast
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col, select

from bot.domain.split import Outside
from bot.store.bulk import Row, replace, upsert
from bot.store.db import reading, transaction
from bot.store.tables import AccountDay, CommitDay, SourceCursor
from tests.people import dump

NOON = datetime(2026, 5, 11, 12, tzinfo=UTC)
WITH_DATABASE = settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])


def cursor(source: str = "anthropic", **facts: Any) -> Row:
    """A row with a value of every type: two words, a day, an instant, a number, a word or none, yes or no."""
    ordinary = {"first_day": date(2026, 5, 11), "fetched_at": NOON, "lag_days": 1, "error": None, "disabled": False}
    return {"kind": "spend", "source": source, **ordinary, "rejected": "", "unpriced": "", **facts}


def write(engine: Engine, *rows: Row, **options: Any) -> int:
    """Upsert cursors; how many rows the database wrote anew."""
    with transaction(engine) as session:
        before = versions(session)
        upsert(session, SourceCursor, rows, **options)
        return len(versions(session) - before)


def versions(session: Session) -> set[Any]:
    """One mark for each time a row was written: PostgreSQL keeps the writing transaction and place of each row,
    SQLite only counts."""
    if session.get_bind().dialect.name == "sqlite":
        connection: Any = session.connection().connection.driver_connection
        return set(range(connection.total_changes))
    return {tuple(row) for row in session.execute(text("SELECT xmin::text, ctid::text FROM source_cursors"))}


def stored(engine: Engine) -> list[Row]:
    with reading(engine) as session:
        return [row.model_dump() for row in session.exec(select(SourceCursor).order_by(col(SourceCursor.source)))]


# What is stored

rows = st.builds(
    cursor,
    source=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20),
    first_day=st.dates(date(1, 1, 1)),
    fetched_at=st.none()
    | st.datetimes(
        datetime(1900, 1, 1),  # noqa: DTZ001
        datetime(2200, 1, 1),  # noqa: DTZ001
        timezones=st.integers(-14, 14).map(lambda hours: timezone(timedelta(hours=hours))),
    ),
    lag_days=st.integers(-(2**31), 2**31 - 1),
    error=st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20),
    disabled=st.booleans(),
)


@WITH_DATABASE
@given(st.lists(rows, max_size=8, unique_by=lambda row: row["source"]))
def test_rows_come_back_as_they_were_and_lie_there_as_the_orm_would_have_put_them(engine, rows):
    with transaction(engine) as session:
        session.execute(delete(SourceCursor))
        upsert(session, SourceCursor, rows)
    expected = sorted(rows, key=lambda row: row["source"])
    assert sorted(stored(engine), key=lambda row: row["source"]) == expected
    ours = dump(engine, "source_cursors")
    with transaction(engine) as session:
        session.execute(delete(SourceCursor))
        for row in rows:
            session.add(SourceCursor(**row))
    assert dump(engine, "source_cursors") == ours


def test_a_word_of_ours_is_stored_as_its_word(engine):
    amounts = {"billed_micro": 2**62, "list_micro": None, "refreshed_at": None, "collected_at": NOON}
    with transaction(engine) as session:
        row = {"account": "anthropic", "day": NOON.date(), "outside": Outside.FEW, **amounts}
        upsert(session, AccountDay, [row])
    (found,) = dump(engine, "account_days")
    assert (found["outside"], found["billed_micro"]) == ("few", 2**62)


def test_a_time_without_a_zone_is_refused_here_too(engine):
    naive = datetime(2026, 5, 11, 12)  # noqa: DTZ001
    with pytest.raises(ValueError, match="without a zone"):
        write(engine, cursor(fetched_at=naive))
    assert stored(engine) == []


def test_no_rows_are_no_work(engine):
    assert write(engine) == 0


def test_what_the_database_refuses_keeps_none_of_the_rows(engine):
    """The COPY of PostgreSQL passes SQLAlchemy by, so this is also a test that its errors do not."""
    with pytest.raises((DBAPIError, OverflowError)):
        write(engine, cursor("good"), cursor("bad", lag_days=2**63))
    assert stored(engine) == []


# Again


def test_the_same_rows_again_are_not_rewritten(engine):
    some = [cursor(f"account-{number}", error=None if number % 2 else "refused") for number in range(50)]
    assert write(engine, *some) == 50
    assert write(engine, *some) == 0
    assert write(engine, *reversed(some)) == 0


@pytest.mark.parametrize(
    "change",
    [
        {"fetched_at": NOON + timedelta(microseconds=1)},
        {"fetched_at": None},
        {"error": "refused"},
        {"error": ""},
        {"lag_days": 2},
        {"disabled": True},
        {"first_day": date(2026, 5, 10)},
    ],
)
def test_only_a_row_that_differs_is_rewritten_and_nothing_is_no_value_like_others(engine, change):
    same = [cursor(f"account-{number}") for number in range(5)]
    write(engine, *same, cursor())
    assert write(engine, *same, cursor(**change)) == 1
    assert stored(engine)[-1] == cursor(**change)
    assert write(engine, *same, cursor()) == 1
    assert stored(engine)[-1] == cursor()


def test_the_same_instant_in_another_zone_is_no_change(engine):
    write(engine, cursor())
    assert write(engine, cursor(fetched_at=NOON.astimezone(timezone(timedelta(hours=9))))) == 0


def test_a_row_can_keep_what_it_has(engine):
    write(engine, cursor(error="kept", lag_days=1))
    assert write(engine, cursor(error="new", lag_days=1), keep=["error"]) == 0
    assert write(engine, cursor(error="new", lag_days=2), keep=["error"]) == 1
    assert stored(engine) == [cursor(error="kept", lag_days=2)]


def test_a_new_row_gets_what_an_old_one_would_keep(engine):
    write(engine, cursor(error="first"), keep=["error"])
    assert stored(engine) == [cursor(error="first")]


def test_of_two_rows_with_one_key_the_last_counts(engine):
    write(engine, cursor(lag_days=1), cursor("another"), cursor(lag_days=3))
    assert stored(engine) == [cursor("another"), cursor(lag_days=3)]


def test_a_table_of_nothing_but_a_key_takes_rows_again(engine):
    day = {"author_id": "U_ann", "day": NOON.date(), "pull_id": "PR_1"}
    for _ in range(2):
        with transaction(engine) as session:
            upsert(session, CommitDay, [day])
    assert len(dump(engine, "commit_days")) == 1


def test_several_bulk_writes_fit_into_one_transaction(engine):
    with transaction(engine) as session:
        upsert(session, SourceCursor, [cursor("one")])
        upsert(session, SourceCursor, [cursor("two")])
    assert len(stored(engine)) == 2


def test_replacing_deletes_what_is_no_longer_named_within_its_scope_only(engine):
    write(engine, cursor("kept"), cursor("gone"), cursor("repository", kind="outcome"))
    with transaction(engine) as session:
        before = versions(session)
        replace(session, SourceCursor, [cursor("kept"), cursor("new")], col(SourceCursor.kind) == "spend")
        written = versions(session) - before
    assert [row["source"] for row in stored(engine)] == ["kept", "new", "repository"]
    assert len(written) == (2 if engine.dialect.name == "sqlite" else 1)  # SQLite counts a deletion, too


def test_replacing_by_nothing_empties_the_scope(engine):
    write(engine, cursor("gone"), cursor("repository", kind="outcome"))
    with transaction(engine) as session:
        replace(session, SourceCursor, [], col(SourceCursor.kind) == "spend")
    assert [row["source"] for row in stored(engine)] == ["repository"]


# The ORM writes one row at a time and costs 31 times as much, `merge` 200 times

STORE = Path(__file__).parents[2] / "bot" / "store"
WRITE_MANY = ["books", "bulk", "pulls", "spend"]
BY_ROW = {"add", "add_all", "merge", "bulk_save_objects", "bulk_insert_mappings", "bulk_update_mappings"}


def writes_by_row(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in BY_ROW:
            receiver = ast.unparse(node.func.value)
            if "session" in receiver:
                yield f"{receiver}.{node.func.attr}"


@pytest.mark.parametrize("name", WRITE_MANY)
def test_what_writes_many_rows_never_writes_them_one_by_one(name):
    assert list(writes_by_row((STORE / f"{name}.py").read_text())) == []


def test_the_search_above_finds_what_it_looks_for():
    source = "def save(session, rows):\n    for row in rows:\n        session.merge(row)\n    self.session.add_all([])"
    assert sorted(writes_by_row(source)) == ["self.session.add_all", "session.merge"]
