"""The back-fill over real HTTP: PyGithub signs, gets tokens and tries again against the emulator and the fake."""

import base64
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

import pytest

from bot.domain.model import CommitDay, GitHubUser, PullRequest
from bot.domain.ports import SourceError
from integrations.outcomes.github import READ, GitHubOutcomes
from integrations.outcomes.github.commits import rest_commit
from integrations.outcomes.github.problems import NO_ANSWER
from integrations.outcomes.github.pygithub import PyGithubApp
from integrations.outcomes.github.retry import ReadRetry
from integrations.outcomes.github.tally import Tally
from tests.e2e.conftest import GitHubServer
from tests.e2e.emulate import MEMBERS, Emulator
from tests.fake_github import FakeRepository, commit

pytestmark = pytest.mark.e2e

START = datetime(2026, 5, 1, tzinfo=UTC)
TOKEN = "POST /app/installations/100/access_tokens"
connect = partial(PyGithubApp, retry=ReadRetry(backoff_factor=0.001), pause=0)


@pytest.fixture
def api(github_server: GitHubServer) -> FakeRepository:
    return github_server.fake.repository("acme/api")


def outcomes(server: GitHubServer, **changes: Any) -> GitHubOutcomes:
    settings = {"app_id": server.emulator.app_id, "private_key": server.emulator.private_key, "base_url": server.url}
    return GitHubOutcomes(**(settings | changes), connect=connect)


def read(source: GitHubOutcomes, repository: str = "acme/api") -> list[PullRequest]:
    return [pull for page in source.pull_requests(repository, START, lambda *_: None) for pull in page]


def problem(source: GitHubOutcomes, repository: str = "acme/api") -> SourceError:
    with pytest.raises(SourceError) as caught:
        read(source, repository)
    return caught.value


def last_token(emulator: Emulator) -> Mapping[str, Any]:
    tokens: list[Mapping[str, Any]] = emulator.admin("GET", "/_emulate/installation-tokens")["installation_tokens"]
    return tokens[-1]


# --- it works


def test_pull_requests_are_read_with_a_token_of_the_app(github_server, api) -> None:
    for day in range(1, 29):
        for _ in range(5):
            api.pull(created=f"2026-05-{day:02}", commits=[commit(f"2026-05-{day:02}", "ann", "bo")])
    found = read(outcomes(github_server))
    ann, bo = github_server.emulator.ids["ann"], github_server.emulator.ids["bo"]
    assert len(found) == 140
    assert found[0].author == GitHubUser(ann, "ann")
    assert found[0].commits == (CommitDay(ann, date(2026, 5, 28)), CommitDay(bo, date(2026, 5, 28)))
    assert github_server.fake.calls == ["GET /repos/acme/api/installation", TOKEN, "PullRequests", "PullRequests"]


def test_the_token_can_read_and_no_more(github_server, api) -> None:
    read(outcomes(github_server))
    assert last_token(github_server.emulator)["permissions"] == READ


def test_commits_of_a_private_repository_come_by_rest(github_server) -> None:
    api = github_server.fake.repository("acme/api", private=True)
    api.pull(commits=[commit("2026-05-04", "bo")] * 101)
    [pull] = read(outcomes(github_server))
    assert pull.commits == (CommitDay(github_server.emulator.ids["bo"], date(2026, 5, 4)),)
    assert sum(call.startswith("GET /repos/acme/api/pulls/1/commits") for call in github_server.fake.calls) == 2


def test_commits_of_the_emulator_are_readable_with_the_same_permissions(emulator: Emulator) -> None:
    content = {"message": "Add pay", "content": base64.b64encode(b"pay").decode(), "branch": "pay"}
    head = emulator.admin("GET", "/repos/acme/web/git/ref/heads/main")["object"]["sha"]
    emulator.admin("POST", "/repos/acme/web/git/refs", {"ref": "refs/heads/pay", "sha": head})
    emulator.admin("PUT", "/repos/acme/web/contents/pay.txt", content)
    number = emulator.admin("POST", "/repos/acme/web/pulls", {"title": "Pay", "head": "pay", "base": "main"})["number"]
    wire = connect(emulator.app_id, emulator.private_key, emulator.github).installation(100, "acme", READ)
    raws = wire.get(f"/repos/acme/web/pulls/{number}/commits").body
    assert raws
    assert None not in [rest_commit(raw, {}, Tally()) for raw in raws]


def test_members_of_a_team_are_read(github_server) -> None:
    ids = github_server.emulator.ids
    assert outcomes(github_server).team_members("acme/payments") == [GitHubUser(ids[name], name) for name in MEMBERS]


def test_users_are_read_before_anything_else_was(github_server) -> None:
    assert outcomes(github_server).users(["bo"]) == [GitHubUser(github_server.emulator.ids["bo"], "bo")]


