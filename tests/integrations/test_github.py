"""Pull requests, teams and users from GitHub: what is asked, how often, and what becomes of it."""

from datetime import UTC, date, datetime

import pytest

from bot.domain.model import CommitDay, GitHubUser, PullRequest, PullState, Review
from integrations.outcomes.github import GitHubOutcomes
from tests.fake_github import FakeGitHub, FakeRepository, commit

START = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def fake() -> FakeGitHub:
    return FakeGitHub()


@pytest.fixture
def api(fake: FakeGitHub) -> FakeRepository:
    return fake.repository("acme/api")


def outcomes(fake: FakeGitHub) -> GitHubOutcomes:
    return GitHubOutcomes("1", "a key", "https://github.example", connect=fake.connect)


def pages(source: GitHubOutcomes, repository: str = "acme/api", since: datetime = START) -> list[list[PullRequest]]:
    return list(source.pull_requests(repository, since, lambda _done, _expected: None))


def read(fake: FakeGitHub, repository: str = "acme/api", since: datetime = START) -> list[PullRequest]:
    return [pull for page in pages(outcomes(fake), repository, since) for pull in page]


def only(fake: FakeGitHub) -> PullRequest:
    [pull] = read(fake)
    return pull


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# --- what becomes of a pull request


def test_all_facts_of_a_pull_request_arrive(fake: FakeGitHub, api: FakeRepository) -> None:
    api.pull(
        "ann",
        created="2026-05-04T09:00:00Z",
        merged="2026-05-06T10:00:00Z",
        updated="2026-05-07T10:00:00Z",
        draft_events=[("ready", "2026-05-05T08:00:00Z")],
        files={"src/pay.py": (10, 2), "src/test_pay.py": (5, 0)},
        commits=[commit("2026-05-03", "ann"), commit("2026-05-04", "ann", "bo")],
        reviews=[("bo", "APPROVED", "2026-05-06T09:00:00Z")],
        head="ann/pay",
    )
    ann, bo = GitHubUser("U_ann", "ann"), GitHubUser("U_bo", "bo")
    assert only(fake) == PullRequest(
        id="PR_R_api_1",
        repository="acme/api",
        repository_id="R_api",
        number=1,
        author=ann,
        owner=None,
        state=PullState.MERGED,
        draft=False,
        created_at=at("2026-05-04T09:00"),
        ready_at=at("2026-05-05T08:00"),
        merged_at=at("2026-05-06T10:00"),
        closed_at=at("2026-05-06T10:00"),
        updated_at=at("2026-05-07T10:00"),
        base_branch="main",
        head_branch="ann/pay",
        lines=17,
        files=2,
        reverts=None,
        commits=(
            CommitDay("U_ann", date(2026, 5, 3)),
            CommitDay("U_ann", date(2026, 5, 4)),
            CommitDay("U_bo", date(2026, 5, 4)),
        ),
        reviews=(Review(bo, "approved", at("2026-05-06T09:00")),),
    )


@pytest.mark.parametrize(
    ("facts", "state"),
    [({}, PullState.OPEN), ({"merged": "2026-05-05"}, PullState.MERGED), ({"closed": "2026-05-05"}, PullState.CLOSED)],
)
def test_the_state_is_told(fake, api, facts, state) -> None:
    api.pull(**facts)
    assert only(fake).state is state


def test_generated_vendored_and_lock_files_are_left_out_of_the_size(fake, api) -> None:
    api.pull(files={"src/a.py": (3, 1), "package-lock.json": (9000, 10), "vendor/x.go": (50, 0), "a_pb2.py": (7, 7)})
    assert (only(fake).lines, only(fake).files) == (4, 1)


def test_the_day_of_a_commit_is_the_day_in_utc(fake, api) -> None:
    api.pull(commits=[commit("2026-05-04T23:30:00-05:00", "ann"), commit("2026-05-05T22:00:00Z", "ann")])
    assert only(fake).commits == (CommitDay("U_ann", date(2026, 5, 5)),)


@pytest.mark.parametrize("private", [False, True])
def test_commits_of_addresses_without_an_account_are_counted_and_left_out(fake, private) -> None:
    fake.repository("acme/api", private=private).pull(
        commits=[commit("2026-05-04", "*carl"), commit("2026-05-05", "ann")]
    )
    source = outcomes(fake)
    [[pull]] = pages(source)
    assert pull.commits == (CommitDay("U_ann", date(2026, 5, 5)),)
    assert source.ignored == {"commit author without an account": 1}


