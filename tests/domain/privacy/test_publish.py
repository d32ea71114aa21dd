"""The door itself: what of a block's facts comes out, and when nothing does."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.block import Facts, MergedPull, Part, PartSum, PublicFacts, Published
from bot.domain.privacy.gate import Rule, passes
from bot.domain.privacy.publish import publish
from bot.domain.weeks import Week

DOLLAR = 1_000_000
RULE = Rule()
FIVE = ["ann", "bo", "cy", "di", "ed"]
PUBLIC = PublicFacts(merged=23, reverted=1, review_hours=Fraction(5))
DIRECT, ABANDONED, UNATTRIBUTED = Part

amounts = st.integers(0, 40) | st.integers(0, 10**9)
by_part = st.dictionaries(st.sampled_from(Part), amounts)
people_maps = st.dictionaries(st.sampled_from("abcdefgh"), by_part)


def facts(**changes: Any) -> Facts:
    """A week in which five people each had work of $10 merged, $2 abandoned and $3 not tied to a pull request."""
    ordinary = Facts(
        unit="payments",
        first=Week.parse("2026-W20"),
        last=Week.parse("2026-W20"),
        people={name: spent(10, 2, 3) for name in FIVE},
        disclosed={},
        pulls=tuple(MergedPull(name, 10 * DOLLAR, touched=True) for name in FIVE),
        roster=5,
        service_micro=40 * DOLLAR,
        linked=Fraction(4, 5),
        bound=None,
        explained=Fraction(3, 5),
        missing_days=1,
        outage=False,
        public=PUBLIC,
    )
    return replace(ordinary, **changes)


def spent(direct: int, abandoned: int = 0, unattributed: int = 0) -> Mapping[Part, int]:
    return {DIRECT: direct * DOLLAR, ABANDONED: abandoned * DOLLAR, UNATTRIBUTED: unattributed * DOLLAR}


def published(**changes: Any) -> Published:
    block = publish(facts(**changes), RULE)
    assert block is not None
    return block


# Sums


def test_parts_that_each_pass_the_gate_stand_side_by_side_and_add_up() -> None:
    block = published()
    assert block.parts == (
        PartSum((DIRECT,), 50 * DOLLAR),
        PartSum((ABANDONED,), 10 * DOLLAR),
        PartSum((UNATTRIBUTED,), 15 * DOLLAR),
    )
    assert block.spend_micro == 75 * DOLLAR


def test_a_part_that_is_one_persons_is_merged_into_another() -> None:
    people = {name: spent(10, 0, 3) for name in FIVE} | {"ann": spent(10, 9, 3)}
    assert published(people=people).parts == (
        PartSum((DIRECT,), 50 * DOLLAR),
        PartSum((ABANDONED, UNATTRIBUTED), 24 * DOLLAR),
    )


@given(people_maps)
def test_the_parts_are_a_partition_of_the_total_and_each_passes_the_gate(
    people: Mapping[str, Mapping[Part, int]],
) -> None:
    block = publish(facts(people=people), RULE)
    sums = {name: sum(spending.values()) for name, spending in people.items()}
    if block is None:
        assert not passes(sums, RULE, {})
        return
    assert sorted(part for shown in block.parts for part in shown.parts) == sorted(Part)
    assert block.spend_micro == sum(shown.micro for shown in block.parts) == sum(sums.values())
    for shown in block.parts:
        amounts = {name: sum(spending.get(part, 0) for part in shown.parts) for name, spending in people.items()}
        assert passes(amounts, RULE, {})
        assert shown.micro == sum(amounts.values())


def test_a_block_that_one_person_dominates_is_held() -> None:
    people = {name: spent(1) for name in FIVE}
    assert publish(facts(people=people | {"ann": spent(15)}), RULE) is not None
    assert publish(facts(people=people | {"ann": spent(16)}), RULE) is None


def test_a_block_of_four_people_or_of_no_spend_is_held() -> None:
    assert publish(facts(people={name: spent(10) for name in FIVE[:4]}), RULE) is None
    assert publish(facts(people={name: spent(0) for name in FIVE}), RULE) is None
    assert publish(facts(people={name: {} for name in FIVE}), RULE) is None


def test_a_stricter_rule_holds_what_the_least_one_lets_out() -> None:
    assert publish(facts(), Rule(k=6)) is None
    assert publish(facts(people={name: spent(1) for name in FIVE} | {"ann": spent(15)}), Rule(p=21)) is None


def test_what_somebody_made_public_hides_nobody() -> None:
    disclosed = {part: {"ann": facts().people["ann"][part]} for part in Part}
    assert publish(facts(disclosed=disclosed), RULE) is None


def test_an_outage_holds_the_block_and_single_missing_days_are_told() -> None:
    assert publish(facts(outage=True), RULE) is None
    assert published(missing_days=1).missing_days == 1


def test_service_spend_is_beside_the_sums_and_covers_nobody() -> None:
    block = published(service_micro=900 * DOLLAR)
    assert (block.service_micro, block.spend_micro) == (900 * DOLLAR, 75 * DOLLAR)
    assert publish(facts(people={"ann": spent(10)}, service_micro=900 * DOLLAR), RULE) is None


# Bands


@pytest.mark.parametrize(("people", "band"), [(5, "5-9"), (9, "5-9"), (10, "10-19"), (50, "50+")])
def test_how_many_people_count_is_a_band(people: int, band: str) -> None:
    counted = {f"person {number}": spent(10) for number in range(people)}
    assert published(people=counted, roster=3 * people).contributors_band == band


@pytest.mark.parametrize(
    ("roster", "band"), [(5, "over 75 %"), (6, None), (9, None), (10, "50 to 75 %"), (11, "under 50 %")]
)
def test_how_much_of_the_team_counts_is_a_band_unless_few_do_not(roster: int, band: str | None) -> None:
    assert published(roster=roster).coverage_band == band


@pytest.mark.parametrize(
    ("touched", "band"), [(0, "under 25%"), (1, "25-49%"), (2, "50-74%"), (3, "75% or more"), (4, "75% or more")]
)
def test_how_many_pull_requests_used_ai_is_a_band(touched: int, band: str) -> None:
    pulls = tuple(MergedPull("ann", 0, touched=number < touched) for number in range(4))
    block = published(pulls=pulls)
    assert (block.touched_band, block.merged, block.touched) == (band, 4, touched)


def test_without_pull_requests_there_is_no_share_that_used_ai() -> None:
    block = published(pulls=())
    assert (block.touched_band, block.merged, block.touched) == (None, 0, 0)


@pytest.mark.parametrize("name", ["linked", "bound", "explained"])
def test_a_share_of_money_is_a_band_or_undefined_on_its_own(name: str) -> None:
    shares = {"linked": Fraction(1), "bound": Fraction(1), "explained": Fraction(1)}
    given_bands = {one: getattr(published(**shares | {name: Fraction(3, 5)}), f"{one}_band") for one in shares}
    assert given_bands == dict.fromkeys(shares, "over 75 %") | {name: "50 to 75 %"}
    assert getattr(published(**shares | {name: None}), f"{name}_band") is None
    assert getattr(published(**shares | {name: Fraction(0)}), f"{name}_band") == "under 50 %"


@pytest.mark.parametrize(
    ("linked", "leads"), [(None, False), (Fraction(0), True), (Fraction(49, 100), True), (Fraction(1, 2), False)]
)
def test_a_block_leads_with_coverage_while_less_than_half_of_the_spend_is_linked(
    linked: Fraction | None, leads: bool
) -> None:
    assert published(linked=linked).leads_with_coverage is leads


# The card


def test_the_typical_card_is_made_of_touched_pull_requests_only() -> None:
    touched = tuple(MergedPull(name, 10 * DOLLAR, touched=True) for name in FIVE + FIVE)
    untouched = tuple(MergedPull(name, 0, touched=False) for name in FIVE * 4)
    card = published(pulls=touched + untouched).typical
    assert card is not None
    assert card.median == card.lower_quartile == 10 * DOLLAR


def test_untouched_pull_requests_make_no_card() -> None:
    touched = tuple(MergedPull(name, 10 * DOLLAR, touched=True) for name in FIVE)
    untouched = tuple(MergedPull(name, 0, touched=False) for name in FIVE)
    assert published(pulls=touched).typical is None
    assert published(pulls=touched + untouched).typical is None


def test_a_card_whose_pull_requests_are_nearly_all_one_persons_is_left_out() -> None:
    pulls = tuple(MergedPull(name, 10 * DOLLAR, touched=True) for name in ["ann"] * 30 + FIVE)
    assert published(pulls=pulls).typical is None


def test_a_card_needs_as_many_authors_as_a_stricter_rule_says() -> None:
    people = {name: spent(10) for name in [*FIVE, "fay"]}
    by_five = tuple(MergedPull(name, 10 * DOLLAR, touched=True) for name in FIVE + FIVE)
    by_six = (*by_five, MergedPull("fay", 10 * DOLLAR, touched=True))
    blocks = [publish(facts(people=people, pulls=pulls), Rule(k=6)) for pulls in (by_five, by_six)]
    assert [block is not None and block.typical is not None for block in blocks] == [False, True]


def test_the_rest_goes_through_as_it_is() -> None:
    block = published(first=Week.parse("2026-W17"))
    assert (block.unit, str(block.first), str(block.last)) == ("payments", "2026-W17", "2026-W20")
    assert block.public == PUBLIC
