"""Reference cards: which level passes, and which weeks they are made from."""

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.card_levels import ANY, CostedPull, Level, period, reference_cards
from bot.domain.metrics.size import SizeClass
from bot.domain.privacy.cards import card
from bot.domain.privacy.gate import Rule
from bot.domain.weeks import EPOCH_ORIGIN, Week, epoch_start

DOLLAR = 1_000_000
FIVE = ["ann", "bo", "cy", "di", "ed"]
RULE = Rule()


def work(repository: str, size: SizeClass, count: int, people: list[str] = FIVE) -> list[CostedPull]:
    """`count` pull requests, by the people in turn, of 1, 2, 3 … dollars."""
    return [CostedPull(repository, size, people[turn % len(people)], (turn + 1) * DOLLAR) for turn in range(count)]


def test_the_finest_level_that_passes_is_told_and_no_other():
    made = reference_cards(work("R_1", SizeClass.M, 10) + work("R_2", SizeClass.M, 20)[:7], RULE)
    assert made.level is Level.REPOSITORY
    assert list(made.cards) == [("R_1", "M")]


def test_cards_of_one_level_are_about_disjoint_pull_requests():
    made = reference_cards(
        work("R_1", SizeClass.M, 10) + work("R_1", SizeClass.S, 8) + work("R_2", SizeClass.M, 9), RULE
    )
    assert set(made.cards) == {("R_1", "M"), ("R_1", "S"), ("R_2", "M")}


def test_repositories_are_told_together_where_none_passes_alone():
    made = reference_cards(
        work("R_1", SizeClass.M, 4) + work("R_2", SizeClass.M, 5) + work("R_1", SizeClass.S, 5), RULE
    )
    assert made.level is Level.SIZE
    assert list(made.cards) == [(ANY, "M")]


def test_sizes_are_told_together_where_none_passes_alone():
    made = reference_cards(work("R_1", SizeClass.M, 4) + work("R_2", SizeClass.S, 5), RULE)
    assert made.level is Level.UNIT
    assert list(made.cards) == [(ANY, ANY)]


@pytest.mark.parametrize(
    "pulls",
    [
        [],
        work("R_1", SizeClass.M, 7),
        work("R_1", SizeClass.M, 40, FIVE[:4]),
        work("R_1", SizeClass.M, 30, ["ann"]) + work("R_1", SizeClass.M, 4, FIVE[1:]),
    ],
    ids=["nothing", "seven", "four people", "one person's"],
)
def test_what_does_not_pass_is_silent(pulls):
    made = reference_cards(pulls, RULE)
    assert made.level is None
    assert made.cards == {}


def test_a_card_is_made_by_the_card_rule_alone():
    """By hand: 1 to 9 dollars have quartiles 3 and 7; on the grid, by ratio, 7 is nearer to 8 than to 6."""
    made = reference_cards(work("R_1", SizeClass.M, 9), RULE)
    [found] = made.cards.values()
    assert (found.lower_quartile, found.upper_quartile) == (Fraction(3 * DOLLAR), Fraction(8 * DOLLAR))


def test_a_correction_below_zero_counts_as_nothing():
    pulls = [CostedPull("R_1", SizeClass.M, FIVE[turn % 5], -1) for turn in range(9)]
    [found] = reference_cards(pulls, RULE).cards.values()
    assert found.upper_quartile == 0


@given(
    st.lists(
        st.builds(
            CostedPull,
            st.sampled_from(["R_1", "R_2"]),
            st.sampled_from([SizeClass.S, SizeClass.M]),
            st.sampled_from([*FIVE, "fay"]),
            st.integers(0, 50 * DOLLAR),
        ),
        max_size=60,
    )
)
def test_every_card_passes_on_pull_requests_that_no_other_card_has(pulls):
    made = reference_cards(pulls, RULE)
    seen: list[CostedPull] = []
    for (repository, size), found in made.cards.items():
        own = [pull for pull in pulls if repository in (ANY, pull.repository_id) and size in (ANY, pull.size.value)]
        assert card([(pull.author, pull.micro) for pull in own], RULE) == found
        seen += own
    assert len(seen) <= len(pulls)


# --- weeks

MONDAY = Week(EPOCH_ORIGIN)


def test_the_first_cards_come_from_the_first_block():
    """The block of weeks 0 to 3 is posted in week 4, which is the second week of an epoch if it starts at 3."""
    opened = MONDAY.plus(-1)
    assert period(opened, epoch_start(opened.plus(4))) == (opened, opened.plus(3))


def test_the_next_cards_leave_out_what_lies_in_the_first_block():
    opened = MONDAY.plus(-2)
    assert period(opened, MONDAY.plus(4)) == (MONDAY.plus(2), MONDAY.plus(3))


def test_later_cards_come_from_the_whole_epoch_before():
    assert period(MONDAY, MONDAY.plus(12)) == (MONDAY.plus(8), MONDAY.plus(11))


def test_before_the_first_block_there_are_none():
    assert period(MONDAY, MONDAY) is None


@pytest.mark.parametrize("offset", range(8))
def test_two_epochs_never_share_a_week_and_leave_none_out(offset):
    opened = MONDAY.plus(offset)
    epochs = [epoch_start(opened).plus(4 * number) for number in range(8)]
    periods = [found for epoch in epochs if (found := period(opened, epoch))]
    weeks = [
        first.monday + timedelta(weeks=number)
        for first, last in periods
        for number in range((last.monday - first.monday).days // 7 + 1)
    ]
    assert weeks == [opened.monday + timedelta(weeks=number) for number in range(len(weeks))]
    assert isinstance(weeks[0], date)