# --- it does not


def test_an_organisation_without_the_app_is_named(github_server) -> None:
    error = problem(outcomes(github_server), "elsewhere/tool")
    assert error.permanent
    assert str(error).startswith("The GitHub App is not installed on elsewhere: install it at http://localhost:")
    assert str(error).endswith("/apps/leverage/installations/new and give it elsewhere/tool")


def test_a_repository_that_was_not_given_is_named(github_server) -> None:
    error = problem(outcomes(github_server), "acme/other")
    assert error.permanent
    assert "has no repository acme/other" in str(error)


def test_an_unknown_team_is_named(github_server) -> None:
    with pytest.raises(SourceError, match="no team acme/nobody"):
        outcomes(github_server).team_members("acme/nobody")


@pytest.mark.parametrize("app_id", ["4712", "not a number"])
def test_a_wrong_app_id_is_a_permanent_error(github_server, api, app_id) -> None:
    error = problem(outcomes(github_server, app_id=app_id))
    assert error.permanent
    assert f"does not accept this private key for App {app_id}" in str(error)


@pytest.mark.parametrize("key", ["", "nonsense", "-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----"])
def test_a_key_that_is_none_is_a_permanent_error_before_anything_is_sent(github_server, key) -> None:
    error = problem(outcomes(github_server, private_key=key))
    assert error.permanent
    assert "GITHUB_APP_PRIVATE_KEY is not a private key in PEM form" in str(error)
    assert github_server.fake.calls == []


def test_a_suspended_installation_is_named(github_server, api) -> None:
    github_server.fake.fail("access_tokens", 403, "This installation has been suspended")
    assert "suspended on acme" in str(problem(outcomes(github_server)))


# --- it passes


@pytest.mark.parametrize("call", ["PullRequests", "GET /repos/acme/api/installation"])
def test_a_read_that_fails_for_a_moment_is_sent_again(github_server, api, call) -> None:
    api.pull()
    github_server.fake.fail(call, 502, times=3)
    assert len(read(outcomes(github_server))) == 1
    assert github_server.fake.calls.count(call) == 4


def test_a_token_is_asked_for_once_only(github_server, api) -> None:
    github_server.fake.fail("access_tokens", 502)
    error = problem(outcomes(github_server))
    assert not error.permanent
    assert "status 502" in str(error)
    assert github_server.fake.calls.count(TOKEN) == 1


def test_a_page_that_stays_too_much_is_halved(github_server, api) -> None:
    api.pull()
    github_server.fake.fail("PullRequests", 502, times=4)
    assert len(read(outcomes(github_server))) == 1
    assert [asked["size"] for asked in github_server.fake.variables] == [100, 100, 100, 100, 50]


@pytest.mark.parametrize("status", [403, 429])
def test_a_short_limit_is_waited_for(github_server, api, status) -> None:
    api.pull()
    github_server.fake.fail("PullRequests", status, "You have exceeded a secondary rate limit.", Retry_After="1")
    assert len(read(outcomes(github_server))) == 1


@pytest.mark.parametrize("status", [403, 429])
def test_a_long_limit_is_told_at_once(github_server, api, status) -> None:
    github_server.fake.fail("PullRequests", status, "You have exceeded a secondary rate limit.", Retry_After="91")
    error = problem(outcomes(github_server))
    assert not error.permanent
    assert str(error) == "GitHub's rate limit is reached: it asks to wait 91 seconds"
    assert github_server.fake.calls.count("PullRequests") == 1


def test_the_limit_of_graphql_is_told(github_server, api) -> None:
    github_server.fake.complain("PullRequests", "RATE_LIMITED", X_RateLimit_Reset="1778000400")
    assert "until 2026-05-05 17:00 UTC" in str(problem(outcomes(github_server)))


def test_a_token_that_was_dropped_is_renewed_once(github_server, api) -> None:
    api.pull()
    github_server.fake.fail("PullRequests", 401, "Bad credentials")
    assert len(read(outcomes(github_server))) == 1
    assert github_server.fake.calls.count(TOKEN) == 2


def test_a_token_that_is_dropped_again_is_an_error(github_server, api) -> None:
    github_server.fake.fail("PullRequests", 401, "Bad credentials", times=2)
    error = problem(outcomes(github_server))
    assert error.permanent
    assert "does not accept the App's token for acme any more" in str(error)
    assert github_server.fake.calls.count(TOKEN) == 2


def test_a_github_that_is_not_there_is_told(github_server) -> None:
    error = problem(outcomes(github_server, base_url="http://localhost:1"))
    assert not error.permanent
    assert error.whole
    assert str(error) == NO_ANSWER.format(kind="ConnectionError")
