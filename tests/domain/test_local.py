"""The report of one person's own machine."""

from datetime import UTC, datetime

from bot.domain.local import Call, Place, Sums, WorkedTurn, report
from bot.domain.model import Tokens

AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
API, WEB, PULL = Place("acme/api", "fix"), Place("acme/web", "spike"), Place("acme/api", "fix", 42)


def turn(place: Place | None, *costs: int | None, prompted: bool = True, runs: int = 0, **edits: int) -> WorkedTurn:
    calls = tuple(Call(AT, "opus" if cost else "unheard-of", Tokens(fresh=10), cost) for cost in costs)
    return WorkedTurn("claude_code", "s1", prompted, AT, place, calls, runs, tuple(edits.items()))


def test_places_are_told_dearest_first_and_come_to_the_total():
    found = report([turn(API, 5), turn(WEB, 7, 2), turn(None, 1), turn(API, 3, prompted=False)], (), ())
    assert [(one.place, one.sums.cost_micro) for one in found.places] == [(WEB, 9), (API, 8), (None, 1)]
    assert sum(one.sums.cost_micro for one in found.places) == found.total.cost_micro == 18
    assert (found.total.requests, found.total.turns) == (5, 3)


def test_a_pull_request_is_a_place_of_its_own():
    found = report([turn(API, 5), turn(PULL, 7)], (), ())
    assert {one.place for one in found.places} == {API, PULL}


def test_what_shipped_is_said_only_of_places_that_anything_is_known_of():
    found = report([turn(API, 5), turn(WEB, 7), turn(PULL, 1), turn(None, 2)], {API}, {API, WEB})
    assert {one.place: one.shipped for one in found.places} == {API: True, WEB: False, PULL: None, None: None}
    assert found.unshipped == Sums(7, Tokens(fresh=10), 1, 1)


def test_a_model_without_a_price_is_named_and_its_tokens_are_in_no_amount():
    found = report([turn(API, 5, None)], (), ())
    assert (found.unpriced, found.total.unpriced, found.total.cost_micro) == (("unheard-of",), 10, 5)


def test_loops_are_runs_of_failing_calls_and_files_edited_five_times_over_all_turns_of_a_branch():
    (one,) = report([turn(API, 1, runs=2, a=3, b=4), turn(API, 1, runs=1, a=2)], (), ()).places
    assert (one.error_runs, one.churned) == (3, 1)


def test_nothing_at_all_is_nothing():
    found = report([], (), ())
    assert (found.total, found.places, found.unshipped) == (Sums(), (), Sums())
