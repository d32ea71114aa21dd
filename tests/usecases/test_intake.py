"""Webhooks in a real database: stored once, worked off once, whatever arrives and however often."""

import json
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from bot.github.webhooks import parse
from bot.store.db import reading
from bot.usecases.intake import Delivery, Worked, store, work_inbox
from tests.company import instant

NOW = instant("2026-05-18 09:00")
OBSERVED = ("acme/api",)


def delivery(
    id: str, action: str = "opened", *, number: int = 1, repository: str = "acme/api", private: bool = True
) -> Delivery:
    body = {
        "action": action,
        "number": number,
        "pull_request": {"node_id": f"PR_{number}"},
        "repository": {"full_name": repository, "private": private},
    }
    return Delivery(id, "pull_request", json.dumps(body))


def work(engine: Engine, now: datetime = NOW) -> Worked:
    return work_inbox(engine, OBSERVED, parse, now)


def rows(engine: Engine, query: str) -> list[tuple[Any, ...]]:
    with reading(engine) as session:
        return [tuple(row) for row in session.execute(text(query))]


def test_a_delivery_is_stored_and_makes_its_pull_request_due(engine):
    assert store(engine, delivery("a"), NOW)
    assert rows(engine, "SELECT id, kind, state FROM inbox") == [("github/a", "github/pull_request", "pending")]
    assert work(engine) == Worked(due=1)
    assert rows(engine, "SELECT state, body FROM inbox") == [("done", None)]
    assert rows(engine, "SELECT pull_id, repository, number, state FROM comments") == [("PR_1", "acme/api", 1, "none")]


def test_the_same_delivery_again_is_accepted_and_changes_nothing(engine):
    assert store(engine, delivery("a"), NOW)
    assert not store(engine, delivery("a"), NOW)
    work(engine)
    assert not store(engine, delivery("a"), NOW)
    assert work(engine) == Worked()


def test_one_delivery_that_comes_ten_times_at_once_is_stored_once(engine):
    with ThreadPoolExecutor(10) as pool:
        stored = list(pool.map(lambda _: store(engine, delivery("a"), NOW), range(10)))
    assert stored.count(True) == 1
    assert work(engine) == Worked(due=1)


def test_several_workers_at_once_work_each_off_once(engine):
    for number in range(1, 9):
        store(engine, delivery(str(number), number=number), NOW)
    with ThreadPoolExecutor(4) as pool:
        worked = list(pool.map(lambda _: work(engine), range(4)))
    assert sum(one.due for one in worked) == 8


@pytest.mark.parametrize(
    "wrong",
    [delivery("a", repository="acme/other"), delivery("a", private=False), delivery("a", action="labeled")],
    ids=["not observed", "public", "no occasion"],
)
def test_what_is_not_to_be_commented_is_done_and_leaves_nothing(engine, wrong):
    store(engine, wrong, NOW)
    assert work(engine) == Worked(idle=1)
    assert rows(engine, "SELECT * FROM comments") == []


def test_a_repositorys_name_is_known_in_any_case(engine):
    store(engine, delivery("a", repository="Acme/API"), NOW)
    assert work(engine) == Worked(due=1)


@pytest.mark.parametrize("event", ["installation", "installation_repositories", "repository", "push", "ping", "new"])
def test_of_other_events_only_the_id_is_kept(engine, event):
    assert store(engine, Delivery("a", event, '{"secret": 1}'), NOW)
    assert not store(engine, Delivery("a", event, '{"secret": 1}'), NOW)
    assert rows(engine, "SELECT state, body FROM inbox") == [("done", None)]
    assert work(engine) == Worked()


HOSTILE = ["", "[]", "null", "{}", "[" * 50_000, '{"action": 5}', "x" * 1_000_000, '{"action": "opened", "number": -1}']


@pytest.mark.parametrize("order", [1, -1])
def test_hostile_bodies_fail_and_stop_nothing_else(engine, order):
    bodies = [Delivery(str(number), "pull_request", body) for number, body in enumerate(HOSTILE)]
    for one in [*bodies, delivery("good")][::order]:
        store(engine, one, NOW)
    assert work(engine) == Worked(due=1, failed=len(HOSTILE))
    assert set(rows(engine, "SELECT state, body, error FROM inbox WHERE state = 'failed'")) == {
        ("failed", None, "malformed")
    }


def test_a_failed_delivery_is_worked_off_when_it_is_sent_again(engine):
    store(engine, Delivery("a", "pull_request", "cut off"), NOW)
    assert work(engine) == Worked(failed=1)
    assert store(engine, delivery("a"), NOW)
    assert work(engine) == Worked(due=1)


@pytest.mark.parametrize("seed", range(3))
def test_twice_and_in_any_order_is_the_same_as_once(engine, seed):
    """The pull request is due once, a minute after the first of them."""
    actions = ["opened", "converted_to_draft", "ready_for_review", "synchronize", "edited", "closed", "reopened"]
    sent = [delivery(action, action) for action in actions] * 2
    random.Random(seed).shuffle(sent)
    for one in sent:
        store(engine, one, NOW)
        work(engine)
    assert rows(engine, "SELECT count(*) FROM comments") == [(1,)]
    assert rows(engine, "SELECT count(*) FROM comments WHERE due_at IS NOT NULL") == [(1,)]


def test_ids_are_kept_for_thirty_days(engine):
    store(engine, delivery("a"), NOW)
    work(engine)
    work(engine, NOW + timedelta(days=29))
    assert not store(engine, delivery("a"), NOW + timedelta(days=29))
    work(engine, NOW + timedelta(days=31))
    assert rows(engine, "SELECT * FROM inbox") == []
