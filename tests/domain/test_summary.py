"""What a block's books and pull requests come to, before the gate. Ann, Bo and Di are counted; Cy never joined."""

from collections.abc import Collection
from datetime import date, timedelta
from fractions import Fraction

import pytest

from bot.domain.block import MergedPull, Part, PublicFacts
from bot.domain.ledger import Booking, Known, Measured, Occurred, Share, Slice
from bot.domain.metrics.included import pull_key, reverting
from bot.domain.model import GitHubUser, PullRequest
from bot.domain.split import Outside
from bot.domain.summary import (
    Members,
    explained_share,
    is_included,
    landing,
    link_shares,
    merged_pulls,
    public_facts,
    recognised,
)
from bot.domain.targets import NO_PULL
from tests.domain.metrics.pulls import AGENT, ANN, BO, CY, at, closed, merged, pull, review

INSTANT = timedelta.resolution
DEPENDABOT = GitHubUser("B_deps", "dependabot[bot]", is_bot=True)
MEMBERS = Members({ANN.id: "ann", BO.id: "bo", "U_di": "di"})
CUTOFF = at(8)
DAY = at(1).date()
LONG_AGO = date(2026, 4, 1)


# What becomes of a share


def lands(pull_request: PullRequest, members: Members = MEMBERS) -> Part | None:
    return landing({pull_request.id: pull_request}, members, CUTOFF, {})("ann", pull_request.id, DAY)


def test_work_is_direct_when_its_pull_request_merged_before_the_cutoff() -> None:
    assert lands(merged(1, CUTOFF - INSTANT)) is Part.DIRECT


def test_work_is_abandoned_when_its_pull_request_was_closed_before_the_cutoff() -> None:
    assert lands(closed(1, CUTOFF - INSTANT)) is Part.ABANDONED


def test_work_stays_open_while_its_pull_request_is() -> None:
    assert lands(pull(1)) is None
    assert lands(pull(1, draft=True)) is None


def test_what_ends_at_the_cutoff_or_later_belongs_to_the_next_block() -> None:
    assert lands(merged(1, CUTOFF)) is None
    assert lands(closed(1, CUTOFF)) is None
    assert lands(merged(1, CUTOFF + timedelta(days=9))) is None


def test_work_on_a_merged_pull_request_that_does_not_count_is_unattributed() -> None:
    back = merged(2, at(3), reverts=1)
    assert lands(back, Members(MEMBERS.accounts, reverting([back]))) is Part.UNATTRIBUTED
    assert lands(merged(1, at(3), author=DEPENDABOT)) is Part.UNATTRIBUTED
    assert lands(merged(1, at(3), author=CY)) is Part.UNATTRIBUTED


@pytest.mark.parametrize("name", [NO_PULL, "PR_that_is_gone"])
def test_a_day_without_a_known_pull_request_is_unattributed_after_two_weeks(name: str) -> None:
    land = landing({}, MEMBERS, CUTOFF, {})
    waits_until = CUTOFF.date() - timedelta(days=15)
    assert land("ann", name, waits_until) is Part.UNATTRIBUTED
    assert land("ann", name, waits_until + timedelta(days=1)) is None


def test_a_day_with_an_open_pull_request_waits_however_old_it_is() -> None:
    assert landing({"PR_1": pull(1)}, MEMBERS, CUTOFF, {})("ann", "PR_1", LONG_AGO) is None


# Which pull requests count


@pytest.mark.parametrize(
    ("work", "counts"),
    [
        pytest.param(merged(1, at(3)), True, id="by a counted person"),
        pytest.param(pull(1), False, id="open"),
        pytest.param(closed(1, at(3)), False, id="closed"),
        pytest.param(merged(1, at(3), author=CY), False, id="by somebody who did not join"),
        pytest.param(merged(1, at(3), author=None), False, id="by a deleted account"),
        pytest.param(merged(1, at(3), author=AGENT, owner=BO), True, id="by an agent for a counted person"),
        pytest.param(merged(1, at(3), author=AGENT, owner=CY), False, id="by an agent for somebody who did not join"),
        pytest.param(merged(1, at(3), author=AGENT), False, id="by an agent for nobody"),
        pytest.param(merged(1, at(3), author=DEPENDABOT), False, id="by a bot"),
        pytest.param(merged(1, at(3), author=CY, owner=ANN), False, id="by somebody who did not join, for a member"),
    ],
)
def test_a_merged_pull_request_counts_for_the_counted_human_behind_it(work: PullRequest, counts: bool) -> None:
    assert is_included(work, MEMBERS) is counts


