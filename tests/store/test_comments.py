"""Claims on comments, on both databases: one worker at a time, and no event is lost."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, Row, text

from bot.domain.comment import CommentState, PullEvent
from bot.store import comments
from bot.store.comments import Claim
from bot.store.db import reading, transaction
from tests.company import instant

NOW = instant("2026-05-18 09:00")
DUE = NOW + timedelta(seconds=60)
LEASE = timedelta(seconds=120)
OPENED = PullEvent("opened", "PR_1", "acme/api", 1, private=True)


@pytest.fixture
def opened(engine: Engine) -> Engine:
    """A pull request that was just opened."""
    with transaction(engine) as session:
        assert comments.happened(session, OPENED, NOW)
    return engine


def claim(engine: Engine, now: datetime = DUE, owner: str = "me") -> Claim:
    """A claim that is there to be had."""
    found = claimed(engine, now, owner)
    assert found
    return found


def claimed(engine: Engine, now: datetime, owner: str = "me") -> Claim | None:
    with transaction(engine) as session:
        return comments.claim(session, owner, now, LEASE)


def do(engine: Engine, verb: Callable[..., Any], *arguments: Any) -> Any:
    with transaction(engine) as session:
        return verb(session, *arguments)


def row(engine: Engine) -> Row[Any]:
    with reading(engine) as session:
        query = "SELECT state, comment_id, due_at, owner, attempts, last_error FROM comments"
        return session.execute(text(query)).one()


def test_it_is_not_due_before_its_minute_is_over(opened):
    assert claimed(opened, DUE - timedelta(seconds=1)) is None
    assert claimed(opened, DUE) is not None


def test_one_claim_at_a_time_until_it_runs_out(opened):
    assert claim(opened)
    assert claimed(opened, DUE, owner="other") is None
    assert claimed(opened, DUE + LEASE, owner="other") is not None


def test_a_posted_comment_is_not_due_any_more(opened):
    mine = claim(opened)
    assert do(opened, comments.posted, mine, 12, "hash")
    found = row(opened)
    assert (found.state, found.comment_id, found.due_at, found.owner) == ("posted", 12, None, None)
    assert claimed(opened, DUE + timedelta(days=1)) is None


def test_an_event_during_a_claim_keeps_it_due(opened):
    mine = claim(opened)
    do(opened, comments.happened, OPENED, DUE + timedelta(seconds=1))
    assert do(opened, comments.posted, mine, 12, "hash")
    assert claim(opened, DUE + timedelta(seconds=61)).comment_id == 12


def test_who_lost_the_claim_writes_nothing_down(opened):
    mine = claim(opened)
    late = DUE + LEASE
    other = claim(opened, late, owner="other")
    assert not do(opened, comments.hold, mine, late, LEASE)
    assert not do(opened, comments.posted, mine, 12, "hash")
    assert not do(opened, comments.stopped, mine, CommentState.GONE, None)
    assert not do(opened, comments.postponed, mine, late, "no_answer")
    assert do(opened, comments.posted, other, 13, "hash")
    assert row(opened).comment_id == 13


def test_a_claim_that_ran_out_is_not_held_even_if_nobody_took_it(opened):
    mine = claim(opened)
    assert not do(opened, comments.hold, mine, DUE + LEASE, LEASE)


def test_a_held_claim_lasts_longer(opened):
    mine = claim(opened)
    assert do(opened, comments.hold, mine, DUE + timedelta(seconds=100), LEASE)
    assert claimed(opened, DUE + LEASE, owner="other") is None


def test_what_failed_is_due_later_and_counted(opened):
    later = DUE + timedelta(minutes=5)
    do(opened, comments.postponed, claim(opened), later, "no_answer")
    assert (row(opened).attempts, row(opened).last_error) == (1, "no_answer")
    assert claimed(opened, later - timedelta(seconds=1)) is None
    assert claim(opened, later).attempts == 1


def test_a_comment_that_a_person_deleted_is_never_due_again(opened):
    do(opened, comments.stopped, claim(opened), CommentState.GONE, None)
    assert not do(opened, comments.happened, OPENED, DUE)
    assert claimed(opened, DUE + timedelta(days=1)) is None


def test_a_second_look_does_not_bring_back_what_a_person_deleted(opened):
    do(opened, comments.stopped, claim(opened), CommentState.GONE, None)
    do(opened, comments.look_again, "PR_1", DUE)
    assert claimed(opened, DUE + timedelta(days=1)) is None


def test_stopping_without_a_state_leaves_it(opened):
    do(opened, comments.posted, claim(opened), 12, "hash")
    do(opened, comments.happened, OPENED, DUE)
    do(opened, comments.stopped, claim(opened, DUE + timedelta(minutes=2)), None, "forbidden")
    assert (row(opened).state, row(opened).comment_id, row(opened).last_error) == ("posted", 12, "forbidden")


def test_a_renamed_repository_is_written_to_under_its_new_name(opened):
    do(opened, comments.happened, PullEvent("closed", "PR_1", "acme/new", 1, private=True), NOW)
    assert claim(opened).repository == "acme/new"
