"""How fast somebody may ask."""

from datetime import UTC, datetime, timedelta

from bot.domain.rate import Bucket, Rate, take

NOW = datetime(2026, 5, 20, 10, tzinfo=UTC)
RATE = Rate(per_s=1, burst=3)


def tries(*seconds: float) -> list[float]:
    bucket: Bucket | None = None
    waits = []
    for second in seconds:
        bucket, wait = take(bucket, RATE, NOW + timedelta(seconds=second))
        waits.append(wait)
    return waits


def test_a_burst_is_let_through_and_then_one_a_second():
    assert tries(0, 0, 0, 0) == [0, 0, 0, 1]
    assert tries(0, 0, 0, 1, 1, 2) == [0, 0, 0, 0, 1, 0]


def test_the_wait_is_until_there_is_a_try():
    assert tries(0, 0, 0, 0.25) == [0, 0, 0, 0.75]


def test_a_refused_try_costs_nothing_and_a_pause_saves_up_no_more_than_a_burst():
    assert tries(0, 0, 0, 0, 0, 1) == [0, 0, 0, 1, 1, 0]
    assert tries(0, 500, 500, 500, 500) == [0, 0, 0, 0, 1]


def test_a_clock_that_goes_back_gives_nothing():
    assert tries(10, 10, 10, 0) == [0, 0, 0, 1]