@pytest.mark.parametrize(
    ("draft", "events", "ready"),
    [
        (False, [], "2026-05-04T12:00"),
        (True, [], None),
        (False, [("ready", "2026-05-05")], "2026-05-05T12:00"),
        (True, [("ready", "2026-05-05"), ("draft", "2026-05-06")], "2026-05-05T12:00"),
        (True, [("draft", "2026-05-05")], "2026-05-04T12:00"),
        (False, [("draft", "2026-05-05"), ("ready", "2026-05-06")], "2026-05-04T12:00"),
    ],
)
def test_a_pull_request_is_ready_from_the_first_time_it_is_no_draft(fake, api, draft, events, ready) -> None:
    api.pull(created="2026-05-04", draft=draft, draft_events=events)
    assert only(fake).ready_at == (ready and at(ready))
    assert only(fake).draft is draft


def test_reviews_come_in_order_without_pending_ones_and_those_of_deleted_accounts(fake, api) -> None:
    fake.bot("checker")
    reviews = [
        ("cy", "DISMISSED", "2026-05-09"),
        ("bo", "CHANGES_REQUESTED", "2026-05-05"),
        ("checker", "COMMENTED", "2026-05-04"),
        (None, "APPROVED", "2026-05-06"),
        ("ann", "PENDING", "2026-05-07"),
        ("bo", "FROM_THE_FUTURE", "2026-05-08"),
    ]
    api.pull(reviews=reviews)
    source = outcomes(fake)
    [[pull]] = pages(source)
    assert [(review.author.login, review.state) for review in pull.reviews] == [
        ("checker", "commented"),
        ("bo", "changes_requested"),
        ("cy", "commented"),
    ]
    assert pull.reviews[0].author.is_bot
    assert source.ignored == {"review in an unknown state": 1}


def test_deleted_accounts_and_mannequins_are_nobody(fake, api) -> None:
    fake.user("import-1", kind="Mannequin")
    api.pull(None)
    api.pull("import-1")
    assert [pull.author for pull in read(fake)] == [None, None]


# --- who stands behind a bot


def test_a_coding_agent_works_for_the_co_author_of_its_first_commit(fake, api) -> None:
    fake.bot("copilot-swe-agent")
    work = [commit("2026-05-05", "bo"), commit("2026-05-04", "copilot-swe-agent", "ann")]
    api.pull("copilot-swe-agent", commits=work, assignees=["cy"])
    pull = only(fake)
    assert pull.author == GitHubUser("B_copilot-swe-agent", "copilot-swe-agent", is_bot=True)
    assert pull.owner == GitHubUser("U_ann", "ann")


def test_a_coding_agent_that_names_nobody_works_for_the_first_assignee(fake, api) -> None:
    fake.bot("devin-ai-integration")
    api.pull("devin-ai-integration", commits=[commit("2026-05-04", "devin-ai-integration")], assignees=["cy", "bo"])
    assert only(fake).owner == GitHubUser("U_cy", "cy")


def test_a_coding_agent_left_alone_has_no_owner(fake, api) -> None:
    fake.bot("google-labs-jules")
    api.pull("google-labs-jules")
    assert only(fake).owner is None


@pytest.mark.parametrize("login", ["dependabot", "ann"])
def test_other_bots_and_people_have_no_owner(fake, api, login) -> None:
    fake.bot("dependabot")
    api.pull(login, commits=[commit("2026-05-04", "bo")], assignees=["bo"])
    assert only(fake).owner is None


# --- reverts


@pytest.mark.parametrize(
    ("title", "body", "reverts"),
    [
        ("Some work", "Reverts acme/api#12", 12),
        ("Some work", "\r\nReverts acme/api#12\r\n\r\nIt broke the tests.", 12),
        ("Some work", "Reverts Acme/API#12", 12),
        ("Some work", "Reverts #12", 12),
        ('Revert "Add pay"', "Too slow.\n\nReverts acme/api#12", 12),
        ('Revert "Add pay"', "", 0),
        ('Revert "Add pay"', "Reverts acme/web#12", 0),
        ('Revert "Revert "Add pay""', "", None),
        ('Revert "Revert "Add pay""', "Reverts acme/api#13", 13),
        ('Revert "Revert "Revert "Add pay"""', "", 0),
        ('Reapply "Add pay"', "", None),
        ("Some work", "As said when we wrote that it\nReverts acme/api#12", None),
        ("Some work", "> Reverts acme/api#12", None),
        ("Weekly release", "New: pay.\n\nReverts #12", None),
        ("Revert to the old colours", "", None),
    ],
)
def test_reverts_are_known_by_what_github_writes(fake, api, title, body, reverts) -> None:
    api.pull(title=title, body=body)
    assert only(fake).reverts == reverts


