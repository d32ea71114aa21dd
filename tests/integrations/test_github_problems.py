"""What does not work with GitHub becomes one clear line, and says whether asking again can help."""

from typing import Any

import pytest
from pydantic import ValidationError
from requests import ConnectionError as RequestsConnectionError
from requests import ReadTimeout
from requests.exceptions import ChunkedEncodingError
from urllib3.connectionpool import ConnectionPool
from urllib3.exceptions import MaxRetryError, ProtocolError, ReadTimeoutError

from bot.domain.ports import SourceError
from integrations.outcomes.github.models import FileNode
from integrations.outcomes.github.problems import TooMuch
from integrations.outcomes.github.pygithub import no_answer
from integrations.outcomes.github.queries import PULL_REQUESTS
from integrations.outcomes.github.wire import Reply
from tests.fake_github import START, FakeGitHub, FakeRepository, commit, outcomes, pages, read

POOL = ConnectionPool("github.example")


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


@pytest.mark.parametrize(
    ("status", "message", "told"),
    [
        (401, "Bad credentials", "does not accept the App's token for acme any more"),
        (403, "Resource not accessible by integration", "accept its permissions"),
        (403, "This installation has been suspended", "suspended on acme"),
        (400, "Problems parsing JSON", "status 400"),
    ],
)
def test_a_refused_query_is_a_permanent_error(fake, api, status, message, told) -> None:
    fake.fail("PullRequests", status, message)
    error = problem(fake)
    assert error.permanent
    assert told in str(error)


def test_a_query_that_is_forbidden_as_a_whole_names_the_permissions(fake, api) -> None:
    fake.complain("PullRequests", "FORBIDDEN", "repository")
    error = problem(fake)
    assert error.permanent
    assert "Pull requests: read" in str(error)


def test_a_part_that_is_forbidden_though_nobody_asked_for_it_ends_the_reading(fake, api) -> None:
    fake.complain("PullRequests", "FORBIDDEN", "repository", "pullRequests", "nodes", 0, "commits", times=2)
    assert problem(fake).permanent


# --- limits


@pytest.mark.parametrize(
    ("status", "message", "headers", "told"),
    [
        (403, "You have exceeded a secondary rate limit.", {"retry_after": "120"}, "asks to wait 120 seconds"),
        (429, "Too many requests", {"retry_after": "120"}, "asks to wait 120 seconds"),
        (403, "API rate limit exceeded", {"x_ratelimit_reset": "1778000400"}, "until 2026-05-05 17:00 UTC"),
        (403, "", {"x_ratelimit_remaining": "0", "x_ratelimit_reset": "1778000400"}, "until 2026-05-05 17:00 UTC"),
        (429, "", {}, "try again in some minutes"),
    ],
)
def test_a_rate_limit_passes_and_says_when(fake, api, status, message, headers, told) -> None:
    fake.fail("PullRequests", status, message, **headers)
    error = problem(fake)
    assert not error.permanent
    assert error.whole
    assert told in str(error)


def test_the_rate_limit_of_graphql_passes_and_says_when(fake, api) -> None:
    fake.complain("PullRequests", "RATE_LIMITED", x_ratelimit_reset="1778000400")
    error = problem(fake)
    assert not error.permanent
    assert "until 2026-05-05 17:00 UTC" in str(error)


@pytest.mark.parametrize("private", [False, True])
def test_reading_stops_while_a_tenth_of_the_hour_is_left_for_others(fake, private) -> None:
    api = fake.repository("acme/api", private=private)
    for _ in range(101):
        api.pull(commits=[commit("2026-05-04", "ann")])
    fake.budget = (499, 5000)
    found = outcomes(fake).pull_requests("acme/api", START, lambda *_: None)
    assert len(next(found)) == 100
    with pytest.raises(SourceError, match=r"Less than 10 % .* can go on at 2026-05-05 17:00 UTC") as caught:
        next(found)
    assert not caught.value.permanent


def test_the_last_page_needs_no_spare_requests(fake, api) -> None:
    fake.budget = (0, 5000)
    assert len(read(fake)) == 1


def test_a_tenth_is_enough(fake, api) -> None:
    for _ in range(100):
        api.pull()
    fake.budget = (500, 5000)
    assert len(read(fake)) == 101


# --- too much, or not well


@pytest.mark.parametrize("kind", ["RESOURCE_LIMITS_EXCEEDED", "MAX_NODE_LIMIT_EXCEEDED"])
def test_a_page_that_is_too_much_is_asked_for_by_half(fake, api, kind) -> None:
    for _ in range(149):
        api.pull()
    fake.complain("PullRequests", kind, "repository", times=2)
    assert len(read(fake)) == 150
    assert [asked["size"] for asked in fake.variables] == [100, 50, 25, 25, 25, 25, 25, 25]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_page_that_times_out_is_asked_for_by_half(fake, api, status) -> None:
    fake.fail("PullRequests", status)
    assert len(read(fake)) == 1
    assert [asked["size"] for asked in fake.variables] == [100, 50]


