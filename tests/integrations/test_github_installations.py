"""Which installation of the App is asked, with which rights, and what is said where there is none."""

import pytest

from bot.domain.ports import SourceError
from integrations.outcomes.github import GitHubOutcomes
from tests.fake_github import FakeGitHub, FakeRepository, outcomes, pages, read


@pytest.fixture
def fake() -> FakeGitHub:
    return FakeGitHub()


@pytest.fixture
def api(fake: FakeGitHub) -> FakeRepository:
    api = fake.repository("acme/api")
    api.pull()
    return api


def problem(fake: FakeGitHub, repository: str = "acme/api") -> SourceError:
    with pytest.raises(SourceError) as caught:
        read(fake, repository)
    return caught.value


# --- where the App is installed


def test_an_app_that_is_not_installed_says_where_to_install_it(fake) -> None:
    error = problem(fake)
    assert error.permanent
    assert str(error) == (
        "The GitHub App is not installed on acme: "
        "install it at https://github.example/apps/leverage/installations/new and give it acme/api"
    )


def test_a_repository_that_was_not_given_to_the_app_is_named(fake) -> None:
    fake.install("acme")
    error = problem(fake)
    assert error.permanent
    assert "is installed on acme but has no repository acme/api" in str(error)


def test_a_repository_that_graphql_does_not_show_is_named(fake, api) -> None:
    source = outcomes(fake)
    pages(source)
    with pytest.raises(SourceError, match="has no repository acme/gone") as caught:
        pages(source, "acme/gone")
    assert caught.value.permanent


def test_an_owner_without_the_app_is_named_for_a_team(fake) -> None:
    with pytest.raises(SourceError, match="is not installed on acme: install it at") as caught:
        outcomes(fake).team_members("acme/payments")
    assert caught.value.permanent


def test_an_unknown_team_is_named(fake) -> None:
    fake.install("acme")
    with pytest.raises(SourceError, match="no team acme/payments") as caught:
        outcomes(fake).team_members("acme/payments")
    assert caught.value.permanent


def test_users_cannot_be_asked_for_while_the_app_is_installed_nowhere(fake) -> None:
    with pytest.raises(SourceError, match="not installed anywhere: install it at https"):
        outcomes(fake).users(["ann"])


def test_a_login_that_nobody_has_is_named(fake) -> None:
    fake.install("acme")
    fake.user("ann")
    with pytest.raises(SourceError, match=r"^GitHub has no user named bo: check `members`") as caught:
        outcomes(fake).users(["ann", "bo"])
    assert caught.value.permanent
    with pytest.raises(SourceError, match=r"^GitHub has no users named bo, cy and di: "):
        outcomes(fake).users(["ann", "bo", "cy", "di"])


@pytest.mark.parametrize("name", ["api", "acme/", "/api", "acme/api/x", ""])
def test_names_that_name_nothing_are_refused_before_anything_is_asked(fake, name) -> None:
    with pytest.raises(SourceError, match="write it as owner/name"):
        pages(outcomes(fake), name)
    with pytest.raises(SourceError, match="write it as organisation/team"):
        outcomes(fake).team_members(name)
    assert fake.calls == []


# --- keys and permissions


@pytest.mark.parametrize(
    ("status", "message"), [(401, "A JSON web token could not be decoded"), (404, "Integration not found")]
)
def test_a_key_that_is_not_the_apps_is_a_permanent_error(fake, api, status, message) -> None:
    fake.fail("installation", status, message)
    error = problem(fake)
    assert error.permanent
    assert "does not accept this private key for App 1: check GITHUB_APP_ID, GITHUB_APP_PRIVATE_KEY" in str(error)
    assert error.whole


@pytest.mark.parametrize(
    ("status", "message", "told"),
    [
        (401, "A JSON web token could not be decoded", "does not accept this private key"),
        (403, "This installation has been suspended", "suspended on acme"),
        (404, "Not Found", "still installed"),
        (422, "The permissions requested are not granted to this installation.", "accept its permissions"),
    ],
)
def test_a_token_that_is_not_given_is_a_permanent_error(fake, api, status, message, told) -> None:
    fake.fail("token for acme", status, message)
    error = problem(fake)
    assert error.permanent
    assert told in str(error)


def test_only_what_the_installation_was_given_is_asked_for(fake, api) -> None:
    fake.install("acme", {"metadata": "read", "pull_requests": "write", "contents": "write"})
    read(fake)
    assert "token for acme: metadata pull_requests" in fake.calls


def test_a_part_that_writes_asks_for_more_by_name(fake, api) -> None:
    fake.install("acme", {"metadata": "read", "pull_requests": "write"})
    source = GitHubOutcomes("1", "", "", permissions={"pull_requests": "write"}, connect=fake.connect)
    pages(source)
    assert "token for acme: pull_requests" in fake.calls


def test_a_missing_permission_is_named(fake, api) -> None:
    fake.install("acme", {"metadata": "read"})
    error = problem(fake)
    assert error.permanent
    assert "lacks the permission 'Pull requests: read' on acme" in str(error)
    with pytest.raises(SourceError, match="lacks the permission 'organization Members: read' on acme"):
        outcomes(fake).team_members("acme/payments")
