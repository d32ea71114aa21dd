"""What an admin may see of the books as a whole: bands, of four weeks, and never about a few people."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from bot.domain.overview import Explained, explained_band, shown_days
from bot.domain.privacy.bands import ShareBand
from bot.domain.split import Outside

FIVE = Explained(100, 60, people=5, named=True, outside=frozenset({Outside.MANY}))


@pytest.mark.parametrize(
    ("explained", "band"), [(0, ShareBand.UNDER_50), (60, ShareBand.FROM_50_TO_75), (100, ShareBand.OVER_75)]
)
def test_a_share_of_five_people_or_more_is_a_band(explained, band):
    assert explained_band(replace(FIVE, explained_micro=explained)) is band


@pytest.mark.parametrize(
    "told",
    [
        replace(FIVE, people=4),
        replace(FIVE, named=False),
        replace(FIVE, bill_micro=0),
        replace(FIVE, outside=frozenset({Outside.FEW})),
        replace(FIVE, outside=frozenset({Outside.FEW, Outside.NONE})),
    ],
)
def test_what_would_be_about_a_few_people_is_not_said(told):
    assert explained_band(told) is None


def test_it_is_always_about_the_four_whole_weeks_before_today():
    assert shown_days(datetime(2026, 11, 28, 23, tzinfo=UTC)) == (date(2026, 10, 31), date(2026, 11, 27))
