"""The comment worker against a real database and a GitHub that fails when told to: exactly one comment of ours."""

import json
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text
from structlog.testing import capture_logs

from bot.domain.comment import MARKER
from bot.domain.delivery import NotSent, Refused, Revoked, Uncertain
from bot.domain.model import GitHubUser, PullRequest, PullState
from bot.domain.ports import PullComment, SourceError
from bot.domain.privacy.gate import Rule
from bot.github.webhooks import parse
from bot.log import FIELDS
from bot.store import pulls
from bot.store.db import reading, transaction
from bot.usecases.comment import MOST_WRITES, Commented, Commenting, work_comments
from bot.usecases.intake import Delivery, store, work_inbox
from tests.company import SmallCompany, instant, user
from tests.fake_comments import LOST, FakeComments

FIVE = "ann bo cy di ed"
START = instant("2026-05-18 10:30")
MINUTE = timedelta(seconds=61)
HOUR = timedelta(hours=1)
ACTIONS = ("opened", "converted_to_draft", "ready_for_review", "synchronize", "edited", "closed")


def pull(number: int = 20, **changes: object) -> PullRequest:
    opened = instant("2026-05-18")
    made = PullRequest(
        id=f"PR_{number}",
        repository="acme/api",
        repository_id="R_1",
        number=number,
        author=user("ann"),
        owner=None,
        state=PullState.OPEN,
        draft=False,
        created_at=opened,
        ready_at=opened,
        merged_at=None,
        closed_at=None,
        updated_at=opened,
        base_branch="main",
        head_branch="work",
        lines=40,
        files=2,
        reverts=None,
        commits=(),
        reviews=(),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


@dataclass
class Scene:
    """A team whose M-size card passes, a GitHub, and a clock that only moves when told to."""

    engine: Engine
    company: SmallCompany
    github: FakeComments = field(default_factory=lambda: FakeComments({20: pull()}))
    now: datetime = START
    sent: int = 0

    def event(self, action: str = "opened", number: int = 20, *, times: int = 1) -> None:
        """A webhook, `times` times, worked off at once."""
        body = {
            "action": action,
            "number": number,
            "pull_request": {"node_id": f"PR_{number}"},
            "repository": {"full_name": "acme/api", "private": True},
        }
        self.sent += 1
        for _ in range(times):
            store(self.engine, Delivery(str(self.sent), "pull_request", json.dumps(body)), self.now)
            work_inbox(self.engine, ("acme/api",), parse, self.now)

    def work(self, later: timedelta = MINUTE, rule: Rule | None = None) -> Commented:
        self.now += later
        return self.worker(rule)

    def worker(self, rule: Rule | None = None) -> Commented:
        parts = ((self.company.team,), rule or Rule(), "https://example.com/method")
        return work_comments(self.engine, Commenting(*parts, self.github, self.github, lambda: self.now))

    def row(self) -> tuple[Any, ...]:
        with reading(self.engine) as session:
            query = "SELECT state, comment_id, attempts, last_error, due_at IS NULL FROM comments"
            return tuple(session.execute(text(query)).one())


@pytest.fixture
def scene(engine) -> Scene:
    company = SmallCompany(engine, f"{FIVE} fay")
    company.joins(FIVE, at="2026-05-13")
    company.quiet_days("2026-04-20", "2026-05-17", ann=3, bo=3, cy=3, di=3, ed=3)
    for number in range(1, 11):
        name = FIVE.split()[number % 5]
        company.pull(number, name, commits={name: "2026-05-04"}, merged="2026-05-12")
    company.monday("2026-05-18")
    return Scene(engine, company)


# --- what is commented


def test_an_opened_pull_request_is_commented_after_a_minute(scene):
    scene.event()
    assert scene.work(timedelta(seconds=59)) == Commented()
    assert scene.work(timedelta(seconds=1)) == Commented(posted=1, writes=1)
    [comment] = scene.github.found
    assert comment.body.startswith(f"{MARKER}\n**M-size pull requests here usually take")
    assert scene.row()[:2] == ("posted", comment.id)


def test_its_facts_are_stored(scene):
    scene.event()
    scene.work()
    with reading(scene.engine) as session:
        assert pulls.by_id(session, ["PR_20"])["PR_20"].lines == 40


@pytest.mark.parametrize(
    "changes",
    [
        {"draft": True},
        {"state": PullState.CLOSED, "closed_at": START},
        {"author": GitHubUser("U_dependabot", "dependabot", is_bot=True)},
        {"author": GitHubUser("U_stranger", "stranger")},
        {"author": None},
        {"lines": 400},
        {"repository_id": "R_2"},
        {"author": user("ann"), "owner": None, "lines": 5},
    ],
    ids=["draft", "closed", "bot", "in no team", "deleted", "silent size", "silent repository", "tiny"],
)
def test_what_there_is_nothing_to_say_of_stays_without_a_comment(scene, changes):
    scene.github.pulls[20] = pull(**changes)
    scene.event()
    assert scene.work() == Commented(silent=1)
    assert scene.github.calls == ["pull_request"]
    assert scene.row() == ("none", None, 0, None, True)


def test_a_coding_agents_pull_request_is_its_owners(scene):
    agent = GitHubUser("B_copilot", "copilot-swe-agent", is_bot=True)
    scene.github.pulls[20] = pull(author=agent, owner=user("ann"))
    scene.event()
    assert scene.work().posted == 1


def test_presence_does_not_depend_on_who_joined(scene):
    """Fay is on the roster and never joined: what is said beside her work is what is said beside Ann's."""
    scene.github.pulls |= {20: pull(), 21: pull(21, author=user("fay"))}
    scene.event(number=20)
    scene.event(number=21)
    assert scene.work().posted == 2
    assert len({comment.body for comment in scene.github.found}) == 1


def test_a_public_repository_is_not_commented_whatever_the_webhook_said(scene):
    scene.github.private = False
    scene.event()
    assert scene.work() == Commented(silent=1)
    assert scene.github.writes == []


def test_where_no_card_passes_there_is_no_comment(scene):
    scene.event()
    assert scene.work(rule=Rule(k=6)) == Commented(silent=1)
    assert scene.github.writes == []


def test_a_pull_request_that_is_gone_is_left_alone(scene):
    scene.github.pulls.clear()
    scene.event()
    assert scene.work() == Commented(silent=1)


def test_a_draft_is_commented_when_it_is_ready(scene):
    scene.github.pulls[20] = pull(draft=True)
    scene.event()
    scene.work()
    scene.github.pulls[20] = pull()
    scene.event("ready_for_review")
    assert scene.work().posted == 1


def test_equal_words_are_not_sent_again(scene):
    scene.event()
    scene.work()
    scene.event("closed")
    assert scene.work() == Commented(posted=1)
    assert scene.github.writes == ["create"]


def test_the_comment_follows_the_size_of_the_change(scene):
    """The size L is silent, so what stands is left; back at M the words are the same."""
    scene.event()
    scene.work()
    body = scene.github.found[0].body
    scene.github.pulls[20] = pull(lines=400)
    scene.event("synchronize")
    scene.work()
    assert [comment.body for comment in scene.github.found] == [body]


def test_an_older_text_of_ours_is_replaced(scene):
    scene.github.add(f"{MARKER}\nwhat we said last epoch", ours=True)
    scene.event()
    assert scene.work() == Commented(posted=1, writes=1)
    assert scene.github.writes == ["update"]
    assert "usually take" in scene.github.found[0].body


# --- exactly one


def test_a_marker_of_somebody_else_is_ignored_and_never_touched(scene):
    forged = scene.github.add(f"{MARKER}\nbuy something @everyone", ours=False)
    scene.event()
    scene.work()
    assert [comment.id for comment in scene.github.found if not comment.ours] == [forged]
    assert scene.github.found[0].body.endswith("@everyone")
    assert len(scene.github.ours) == 1


def test_another_comment_of_our_app_is_not_touched(scene):
    scene.github.add(f"> {MARKER}\nanother thing", ours=True)
    scene.event()
    scene.work()
    assert scene.github.writes == ["create"]
    assert len(scene.github.ours) == 2


def test_extra_copies_of_ours_are_deleted_and_nobody_elses(scene):
    for ours in (True, False, True, True):
        scene.github.add(f"{MARKER}\ncopy", ours=ours)
    first = scene.github.found[0].id
    scene.event()
    assert scene.work() == Commented(posted=1, writes=3)
    assert [(comment.id, comment.ours) for comment in scene.github.found] == [(first, True), (first + 1, False)]


@pytest.mark.parametrize("seed", range(4))
def test_four_workers_each_webhook_twice_and_shuffled_make_one_comment(scene, seed):
    actions = list(ACTIONS) * 2
    random.Random(seed).shuffle(actions)
    for action in actions:
        scene.event(action, times=2)
    for _ in range(3):
        scene.now += MINUTE
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: scene.worker(), range(4)))
    assert len(scene.github.found) == 1
    assert scene.github.writes == ["create"]
    assert scene.row()[0] == "posted"


