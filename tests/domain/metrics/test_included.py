from itertools import product

import pytest

from bot.domain.metrics.included import Exclusion, PullFacts, exclusion, pull_key, responsible, reverting
from bot.domain.model import GitHubUser, PullRequest
from tests.domain.metrics.pulls import AGENT, ANN, BO, at, merged, pull


def test_the_first_reason_that_applies_is_told() -> None:
    order = [Exclusion.NOT_MERGED, Exclusion.BOT, Exclusion.REVERT, Exclusion.IGNORED, Exclusion.NOT_OPTED_IN, None]
    for wrongs in product((True, False), repeat=5):
        not_merged, bot, revert, ignored, not_opted_in = wrongs
        facts = PullFacts(not not_merged, bot, revert, ignored, not not_opted_in)
        assert exclusion(facts) is order[[*wrongs, True].index(True)]


@pytest.mark.parametrize(
    ("work", "human"),
    [
        (pull(1), ANN),
        (pull(1, owner=BO), ANN),
        (pull(1, author=AGENT, owner=BO), BO),
        (pull(1, author=AGENT), None),
        (pull(1, author=None), None),
    ],
)
def test_work_belongs_to_its_author_or_to_who_stands_behind_the_agent(
    work: PullRequest, human: GitHubUser | None
) -> None:
    assert responsible(work) == human


def test_a_revert_of_a_revert_is_ordinary_work_again() -> None:
    work = merged(1, at(1))
    back = merged(2, at(2), reverts=1)
    again = merged(3, at(3), reverts=2)
    back_again = merged(4, at(4), reverts=3)
    assert reverting([back_again, again, back, work]) == {pull_key(back), pull_key(back_again)}


def test_only_merged_reverts_take_something_back() -> None:
    assert reverting([pull(2, reverts=1)]) == frozenset()
    assert reverting([pull(2, reverts=1), merged(3, at(3), reverts=2)]) == {("R_api", 3)}


def test_a_revert_of_something_unknown_is_a_revert() -> None:
    assert reverting([merged(2, at(2), reverts=0)]) == {("R_api", 2)}


def test_numbers_mean_nothing_in_another_repository() -> None:
    elsewhere = merged(2, at(2), reverts=1, repository_id="R_web")
    here = merged(3, at(3), reverts=2)
    assert reverting([elsewhere, here]) == {("R_web", 2), ("R_api", 3)}
