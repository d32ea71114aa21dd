"""The inbox on both databases: kept once, worked off once, forgotten in time."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from bot.store import inbox
from bot.store.db import reading, transaction
from bot.store.inbox import Item
from tests.company import instant

NOW = instant("2026-05-18 09:00")
KINDS = {"github/pull_request"}


def put(engine: Engine, id: str = "github/1", body: str | None = "{}", now: datetime = NOW) -> bool:
    with transaction(engine) as session:
        return inbox.put(session, id, "github/pull_request", body, now)


def take(engine: Engine, now: datetime = NOW) -> Item:
    """One that is there to be taken."""
    found = taken(engine, now)
    assert found
    return found


def taken(engine: Engine, now: datetime = NOW) -> Item | None:
    with transaction(engine) as session:
        return inbox.take(session, KINDS, now)


def finish(engine: Engine, verb: Callable[..., None], *arguments: Any) -> None:
    with transaction(engine) as session:
        verb(session, *arguments)


def row(engine: Engine, id: str = "github/1") -> tuple[Any, ...]:
    with reading(engine) as session:
        return tuple(session.execute(text("SELECT state, body, error FROM inbox WHERE id = :id"), {"id": id}).one())


def test_a_delivery_is_kept_until_it_is_done_and_then_without_its_body(engine):
    assert put(engine)
    item = take(engine)
    assert (item.id, item.kind, item.body) == ("github/1", "github/pull_request", "{}")
    finish(engine, inbox.done, "github/1")
    assert row(engine) == ("done", None, None)
    assert taken(engine, NOW + timedelta(days=1)) is None


@pytest.mark.parametrize("state", ["pending", "taken", "done"])
def test_a_repeat_changes_nothing(engine, state):
    put(engine)
    if state != "pending":
        take(engine)
    if state == "done":
        finish(engine, inbox.done, "github/1")
    before = row(engine)
    assert not put(engine, body="other")
    assert row(engine) == before


def test_what_failed_is_pending_again_when_it_comes_again(engine):
    put(engine)
    take(engine)
    finish(engine, inbox.failed, "github/1", "malformed")
    assert row(engine) == ("failed", None, "malformed")
    assert put(engine, body="better")
    assert row(engine) == ("pending", "better", None)
    assert take(engine).body == "better"


def test_what_is_taken_is_nobody_elses_for_a_minute(engine):
    put(engine)
    take(engine)
    assert taken(engine, NOW + timedelta(seconds=59)) is None
    assert taken(engine, NOW + timedelta(seconds=60)) is not None


def test_the_oldest_comes_first_and_other_kinds_not_at_all(engine):
    put(engine, "github/2", now=NOW)
    put(engine, "github/1", now=NOW - timedelta(seconds=1))
    with transaction(engine) as session:
        inbox.put(session, "slack/1", "slack/event", "{}", NOW - timedelta(hours=1))
    assert [take(engine).id, take(engine).id] == ["github/1", "github/2"]
    assert taken(engine) is None


def test_what_nobody_can_finish_is_given_up_and_stops_nothing_else(engine):
    put(engine, "github/poison")
    for minute in range(inbox.MOST_ATTEMPTS):
        assert take(engine, NOW + timedelta(minutes=minute)).id == "github/poison"
    put(engine, "github/2", now=NOW + timedelta(minutes=9))
    assert take(engine, NOW + timedelta(minutes=9)).id == "github/2"
    assert row(engine, "github/poison") == ("failed", None, "gave_up")


def test_ids_are_forgotten_when_they_are_finished_and_old(engine):
    for id in ("github/done", "github/pending", "github/young"):
        put(engine, id, now=NOW + timedelta(days=2) if id == "github/young" else NOW)
    finish(engine, inbox.done, "github/done")
    finish(engine, inbox.done, "github/young")
    finish(engine, inbox.forget, NOW + timedelta(days=1))
    with reading(engine) as session:
        left = session.execute(text("SELECT id FROM inbox ORDER BY id")).scalars().all()
    assert left == ["github/pending", "github/young"]


def test_an_event_without_a_body_is_only_remembered(engine):
    assert put(engine, body=None)
    assert row(engine) == ("done", None, None)
    assert not put(engine, body=None)


def test_an_idle_inbox_does_not_stir(engine):
    put(engine, body=None)
    with reading(engine) as session:
        assert not inbox.stirring(session, KINDS, NOW, NOW - timedelta(days=30))
        assert inbox.stirring(session, KINDS, NOW, NOW + timedelta(seconds=1))