def test_several_pull_requests_and_workers_make_one_comment_each(scene):
    scene.github.pulls = {number: pull(number) for number in range(20, 26)}
    for number in range(20, 26):
        scene.event(number=number)
    scene.now += MINUTE
    for _ in range(4):
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: scene.worker(), range(4)))
    assert len(scene.github.found) == 6
    assert scene.github.writes == ["create"] * 6


def test_a_worker_that_slept_through_its_claim_before_writing_does_not_write(scene):
    """Just before its write the claim is looked at again; somebody else has posted meanwhile."""
    slept: list[str] = []

    def sleep(call: str) -> None:
        if call == "listed" and not slept:
            slept.append(call)
            scene.now += timedelta(seconds=200)
            scene.worker()

    scene.github.meanwhile = sleep
    scene.event()
    scene.work()
    assert slept
    assert scene.github.writes == ["create"]
    assert len(scene.github.ours) == 1


def test_a_worker_that_slept_during_its_write_is_put_right(scene):
    """For a moment there are two; who notices that the claim was lost looks again and deletes one."""
    slept: list[str] = []

    def sleep(call: str) -> None:
        if call == "create" and not slept:
            slept.append(call)
            scene.now += timedelta(seconds=200)
            scene.worker()

    scene.github.meanwhile = sleep
    scene.event()
    scene.work()
    assert scene.github.writes == ["create", "create", "delete"]
    assert len(scene.github.ours) == 1
    assert scene.row()[:2] == ("posted", scene.github.ours[0].id)


