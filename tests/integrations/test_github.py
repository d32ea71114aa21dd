"""What becomes of a pull request of GitHub: its size, its people, its days, what it takes back."""

from datetime import UTC, date, datetime

import pytest

from bot.domain.model import CommitDay, GitHubUser, HeadCommit, PullRequest, PullState, Review
from integrations.outcomes.github.wire import Reply
from tests.fake_github import FakeGitHub, FakeRepository, commit, only, outcomes, pages, read


@pytest.fixture
def fake() -> FakeGitHub:
    return FakeGitHub()


@pytest.fixture
def api(fake: FakeGitHub) -> FakeRepository:
    return fake.repository("acme/api")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# --- what becomes of a pull request


def test_all_facts_of_a_pull_request_arrive(fake: FakeGitHub, api: FakeRepository) -> None:
    made = [commit("2026-05-03", "ann"), commit("2026-05-04", "ann", "bo")]
    api.pull(
        "ann",
        created="2026-05-04T09:00:00Z",
        merged="2026-05-06T10:00:00Z",
        updated="2026-05-07T10:00:00Z",
        draft_events=[("ready", "2026-05-05T08:00:00Z")],
        files={"src/pay.py": (10, 2), "src/test_pay.py": (5, 0)},
        commits=made,
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
        head_repository="acme/api",
        default_branch="main",
        periods=((at("2026-05-04T09:00"), at("2026-05-06T10:00")),),
        heads=tuple(HeadCommit(sha) for sha in sorted(one.sha for one in made)),
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
    assert source.ignored == {"commit author without a user account": 1}


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


@pytest.mark.parametrize("status", [404, 422])
def test_a_revert_of_a_commit_that_github_does_not_know_is_a_revert_of_something_unknown(fake, api, status) -> None:
    fake.fail(f"commits/{SHA}/pulls", status, "No commit found for SHA")
    api.pull(body=f"This reverts commit {SHA}.")
    assert only(fake).reverts == 0


def test_a_commit_that_was_merged_in_a_fork_is_nothing_here(fake, api) -> None:
    there = {"number": 7, "merged_at": "2026-05-04T00:00:00Z", "merge_commit_sha": SHA}
    fake.answer(f"commits/{SHA}/pulls", Reply(200, [there | {"base": {"repo": {"full_name": "fork/api"}}}]))
    api.pull(body=f"This reverts commit {SHA}.")
    assert only(fake).reverts == 0


def test_a_revert_of_a_commit_that_merged_nothing_is_a_revert_of_something_unknown(fake, api) -> None:
    api.pull(body=f"This reverts commit {SHA}.", merge_sha="f" * 40)
    assert only(fake).reverts == 0


def test_taking_back_one_commit_on_the_way_does_not_make_a_revert(fake, api) -> None:
    api.pull(created="2026-05-04", merged="2026-05-04", merge_sha=SHA)
    work = [commit("2026-05-06", "bo"), commit("2026-05-06", "bo", message=f"This reverts commit {SHA}.")]
    api.pull(created="2026-05-06", commits=work)
    assert [pull.reverts for pull in read(fake)] == [None, None]


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
