"""Claims, leases and outcomes: who may post, and whose word counts. On both databases."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest

from bot.domain.delivery import Kind, Pace, State, Timing
from bot.store import outbox
from bot.store.db import transaction
from bot.store.outbox import Claim

NOW = datetime(2026, 5, 18, 9, tzinfo=UTC)
KEY = "digest/payments/2026-W20"
TIMING = Timing()
T = TypeVar("T")
SECOND = timedelta(seconds=1)
LATER = NOW + TIMING.lease


@pytest.fixture
def box(engine):
    return Box(engine)


class Box:
    """The outbox with one transaction a call."""

    def __init__(self, engine) -> None:
        self.engine = engine

    def put(self, key: str = KEY, kind: Kind = Kind.DIGEST, target: str = "C1", at: datetime = NOW) -> None:
        with transaction(self.engine) as session:
            outbox.put(session, key, kind, target, json.dumps({"text": "hello", "blocks": [{}]}), at)

    def claim(self, me: str = "one", at: datetime = NOW, **more) -> Claim | None:
        with transaction(self.engine) as session:
            return outbox.claim(session, me, at, TIMING, more.pop("pace", Pace()), **more)

    def does(self, what: Callable[..., T], *arguments: Any) -> T:
        with transaction(self.engine) as session:
            return what(session, *arguments)

    def posting(self, claim: Claim, at: datetime = NOW) -> bool:
        return self.does(outbox.posting, claim, at, TIMING)

    def state(self, key: str = KEY) -> State:
        found = self.does(outbox.record, key)
        assert found
        return found.state

    def in_flight(self, me: str = "one", at: datetime = NOW) -> Claim:
        """A claim whose request may have begun."""
        claim = self.claim(me, at)
        assert claim
        assert self.posting(claim, at)
        return claim


def test_a_due_write_is_claimed_once(box):
    box.put()
    claim = box.claim("one")
    assert claim is not None
    assert (claim.key, claim.kind, claim.target, claim.payload["text"]) == (KEY, Kind.DIGEST, "C1", "hello")
    assert box.claim("two") is None


def test_a_write_is_not_claimed_before_its_time(box):
    box.put(at=NOW + SECOND)
    assert box.claim(at=NOW) is None
    assert box.claim(at=NOW + SECOND)


def test_the_write_that_waited_longest_comes_first(box):
    box.put("digest/web/2026-W20", target="C2")
    box.put(at=NOW - SECOND)
    assert box.claim().key == KEY


def test_other_kinds_of_rows_are_left_alone(box):
    box.put("comment/1", kind="comment")
    assert box.claim() is None
    assert not box.does(outbox.stirring, NOW)


def test_a_claim_whose_lease_ended_before_the_request_is_free_again(box):
    box.put()
    first = box.claim("one")
    assert box.claim("two", LATER - SECOND) is None
    second = box.claim("two", LATER)
    assert second
    assert not box.posting(first, LATER)
    assert box.posting(second, LATER)


def test_no_request_begins_when_too_little_of_the_lease_is_left(box):
    box.put()
    claim = box.claim()
    too_late = LATER - TIMING.request - TIMING.spare
    assert not box.posting(claim, too_late)
    assert box.posting(claim, too_late - SECOND)


def test_a_request_begins_once(box):
    box.put()
    claim = box.claim()
    assert [box.posting(claim), box.posting(claim)] == [True, False]


def test_the_same_process_cannot_use_its_own_older_claim(box):
    box.put()
    old, new = box.claim("one"), box.claim("one", LATER)
    assert not box.posting(old, LATER)
    assert box.posting(new, LATER)


def test_a_write_whose_request_may_have_begun_is_never_claimed_again(box):
    box.put()
    box.in_flight()
    assert box.claim("two", NOW + timedelta(days=30)) is None


def test_an_open_request_becomes_unknown_when_its_lease_ends(box):
    box.put()
    box.in_flight()
    assert box.does(outbox.left_open, LATER - SECOND) == []
    assert not box.does(outbox.unknown, KEY, LATER - SECOND)
    assert [one.key for one in box.does(outbox.left_open, LATER)] == [KEY]
    assert box.does(outbox.unknown, KEY, LATER)
    assert not box.does(outbox.unknown, KEY, LATER)
    assert box.claim("two", NOW + timedelta(days=30)) is None


def test_an_answer_that_comes_after_the_lease_settles_what_was_unknown(box):
    box.put()
    claim = box.in_flight()
    box.does(outbox.unknown, KEY, LATER)
    assert box.does(outbox.sent, claim, "1.2")
    assert box.state() is State.SENT


@pytest.mark.parametrize("late", [outbox.failed, lambda session, claim, why: outbox.again(session, claim, NOW, why)])
def test_what_a_person_was_told_is_unknown_is_not_tried_again_by_itself(box, late):
    box.put()
    claim = box.in_flight()
    box.does(outbox.unknown, KEY, LATER)
    assert not box.does(late, claim, "no_connection")
    assert box.state() is State.UNKNOWN


def test_only_the_owner_says_what_became_of_a_write(box):
    box.put()
    mine = box.in_flight()
    stranger = Claim(KEY, mine.kind, mine.target, mine.payload, "two/0", 0)
    assert not box.does(outbox.sent, stranger, "9.9")
    assert not box.does(outbox.failed, stranger, "why")
    assert not box.does(outbox.again, stranger, NOW, "why")
    assert not box.does(outbox.uncertain, stranger, "why")
    assert box.does(outbox.sent, mine, "1.2")
    assert box.does(outbox.record, KEY).remote_id == "1.2"


def test_a_write_that_is_due_again_waits_and_counts_its_attempts(box):
    box.put()
    claim = box.in_flight()
    assert box.does(outbox.again, claim, NOW + 30 * SECOND, "no_connection")
    assert box.claim(at=NOW + 29 * SECOND) is None
    second = box.claim(at=NOW + 30 * SECOND)
    assert (second.attempts, second.payload["blocks"]) == (1, [{}])


def test_a_write_may_be_due_again_with_another_payload(box):
    box.put()
    box.does(outbox.again, box.in_flight(), NOW, "invalid_blocks", {"text": "hello", "blocks": None})
    assert box.claim(at=NOW + 2 * SECOND).payload == {"text": "hello", "blocks": None}


def test_a_person_can_ask_for_what_was_certainly_not_sent(box):
    box.put()
    assert not box.does(outbox.asked_for, KEY, "C9", NOW)
    box.does(outbox.failed, box.in_flight(), "is_archived")
    assert box.does(outbox.asked_for, KEY, "C9", NOW + SECOND)
    again = box.claim(at=NOW + SECOND)
    assert (again.target, again.attempts) == ("C9", 0)


@pytest.mark.parametrize("state", [State.SENT, State.UNKNOWN])
def test_nobody_can_ask_for_what_is_or_may_be_there(box, state):
    box.put()
    claim = box.in_flight()
    assert box.does(outbox.sent, claim, "1.2") if state is State.SENT else box.does(outbox.unknown, KEY, LATER)
    assert not box.does(outbox.asked_for, KEY, "C9", LATER)


def test_a_channel_gets_at_most_one_message_a_second(box):
    box.put()
    box.put("digest/web/2026-W20")
    box.put("digest/zoo/2026-W20", target="C2")
    claims = [box.claim(at=NOW), box.claim(at=NOW), box.claim(at=NOW), box.claim(at=NOW + SECOND)]
    assert [claim and claim.target for claim in claims] == ["C1", "C2", None, "C1"]


def test_all_processes_together_make_at_most_so_many_attempts_a_minute(box):
    pace = Pace(a_minute=3)
    for number in range(5):
        box.put(f"digest/{number}/2026-W20", target=f"C{number}")
    claims = [box.claim(f"{number}", NOW, pace=pace) for number in range(4)]
    assert [bool(claim) for claim in claims] == [True, True, True, False]
    assert box.claim(at=NOW + timedelta(minutes=1), pace=pace)


def test_a_clock_that_was_set_back_does_not_stop_the_others(box):
    box.put()
    box.put("digest/web/2026-W20")
    box.claim(at=NOW)
    earlier = NOW - timedelta(hours=2)
    box.put("digest/ops/2026-W20", at=earlier)
    assert box.claim(at=earlier, pace=Pace(a_minute=1))


def test_nothing_is_claimed_while_the_installation_is_off(box):
    box.put()
    box.does(outbox.switch_off, "token_revoked")
    assert box.does(outbox.installation_off) == "token_revoked"
    assert box.claim() is None
    box.does(outbox.switch_on)
    box.does(outbox.switch_on)
    assert box.claim()


def test_a_digest_that_is_being_posted_is_not_skipped(box):
    box.put()
    assert box.does(outbox.waiting_digests, NOW)
    box.in_flight()
    assert box.does(outbox.waiting_digests, NOW) == []
    assert not box.does(outbox.skipped, KEY, NOW, "late")


def test_the_newest_digest_of_each_team_is_that_due_last(box):
    for week, days in (("2026-W20", 0), ("2026-W21", 7), ("2026-W22", 14)):
        box.put(f"digest/payments/{week}", at=NOW + timedelta(days=days))
    newest = box.does(outbox.newest_digests, NOW, NOW + timedelta(days=8))
    assert newest == {"payments": NOW + timedelta(days=7)}


def test_the_same_thing_is_queued_once(box):
    for text in ("first", "second"):
        box.does(outbox.put_once, "note/x", Kind.NOTE, "U1", {"text": text}, NOW)
    assert box.claim().payload == {"text": "first"}


def test_times_come_back_aware_and_in_utc(box):
    box.put(at=datetime(2026, 5, 18, 11, tzinfo=UTC))
    record = box.does(outbox.record, KEY)
    assert record.due.tzinfo is UTC
    assert record.due == datetime(2026, 5, 18, 11, tzinfo=UTC)


def test_only_what_can_move_stirs(box):
    assert not box.does(outbox.stirring, NOW)
    box.put()
    assert box.does(outbox.stirring, NOW)
    claim = box.in_flight()
    assert not box.does(outbox.stirring, LATER - SECOND)
    assert box.does(outbox.stirring, LATER)
    box.does(outbox.sent, claim, "1.2")
    assert not box.does(outbox.stirring, LATER)