def test_an_event_during_a_look_is_looked_at_too(scene):
    told: list[str] = []

    def tell(call: str) -> None:
        if call == "create" and not told:
            told.append(call)
            scene.event("closed")

    scene.github.meanwhile = tell
    scene.event()
    scene.work()
    scene.github.pulls[20] = pull(state=PullState.MERGED, merged_at=START, closed_at=START)
    assert scene.work() == Commented(posted=1)
    assert scene.github.calls.count("pull_request") == 2


# --- faults


@pytest.mark.parametrize("answer", [Uncertain("status_502"), LOST])
def test_a_comment_whose_answer_was_lost_is_found_and_not_made_again(scene, answer):
    scene.github.after.append(answer)
    scene.event()
    assert scene.work() == Commented(again=1, writes=1)
    assert scene.work(timedelta(seconds=29)) == Commented()
    assert scene.work(timedelta(seconds=1)) == Commented(posted=1)
    assert scene.github.writes == ["create"]
    assert scene.row()[:2] == ("posted", scene.github.ours[0].id)


@pytest.mark.parametrize("answer", [NotSent("not_reached"), Uncertain("status_503"), Revoked("token_refused")])
def test_a_comment_that_did_not_arrive_is_made_later(scene, answer):
    scene.github.refusals.append(answer)
    scene.event()
    assert scene.work() == Commented(again=1, writes=1)
    assert scene.work(HOUR) == Commented(posted=1, writes=1)
    assert len(scene.github.ours) == 1


def test_github_says_how_long_to_wait(scene):
    scene.github.refusals.append(NotSent("rate_limited", timedelta(minutes=10)))
    scene.event()
    scene.work()
    assert scene.work(timedelta(minutes=10) - timedelta(seconds=1)) == Commented()
    assert scene.work(timedelta(seconds=1)).posted == 1


def test_after_eight_times_it_is_given_up_until_something_happens(scene):
    scene.github.refusals.extend([Uncertain("status_500")] * 8)
    scene.event()
    outcomes = [scene.work(HOUR) for _ in range(9)]
    assert [one.writes for one in outcomes] == [1] * 8 + [0]
    assert scene.row() == ("none", None, 0, "status_500", True)
    scene.event("closed")
    assert scene.work().posted == 1


def test_a_locked_pull_request_is_skipped_until_something_happens(scene):
    scene.github.refusals.append(Refused("locked"))
    scene.event()
    assert scene.work() == Commented(silent=1, writes=1)
    assert scene.row()[0] == "locked"
    assert scene.work(HOUR) == Commented()


