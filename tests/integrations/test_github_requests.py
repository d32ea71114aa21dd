"""How GitHub is asked for pull requests, teams and users: how often, in which order, by which way."""

from datetime import datetime

import pytest

from bot.domain.model import GitHubUser
from bot.domain.ports import OutcomeSource
from tests.fake_github import START, FakeGitHub, FakeRepository, commit, only, outcomes, pages, read


@pytest.fixture
def fake() -> FakeGitHub:
    return FakeGitHub()


@pytest.fixture
def api(fake: FakeGitHub) -> FakeRepository:
    return fake.repository("acme/api")


# --- how much is asked


@pytest.mark.parametrize(("count", "asked"), [(0, 1), (1, 1), (100, 1), (101, 2), (300, 3), (301, 4)])
def test_a_hundred_pull_requests_are_one_request(fake, api, count, asked) -> None:
    for _ in range(count):
        api.pull(files={f"src/{number}.py": (1, 1) for number in range(5)}, commits=[commit("2026-05-04", "ann", "bo")])
    assert len(read(fake)) == count
    assert fake.calls == [
        "GET /repos/acme/api/installation",
        "token for acme: metadata pull_requests members",
        *["PullRequests"] * asked,
    ]


@pytest.mark.parametrize(
    ("facts", "asked"),
    [
        ({"files": {f"src/{number}.py": (1, 0) for number in range(100)}}, 0),
        ({"files": {f"src/{number}.py": (1, 0) for number in range(250)}}, 2),
        ({"commits": [commit(f"2026-05-{day:02}", "ann") for day in range(1, 31)] * 4}, 2),
        ({"reviews": [("bo", "COMMENTED", "2026-05-05")] * 101}, 1),
        (
            {
                "files": {f"src/{number}.py": (1, 0) for number in range(201)},
                "commits": [commit("2026-05-04", "ann")] * 51,
                "reviews": [("bo", "COMMENTED", "2026-05-05")] * 101,
            },
            2,
        ),
    ],
)
def test_a_long_list_costs_one_request_for_each_further_page(fake, api, facts, asked) -> None:
    api.pull(**facts)
    pull = only(fake)
    assert fake.calls.count("More") == asked
    assert pull.files == len(facts.get("files", [1]))
    assert pull.lines == pull.files
    assert len(pull.commits) == len({each.at for each in facts.get("commits", [])})
    assert len(pull.reviews) == len(facts.get("reviews", []))


def test_a_second_repository_of_an_owner_needs_no_second_token(fake, api) -> None:
    fake.repository("acme/web").pull()
    source = outcomes(fake)
    pages(source, "acme/api")
    before = len(fake.calls)
    pages(source, "acme/web")
    assert fake.calls[before:] == ["PullRequests"]


def test_reading_stops_at_the_first_pull_request_that_is_older(fake, api) -> None:
    for number in range(250):
        api.pull(updated=f"2026-05-{1 + number // 10:02}", number=number + 1)
    found = read(fake, since=datetime.fromisoformat("2026-05-25T00:00:00Z"))
    assert [pull.number for pull in found] == list(range(241, 251))
    assert fake.calls.count("PullRequests") == 1


def test_pull_requests_come_newest_first_in_pages_and_progress_is_told(fake, api) -> None:
    for number in range(150):
        api.pull(updated=f"2026-05-04T{number // 60:02}:{number % 60:02}:00Z")
    told: list[tuple[int, int]] = []
    source: OutcomeSource = outcomes(fake)
    found = list(source.pull_requests("acme/api", START, lambda *counts: told.append(counts)))
    assert [len(page) for page in found] == [100, 50]
    assert [pull.number for page in found for pull in page] == list(range(150, 0, -1))
    assert told == [(100, 150), (150, 150)]


def test_progress_ends_with_what_there_was_to_read(fake, api) -> None:
    api.pull(created="2026-05-04")
    api.pull(created="2025-01-01")
    told: list[tuple[int, int]] = []
    list(outcomes(fake).pull_requests("acme/api", START, lambda *counts: told.append(counts)))
    assert told == [(1, 1)]


def test_a_pull_request_that_moves_while_we_read_comes_once(fake, api) -> None:
    for number in range(101):
        api.pull(updated=f"2026-05-04T{number // 60:02}:{number % 60:02}:00Z")
    seen = []
    for page in outcomes(fake).pull_requests("acme/api", START, lambda *_: None):
        seen += [pull.number for pull in page]
        api.pulls[0].updated = "2026-06-01"  # it was last, is first now, and pushes all others back by one
    assert sorted(seen) == sorted(set(seen))


# --- a private repository without `contents: read`


