"""What a digest says: the right sentence, rounded once, and nothing that may not be said."""

from fractions import Fraction
from typing import Any

import pytest

from bot.domain.block import Held, HeldReason, Part, PartSum, PublicFacts, Published
from bot.domain.digest import TURNS, Story, direct, duration, loaded, tell, typical
from bot.domain.metrics.measure import Reason
from tests.blocks import DOLLAR, ONE_PART, PUBLIC, digest, held, published, trend


def story(block: Published | Held, history: tuple[Published, ...] = ()) -> Story:
    return tell(digest(block, history))


def words(block: Published | Held) -> str:
    told = story(block)
    return " ".join((told.title, told.headline, *told.coverage, *told.where, *told.public, told.turns, told.method))


def test_the_headline_is_the_all_in_cost_of_a_merged_pull_request():
    assert story(published()).headline == "A merged pull request cost about $13 of AI compute, all in."


def test_below_half_linked_the_headline_leads_with_coverage_and_the_cost_follows():
    headline = story(published(leads_with_coverage=True)).headline
    assert headline.startswith("Less than half of the week's spend could be tied to pull requests")
    assert headline.endswith("cost about $13 of AI compute, all in.")


@pytest.mark.parametrize("merged", [0, 1, 2])
def test_with_fewer_than_three_pull_requests_no_money_and_no_band_is_told(merged):
    told = story(published(merged=merged), trend())
    assert told.headline == "Too few merged pull requests were counted to say what one cost."
    assert (told.coverage, told.trend, told.where) == ((), (), ())
    assert told.public == story(held()).public
    assert "$" not in words(published(merged=merged))


def test_from_three_pull_requests_on_money_is_told():
    assert "$81" in story(published(merged=3)).headline


def test_where_github_shows_no_merge_the_headline_says_so():
    block = published(merged=0, public=PublicFacts(0, 0, None))
    assert story(block).headline == "No pull request was merged, so there is no cost to tell."
    assert story(block).public == ("Joined or not, the whole team merged no pull request.",)


def test_a_spend_of_zero_is_told_as_zero():
    block = published(spend_micro=0, parts=(PartSum(tuple(Part), 0),))
    assert story(block).headline == "A merged pull request cost about $0 of AI compute, all in."


def test_the_basis_and_how_complete_the_numbers_are_come_right_after_the_headline():
    assert story(published(missing_days=2)).coverage == (
        "At list prices. 5-9 people counted, over 75% of the team.",
        "Over 75% of the spend is tied to pull requests, under 50% by direct measurement.",
        "These numbers are one team's: they explain 50 to 75% of the company's bill.",
        "2 days of data are missing.",
    )


def test_bands_that_may_not_be_said_are_left_out():
    nothing: dict[str, Any] = dict.fromkeys(
        ["contributors_band", "coverage_band", "linked_band", "bound_band", "explained_band"]
    )
    assert story(published(**nothing)).coverage == ("At list prices.",)


def test_parts_are_told_with_their_share_and_merged_parts_are_named_together():
    assert story(published()).where[:4] == (
        "About $240 in all; amounts are rounded, so parts may not add up.",
        "Money counts in the week its work ended, even if it was spent earlier.",
        "$150 (62%) in the merged pull requests themselves: $8 of the $13 each.",
        "$91 (38%) in abandoned ones or not tied to a pull request.",
    )


def test_a_single_part_is_the_total_and_is_told_once():
    assert story(published(parts=ONE_PART, typical=None, touched_band=None, service_micro=0)).where == (
        "About $240 in all, whether or not it led to a merged pull request.",
        "Money counts in the week its work ended, even if it was spent earlier.",
    )


def test_direct_cost_is_told_only_where_direct_is_a_part_of_its_own():
    mixed = (PartSum((Part.DIRECT, Part.ABANDONED), 200 * DOLLAR), PartSum((Part.UNATTRIBUTED,), 43_170_000))
    assert isinstance(direct(published()), Fraction)
    assert direct(published(parts=mixed)) is Reason.TOO_FEW_PEOPLE
    assert direct(published(parts=ONE_PART)) is Reason.TOO_FEW_PEOPLE
    assert "each" not in words(published(parts=mixed))


def test_costs_stay_exact_until_they_are_told():
    assert loaded(published()) == Fraction(243_170_000, 19)


def test_the_reason_for_no_typical_cost_tells_no_more_than_github_shows():
    assert typical(published(typical=None, public=PublicFacts(7, 0, None))) is Reason.TOO_FEW_PRS
    assert typical(published(typical=None, merged=3)) is typical(published(typical=None, merged=19))


def test_service_spend_is_a_line_of_its_own_and_only_when_there_is_some():
    assert "CI and shared keys: $40, not in the numbers above." in story(published()).where
    assert "CI" not in words(published(service_micro=0))


def test_whose_pull_requests_used_ai_is_said_of_those_that_count():
    assert "Of the merged pull requests counted here, 50-74% used AI." in story(published()).where


def test_it_says_that_turns_are_not_told():
    assert story(published()).turns == TURNS
    assert "in no digest yet" in TURNS


