"""Whether the GitHub App can do its work, as `leverage doctor` finds out."""

from collections.abc import Sequence

import pytest

from bot.domain.health import Finding, Level
from bot.domain.team import Team
from integrations.outcomes.github.check import check
from integrations.outcomes.github.wire import Reply
from tests.fake_github import FakeGitHub
from tests.teams import team

FULL = {"metadata": "read", "pull_requests": "write", "members": "read"}


@pytest.fixture
def fake() -> FakeGitHub:
    fake = FakeGitHub()
    fake.repository("acme/api")
    fake.team("acme/payments", "canary-ann", "canary-bo")
    fake.install("acme", FULL)
    return fake


def findings(fake: FakeGitHub, *teams: Team, comments: bool = True) -> list[Finding]:
    asked: Sequence[Team] = teams or (team(github_team="acme/payments"),)
    return check(fake.connect("1", "", ""), "1", asked, comments=comments)


def bad(fake: FakeGitHub, *teams: Team, comments: bool = True) -> Finding:
    (found,) = [one for one in findings(fake, *teams, comments=comments) if one.level is not Level.OK]
    return found


def test_all_is_well_with_one_request_for_each_thing(fake):
    assert [(one.level, one.what) for one in findings(fake)] == [
        (Level.OK, "GitHub App: its ID and private key are accepted"),
        (Level.OK, "GitHub repository acme/api: the App is installed"),
        (Level.OK, "GitHub App on acme: it has the permissions it needs"),
        (Level.OK, "GitHub team acme/payments: the App may read it"),
    ]
    assert fake.calls == [
        "GET /app",
        "GET /repos/acme/api/installation",
        "token for acme: members",
        "GET /orgs/acme/teams/payments/members?per_page=1",
    ]


def test_nobody_of_a_team_is_named(fake):
    assert "canary" not in str(findings(fake))


def test_a_key_that_is_not_the_apps_ends_the_round(fake):
    fake.fail("GET /app", 401, "A JSON web token could not be decoded")
    (found,) = findings(fake)
    assert found.level is Level.PROBLEM
    assert "does not accept this private key for App 1: check GITHUB_APP_ID" in found.what


def test_a_repository_without_the_app_is_named_with_the_page_that_helps_and_the_others_are_still_looked_at(fake):
    other = team("web", repositories=("acme/web", "acme/api"), members=("canary-ann",))
    found = findings(fake, other)
    assert found[1].level is Level.PROBLEM
    assert found[1].what == "GitHub repository acme/web: the App is not installed there"
    assert "https://github.example/apps/leverage/installations/new" in found[1].advice
    assert found[2].what == "GitHub repository acme/api: the App is installed"


def test_github_being_unwell_with_one_repository_leaves_the_others(fake):
    fake.repository("acme/web")
    fake.fail("acme/api/installation", 503)
    found = findings(fake, team(repositories=("acme/api", "acme/web"), members=("ann",)))
    assert "status 503" in found[1].what
    assert found[2] == Finding(Level.OK, "GitHub repository acme/web: the App is installed")


def test_each_repository_of_several_teams_is_asked_for_once(fake):
    findings(fake, team("a", members=("ann",)), team("b", members=("bo",)))
    assert fake.calls.count("GET /repos/acme/api/installation") == 1


@pytest.mark.parametrize(("comments", "level"), [(True, Level.PROBLEM), (False, Level.WARNING)])
def test_pull_requests_that_may_only_be_read_matter_if_they_are_to_be_commented(fake, comments, level):
    fake.install("acme", FULL | {"pull_requests": "read"})
    found = bad(fake, comments=comments)
    assert found.level is level
    assert "Pull requests: write" in found.what


def test_pull_requests_that_may_not_be_read_are_a_problem(fake):
    fake.install("acme", {"metadata": "read", "members": "read"})
    found = bad(fake, comments=False)
    assert found.level is Level.PROBLEM
    assert "Pull requests: read" in found.what


def test_members_are_needed_for_a_github_team_only(fake):
    fake.install("acme", {"metadata": "read", "pull_requests": "write"})
    assert "organization Members: read" in bad(fake).what
    assert all(one.level is Level.OK for one in findings(fake, team(members=("ann",))))


def test_a_suspended_app_is_a_problem_that_says_who_can_help(fake):
    fake.answer("acme/api/installation", installed(suspended_at="2026-05-01T00:00:00Z"))
    found = bad(fake, team(members=("ann",)))
    assert found.what == "GitHub App on acme: suspended"
    assert "an owner of acme can unsuspend it" in found.advice


def test_a_team_that_github_does_not_have_is_named(fake):
    found = bad(fake, team(github_team="acme/gone"))
    assert found.what == "GitHub team acme/gone: not found, or hidden from the App"
    assert "leverage.toml" in found.advice


def test_an_organization_without_the_app_is_named_once(fake):
    away = [team(name, github_team=f"elsewhere/{name}") for name in ("a", "b")]
    found = bad(fake, *away)
    assert found.what == "GitHub organization elsewhere: the App is not installed there"


def test_a_team_of_another_organization_is_read_with_that_ones_installation(fake):
    fake.team("elsewhere/tools", "canary-cy")
    fake.install("elsewhere", FULL)
    assert all(one.level is Level.OK for one in findings(fake, team(github_team="elsewhere/tools")))
    assert "token for elsewhere: members" in fake.calls


def installed(**more: object) -> Reply:
    return Reply(200, {"id": 1, "account": {"login": "acme"}, "permissions": FULL, **more})