def test_a_bot_does_not_count_even_if_its_account_were_a_members() -> None:
    assert not is_included(merged(1, at(3), author=DEPENDABOT), Members({DEPENDABOT.id: "ann"}))


def test_a_revert_does_not_count_and_a_revert_of_a_revert_does() -> None:
    work, back, again = merged(1, at(1)), merged(2, at(2), reverts=1), merged(3, at(3), reverts=2)
    members = Members(MEMBERS.accounts, reverting([work, back, again]))
    assert [is_included(one, members) for one in (work, back, again)] == [True, False, True]


def test_a_revert_is_one_in_its_own_repository_only() -> None:
    members = Members(MEMBERS.accounts, frozenset({pull_key(merged(2, at(2)))}))
    assert not is_included(merged(2, at(2)), members)
    assert is_included(merged(2, at(2), repository_id="R_web"), members)


# What was recognised


def booking(person: str, name: str, micro: int, part: Part = Part.DIRECT, day: date = DAY) -> Booking:
    return Booking(Share(Slice(person, day, "anthropic"), name, micro), part)


def test_what_is_recognised_adds_up_by_person_and_part() -> None:
    bookings = [
        booking("ann", "PR_1", 5),
        booking("ann", "PR_2", 7),
        booking("ann", NO_PULL, 2, Part.UNATTRIBUTED),
        booking("bo", "PR_1", 3),
        booking("bo", "PR_1", -1),
    ]
    assert recognised(bookings) == {"ann": {Part.DIRECT: 12, Part.UNATTRIBUTED: 2}, "bo": {Part.DIRECT: 2}}
    assert recognised([]) == {}


def test_a_merged_pull_request_costs_what_everybody_spent_on_it() -> None:
    bookings = [booking("ann", "PR_1", 5, day=LONG_AGO), booking("ann", "PR_1", 7), booking("bo", "PR_1", 3)]
    assert merged_pulls([merged(1, at(3))], MEMBERS, bookings) == (MergedPull("ann", 15, touched=True),)


def test_a_merged_pull_request_without_spend_costs_nothing_and_is_untouched() -> None:
    assert merged_pulls([merged(1, at(3))], MEMBERS, []) == (MergedPull("ann", 0, touched=False),)


def test_only_direct_spend_is_the_cost_of_a_pull_request() -> None:
    bookings = [booking("ann", "PR_1", 5, Part.UNATTRIBUTED), booking("ann", "PR_1", 7, Part.ABANDONED)]
    assert merged_pulls([merged(1, at(3))], MEMBERS, bookings) == (MergedPull("ann", 0, touched=False),)


def test_a_pull_request_is_touched_however_little_it_cost() -> None:
    bookings = [booking("ann", "PR_1", 5), booking("ann", "PR_1", -5)]
    assert merged_pulls([merged(1, at(3))], MEMBERS, bookings) == (MergedPull("ann", 0, touched=True),)


def test_an_agents_pull_request_is_its_owners_whoever_spent_on_it() -> None:
    pulls = [merged(1, at(3), author=AGENT, owner=BO)]
    assert merged_pulls(pulls, MEMBERS, [booking("ann", "PR_1", 5)]) == (MergedPull("bo", 5, touched=True),)


def test_pull_requests_that_do_not_count_and_late_spend_on_earlier_ones_are_left_out() -> None:
    back = merged(2, at(3), reverts=1)
    members = Members(MEMBERS.accounts, reverting([back]))
    pulls = [merged(1, at(3)), back, merged(4, at(3), author=CY), pull(5)]
    bookings = [booking("ann", f"PR_{number}", number) for number in (1, 2, 4, 5, 99)]
    assert merged_pulls(pulls, members, bookings) == (MergedPull("ann", 1, touched=True),)


# Shares


