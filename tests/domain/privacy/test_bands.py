from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.privacy.bands import ShareBand, adoption_band, coverage_band, participation_band, share_band

shares = st.fractions(0, 1)


@pytest.mark.parametrize(
    ("share", "band"),
    [
        ("0", "under 50 %"),
        ("0.4999", "under 50 %"),
        ("0.5", "50 to 75 %"),
        ("0.75", "50 to 75 %"),
        ("0.7501", "over 75 %"),
        ("1", "over 75 %"),
    ],
)
def test_a_share_of_money_is_told_in_three_bands(share: str, band: str) -> None:
    assert share_band(Fraction(share)) == band


@pytest.mark.parametrize(
    ("joined", "people", "band"),
    [
        (12, 12, ShareBand.OVER_75),
        (11, 12, None),
        (8, 12, None),
        (7, 12, ShareBand.FROM_50_TO_75),
        (5, 12, ShareBand.UNDER_50),
        (45, 50, ShareBand.OVER_75),
        (0, 4, None),
        (0, 0, None),
    ],
)
def test_coverage_is_not_told_while_it_would_be_about_a_few(joined: int, people: int, band: ShareBand | None) -> None:
    assert coverage_band(joined, people) is band


@pytest.mark.parametrize(
    ("share", "band"), [("0.2499", "under 25%"), ("0.4999", "25-49%"), ("0.7499", "50-74%"), ("0.9999", "75% or more")]
)
def test_a_share_of_people_is_told_in_quarters(share: str, band: str) -> None:
    assert adoption_band(Fraction(share)) == band


def test_few_people_have_no_band() -> None:
    assert [participation_band(people) for people in (-1, 0, 1, 4)] == [None] * 4
    assert participation_band(10_000) == "50+"


@given(shares, shares)
def test_bands_rise_with_the_share(one: Fraction, other: Fraction) -> None:
    adoption = ["under 25%", "25-49%", "50-74%", "75% or more"]
    low, high = sorted((one, other))
    assert adoption.index(adoption_band(low)) <= adoption.index(adoption_band(high))
    assert list(ShareBand).index(share_band(low)) <= list(ShareBand).index(share_band(high))


def test_all_and_none_look_like_their_neighbours() -> None:
    assert adoption_band(Fraction(0)) == adoption_band(Fraction(1, 5))
    assert adoption_band(Fraction(1)) == adoption_band(Fraction(4, 5))
    assert share_band(Fraction(0)) == share_band(Fraction(2, 5))
    assert share_band(Fraction(1)) == share_band(Fraction(4, 5))
    assert participation_band(5) == participation_band(9)