def test_what_a_person_deleted_is_never_made_again(scene):
    scene.event()
    scene.work()
    scene.github.remove(scene.github.found[0].id)
    scene.event("closed")
    assert scene.work() == Commented(silent=1, writes=1)
    assert scene.row()[0] == "gone"
    for action in ACTIONS:
        scene.event(action)
    assert scene.work(HOUR) == Commented()
    assert scene.github.found == []
    assert scene.github.writes == ["create", "update"]


def test_what_a_person_wrote_over_is_left_as_it_is(scene):
    scene.event()
    scene.work()
    scene.github.found[0] = PullComment(scene.github.found[0].id, ours=True, body="I know better")
    scene.event("closed")
    assert scene.work() == Commented(silent=1)
    assert [comment.body for comment in scene.github.found] == ["I know better"]


@pytest.mark.parametrize("read", [1, 2], ids=["facts", "list"])
def test_a_github_that_is_down_for_a_moment_is_asked_again(scene, read):
    scene.event()
    if read == 1:
        scene.github.failures.append(SourceError("GitHub is not well"))
    else:
        scene.github.meanwhile = lambda call: (
            scene.github.failures.append(SourceError("GitHub is not well"))
            if call == "pull_request" and "list" not in scene.github.calls
            else None
        )
    assert scene.work() == Commented(again=1)
    assert scene.row()[3] == "GitHub is not well"
    assert scene.work(HOUR).posted == 1


def test_what_a_person_has_to_change_is_noted_and_not_asked_again(scene):
    scene.github.failures.append(SourceError("The GitHub App is not installed on acme", permanent=True))
    scene.event()
    assert scene.work() == Commented(silent=1)
    assert scene.row()[3] == "The GitHub App is not installed on acme"
    assert scene.work(HOUR) == Commented()


def test_a_copy_that_cannot_be_deleted_is_tried_again(scene):
    scene.github.add(f"{MARKER}\ncopy", ours=True)
    scene.github.add(f"{MARKER}\ncopy", ours=True)
    scene.github.refusals.append(Uncertain("no_answer"))
    scene.event()
    assert scene.work() == Commented(again=1, writes=1)
    assert scene.work(HOUR).posted == 1
    assert len(scene.github.ours) == 1


@pytest.mark.parametrize("seed", range(6))
def test_whatever_github_answers_there_is_never_more_than_one_and_at_last_one(scene, seed):
    chance = random.Random(seed)
    scene.event()
    for _ in range(12):
        scene.github.refusals.clear()
        scene.github.after.clear()
        kind = chance.randrange(4)
        if kind == 1:
            scene.github.refusals.append(chance.choice([NotSent("x"), Uncertain("y"), Revoked("z")]))
        if kind == 2:
            scene.github.after.append(Uncertain("y"))
        if kind == 3:
            scene.github.failures.append(SourceError("GitHub is not well"))
        scene.event(chance.choice(ACTIONS), times=2)
        scene.work(HOUR)
        assert len(scene.github.found) <= 1
    scene.github.refusals.clear()
    scene.github.after.clear()
    scene.event("closed")
    scene.work(HOUR)
    scene.work(HOUR)
    assert len(scene.github.ours) == 1


# --- the pace, the logs


def test_a_round_writes_a_few_times_at_most(scene):
    scene.github.pulls = {number: pull(number) for number in range(20, 26)}
    for number in range(20, 26):
        scene.event(number=number)
    assert scene.work().writes == MOST_WRITES
    assert scene.work(timedelta(0)).writes == MOST_WRITES
    assert scene.work(timedelta(0)) == Commented()


def test_an_idle_round_asks_nobody_anything(scene):
    assert scene.work() == Commented()
    assert scene.github.calls == []


def test_logs_name_no_repository_and_nobody(scene):
    scene.github.refusals.append(Uncertain("status_502"))
    scene.github.failures.append(SourceError("acme/api of ann is not well"))
    scene.event()
    with capture_logs() as lines:
        for _ in range(4):
            scene.work(HOUR)
    said = [f"{line['event']}: {line['error']!r}" for line in lines]
    assert said == [
        "a pull request could not be looked at: SourceError('acme/api of ann is not well')",
        "a comment was not written: 'status_502'",
    ]
    assert {name for line in lines for name in line} <= {*FIELDS, "log_level"}


def test_nothing_is_written_while_a_transaction_is_open(scene):
    """A request can take long: others must be able to write meanwhile."""

    def write_too(_call: str) -> None:
        with transaction(scene.engine) as session:
            session.execute(text("UPDATE units SET name = name"))

    scene.github.meanwhile = write_too
    scene.event()
    assert scene.work().posted == 1
