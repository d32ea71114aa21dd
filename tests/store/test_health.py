"""Looking at a database without changing it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from bot.domain.health import Schema
from bot.store import health, secrets
from bot.store.db import connect, reading, transaction
from bot.store.errors import StoreError
from bot.store.tables import CommentRow, InboxRow

NOW = datetime(2026, 5, 18, 10, tzinfo=UTC)


def test_a_migrated_database_is_current(engine):
    assert health.schema(engine) is Schema.CURRENT


def test_an_older_version_of_ours_is_known_from_a_newer_one(engine):
    for version, found in (("0001", Schema.OLDER), ("9999", Schema.NEWER)):
        with transaction(engine) as session:
            session.connection().execute(text("UPDATE alembic_version SET version_num = :v"), {"v": version})
        assert health.schema(engine) is found


def test_a_database_without_tables_is_empty_and_stays_so(empty_database_url):
    engine = connect(empty_database_url)
    assert health.schema(engine) is Schema.EMPTY
    if engine.dialect.name == "sqlite":
        assert not Path(engine.url.database or "").exists()
    else:
        assert inspect(engine).get_table_names() == []
    engine.dispose()


def test_tables_of_another_program_are_noticed(empty_database_url):
    engine = connect(empty_database_url)
    with transaction(engine) as session:
        session.connection().execute(text("CREATE TABLE accounts (id INTEGER)"))
    assert health.schema(engine) is Schema.FOREIGN
    engine.dispose()


def test_a_folder_that_is_not_there_is_an_error_in_words(tmp_path):
    with pytest.raises(StoreError, match="cannot be opened"):
        health.schema(connect(f"sqlite:///{tmp_path}/missing/leverage.db"))


def test_the_secret_is_compared_and_not_remembered(engine):
    def found(secret: bytes) -> bool | None:
        with reading(engine) as session:
            return health.is_secret(session, secret)

    assert found(b"first") is None
    assert found(b"second") is None
    with transaction(engine) as session:
        secrets.check(session, b"first")
    assert found(b"first") is True
    assert found(b"second") is False


@pytest.mark.parametrize(
    ("state", "error", "due", "told"),
    [
        ("none", "NotFound", None, True),
        ("posted", "missing_scope", None, True),
        ("none", "SourceError", NOW, False),
        ("none", None, None, False),
        ("locked", "locked", None, False),
        ("gone", "gone", None, False),
    ],
)
def test_a_comment_is_given_up_once_nobody_looks_at_it_again(engine, state, error, due, told):
    row = CommentRow(pull_id="PR_1", repository="acme/api", number=1, state=state, last_error=error, due_at=due)
    with transaction(engine) as session:
        session.add(row)
    with reading(engine) as session:
        assert health.given_up_comments(session) == ([error] if told else [])


@pytest.mark.parametrize(("state", "told"), [("failed", True), ("done", False), ("pending", False)])
def test_an_arrival_that_could_not_be_worked_off_is_noticed(engine, state, told):
    row = InboxRow(id="github/1", kind="github/pull_request", state=state, received_at=NOW, not_before=NOW)
    with transaction(engine) as session:
        session.add(row)
    with reading(engine) as session:
        assert health.has_failed_arrivals(session) is told
