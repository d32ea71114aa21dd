"""Pull requests are kept in their newest state, whatever the order and number of times they are seen."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete

from bot.domain.model import CommitDay, HeadCommit, PullRequest, PullState
from bot.store import pulls
from bot.store.db import reading, transaction
from bot.store.pulls import Touch
from bot.store.tables import METADATA
from tests.domain.metrics.pulls import AGENT, ANN, BO, CY, at, committed, merged, pull, review
from tests.people import dump

TABLES = ("pulls", "pull_reviews", "commit_days", "pull_commits")
OPEN = pull(
    1,
    commits=committed(1),
    reviews=(review(BO, at(1, 12)),),
    head_repository="acme/api",
    default_branch="main",
    periods=((at(1, 9), None),),
    heads=(HeadCommit("a" * 40), HeadCommit("b" * 40)),
)
REBASED = (HeadCommit("b" * 40, replaced=True), HeadCommit("c" * 40, sessions=("0" * 32, "1" * 32)))
PUSHED = replace(OPEN, updated_at=at(2), commits=committed(1, 2), lines=60, heads=REBASED)
MERGED = replace(
    PUSHED, updated_at=at(3), state=PullState.MERGED, merged_at=at(3), closed_at=at(3), commits=committed(2)
)


def save(engine: Engine, *page: PullRequest) -> int:
    with transaction(engine) as session:
        return pulls.save(session, page)


def pages(engine: Engine) -> dict[str, Any]:
    return {table: dump(engine, table) for table in TABLES}


def known(engine: Engine, number: int = 1) -> PullRequest:
    with reading(engine) as session:
        return pulls.by_id(session, [f"PR_{number}"])[f"PR_{number}"]


# Saving


def test_what_was_saved_comes_back_without_its_commits_reviews_and_heads(engine):
    odd = pull(7, author=None, owner=CY, draft=True, ready_at=None, reverts=0, lines=2**40)
    save(engine, OPEN, odd)
    assert known(engine) == replace(OPEN, commits=(), reviews=(), heads=())
    assert known(engine, 7) == replace(odd, commits=(), reviews=())


def test_the_same_page_again_changes_nothing(engine):
    page = (OPEN, pull(2, author=BO, reviews=(review(ANN, at(2)), review(CY, at(2)))), merged(3, at(4)))
    assert save(engine, *page) == 3
    before = pages(engine)
    assert save(engine, *page) == 0
    assert save(engine, *reversed(page)) == 0
    assert pages(engine) == before


def test_a_newer_state_replaces_all_of_an_older_one(engine):
    save(engine, PUSHED)
    assert save(engine, MERGED) == 1
    assert known(engine).state is PullState.MERGED
    with reading(engine) as session:
        assert pulls.touched(session, [ANN.id], [at(1).date(), at(2).date()]) == [Touch(ANN.id, at(2).date(), "PR_1")]


def test_an_older_state_is_ignored_with_its_commits_and_reviews(engine):
    save(engine, MERGED)
    before = pages(engine)
    assert save(engine, OPEN) == 0
    assert pages(engine) == before


def test_of_two_states_on_one_page_the_newer_counts_wherever_it_stands(engine):
    save(engine, MERGED, OPEN)
    assert known(engine).state is PullState.MERGED
    assert len(dump(engine, "commit_days")) == 1


def test_the_same_state_with_a_review_more_is_taken(engine):
    """GitHub counts time in seconds: two reads within one may differ, and the later one knows more."""
    save(engine, OPEN)
    save(engine, replace(OPEN, reviews=(*OPEN.reviews, review(CY, at(1, 12)))))
    assert len(dump(engine, "pull_reviews")) == 2


def test_a_review_and_a_commit_day_seen_twice_count_once(engine):
    save(engine, replace(OPEN, commits=OPEN.commits * 2, reviews=OPEN.reviews * 2))
    assert (len(dump(engine, "pull_reviews")), len(dump(engine, "commit_days"))) == (1, 1)


def test_an_empty_page_is_no_work(engine):
    assert save(engine) == 0


STATES = [
    OPEN,
    PUSHED,
    MERGED,
    pull(2, author=BO, reviews=(review(ANN, at(2)),)),
    merged(2, at(5), author=BO, updated_at=at(5), reviews=(review(ANN, at(2)), review(CY, at(4)))),
    pull(3, author=AGENT, owner=CY),
]


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(STATES)).flatmap(lambda again: st.permutations([*STATES, *again])), st.integers(1, 4))
def test_shuffled_and_repeated_pages_give_the_same_result(engine, states, size):
    with transaction(engine) as session:
        for table in TABLES:
            session.execute(delete(METADATA.tables[table]))
    for state in STATES:
        save(engine, state)
    in_order = pages(engine)
    with transaction(engine) as session:
        for table in TABLES:
            session.execute(delete(METADATA.tables[table]))
    for start in range(0, len(states), size):
        save(engine, *states[start : start + size])
    assert pages(engine) == in_order


# Reading


def test_merged_by_finds_authors_and_owners_of_agents_in_a_half_open_window(engine):
    early, late = at(2), at(4)
    save(
        engine,
        merged(1, early, reviews=(review(BO, at(1, 12)),)),
        merged(2, late),
        merged(3, early, author=AGENT, owner=ANN),
        merged(4, early, author=BO),
        pull(5),
        merged(6, early - timedelta(microseconds=1)),
    )
    with reading(engine) as session:
        found = pulls.merged_by(session, [ANN.id], early, late)
    assert [one.id for one in found] == ["PR_1", "PR_3"]
    assert [(one.author.id, one.state, one.at) for one in found[0].reviews] == [("U_bo", "commented", at(1, 12))]


def test_taken_back_are_the_pull_requests_that_reverts_name_in_their_own_repository(engine):
    elsewhere = pull(1, id="PR_else", repository="acme/web", repository_id="R_web")
    save(engine, merged(1, at(2)), elsewhere, pull(2, reverts=1), pull(3, reverts=0))
    with reading(engine) as session:
        reverts = list(pulls.by_id(session, ["PR_2", "PR_3"]).values())
        assert [one.id for one in pulls.taken_back(session, reverts)] == ["PR_1"]
        assert pulls.taken_back(session, []) == []


def test_touched_names_the_lowest_number_first_then_the_repository(engine):
    def of(number: int, repository: str) -> PullRequest:
        return pull(number, id=f"PR_{repository}_{number}", repository=f"acme/{repository}", commits=committed(1))

    save(engine, of(10, "api"), of(9, "web"), of(9, "api"))
    with reading(engine) as session:
        found = pulls.touched(session, [ANN.id], [at(1).date()])
    assert [touch.pull for touch in found] == ["PR_api_9", "PR_web_9", "PR_api_10"]


@pytest.mark.parametrize(
    ("reviews", "counts"),
    [([(ANN, BO), (ANN, BO), (ANN, CY)], True), ([(ANN, BO), (ANN, BO)], False), ([(ANN, ANN)] * 5, False)],
)
def test_whoever_reviewed_others_three_times_is_active(engine, reviews, counts):
    page = [
        pull(number, author=author, reviews=(review(reviewer, at(2, number)),))
        for number, (reviewer, author) in enumerate(reviews, start=1)
    ]
    save(engine, *page)
    with reading(engine) as session:
        assert (ANN.id in pulls.active(session, [ANN.id], at(1), at(9))) is counts
        assert pulls.active(session, [ANN.id], at(8), at(9)) == set()


def test_whoever_merged_is_active_and_whoever_only_opened_is_not(engine):
    save(engine, merged(1, at(2)), pull(2, author=BO), merged(3, at(9), author=CY))
    with reading(engine) as session:
        assert pulls.active(session, [ANN.id, BO.id, CY.id], at(1), at(9)) == {ANN.id}


def test_an_account_without_an_author_is_nobodys(engine):
    """A deleted account: its pull requests stay, and belong to no one."""
    save(engine, merged(1, at(2), author=None, commits=(CommitDay("U_ghost", at(1).date()),)))
    with reading(engine) as session:
        assert pulls.merged_by(session, ["", ANN.id], at(1), at(9)) == []
        assert pulls.active(session, ["", ANN.id], at(1), at(9)) == set()