def spent(person: str, day: date, listed: int, billed: int | None, account: str = "anthropic") -> Occurred:
    return Occurred(Slice(person, day, account), listed, billed)


def on(days: Collection[tuple[str, date]] = (), measured: Measured | None = None) -> Known:
    """These person-days have a pull request."""
    return Known({}, {day: ("PR_1",) for day in days}, measured or {})


def test_spend_on_a_day_with_a_pull_request_is_linked() -> None:
    occurred = [spent("ann", DAY, 30, None), spent("ann", LONG_AGO, 50, None), spent("bo", DAY, 20, None)]
    linked, _ = link_shares(occurred, on({("ann", DAY), ("di", DAY)}))
    assert linked == Fraction(3, 10)


def test_a_day_in_two_accounts_is_linked_in_both() -> None:
    occurred = [spent("ann", DAY, 30, None), spent("ann", DAY, 10, None, "openai"), spent("bo", DAY, 40, None)]
    assert link_shares(occurred, on([("ann", DAY)]))[0] == Fraction(1, 2)


def test_nothing_linked_is_a_real_zero_and_nothing_spent_is_undefined() -> None:
    assert link_shares([spent("ann", DAY, 30, None)], on())[0] == 0
    assert link_shares([], on())[0] is None
    assert link_shares([spent("ann", DAY, 0, 0)], on([("ann", DAY)]))[0] is None


def test_while_nothing_is_measured_the_bound_share_is_undefined_and_not_zero() -> None:
    assert link_shares([spent("ann", DAY, 30, None)], on([("ann", DAY)]))[1] is None
    assert link_shares([], on())[1] is None


OCCURRED = [spent("ann", DAY, 30, 20), spent("bo", DAY, 40, 30)]
NONE, FEW, MANY = Outside.NONE, Outside.FEW, Outside.MANY


@pytest.mark.parametrize(
    ("outside", "others"),
    [
        pytest.param([], 0, id="nobody outside"),
        pytest.param([NONE, NONE], 0, id="nobody outside on any day"),
        pytest.param([NONE, MANY], 0, id="many outsiders"),
        pytest.param([NONE], 5, id="many of other teams"),
        pytest.param([FEW, MANY], 0, id="few outsiders on one day, many on another"),
        pytest.param([MANY], 1, id="one of another team among many outsiders"),
        pytest.param([FEW], 5, id="few outsiders among many of other teams"),
    ],
)
def test_people_and_services_explain_a_share_of_the_bill(outside: list[Outside], others: int) -> None:
    assert explained_share(OCCURRED, 10, 80, outside, others) == Fraction(60, 80)


@pytest.mark.parametrize(
    ("outside", "others"),
    [
        pytest.param([FEW], 0, id="few outsiders"),
        pytest.param([NONE, FEW, NONE], 0, id="few outsiders on one day"),
        pytest.param([], 1, id="one of another team"),
        pytest.param([NONE], 4, id="four of other teams"),
        pytest.param([FEW], 4, id="few outsiders and four of other teams"),
    ],
)
def test_while_few_are_outside_nothing_is_said_about_the_rest(outside: list[Outside], others: int) -> None:
    assert explained_share(OCCURRED, 10, 80, outside, others) is None


def test_without_a_bill_there_is_no_share_of_it() -> None:
    assert explained_share(OCCURRED, 10, 0, [NONE], 0) is None
    assert explained_share(OCCURRED, 10, -1, [NONE], 0) is None


def test_a_bill_that_does_not_name_people_is_not_explained() -> None:
    assert explained_share([*OCCURRED, spent("di", DAY, 10, None)], 10, 80, [NONE], 0) is None


def test_a_bill_that_people_had_no_part_in_is_explained_by_a_real_zero() -> None:
    assert explained_share([], 0, 80, [NONE], 0) == 0


def test_public_facts_are_about_everybody_joined_or_not() -> None:
    taken_back = [merged(1, at(1)), merged(2, at(2), reverts=0)]
    work = merged(3, at(3), author=CY, reviews=(review(BO, at(1, 12)),))
    back, again = merged(4, at(3), reverts=1), merged(5, at(3), reverts=2)
    assert public_facts([work, back, again], taken_back) == PublicFacts(3, 1, Fraction(3))