def test_the_trend_is_told_from_two_blocks_with_a_cost_on():
    told = story(published(), trend())
    assert [(row.label, row.dollars) for row in told.trend] == [
        ("W10-13", "$15"),
        ("W14", "$12"),
        ("W15", "-"),
        ("W16", "$14"),
        ("W17-18", "$7.60"),
        ("W19", "$13"),
        ("W20", "$13"),
    ]
    assert [point.label for point in told.points] == ["W10-13", "W14", "W16", "W17-18", "W19", "W20"]
    assert story(published(), (published(merged=2), published())).trend == ()


def test_weeks_without_a_cost_are_named_and_not_estimated_whatever_the_cause():
    some = [published(week) for week in ("2026-W12", "2026-W16", "2026-W18", "2026-W20")]
    silent = [published(week, merged=2) for week in ("2026-W11", "2026-W14", "2026-W17")]
    history = tuple(sorted([*some, *silent], key=lambda block: block.first))
    told = story(published(), history)
    assert told.gaps == ("W13-15", "W17", "W19")
    assert told == story(published(), tuple(some))
    assert len(told.points) == len(some)


def test_a_trend_of_weeks_in_a_row_has_no_gap():
    assert story(published(), (published("2026-W15 2026-W18"), published("2026-W19"), published())).gaps == ()


def test_a_gap_over_new_year_has_its_own_year_where_it_needs_one():
    blocks = (published("2025-W50"), published("2025-W52 2026-W01"), published("2026-W03"))
    assert story(published("2026-W03"), blocks).gaps == ("2025-W51", "W2")


def test_the_trend_ends_after_eight_blocks():
    blocks = [published(f"2026-W{number}") for number in range(10, 21)]
    labels = [row.label for row in story(published(), tuple(blocks)).trend]
    assert labels == [f"W{number}" for number in range(13, 21)]


def test_the_same_week_of_another_year_has_another_label():
    points = story(published(), (published("2025-W20"), published("2025-W52 2026-W01"), published())).points
    assert [point.label for point in points] == ["2025-W20", "W52-1", "W20"]


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        (HeldReason.WAITING, "Compute numbers start when five have joined; for most weeks it takes eight."),
        (HeldReason.HELD, "Held for the next digest."),
    ],
)
def test_a_held_week_says_its_sentence_and_public_facts_and_nothing_else(reason, sentence):
    told = story(held(reason))
    assert told.headline == sentence
    assert told.public == story(published(merged=2)).public
    assert not any((told.coverage, told.trend, told.where, told.turns, told.method))
    assert story(held(reason, public=None)).public == ()


@pytest.mark.parametrize(
    ("weeks", "title"),
    [
        ("2026-W20", "payments: Week 20 (11-17 May 2026)"),
        ("2026-W18", "payments: Week 18 (27 April-3 May 2026)"),
        ("2026-W17 2026-W20", "payments: Weeks 17-20 (20 April-17 May 2026)"),
        ("2026-W53", "payments: Week 53 (28 December 2026-3 January 2027)"),
        ("2026-W52 2027-W01", "payments: Weeks 52-1 (21 December 2026-10 January 2027)"),
    ],
)
def test_weeks_have_their_numbers_and_dates(weeks, title):
    assert story(published(weeks)).title == title


@pytest.mark.parametrize(
    ("unit", "name"),
    [
        ("Platform + Tools", "Platform + Tools"),
        ("two\nlines\tand  spaces", "two lines and spaces"),
        ("be\x1b[31mll\x07 \u202eltr\u200b", "be[31mll ltr"),
        ("x" * 500, "x" * 49 + "…"),
        ("\n\x00", "Team"),
    ],
)
def test_a_foreign_name_is_short_and_on_one_line(unit, name):
    assert story(published(unit=unit)).title == f"{name}: Week 20 (11-17 May 2026)"


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        (Fraction(1, 1000), "a minute"),
        (Fraction(2, 3), "40 min"),
        (Fraction(599, 600), "1 h"),
        (Fraction(53, 10), "5.3 h"),
        (5, "5 h"),
        (Fraction(1949, 100), "19 h"),
        (Fraction(2399, 100), "1 day"),
        (36, "1.5 days"),
        (24 * 120, "120 days"),
    ],
)
def test_durations_are_told_in_human_words(hours, said):
    assert duration(Fraction(hours)) == said


@pytest.mark.parametrize(
    ("facts", "sentences"),
    [
        (
            PUBLIC,
            (
                "Joined or not, the whole team merged 23 pull requests; 1 is a revert.",
                "Half of the first reviews came within 5.3 h.",
            ),
        ),
        (
            PublicFacts(1, 0, None),
            ("Joined or not, the whole team merged 1 pull request.", "No first review by another person is recorded."),
        ),
        (
            PublicFacts(9, 2, Fraction(5)),
            (
                "Joined or not, the whole team merged 9 pull requests; 2 are reverts.",
                "Half of the first reviews came within 5 h.",
            ),
        ),
    ],
)
def test_public_facts_are_told_in_human_words(facts, sentences):
    assert story(held(public=facts)).public == sentences


def test_beside_a_cost_public_facts_say_that_it_is_about_fewer_people():
    merged, whose, reviewed = story(published()).public
    assert (merged, reviewed) == story(held()).public
    assert whose == "The cost above counts only those who joined, and their pull requests."
