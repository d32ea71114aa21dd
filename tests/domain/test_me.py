"""A person's rows folded into weeks and kinds, by hand. Week 21 of 2026 begins on Monday 18 May."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.domain.block import Part
from bot.domain.me import Comments, DaySpend, Own, OwnPull, Switches, token_kinds, view, weeks_shown
from bot.domain.model import PullState, Tokens

NOW = datetime(2026, 5, 20, 10, tzinfo=UTC)
ZONE = ZoneInfo("UTC")
SWITCHES = Switches("key", datetime(2026, 5, 1, tzinfo=UTC), date(2026, 4, 1), None, Comments.NOTHING)


def spent(*days: tuple[int, int, int]) -> Own:
    """Spend as (month, day, micro-dollars), with a token for each."""
    rows = [DaySpend(date(2026, month, day), micro, Tokens(micro)) for month, day, micro in days]
    return Own(SWITCHES, linked=True, days=rows, booked={}, pulls=())


def test_days_of_other_weeks_play_no_part():
    found = view(spent((4, 19, 1), (4, 20, 2), (5, 24, 4), (5, 25, 8)), NOW, ZONE)
    assert [week.micro for week in found.weeks] == [2, 0, 0, 0, 4]
    assert found.tokens.fresh == 6
    assert found.sorted.open_micro == 6


def test_only_the_running_week_is_not_over():
    found = view(spent(), NOW, ZONE)
    assert [week.over for week in found.weeks] == [True] * 4 + [False]
    assert not found.has_spend


@pytest.mark.parametrize(("zone", "last"), [("UTC", "2026-W20"), ("Pacific/Auckland", "2026-W21")])
def test_weeks_are_those_of_the_zone(zone, last):
    assert str(weeks_shown(datetime(2026, 5, 17, 22, tzinfo=UTC), ZoneInfo(zone))[-1]) == last


def test_tokens_without_a_price_are_spend_too():
    own = Own(SWITCHES, True, [DaySpend(date(2026, 5, 6), 0, Tokens(5))], {}, ())
    assert view(own, NOW, ZONE).has_spend


def test_what_digests_took_in_and_what_is_open_make_the_whole():
    days = [DaySpend(date(2026, 5, 6), 100, Tokens())]
    found = view(Own(SWITCHES, True, days, {Part.DIRECT: 30, Part.ABANDONED: 20}, ()), NOW, ZONE)
    assert found.sorted.open_micro == 50


def test_pull_requests_come_newest_first():
    pulls = [
        OwnPull("a/b", number, PullState.MERGED, datetime(2026, 5, day, tzinfo=UTC)) for number, day in [(1, 4), (2, 6)]
    ]
    assert [pull.number for pull in view(Own(SWITCHES, True, (), {}, pulls), NOW, ZONE).pulls] == [2, 1]


@pytest.mark.parametrize(
    ("tokens", "counts"),
    [
        (Tokens(1, 2, 3, 4, 5, 6), [1, 5, 4, 5, 6]),
        (Tokens(1, 2, None, 4, 5, None), [1, 2, 4, 5]),
        (Tokens(1, 2, None, 4, 5, 0), [1, 2, 4, 5, 0]),
    ],
)
def test_every_token_is_in_one_kind(tokens, counts):
    kinds = list(token_kinds(tokens))
    assert [count for _, count in kinds] == counts
    assert sum(counts) == tokens.total