SHA = "abc1234" + "0" * 33


@pytest.mark.parametrize("private", [False, True])
@pytest.mark.parametrize(
    "facts",
    [
        {"body": f"This reverts commit {SHA}."},
        {"title": 'Revert "Add pay"', "body": "Too slow.\n\nThis reverts commit abc1234."},
        {"commits": [commit("2026-05-06", "bo", message=f'Revert "Add pay"\n\nThis reverts commit {SHA}.')]},
    ],
)
def test_a_revert_that_names_a_commit_takes_back_what_that_commit_merged(fake, private, facts) -> None:
    api = fake.repository("acme/api", private=private)
    api.pull(created="2026-05-04", merged="2026-05-04", merge_sha=SHA, number=7)
    api.pull(created="2026-05-06", number=8, **facts)
    assert [pull.reverts for pull in read(fake)] == [7, None]


def test_a_revert_of_a_commit_that_merged_nothing_is_a_revert_of_something_unknown(fake, api) -> None:
    api.pull(body=f"This reverts commit {SHA}.", merge_sha="f" * 40)
    assert only(fake).reverts == 0


def test_taking_back_one_commit_on_the_way_does_not_make_a_revert(fake, api) -> None:
    api.pull(created="2026-05-04", merged="2026-05-04", merge_sha=SHA)
    work = [commit("2026-05-06", "bo"), commit("2026-05-06", "bo", message=f"This reverts commit {SHA}.")]
    api.pull(created="2026-05-06", commits=work)
    assert [pull.reverts for pull in read(fake)] == [None, None]


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
    found = read(fake, since=at("2026-05-25T00:00"))
    assert [pull.number for pull in found] == list(range(241, 251))
    assert fake.calls.count("PullRequests") == 1


def test_pull_requests_come_newest_first_in_pages_and_progress_is_told(fake, api) -> None:
    for number in range(150):
        api.pull(updated=f"2026-05-04T{number // 60:02}:{number % 60:02}:00Z")
    told: list[tuple[int, int]] = []
    found = list(outcomes(fake).pull_requests("acme/api", START, lambda *counts: told.append(counts)))
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
    assert source.ignored == {"commit author without an account": 1}
    assert fake.calls[2:] == [
        "PullRequests",
        "PullRequests",
        "GET /repos/acme/api/pulls/1/commits?per_page=100&page=1",
        "GET /repos/acme/api/pulls/2/commits?per_page=100&page=1",
    ]


def test_what_graphql_refused_once_is_not_asked_for_again(fake) -> None:
    api = fake.repository("acme/api", private=True)
    for _ in range(201):
        api.pull(commits=[commit("2026-05-04", "ann")])
    assert all(pull.commits for pull in read(fake))
    assert [asked["commits"] for asked in fake.variables] == [True, False, False, False]


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


# --- impossible values


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"created": "2026-05-04", "merged": "2026-05-03", "updated": "2026-05-05"}, "merged before it was created"),
        ({"created": "2026-05-04", "closed": "2026-05-03", "updated": "2026-05-05"}, "closed before it was created"),
        ({"raw": {"state": "MERGED"}}, "state and merge time disagree"),
        ({"raw": {"mergedAt": "2026-05-05T00:00:00Z"}}, "state and merge time disagree"),
        ({"raw": {"state": "FROM_THE_FUTURE"}}, "bad state"),
        ({"raw": {"createdAt": "2026-05-04T09:00:00"}}, "bad createdAt"),
        ({"raw": {"number": 0}}, "bad number"),
        ({"files": {"a.py": (-1, 0)}}, "bad files"),
    ],
)
def test_impossible_values_are_refused_and_counted(fake, api, facts, reason) -> None:
    api.pull(**facts)
    good = api.pull()
    source = outcomes(fake)
    [[pull]] = pages(source)
    assert pull.number == good.number
    assert source.rejected == {reason: 1}


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
