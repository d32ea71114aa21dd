"""Binding gets from the store what GitHub told of pull requests' branches, and no more."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from bot.domain.binding import Candidate, Period
from bot.domain.binding.pulls import Pulls
from bot.domain.model import HeadCommit, PullRequest, fingerprint
from bot.store import heads, pulls
from bot.store.db import reading, transaction
from bot.store.retention import drop_pulls
from tests.domain.metrics.pulls import ANN, at, closed, merged, pull

A, B, C = ("a" * 40, "b" * 40, "c" * 40)
ONE, TWO = fingerprint("one"), fingerprint("two")
LONG_AGO = at(1)


def save(engine: Engine, *page: PullRequest) -> None:
    with transaction(engine) as session:
        pulls.save(session, page)


def candidates(engine: Engine, since: datetime = LONG_AGO) -> dict[str, Candidate]:
    with reading(engine) as session:
        return {one.id: one for one in heads.candidates(session, since)}


def sessions(engine: Engine, since: datetime = LONG_AGO) -> dict[str, tuple[str, ...]]:
    with reading(engine) as session:
        return heads.sessions_by_commit(session, since)


def test_a_candidate_has_all_that_was_read_of_its_branch(engine):
    told = pull(
        1,
        head_branch="ann/pay",
        head_repository="ann/api",
        default_branch="trunk",
        periods=((at(1, 9), at(2)), (at(3), None)),
        heads=(HeadCommit(A), HeadCommit(B, replaced=True), HeadCommit(C, sessions=(ONE,))),
    )
    save(engine, told)
    assert candidates(engine) == {
        "PR_1": Candidate(
            id="PR_1",
            repository="acme/api",
            number=1,
            head_repository="ann/api",
            head_branch="ann/pay",
            periods=(Period(at(1, 9), at(2)), Period(at(3))),
            commits=frozenset({A, C}),
            replaced=frozenset({B}),
            default_branch="trunk",
        )
    }


def test_a_fork_that_is_gone_has_no_branch_and_still_its_commits(engine):
    save(engine, pull(1, head_repository=None, heads=(HeadCommit(A),)))
    found = candidates(engine)["PR_1"]
    assert found.head_repository is None
    known = Pulls([found])
    assert known.holding(A, None) == found
    assert known.on(known.head(found), at(2)) is None


@pytest.mark.parametrize(
    ("told", "period"),
    [
        (pull(1), Period(at(1, 9))),
        (merged(1, at(3)), Period(at(1, 9), at(3))),
        (closed(1, at(4)), Period(at(1, 9), at(4))),
    ],
)
def test_without_events_it_was_open_from_its_creation_to_its_end(engine, told, period):
    save(engine, told)
    assert candidates(engine)["PR_1"].periods == (period,)


def test_one_that_was_opened_again_has_the_work_of_both_times(engine):
    """From its close on, another one on the same branch has the work; opened again, it has what comes after that."""
    save(
        engine,
        pull(1, head_repository="acme/api", head_branch="pay", periods=((at(1, 9), at(3)), (at(20), None))),
        merged(2, at(10), head_repository="acme/api", head_branch="pay", periods=((at(5), at(10)),)),
    )
    known = Pulls(candidates(engine).values())
    thread = known.thread("acme/api", "pay")
    assert thread is not None
    owners = [known.on(thread, at(day)) for day in (2, 6, 21)]
    assert [owner and owner.number for owner in owners] == [1, 2, 1]


def test_only_what_is_open_or_changed_since_then_is_a_candidate(engine):
    since = at(10)
    just_before = since - timedelta(seconds=1)
    save(
        engine,
        pull(1, updated_at=at(2), heads=(HeadCommit(A, sessions=(ONE,)),)),
        merged(2, at(9), updated_at=since, heads=(HeadCommit(B, sessions=(ONE,)),)),
        merged(3, at(9), updated_at=just_before, heads=(HeadCommit(C, sessions=(ONE,)),)),
        closed(4, at(9), updated_at=at(11)),
        closed(5, at(9), updated_at=just_before),
    )
    assert set(candidates(engine, since)) == {"PR_1", "PR_2", "PR_4"}
    assert set(sessions(engine, since)) == {A, B}


def test_one_commit_of_two_pull_requests_belongs_to_both(engine):
    save(engine, pull(1, heads=(HeadCommit(A, sessions=(ONE,)),)), pull(2, heads=(HeadCommit(A, replaced=True),)))
    found = candidates(engine)
    assert (found["PR_1"].commits, found["PR_2"].replaced) == (frozenset({A}), frozenset({A}))
    assert sessions(engine) == {A: (ONE,)}


def test_the_sessions_of_a_commit_are_all_told_and_commits_without_any_are_left_out(engine):
    save(engine, pull(1, heads=(HeadCommit(A), HeadCommit(B, sessions=(ONE, TWO)))))
    assert sessions(engine) == {B: (ONE, TWO)}


def test_pull_requests_of_a_renamed_repository_are_found_by_both_names(engine):
    before = pull(1, repository="acme/old", head_repository="acme/old", updated_at=at(2))
    after = pull(2, repository="acme/api", head_repository="ann/api", updated_at=at(5))
    elsewhere = pull(3, repository="acme/web", repository_id="R_web", head_repository="acme/web", updated_at=at(6))
    save(engine, before, after, elsewhere)
    found = candidates(engine)
    assert (found["PR_1"].repository, found["PR_1"].head_repository) == ("acme/api", "acme/api")
    assert found["PR_1"].former == found["PR_2"].former == frozenset({"acme/old"})
    assert found["PR_2"].head_repository == "ann/api"
    assert found["PR_3"].former == frozenset()
    known = Pulls(found.values())
    assert known.numbered(2, "acme/old") == found["PR_2"]
    assert known.numbered(1, "acme/api") == found["PR_1"]


def test_a_name_that_only_changed_its_case_is_no_former_one(engine):
    save(engine, pull(1, repository="Acme/API", updated_at=at(2)), pull(2, updated_at=at(5)))
    assert {one.repository for one in candidates(engine).values()} == {"acme/api"}
    assert {one.former for one in candidates(engine).values()} == {frozenset()}


def test_those_that_were_stored_before_get_their_heads_when_they_are_read_again(engine):
    told = merged(1, at(3), head_repository="acme/api", heads=(HeadCommit(A),), periods=((at(1, 9), at(3)),))
    save(engine, told)
    with transaction(engine) as session:  # as the migration leaves what was there
        session.execute(text("UPDATE pulls SET head_repository = NULL, default_branch = NULL, periods = ''"))
        session.execute(text("DELETE FROM pull_commits"))
    bare = candidates(engine)["PR_1"]
    assert (bare.head_repository, bare.commits, bare.periods) == (None, frozenset(), (Period(at(1, 9), at(3)),))
    save(engine, told)
    assert candidates(engine)["PR_1"].commits == frozenset({A})
    assert candidates(engine)["PR_1"].head_repository == "acme/api"


def test_heads_are_replaced_with_their_pull_request(engine):
    first = pull(1, head_repository="acme/api", heads=(HeadCommit(A, sessions=(ONE,)), HeadCommit(B)))
    save(engine, first, pull(2, heads=(HeadCommit(A),)))
    save(engine, replace(first, updated_at=at(2), heads=(HeadCommit(A, replaced=True), HeadCommit(C))))
    found = candidates(engine)
    assert (found["PR_1"].commits, found["PR_1"].replaced) == (frozenset({C}), frozenset({A}))
    assert found["PR_2"].commits == frozenset({A})
    assert sessions(engine) == {}


def test_an_older_reading_leaves_newer_heads_alone(engine):
    save(engine, pull(1, updated_at=at(2), head_repository="acme/api", heads=(HeadCommit(A),)))
    save(engine, pull(1, updated_at=at(1, 12), heads=(HeadCommit(B),)))
    found = candidates(engine)["PR_1"]
    assert (found.commits, found.head_repository) == (frozenset({A}), "acme/api")


def test_heads_are_forgotten_with_their_pull_request(engine):
    save(engine, merged(1, at(2), updated_at=at(2), heads=(HeadCommit(A),)), pull(2, updated_at=at(9)))
    save(engine, pull(2, updated_at=at(9), heads=(HeadCommit(B),), author=ANN))
    with transaction(engine) as session:
        drop_pulls(session, at(5))
    assert [row["sha"] for row in named(engine)] == [B]


def named(engine: Engine) -> list[dict[str, object]]:
    with reading(engine) as session:
        return [dict(row) for row in session.execute(text("SELECT * FROM pull_commits")).mappings()]


def test_nothing_stored_is_nothing_found(engine):
    assert candidates(engine) == {}
    assert sessions(engine) == {}


@pytest.mark.parametrize("session", ["one", "sëssion/ 1", ""])
def test_a_fingerprint_is_of_32_digits_and_tells_nothing_of_the_id(session):
    assert len(fingerprint(session)) == 32
    assert set(fingerprint(session)) <= set("0123456789abcdef")
