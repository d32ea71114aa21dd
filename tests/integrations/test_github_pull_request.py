"""One pull request by its number: the same facts as a page gives, with one query."""

import pytest

from bot.domain.ports import SourceError
from tests.fake_github import FakeGitHub, commit, outcomes, read


@pytest.fixture
def fake() -> FakeGitHub:
    return FakeGitHub()


def test_it_is_what_a_page_says_of_it(fake):
    api = fake.repository("acme/api")
    api.pull(number=7, commits=[commit("2026-05-04", "ann", "bo")], reviews=[("bo", "APPROVED", "2026-05-05")])
    api.pull(number=8, draft=True)
    source = outcomes(fake)
    by_number = {pull.number: pull for pull in read(fake)}
    for number in (7, 8):
        seen = source.pull_request("acme/api", number)
        assert seen is not None
        assert seen.pull == by_number[number]


def test_it_is_one_query(fake):
    fake.repository("acme/api").pull(number=7)
    outcomes(fake).pull_request("acme/api", 7)
    assert [call for call in fake.calls if not call.startswith(("GET", "token"))] == ["PullRequest"]


@pytest.mark.parametrize("private", [True, False])
def test_it_says_whether_everybody_may_read_the_repository(fake, private):
    fake.repository("acme/api", private=private).pull(number=7)
    seen = outcomes(fake).pull_request("acme/api", 7)
    assert seen is not None
    assert seen.private is private


def test_what_is_refused_of_a_repository_is_asked_for_once_only(fake):
    api = fake.repository("acme/api", private=True)
    for number in (7, 8):
        api.pull(number=number, commits=[commit("2026-05-04", "bo")])
    source = outcomes(fake)
    seen = [source.pull_request("acme/api", number) for number in (7, 8)]
    assert [one is not None and len(one.pull.commits) for one in seen] == [1, 1]
    assert fake.calls.count("PullRequest") == 3


def test_long_lists_are_read_to_their_end(fake):
    fake.repository("acme/api").pull(number=7, files={f"src/{number}.py": (1, 0) for number in range(250)})
    seen = outcomes(fake).pull_request("acme/api", 7)
    assert seen is not None
    assert (seen.pull.files, seen.pull.lines) == (250, 250)


def test_a_number_that_nobody_has_is_none(fake):
    fake.repository("acme/api")
    assert outcomes(fake).pull_request("acme/api", 7) is None


def test_an_impossible_one_is_none_and_counted(fake):
    fake.repository("acme/api").pull(number=7, raw={"state": "MERGED"})
    source = outcomes(fake)
    assert source.pull_request("acme/api", 7) is None
    assert sum(source.rejected.values()) == 1


def test_a_repository_that_was_not_given_is_an_error(fake):
    fake.install("acme")
    with pytest.raises(SourceError, match="has no repository acme/api"):
        outcomes(fake).pull_request("acme/api", 7)


def test_the_limit_is_told(fake):
    fake.repository("acme/api").pull(number=7)
    fake.complain("PullRequest", "RATE_LIMITED")
    with pytest.raises(SourceError, match="rate limit"):
        outcomes(fake).pull_request("acme/api", 7)