def test_commits_that_graphql_refuses_are_read_by_rest(fake) -> None:
    api = fake.repository("acme/api", private=True)
    fake.bot("copilot-swe-agent")
    api.pull(
        "ann",
        created="2026-05-05",
        commits=[commit("2026-05-04", "ann", "bo", "*carl")],
        reviews=[("bo", "APPROVED", "2026-05-06")],
    )
    api.pull("copilot-swe-agent", created="2026-05-04", commits=[commit("2026-05-04", "copilot-swe-agent", "ann")])
    source = outcomes(fake)
    [[first, second]] = pages(source)
    assert [day.author_id for day in first.commits] == ["U_ann", "U_bo"]
    assert [day.author_id for day in second.commits] == ["U_ann"]
    assert second.owner == GitHubUser("U_ann", "ann")
    assert source.ignored == {"commit author without a user account": 2}
    assert fake.calls[2:] == [
        "PullRequests",
        "PullRequests",
        "GET /repos/acme/api/pulls/1/commits?per_page=100&page=1",
        "GET /repos/acme/api/pulls/2/commits?per_page=100&page=1",
    ]


def test_a_bot_that_helped_has_no_days_of_its_own(fake) -> None:
    api = fake.repository("acme/api", private=True)
    fake.bot("copilot")
    api.pull("copilot")
    api.pull("ann", commits=[commit("2026-05-04", "ann", "copilot")])
    assert {day.author_id for pull in read(fake) for day in pull.commits} == {"U_ann"}


def test_what_graphql_refused_once_is_not_asked_for_again(fake) -> None:
    api = fake.repository("acme/api", private=True)
    for _ in range(201):
        api.pull(commits=[commit("2026-05-04", "ann")])
    assert all(pull.commits for pull in read(fake))
    assert [asked["commits"] for asked in fake.variables] == [True, False, False, False]


def test_each_part_that_graphql_refuses_stays_left_out(fake) -> None:
    fake.repository("acme/api", private=True).pull(commits=[commit("2026-05-04", "ann")])
    fake.complain("PullRequests", "FORBIDDEN", "repository", "pullRequests", "nodes", 0, "files")
    assert only(fake).files == 1
    assert [(asked["files"], asked["commits"]) for asked in fake.variables] == [
        (True, True),
        (False, True),
        (False, False),
    ]


def test_rest_lists_are_read_to_their_end(fake) -> None:
    api = fake.repository("acme/api", private=True)
    fake.hidden.add("files")
    api.pull(
        commits=[commit(f"2026-05-{1 + day % 28:02}", "ann") for day in range(120)],
        files={f"src/{number}.py": (1, 1) for number in range(100)} | {"yarn.lock": (99, 0)},
    )
    pull = only(fake)
    assert (pull.lines, pull.files, len(pull.commits)) == (200, 100, 28)
    assert [call[-6:] for call in fake.calls if "GET" in call and "pulls" in call] == ["page=1", "page=2"] * 2


def test_files_that_github_does_not_tell_in_the_page_are_asked_for_by_rest(fake, api) -> None:
    api.pull(files=None)
    assert only(fake).files == 0
    assert fake.calls[-1] == "GET /repos/acme/api/pulls/1/files?per_page=100&page=1"


def test_an_app_that_may_read_contents_needs_no_second_way(fake) -> None:
    fake.repository("acme/api", private=True).pull(commits=[commit("2026-05-04", "ann", "bo")])
    fake.hidden.clear()
    assert len(only(fake).commits) == 2
    assert fake.calls[2:] == ["PullRequests"]


# --- identity


def test_a_renamed_repository_stays_the_same_by_its_id(fake, api) -> None:
    api.pull(commits=[commit("2026-05-04", "ann")])
    fake.rename(api, "acme/payments-api")
    pull = only(fake)
    assert (pull.repository, pull.repository_id, pull.id) == ("acme/payments-api", "R_api", "PR_R_api_1")


def test_users_are_found_by_login_a_hundred_a_request(fake, api) -> None:
    logins = [f"user-{number}" for number in range(101)]
    for login in logins:
        fake.user(login)
    assert outcomes(fake).users(logins) == [GitHubUser(f"U_{login}", login) for login in logins]
    assert fake.calls.count("Users") == 2


def test_no_users_are_no_request(fake) -> None:
    assert outcomes(fake).users([]) == []
    assert fake.calls == []


def test_members_of_a_team_come_with_the_ids_of_their_pull_requests(fake, api) -> None:
    fake.team("acme/payments", "ann", "bo")
    api.pull("bo")
    assert outcomes(fake).team_members("acme/payments") == [GitHubUser("U_ann", "ann"), GitHubUser("U_bo", "bo")]
    assert only(fake).author == GitHubUser("U_bo", "bo")


def test_a_large_team_is_read_to_its_end(fake) -> None:
    fake.team("acme/everyone", *(f"user-{number}" for number in range(150)))
    assert len(outcomes(fake).team_members("acme/everyone")) == 150


def test_a_team_of_nobody_is_no_error(fake) -> None:
    fake.team("acme/empty")
    assert outcomes(fake).team_members("acme/empty") == []
