"""What GitHub tells of a pull request's branch: where it is, when it was open, its commits, and sessions they name."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.domain.model import HeadCommit
from tests.fake_github import FakeEvent, FakeGitHub, FakeRepository, commit, only, outcomes, pages, read

SESSION = "0c1e9a52-6f0b-4f0e-9d3c-2b8a5a1f7e11"
OTHER = "7d44c0de-1111-4222-8333-444455556666"


@pytest.fixture
def fake() -> FakeGitHub:
    return FakeGitHub()


@pytest.fixture
def api(fake: FakeGitHub) -> FakeRepository:
    return fake.repository("acme/api")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def noon(day: int) -> datetime:
    return at(f"2026-05-{day:02}T12:00")


def of(*sessions: str) -> tuple[str, ...]:
    """The first 32 digits of the SHA-256 of each."""
    return tuple(sorted(hashlib.sha256(session.encode()).hexdigest()[:32] for session in sessions))


def named(fake: FakeGitHub, api: FakeRepository, message: str) -> tuple[str, ...]:
    api.pull(commits=[commit("2026-05-04", "ann", message=message)])
    [head] = only(fake).heads
    return head.sessions


# --- where its branch is


@pytest.mark.parametrize(
    ("fork", "repository"),
    [("", "acme/api"), ("ann/api", "ann/api"), ("ann/other-name", "ann/other-name"), (None, None)],
)
def test_the_branch_is_here_or_in_a_fork_or_in_one_that_is_gone(fake, api, fork, repository) -> None:
    api.pull(fork=fork)
    assert only(fake).head_repository == repository


def test_a_fork_that_the_app_was_not_given_is_unknown_and_stops_nothing(fake, api) -> None:
    api.pull(fork="ann/api", commits=[commit("2026-05-04", "ann")])
    fake.refuse_forks = True
    source = outcomes(fake)
    [[pull]] = pages(source)
    assert (pull.head_repository, len(pull.heads)) == (None, 1)
    assert source.ignored == {"part that GitHub does not show": 1}
    assert fake.calls.count("PullRequests") == 1


def test_the_default_branch_is_the_repositorys(fake, api) -> None:
    api.default_branch = "trunk"
    api.pull(base="release")
    seen = outcomes(fake).pull_request("acme/api", 1)
    assert seen is not None
    assert only(fake).default_branch == seen.pull.default_branch == "trunk"


# --- its commits


def test_commits_are_known_by_their_full_sha_each_once(fake, api) -> None:
    first, second = commit("2026-05-04", "ann"), commit("2026-05-05", "bo")
    api.pull(commits=[first, second, first])
    assert only(fake).heads == tuple(HeadCommit(sha) for sha in sorted([first.sha, second.sha]))


@pytest.mark.parametrize("private", [False, True])
def test_a_merge_commit_is_not_among_them_and_still_a_day_of_work(fake, private) -> None:
    work = commit("2026-05-04", "ann")
    merge = commit("2026-05-05", "ann", message=f"Merge main\n\nAgent-Session: {SESSION}", parents=2)
    fake.repository("acme/api", private=private).pull(commits=[work, merge])
    pull = only(fake)
    assert pull.heads == (HeadCommit(work.sha),)
    assert [one.day.day for one in pull.commits] == [4, 5]


def test_a_first_commit_without_parents_is_one_of_them(fake, api) -> None:
    root = commit("2026-05-04", "ann", parents=0)
    api.pull(commits=[root])
    assert only(fake).heads == (HeadCommit(root.sha),)


def test_the_commit_that_it_was_merged_as_is_not_among_them(fake, api) -> None:
    work = commit("2026-05-04", "ann")
    api.pull(commits=[work], merged="2026-05-05", merge_sha="f" * 40)
    assert [head.sha for head in only(fake).heads] == [work.sha]


def test_what_a_force_push_replaced_is_kept_as_that(fake, api) -> None:
    old, older, new = (commit(f"2026-05-0{day}", "ann") for day in (4, 5, 6))
    events = [FakeEvent("pushed", "2026-05-05", older), FakeEvent("pushed", "2026-05-06", old)]
    api.pull(commits=[new], events=events)
    replaced = [HeadCommit(old.sha, replaced=True), HeadCommit(older.sha, replaced=True)]
    assert set(only(fake).heads) == {HeadCommit(new.sha), *replaced}


def test_a_commit_that_was_pushed_again_is_not_replaced(fake, api) -> None:
    work = commit("2026-05-04", "ann", message=f"Pay\n\nAgent-Session: {SESSION}")
    api.pull(commits=[work], events=[FakeEvent("pushed", "2026-05-05", work)])
    assert only(fake).heads == (HeadCommit(work.sha, sessions=of(SESSION)),)


def test_a_replaced_merge_and_one_that_github_has_lost_are_left_out(fake, api) -> None:
    merge = commit("2026-05-04", "ann", parents=2)
    api.pull(events=[FakeEvent("pushed", "2026-05-05", merge), FakeEvent("pushed", "2026-05-06", None)])
    assert only(fake).heads == ()


def test_of_very_many_force_pushes_the_last_hundred_count(fake, api) -> None:
    pushes = [FakeEvent("pushed", "2026-05-05", commit(f"2026-05-04T00:{n // 60:02}:{n % 60:02}Z")) for n in range(101)]
    api.pull(events=pushes)
    kept = {push.before.sha for push in pushes[1:] if push.before}
    assert {head.sha for head in only(fake).heads} == kept
    assert fake.calls.count("PullRequests") == 1


def test_all_commits_of_a_long_list_are_known(fake, api) -> None:
    api.pull(commits=[commit(f"2026-05-04T00:{n // 60:02}:{n % 60:02}Z", "ann") for n in range(120)])
    assert len(only(fake).heads) == 120


# --- a private repository without `contents: read`


def test_of_a_private_repository_commits_and_their_sessions_come_by_rest(fake) -> None:
    work = commit("2026-05-04", "ann", message=f"Pay\n\nAgent-Session: {SESSION}")
    events = [
        FakeEvent("pushed", "2026-05-05", commit("2026-05-03", "ann")),
        FakeEvent("closed", "2026-05-06"),
        FakeEvent("reopened", "2026-05-07"),
    ]
    fake.repository("acme/api", private=True).pull(commits=[work], events=events)
    pull = only(fake)
    assert pull.heads == (HeadCommit(work.sha, sessions=of(SESSION)),)
    assert (pull.default_branch, pull.head_repository) == (None, "acme/api")
    assert pull.periods == ((noon(4), noon(6)), (noon(7), None))


def test_a_private_repository_costs_no_request_more_than_before(fake) -> None:
    api = fake.repository("acme/api", private=True)
    api.pull(commits=[commit("2026-05-04", "ann")], events=[FakeEvent("pushed", "2026-05-05", commit("2026-05-03"))])
    read(fake)
    assert fake.calls[2:] == ["PullRequests", "PullRequests", "GET /repos/acme/api/pulls/1/commits?per_page=100&page=1"]


def test_an_app_that_may_read_contents_sees_what_was_replaced(fake) -> None:
    old = commit("2026-05-03", "ann")
    api = fake.repository("acme/api", private=True)
    api.pull(events=[FakeEvent("pushed", "2026-05-05", old)])
    fake.hidden.clear()
    pull = only(fake)
    assert pull.heads == (HeadCommit(old.sha, replaced=True),)
    assert pull.default_branch == "main"


# --- the sessions that a commit names


@pytest.mark.parametrize(
    ("line", "session"),
    [
        (f"Agent-Session: {SESSION}", SESSION),
        (f"agent-session:{SESSION}  ", SESSION),
        (f"    Agent-Session: {SESSION}", SESSION),
        (f"\tAgent-Session: {SESSION}\r", SESSION),
        ("Agent-Session: s/4 2", None),
        ("Agent-Session: s/4?x#y", "s/4?x#y"),
        ("Agent-Session:", None),
        (f"See Agent-Session: {SESSION}", None),
        ("Claude-Session: https://claude.example/code/session_011Abc", "session_011Abc"),
        ("Claude-Session: https://claude.example/code/session_011Abc/?from=web#turn", "session_011Abc"),
        ("Claude-Session: session_011Abc", "session_011Abc"),
        ("Claude-Session: https://claude.example", None),
        ("Claude-Session: https://claude.example/", None),
        (f"Agent-Logs-Url: https://github.com/acme/api/sessions/{SESSION}", SESSION),
        (f"Co-authored-by: Ann <{SESSION}@example.com>", None),
        (f"Session: {SESSION}", None),
    ],
)
def test_lines_that_name_a_session(fake, api, line, session) -> None:
    assert named(fake, api, f"Add pay\n\n{line}\n") == (of(session) if session else ())


def test_a_squash_body_names_the_sessions_of_all_its_parts(fake, api) -> None:
    """As `git merge --squash` indents it and as GitHub lists it, in paragraphs that are not the last one."""
    body = f"""Squashed commit of the following:

