from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.domain.money import log_grid
from bot.domain.privacy.cards import Card, card
from bot.domain.privacy.gate import Rule, passes

RULE = Rule()
Values = list[tuple[str, int]]

pulls = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 10**9)), max_size=40)


def by(authors: str) -> Values:
    """Pull requests of $1, $2, $3 ... by these authors."""
    return [(author, number * 1_000_000) for number, author in enumerate(authors, start=1)]


def test_a_card_tells_what_is_usual_on_the_coarse_grid() -> None:
    assert card(by("abcdeabcde"), RULE) == Card(
        median=Fraction(6_000_000),  # 5.5
        lower_quartile=Fraction(3_000_000),  # 3.25
        upper_quartile=Fraction(8_000_000),  # 7.75
        low=Fraction(2_000_000),
        high=Fraction(10_000_000),  # 9
        percent=95,
    )


@pytest.mark.parametrize(
    "authors",
    [
        pytest.param("abcdeab", id="seven pull requests"),
        pytest.param("abcdabcd", id="four authors"),
        pytest.param("", id="nothing"),
        pytest.param("a" * 20 + "bcde", id="nearly all by one author"),
        pytest.param("a" * 20 + "b" * 20 + "cde", id="nearly all by two authors"),
    ],
)
def test_there_is_no_card(authors: str) -> None:
    assert card(by(authors), RULE) is None


def test_eight_pull_requests_by_five_authors_are_a_card() -> None:
    found = card(by("abcdeabc"), RULE)
    assert found is not None
    assert found.percent == 90


def test_a_stricter_rule_needs_more_authors() -> None:
    assert card(by("abcdeabcde"), Rule(k=6)) is None


def test_work_that_cost_nothing_counts_as_nothing() -> None:
    found = card([(author, 0) for author in "abcdeabc"], RULE)
    assert found is not None
    assert found.median == found.high == 0


@given(pulls)
def test_a_card_is_ordered_and_never_reaches_the_lowest_or_highest_value(values: Values) -> None:
    found = card(values, RULE)
    assume(found)
    assert found is not None
    amounts = sorted(amount for _, amount in values)
    ends = {Fraction(amounts[1]), Fraction(amounts[-2])}
    assert found.low <= found.median <= found.high
    assert found.lower_quartile <= found.median <= found.upper_quartile
    for shown in (found.low, found.high, found.lower_quartile, found.upper_quartile):
        assert log_grid(min(ends)) <= shown <= log_grid(max(ends))


@given(pulls)
def test_a_card_needs_eight_pull_requests_and_counts_that_pass_the_gate(values: Values) -> None:
    counts = {author: sum(one == author for one, _ in values) for author, _ in values}
    assert (card(values, RULE) is not None) == (len(values) >= 8 and passes(counts, RULE, {}))