def test_a_query_that_github_gave_up_is_asked_for_by_half(fake, api) -> None:
    body = {"data": None, "errors": [{"message": "Something went wrong while executing your query. Please include X."}]}
    fake.answer("PullRequests", Reply(200, body))
    assert len(read(fake)) == 1
    assert [asked["size"] for asked in fake.variables] == [100, 50]


def test_a_github_that_is_not_well_is_given_up_for_now(fake, api) -> None:
    fake.fail("PullRequests", 502, times=9)
    error = problem(fake)
    assert not error.permanent
    assert str(error) == "GitHub is not well: it answered with status 502"
    assert [asked["size"] for asked in fake.variables] == [100, 50, 25, 12, 6]


def test_complaints_nobody_expected_pass_without_their_text(fake, api) -> None:
    fake.complain("PullRequests", None, "repository")
    error = problem(fake)
    assert not error.permanent
    assert str(error) == "GitHub refused a query (no reason given)"


def test_a_query_that_an_old_github_does_not_understand_is_a_permanent_error(fake, api) -> None:
    complaint = {"message": "Field 'x' doesn't exist", "path": ["query"], "extensions": {"code": "undefinedField"}}
    fake.answer("PullRequests", Reply(200, {"errors": [complaint]}))
    error = problem(fake)
    assert error.permanent
    assert str(error) == "GitHub refused a query (undefinedField)"


@pytest.mark.parametrize(
    ("error", "too_much"),
    [
        (ReadTimeout(), True),
        (RequestsConnectionError(MaxRetryError(POOL, "/", ReadTimeoutError(POOL, "/", "slow"))), True),
        (RequestsConnectionError(MaxRetryError(POOL, "/", ProtocolError("refused"))), False),
        (ChunkedEncodingError(), False),
    ],
)
def test_only_an_answer_that_takes_too_long_is_asked_for_by_half(error, too_much) -> None:
    assert isinstance(no_answer(error), TooMuch) is too_much
    assert not no_answer(error).permanent


def test_a_part_that_github_does_not_find_is_counted(fake, api) -> None:
    body = _good_answer(fake)
    complaint = {"type": "NOT_FOUND", "message": "x", "path": ["repository", "pullRequests", "nodes", 0, "author"]}
    fake.answer("PullRequests", Reply(200, body | {"errors": [complaint]}))
    source = outcomes(fake)
    assert len(pages(source)[0]) == 1
    assert source.ignored == {"part that GitHub does not find": 1}


@pytest.mark.parametrize("body", [None, "<html>", {"data": {"repository": {"id": "R"}}}, {"data": None}, []])
def test_answers_of_another_shape_are_an_error_of_the_source(fake, api, body) -> None:
    fake.answer("PullRequests", Reply(200, body))
    assert "GitHub's answer" in str(problem(fake))


def test_a_next_page_without_a_place_is_an_error_and_no_endless_loop(fake, api) -> None:
    body = _good_answer(fake)
    body["data"]["repository"]["pullRequests"]["pageInfo"] = {"hasNextPage": True, "endCursor": None}
    fake.answer("PullRequests", Reply(200, body))
    assert "next page" in str(problem(fake))


@pytest.mark.parametrize(
    "body",
    [
        {"data": {"repository": {"id": {"title": "secret words"}}}},
        {"data": None, "errors": [{"message": "secret words", "type": "SOMETHING"}]},
        {"data": None, "errors": "secret words"},
    ],
)
def test_nothing_that_people_wrote_is_in_an_error(fake, api, body) -> None:
    fake.answer("PullRequests", Reply(200, body))
    error = problem(fake)
    assert "secret" not in f"{error!r} {error.__cause__!r}"


def test_nothing_that_people_wrote_is_printed_on_the_way() -> None:
    reply = Reply(200, {"title": "secret words"})
    node = FileNode(path="secret words", additions=1, deletions=1)
    with pytest.raises(ValidationError) as caught:
        FileNode.model_validate({"path": {"name": "secret words"}})
    assert "secret" not in f"{reply!r} {node!r} {caught.value}"


def _good_answer(fake: FakeGitHub) -> dict[str, Any]:
    """The body of a good answer, to be spoiled."""
    read(fake)
    answer: dict[str, Any] = fake.graphql(PULL_REQUESTS, fake.variables[-1]).body
    return answer