commit 1111111

    Add pay

    Agent-Session: {SESSION}

* Add tests

Agent-Session: {OTHER}
Agent-Session: {SESSION}

* Fix a typo

Co-authored-by: Bo <bo@example.com>
"""
    assert named(fake, api, body) == of(SESSION, OTHER)


def test_no_more_of_a_message_is_kept_than_fingerprints(fake, api) -> None:
    api.pull(commits=[commit("2026-05-04", "ann", message=f"A secret plan\n\nAgent-Session: {SESSION}")])
    pull = only(fake)
    assert "secret" not in repr(pull)
    assert SESSION not in repr(pull)


def test_a_message_that_names_a_hundred_sessions_is_taken_and_one_with_more_is_not(fake, api) -> None:
    for count in (100, 101):
        lines = "\n".join(f"Agent-Session: {number}" for number in range(count))
        api.pull(commits=[commit("2026-05-04", "ann", message=lines)], number=count)
    source = outcomes(fake)
    [found] = pages(source)
    assert {pull.number: len(pull.heads[0].sessions) for pull in found} == {100: 100, 101: 0}
    assert source.ignored == {"commit that names too many sessions": 1}


# --- when it was open


CLOSED_AND_OPENED_AGAIN = [FakeEvent("closed", "2026-05-06"), FakeEvent("reopened", "2026-05-08")]


@pytest.mark.parametrize(
    ("facts", "events", "periods"),
    [
        ({}, [], [(4, None)]),
        ({"merged": "2026-05-09"}, [FakeEvent("closed", "2026-05-09")], [(4, 9)]),
        ({"merged": "2026-05-09"}, [], [(4, 9)]),
        ({"closed": "2026-05-06"}, [FakeEvent("closed", "2026-05-06")], [(4, 6)]),
        ({}, CLOSED_AND_OPENED_AGAIN, [(4, 6), (8, None)]),
        ({"merged": "2026-05-09"}, [*CLOSED_AND_OPENED_AGAIN, FakeEvent("closed", "2026-05-09")], [(4, 6), (8, 9)]),
        ({"closed": "2026-05-09"}, CLOSED_AND_OPENED_AGAIN, [(4, 6), (8, 9)]),
        ({}, [FakeEvent("reopened", "2026-05-08")], [(4, None)]),
        ({}, [FakeEvent("closed", "2026-05-06")], [(4, None)]),
        ({"closed": "2026-05-08"}, [*[FakeEvent("closed", "2026-05-06")] * 2], [(4, 8)]),
    ],
)
def test_the_times_it_was_open(fake, api, facts: dict[str, Any], events: Sequence[FakeEvent], periods) -> None:
    api.pull(created="2026-05-04", events=events, **facts)
    assert only(fake).periods == tuple((noon(opened), closed and noon(closed)) for opened, closed in periods)


def test_an_event_from_before_it_was_there_is_left_out_and_counted(fake, api) -> None:
    api.pull(created="2026-05-04", events=[FakeEvent("closed", "2026-05-01")])
    source = outcomes(fake)
    [[pull]] = pages(source)
    assert pull.periods == ((noon(4), None),)
    assert source.ignored == {"event before the one that came first": 1}


# --- values that cannot be


@pytest.mark.parametrize("sha", ["", "abc", "g" * 40, "a" * 41])
def test_a_commit_without_a_possible_sha_makes_a_pull_request_unreadable(fake, api, sha) -> None:
    told = {"oid": sha, "authoredDate": "2026-05-04T12:00:00Z", "message": "", "parents": {"totalCount": 1}}
    node = {"commit": {**told, "authors": {"nodes": []}}}
    page = {"pageInfo": {"hasNextPage": False, "endCursor": None}, "nodes": [node]}
    api.pull(raw={"commits": page})
    source = outcomes(fake)
    assert pages(source) == [[]]
    assert sum(source.rejected.values()) == 1
