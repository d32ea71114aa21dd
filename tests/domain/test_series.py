"""Counters: exact totals whatever arrives twice, late, or after a restart of the process that keeps them."""

import random
from collections.abc import Iterable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.agents import Origin
from bot.domain.model import Tokens
from bot.domain.series import Meter, Reading, Temporality, kept, metered, totals

SECOND = 10**9
BEGIN = 1_780_000_000 * SECOND


def reading(value: int, at: int, start: int = 0, **other: object) -> Reading:
    """`at` and `start` are seconds from a beginning."""
    given = {
        "agent": "copilot",
        "session": "s1",
        "model": "gpt-5",
        "origin": Origin.MAIN,
        "meter": Meter.INPUT,
        "series": "input",
        "temporality": Temporality.CUMULATIVE,
        "start": BEGIN + start * SECOND,
        "at": BEGIN + at * SECOND,
        "value": value,
        **other,
    }
    return Reading(**given)  # type: ignore[arg-type]


def delta(value: int, at: int, start: int, **other: object) -> Reading:
    return reading(value, at, start, temporality=Temporality.DELTA, **other)


def total(readings: Iterable[Reading]) -> int:
    return totals(readings).get(Meter.INPUT, 0)


def test_a_counter_that_goes_on_counts_where_it_stands():
    assert total([reading(100, 10), reading(250, 20), reading(300, 30)]) == 300


def test_a_counter_that_begins_again_adds():
    assert total([reading(100, 10), reading(250, 20), reading(40, 35, start=30), reading(70, 40, start=30)]) == 320


def test_deltas_add_and_one_that_is_sent_again_does_not():
    points = [delta(100, 10, 0), delta(150, 20, 10), delta(150, 20, 10), delta(50, 30, 20)]
    assert total(points) == 300


def test_what_is_late_changes_nothing():
    assert total([reading(300, 30), reading(100, 10)]) == 300


def test_counters_of_two_series_add():
    assert total([reading(100, 10), reading(7, 10, series="other")]) == 107


RUNS = st.lists(st.lists(st.integers(0, 10**9), min_size=1, max_size=5), min_size=1, max_size=4)


@given(RUNS, st.integers(0, 2**32), st.booleans())
def test_totals_are_exact_whatever_the_order_repeats_batches_and_restarts(runs, seed, is_delta):
    points, truth = [], 0
    for number, steps in enumerate(runs):
        start, standing = number * 1_000, 0
        for step, value in enumerate(steps):
            standing += value
            at = start + 10 * (step + 1)
            points.append(delta(value, at, at - 10) if is_delta else reading(standing, at, start))
        truth += standing
    chance = random.Random(seed)
    sent = chance.sample(points, len(points)) + chance.choices(points, k=len(points))
    cut = chance.randrange(len(sent) + 1)
    assert total(sent) == truth
    assert total([*kept(sent[:cut]), *sent[cut:]]) == truth  # what was stored, and then what came


def test_sessions_whose_requests_are_known_are_not_metered_again():
    sums, _ = metered([reading(100, 10), reading(9, 10, session="s2", series="b")], told={("copilot", "s1")})
    assert [(one.session, one.tokens) for one in sums] == [("s2", Tokens(fresh=9, cache_read=0, output=0))]


@pytest.mark.parametrize(("told", "counted"), [(set(), 1), ({("copilot", "s9")}, 0), ({("codex", "s9")}, 1)])
def test_a_counter_without_a_session_counts_where_no_session_of_its_agent_is_known(told, counted):
    sums, _ = metered([reading(100, 10, session=None)], told)
    assert len(sums) == counted


def test_parts_are_taken_out_of_the_whole_they_are_told_in():
    points = [
        reading(100, 10, meter=Meter.INPUT, series="a"),
        reading(60, 10, meter=Meter.CACHE_READ, series="b"),
        reading(50, 10, meter=Meter.OUTPUT, series="c"),
        reading(20, 10, meter=Meter.REASONING, series="d"),
        reading(1_500, 10, meter=Meter.COST, series="e"),
    ]
    ((one,), wrong) = metered(points, ())
    assert one.tokens == Tokens(fresh=40, cache_read=60, output=30, reasoning=20)
    assert (one.cost_micro, wrong) == (2, 0)
    assert one.last == datetime.fromtimestamp(BEGIN // SECOND + 10, UTC)


def test_a_part_larger_than_its_whole_is_left_out_and_counted():
    points = [reading(10, 10), reading(60, 10, meter=Meter.CACHE_READ, series="b")]
    assert metered(points, ()) == ((), 1)
