"""What is done after each answer, and which digests come too late."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.delivery import (
    ATTEMPTS,
    LATEST,
    NEWER,
    TOO_LATE,
    Again,
    Answer,
    Attempt,
    BadMessage,
    Done,
    GiveUp,
    Kind,
    LeaveOpen,
    NotSent,
    Queued,
    Refused,
    Revoked,
    Sent,
    State,
    Step,
    StopAll,
    Uncertain,
    back_off,
    next_step,
    note_key,
    opaque,
    outdated,
    team_and_week,
)

NOW = datetime(2026, 5, 18, 9, tzinfo=UTC)
FIRST = Attempt(Kind.DIGEST, 1, plain=False)
HOUR = timedelta(hours=1)


def step(answer: Answer, attempt: Attempt = FIRST) -> Step:
    return next_step(answer, attempt, NOW, 0.0)


def test_what_was_sent_is_done():
    assert step(Sent("1.2")) == Done("1.2")


def test_an_uncertain_digest_is_left_open_however_often_it_was_tried():
    assert {type(step(Uncertain("http_503"), Attempt(Kind.DIGEST, number, False))) for number in (1, 8, 9)} == {
        LeaveOpen
    }


@pytest.mark.parametrize("kind", [Kind.NOTE, Kind.DELETE])
def test_what_does_no_harm_twice_is_tried_again_when_nobody_knows(kind):
    assert step(Uncertain("TimeoutError"), Attempt(kind, 1, True)) == Again(NOW + timedelta(seconds=30), "TimeoutError")
    assert step(Uncertain("TimeoutError"), Attempt(kind, ATTEMPTS, True)) == GiveUp("TimeoutError")


def test_what_was_not_sent_is_tried_eight_times():
    steps = [type(step(NotSent("strange"), Attempt(Kind.DIGEST, number, False))) for number in range(1, 10)]
    assert steps == [Again] * 7 + [GiveUp] * 2


def test_an_outage_uses_up_no_attempt():
    assert step(NotSent("no_connection", outage=True), Attempt(Kind.DIGEST, 60, False)) == Again(
        NOW + HOUR, "no_connection"
    )


def test_the_other_side_may_say_how_long_to_wait():
    assert step(NotSent("rate_limited", 2 * HOUR)) == Again(NOW + 2 * HOUR, "rate_limited")


def test_nobody_may_say_to_wait_for_ever():
    assert step(NotSent("rate_limited", timedelta(days=100))) == Again(NOW + LATEST, "rate_limited")


def test_to_wait_no_time_at_all_is_not_believed():
    assert step(NotSent("rate_limited", timedelta())) == Again(NOW + timedelta(seconds=30), "rate_limited")


def test_waits_double_from_half_a_minute_up_to_an_hour():
    waits = [back_off(number, 0.0) for number in (1, 2, 3, 7, 8, 9, 500)]
    assert waits == [timedelta(seconds=s) for s in (30, 60, 120, 1920, 3600, 3600, 3600)]


def test_chance_takes_at_most_a_quarter_of_a_wait():
    assert back_off(1, 0.0) == timedelta(seconds=30)
    assert timedelta(seconds=22.5) < back_off(1, 0.99) < timedelta(seconds=23)
    assert back_off(500, 0.5) < HOUR


def test_a_message_that_is_not_taken_goes_out_as_text_at_once_and_only_once():
    assert step(BadMessage("invalid_blocks")) == Again(NOW, "invalid_blocks", as_text=True)
    assert step(BadMessage("msg_too_long"), Attempt(Kind.DIGEST, 2, plain=True)) == GiveUp("msg_too_long")


def test_a_refusal_is_final_and_a_revoked_token_stops_everything():
    assert step(Refused("is_archived")) == GiveUp("is_archived")
    assert step(Revoked("token_revoked"), Attempt(Kind.DIGEST, 99, False)) == StopAll("token_revoked")


def digest(week: str, team: str = "payments") -> str:
    return f"digest/{team}/{week}"


def test_a_digest_may_be_72_hours_late_and_not_a_second_more():
    in_time, late = Queued(digest("2026-W20"), NOW - LATEST), Queued(digest("2026-W20", "web"), NOW - LATEST)
    now = NOW + timedelta(seconds=1)
    assert outdated([in_time], {}, NOW) == {}
    assert outdated([late], {}, now) == {late.key: TOO_LATE}


def test_of_several_digests_a_team_missed_only_the_newest_is_posted():
    old, new = Queued(digest("2026-W20"), NOW - 3 * HOUR), Queued(digest("2026-W21"), NOW - HOUR)
    assert outdated([old, new], {"payments": new.due}, NOW) == {old.key: NEWER}


def test_another_teams_newer_digest_changes_nothing():
    old = Queued(digest("2026-W20"), NOW - HOUR)
    assert outdated([old], {"web": NOW}, NOW) == {}


@pytest.mark.parametrize("team", ["payments", "pay/ments", "note/s", "digest"])
def test_a_key_tells_its_team_and_week_also_inside_a_notes_key(team):
    key = digest("2026-W20", team)
    assert team_and_week(key) == (team, "2026-W20")
    assert team_and_week(note_key(key, State.UNKNOWN)) == (team, "2026-W20")


def test_what_the_workspace_may_read_names_nobody_and_differs_by_week():
    keys = {opaque(digest(week)) for week in ("2026-W20", "2026-W21")}
    assert len(keys) == 2
    assert not any("payments" in key for key in keys)
