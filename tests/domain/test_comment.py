"""What is decided about our comment on a pull request, from plain values."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.comment import (
    DEBOUNCE,
    MARKER,
    MOST_ATTEMPTS,
    REFRESHING,
    SPEAKING,
    Again,
    CommentState,
    Create,
    Ended,
    GiveUp,
    Keep,
    Posted,
    after,
    look_at,
    plan,
)
from bot.domain.delivery import BadMessage, NotSent, Refused, Revoked, Sent, Uncertain
from bot.domain.ports import PullComment

NOW = datetime(2026, 5, 18, 9, tzinfo=UTC)
BODY = f"{MARKER}\nM-size pull requests here usually take $3 to $12"


def ours(id: int, body: str = BODY) -> PullComment:
    return PullComment(id, ours=True, body=body)


def theirs(id: int, body: str = BODY) -> PullComment:
    return PullComment(id, ours=False, body=body)


# --- when


@pytest.mark.parametrize("action", sorted(SPEAKING))
@pytest.mark.parametrize("state", [CommentState.NONE, CommentState.POSTED, CommentState.LOCKED])
def test_an_occasion_to_speak_is_looked_at_after_a_minute(action, state):
    assert look_at(action, state, None, NOW) == NOW + DEBOUNCE


@pytest.mark.parametrize("action", sorted(REFRESHING))
def test_a_mere_change_is_looked_at_only_where_a_comment_is(action):
    assert look_at(action, CommentState.NONE, None, NOW) is None
    assert look_at(action, CommentState.POSTED, None, NOW) == NOW + DEBOUNCE


@pytest.mark.parametrize("action", sorted(SPEAKING | REFRESHING))
def test_what_a_person_deleted_is_never_looked_at_again(action):
    assert look_at(action, CommentState.GONE, None, NOW) is None


@pytest.mark.parametrize("action", ["labeled", "assigned", "closed ", "", "OPENED"])
def test_other_actions_are_no_reason_to_look(action):
    assert look_at(action, CommentState.POSTED, None, NOW) is None


def test_several_events_of_a_minute_are_one_look():
    soon = NOW + timedelta(seconds=20)
    assert look_at("closed", CommentState.NONE, soon, NOW) == soon


def test_an_event_during_a_look_asks_for_another():
    assert look_at("closed", CommentState.NONE, NOW - timedelta(seconds=1), NOW) == NOW + DEBOUNCE


# --- what


@pytest.mark.parametrize(
    ("remembered", "found", "step"),
    [
        (None, [], Create()),
        (None, [theirs(1)], Create()),
        (None, [ours(1, "another thing our App says")], Create()),
        (None, [ours(1, f"quoted: {BODY}")], Create()),
        (None, [ours(1)], Keep(1, rewrite=False)),
        (1, [ours(1)], Keep(1, rewrite=False)),
        (1, [ours(1, BODY.replace("\n", "\r\n") + "\n")], Keep(1, rewrite=False)),
        (1, [ours(1, f"{MARKER}\nolder")], Keep(1, rewrite=True)),
        (None, [ours(1, "<!-- leverage:comment v9 -->\nlater")], Keep(1, rewrite=True)),
        (None, [ours(2), theirs(3), ours(1)], Keep(1, rewrite=False, extra=(2,))),
        (2, [ours(1), ours(2), ours(3)], Keep(2, rewrite=False, extra=(1, 3))),
        (7, [ours(2), ours(1)], Keep(1, rewrite=False, extra=(2,))),
        (1, [], Keep(1, rewrite=True)),
        (1, [theirs(2)], Keep(1, rewrite=True)),
        (1, [ours(1, "a person wrote over it")], GiveUp()),
        (1, [theirs(1)], GiveUp()),
    ],
)
def test_there_is_to_be_one_comment_of_ours_and_nobody_elses_is_touched(remembered, found, step):
    assert plan(remembered, found, BODY) == step


# --- what became of it


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (Sent("12"), Posted(12)),
        (Refused("gone"), Ended(CommentState.GONE)),
        (Refused("locked"), Ended(CommentState.LOCKED)),
        (Refused("forbidden"), Ended(None, "forbidden")),
        (BadMessage("status_422"), Ended(None, "status_422")),
        (Uncertain("status_502"), Again(NOW + timedelta(seconds=30), "status_502")),
        (Revoked("suspended"), Again(NOW + timedelta(seconds=30), "suspended")),
        (NotSent("not_reached"), Again(NOW + timedelta(seconds=30), "not_reached")),
        (NotSent("rate_limited", timedelta(seconds=90)), Again(NOW + timedelta(seconds=90), "rate_limited")),
    ],
)
def test_an_answer_says_what_is_next(answer, result):
    assert after(answer, 0, NOW) == result


def test_each_wait_is_longer_and_the_last_is_given_up():
    waits = [after(Uncertain("no_answer"), tried, NOW) for tried in range(MOST_ATTEMPTS)]
    seconds = [(wait.at - NOW).total_seconds() for wait in waits if isinstance(wait, Again)]
    assert seconds == [30, 60, 120, 240, 480, 960, 1920]
    assert waits[-1] == Ended(None, "no_answer")
