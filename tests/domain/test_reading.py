"""When a source is read again, and from which day on."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.domain.reading import (
    FAILED_WAIT,
    FIRST_DAYS,
    LONGEST_WAIT,
    OUTCOMES_EVERY,
    RECENT_DAYS,
    is_due,
    outcomes_since,
    rest_after,
    spend_days,
    whole_from,
    with_jitter,
)
from bot.domain.weeks import Week
from tests.company import instant

NOW = instant("2026-05-18 09:00")
WEEKS_END = instant("2026-05-18 00:00")
REFETCH = 30
SPEND_EVERY = timedelta(hours=6)


def days_back(fetched_at: str | None, now: datetime = NOW) -> int:
    """How many days are read, today included; the last one is always today."""
    first, until = spend_days(instant(fetched_at) if fetched_at else None, REFETCH, now)
    assert until == now.date() + timedelta(days=1)
    return (until - first).days


@pytest.mark.parametrize(
    ("fetched_at", "due"),
    [
        (None, True),
        ("2026-05-18 08:59", False),
        ("2026-05-18 03:01", False),
        ("2026-05-18 03:00", True),
        ("2026-05-11 09:00", True),
    ],
)
def test_a_source_is_due_when_it_was_never_read_or_too_long_ago(fetched_at, due):
    assert is_due(instant(fetched_at) if fetched_at else None, SPEND_EVERY, instant("2026-05-11 00:00"), NOW) is due


@pytest.mark.parametrize(
    ("fetched_at", "now", "due"),
    [
        ("2026-05-17 23:59", "2026-05-18 00:00", True),
        ("2026-05-17 23:59", "2026-05-17 23:59", False),
        ("2026-05-18 00:00", "2026-05-18 00:01", False),
    ],
)
def test_the_end_of_a_week_makes_it_due_however_lately_it_was_read(fetched_at, now, due):
    assert is_due(instant(fetched_at), OUTCOMES_EVERY, WEEKS_END, instant(now)) is due


def test_a_clock_that_was_set_back_makes_nothing_due():
    assert not is_due(NOW + timedelta(hours=2), OUTCOMES_EVERY, WEEKS_END, NOW)


def test_the_first_run_of_a_utc_day_reads_all_that_may_be_revised():
    assert days_back("2026-05-17 23:59") == REFETCH


def test_the_first_run_ever_reads_at_least_what_a_first_digest_covers():
    """NOW is a Monday: today, and the 28 days of four complete weeks; up to a week more for the days of a running one,
    and one where a Monday begins on a UTC Sunday: 1 + 28 + 6 + 1 = 36."""
    assert days_back(None) == FIRST_DAYS == 36
    assert [whole_from(None, days, NOW) for days in (2, 38)] == [date(2026, 4, 13), date(2026, 4, 11)]


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Auckland", "UTC", "America/Los_Angeles", "Etc/GMT+12"])
@pytest.mark.parametrize("hours", range(0, 168, 3))
def test_the_first_run_ever_reaches_back_four_weeks_in_every_time_zone(zone, hours):
    now = NOW + timedelta(hours=hours)
    assert whole_from(None, 2, now) <= Week.of(now, ZoneInfo(zone)).plus(-4).days(ZoneInfo(zone))[0]


def test_later_runs_of_a_day_read_the_last_few_days():
    assert days_back("2026-05-18 00:00") == RECENT_DAYS
    assert days_back("2026-05-18 03:00") == RECENT_DAYS


def test_days_that_were_missed_are_read_however_many_they_are():
    assert days_back("2026-03-01 09:00") == (NOW.date() - date(2026, 3, 1)).days + 1


def test_a_day_is_a_utc_day():
    eastern = datetime.fromisoformat("2026-05-18T05:00:00+09:00")  # the 17th in UTC
    assert spend_days(None, REFETCH, eastern)[1] == date(2026, 5, 18)


def test_changed_pull_requests_are_read_from_a_day_before_the_last_time_on():
    assert outcomes_since(instant("2026-05-18 08:00"), NOW) == instant("2026-05-17 08:00")
    assert outcomes_since(None, NOW) == instant("2026-02-17 00:00")


def test_a_source_is_read_up_to_a_tenth_earlier_and_always_as_much_earlier_for_the_same_reading():
    pauses = {with_jitter(SPEND_EVERY, f"source{number}", NOW) for number in range(50)}
    assert len(pauses) > 10
    assert all(SPEND_EVERY * 0.9 <= pause <= SPEND_EVERY for pause in pauses)
    assert with_jitter(SPEND_EVERY, "anthropic", NOW) == with_jitter(SPEND_EVERY, "anthropic", NOW)


def test_a_source_that_keeps_failing_rests_for_twice_as_long_each_time_up_to_six_hours():
    assert [rest_after(count) for count in (1, 2, 3, 4)] == [FAILED_WAIT * factor for factor in (1, 2, 4, 8)]
    assert rest_after(5) == rest_after(500) == LONGEST_WAIT == timedelta(hours=6)
