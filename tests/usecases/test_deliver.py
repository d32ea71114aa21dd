"""Delivering: from queued rows to what is in the channel, what the owner is told, and what waits for a person."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event

from bot.domain.delivery import (
    ATTEMPTS,
    Answer,
    BadMessage,
    Kind,
    NotSent,
    Refused,
    Revoked,
    Sent,
    State,
    Timing,
    Uncertain,
    opaque,
)
from bot.domain.team import Team
from bot.domain.weeks import Schedule, Week
from bot.store import outbox
from bot.store.db import transaction
from bot.store.errors import StoreError
from bot.usecases.deliver import Delivered, Worker, deliver_due, post_now, problems, token_checked, work_off

NOW = datetime(2026, 5, 18, 9, tzinfo=UTC)
HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
LEASE = Timing().lease
CHANNEL, OWNER = "C1", "U1"
BLOCKS = [{"type": "divider"}]
W20, W21 = Week.parse("2026-W20"), Week.parse("2026-W21")
KEY = f"digest/payments/{W20}"
PAYMENTS = Team(
    name="payments",
    slack_channel=CHANNEL,
    github_team=None,
    members=(),
    repositories=(),
    zone=ZoneInfo("UTC"),
    schedule=Schedule(0, 9, 0),
    owner=OWNER,
    service_accounts=frozenset(),
    credit_micro=None,
)


class FakeMessenger:
    """Answers as it is told, otherwise with yes, and keeps what was sent. `meanwhile` happens during a request."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.calls = 0
        self.posts: list[tuple[Any, ...]] = []
        self.notes: list[tuple[str, str]] = []
        self.deleted: list[tuple[str, str]] = []
        self.meanwhile: Callable[[], None] = lambda: None

    def check(self) -> Answer:
        return Sent("U_LEVERAGE")

    def post(self, channel, text, blocks, key) -> Answer:
        answer = self._answer()
        if isinstance(answer, Sent):
            self.posts.append((channel, text, blocks, key))
        return answer

    def whisper(self, user, text) -> Answer:
        answer = self._answer()
        if isinstance(answer, Sent):
            self.notes.append((user, text))
        return answer

    def delete(self, channel, remote_id) -> Answer:
        self.deleted.append((channel, remote_id))
        return self._answer()

    def _answer(self) -> Answer:
        self.calls += 1
        self.meanwhile()
        return self.answers.pop(0) if self.answers else Sent(f"1.{self.calls}")


class Office:
    """A deployment whose clock the test moves."""

    def __init__(self, engine) -> None:
        self.engine, self.slack, self.now = engine, FakeMessenger(), NOW
        self.owner: str | None = OWNER
        self.paused: list[float] = []

    def queue(self, week: Week = W20, team: str = "payments", channel: str = CHANNEL, at: datetime = NOW) -> None:
        payload = json.dumps({"text": f"{team} {week}", "blocks": BLOCKS})
        with transaction(self.engine) as session:
            outbox.put(session, f"digest/{team}/{week}", "digest", channel, payload, at)

    @property
    def worker(self) -> Worker:
        return Worker("me", lambda: self.now, jitter=lambda: 0.0, pause=self.pause)

    def pause(self, seconds: float) -> None:
        self.paused.append(seconds)
        self.now += timedelta(seconds=seconds)

    def tick(self, at: datetime | None = None) -> Delivered:
        self.now = at or self.now
        return work_off(self.engine, self.slack, lambda _: self.owner, self.worker)

    def post(self, week: Week = W20, team: Team = PAYMENTS):
        return post_now(self.engine, self.slack, team, week, self.worker)

    def record(self, key: str = KEY):
        with transaction(self.engine) as session:
            return outbox.record(session, key)


@pytest.fixture
def office(engine) -> Office:
    return Office(engine)


def test_a_due_digest_is_posted_once_with_an_opaque_key(office):
    office.queue()
    assert deliver_due(office.engine, office.slack, lambda _: OWNER, "me", lambda: NOW) == Delivered(sent=1)
    assert office.slack.posts == [(CHANNEL, f"payments {W20}", BLOCKS, opaque(KEY))]
    assert office.tick() == Delivered()
    assert (office.slack.calls, office.record().remote_id) == (1, "1.1")


def test_nothing_is_posted_before_its_time(office):
    office.queue(at=NOW + SECOND)
    assert office.tick() == Delivered()
    assert office.slack.calls == 0


def test_the_write_is_marked_as_begun_before_slack_hears_of_it(office):
    office.queue()
    seen = []
    office.slack.meanwhile = lambda: seen.append(office.record().state)
    office.tick()
    assert seen == [State.POSTING]


def test_a_network_that_is_away_for_two_days_loses_no_digest(office):
    office.queue()
    office.slack.answers = [NotSent("no_connection", outage=True)] * 60
    moment, posted_at = NOW, None
    while moment < NOW + timedelta(hours=72) and posted_at is None:
        posted_at = moment if office.tick(moment).sent else None
        moment += MINUTE
    assert posted_at is not None
    assert posted_at > NOW + 48 * HOUR
    assert len(office.slack.posts) == 1


def test_a_digest_that_is_not_sent_eight_times_fails_and_the_owner_is_told_once(office):
    office.queue()
    office.slack.answers = [NotSent("strange")] * ATTEMPTS
    for tick in range(3 * 60):
        office.tick(NOW + tick * MINUTE)
    assert office.record().state is State.FAILED
    assert len(office.slack.notes) == 1
    assert office.slack.notes[0][0] == OWNER


def test_a_message_that_waits_for_slack_makes_no_request_before_its_time(office):
    office.queue()
    office.slack.answers = [NotSent("rate_limited", 2 * HOUR, outage=True)]
    assert office.tick() == Delivered(again=1)
    assert office.tick(NOW + 2 * HOUR - SECOND) == Delivered()
    assert office.slack.calls == 1
    assert office.tick(NOW + 2 * HOUR) == Delivered(sent=1)


@pytest.mark.parametrize("reason", ["http_503", "TimeoutError", "RemoteDisconnected", "fatal_error"])
def test_an_uncertain_digest_is_never_repeated_and_the_owner_is_told_once(office, reason):
    office.queue()
    office.slack.answers = [Uncertain(reason)]
    assert office.tick() == Delivered()
    assert office.tick(NOW + LEASE - SECOND) == Delivered()
    assert office.tick(NOW + LEASE) == Delivered(unknown=1, sent=1)
    assert office.tick(NOW + 30 * HOUR) == Delivered()
    assert (office.slack.posts, office.record().state) == ([], State.UNKNOWN)
    ((owner, note),) = office.slack.notes
    assert owner == OWNER
    assert "payments" in note
    assert "2026-W20" in note
    assert "<#C1>" in note


def test_a_team_without_an_owner_has_the_doctor_only(office):
    office.owner = None
    office.queue()
    office.slack.answers = [Uncertain("http_503")]
    office.tick()
    assert office.tick(NOW + LEASE) == Delivered(unknown=1)
    assert office.slack.notes == []
    (problem,) = problems(office.engine)
    assert (problem.key, problem.state) == (KEY, State.UNKNOWN)


def test_a_note_is_tried_again_even_when_nobody_knows_whether_it_arrived(office):
    office.queue()
    office.slack.answers = [Uncertain("http_503"), Uncertain("http_503")]
    office.tick()
    office.tick(NOW + LEASE)
    assert office.tick(NOW + LEASE + 30 * SECOND) == Delivered(sent=1)
    assert len(office.slack.notes) == 1


def test_a_digest_whose_blocks_are_refused_goes_out_as_text_once(office):
    office.queue()
    office.slack.answers = [BadMessage("invalid_blocks")]
    assert office.tick() == Delivered(again=1)
    assert office.tick(NOW + 30 * SECOND) == Delivered(sent=1)
    assert office.slack.posts == [(CHANNEL, f"payments {W20}", None, opaque(KEY))]


def test_a_text_that_is_refused_as_well_fails(office):
    office.queue()
    office.slack.answers = [BadMessage("invalid_blocks"), BadMessage("msg_too_long")]
    office.tick()
    assert office.tick(NOW + 30 * SECOND) == Delivered(failed=1, sent=1)
    assert "msg_too_long" in office.slack.notes[0][1]


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("is_archived", "unarchive"),
        ("channel_not_found", "invite the app"),
        ("not_in_channel", "invite the app"),
        ("restricted_action_thread_only_channel", "let the app post"),
        ("missing_scope chat:write", "chat:write"),
        ("shared_with_another_company", "inside the company"),
    ],
)
def test_a_refusal_is_final_and_says_what_helps(office, code, advice):
    office.queue()
    office.slack.answers = [Refused(code)]
    assert office.tick() == Delivered(failed=1, sent=1)
    assert office.tick(NOW + 30 * HOUR) == Delivered()
    ((_, note),) = office.slack.notes
    assert advice in note
    assert "leverage digest payments --week 2026-W20 --post" in note
    (problem,) = problems(office.engine)
    assert advice in problem.sentence


def test_a_revoked_token_stops_everything_until_a_check_works(office):
    office.queue()
    office.queue(team="web", channel="C2")
    office.slack.answers = [Revoked("token_revoked")]
    assert office.tick() == Delivered(again=1)
    assert office.tick(NOW + HOUR) == Delivered()
    assert office.slack.calls == 1
    assert "SLACK_BOT_TOKEN" in problems(office.engine)[0].sentence
    token_checked(office.engine, NotSent("no_connection", outage=True))
    assert office.tick() == Delivered()
    token_checked(office.engine, Sent("UBOT"))
    assert office.tick() == Delivered(sent=2)
    assert problems(office.engine) == []


def test_a_check_that_is_refused_stops_everything(office):
    office.queue()
    token_checked(office.engine, Revoked("invalid_auth"))
    assert office.tick() == Delivered()
    assert office.slack.calls == 0


@pytest.mark.parametrize(("hours", "expected"), [(1, Delivered(sent=1)), (72, Delivered(sent=1))])
def test_a_digest_that_is_up_to_three_days_late_is_posted(office, hours, expected):
    office.queue()
    assert office.tick(NOW + hours * HOUR) == expected


def test_a_later_one_is_skipped_and_the_doctor_says_so(office):
    office.queue()
    assert office.tick(NOW + 72 * HOUR + SECOND) == Delivered(skipped=1)
    assert office.slack.calls == 0
    (problem,) = problems(office.engine)
    assert problem.state is State.SKIPPED
    assert "72 hours" in problem.sentence


def test_after_a_long_silence_a_team_gets_its_newest_digest_and_no_burst(office):
    office.queue(W20, at=NOW - timedelta(days=7))
    office.queue(W21)
    assert office.tick(NOW + HOUR) == Delivered(sent=1, skipped=1)
    assert [text for _, text, _, _ in office.slack.posts] == [f"payments {W21}"]


def test_what_a_later_digest_settled_is_no_problem_any_more(office):
    office.queue(W20)
    office.slack.answers = [Refused("is_archived")]
    office.tick()
    assert [one.key for one in problems(office.engine)] == [KEY]
    office.queue(W21, at=NOW + timedelta(days=7))
    office.tick(NOW + timedelta(days=7))
    assert problems(office.engine) == []


def test_a_note_that_cannot_be_sent_makes_no_further_note(office):
    office.queue()
    office.slack.answers = [Refused("is_archived"), Refused("user_not_found")]
    assert office.tick() == Delivered(failed=2)
    assert office.tick(NOW + HOUR) == Delivered()
    assert [one.state for one in problems(office.engine)] == [State.FAILED, State.FAILED]


def test_an_answer_after_the_lease_settles_what_was_unknown(office):
    """The process stood still during its request; another one has noticed."""
    office.queue()

    def stand_still() -> None:
        office.slack.meanwhile = lambda: None
        assert office.tick(NOW + LEASE).unknown == 1

    office.slack.meanwhile = stand_still
    assert office.tick() == Delivered(sent=1)
    assert (office.record().state, len(office.slack.posts)) == (State.SENT, 1)
    assert problems(office.engine) == []


def test_a_copy_of_whoever_lost_the_digest_meanwhile_is_taken_back(office):
    """While this process stood still, a person looked, saw nothing, and had it posted by another one."""
    office.queue()

    def replaced() -> None:
        office.slack.meanwhile = lambda: None
        rows = outbox.ROWS.update().values(owner="two/1", state=State.SENT, remote_id="7.7")
        with transaction(office.engine) as session:
            session.connection().execute(rows)

    office.slack.meanwhile = replaced
    office.tick()
    office.tick(NOW + 30 * SECOND)
    assert office.slack.deleted == [(CHANNEL, "1.1")]
    assert office.record().remote_id == "7.7"
    office.tick(NOW + HOUR)
    assert len(office.slack.deleted) == 1


def test_a_delete_that_nobody_answered_is_tried_again(office):
    with transaction(office.engine) as session:
        outbox.put_once(session, f"delete/{KEY}/1.1", Kind.DELETE, CHANNEL, {"remote_id": "1.1"}, NOW)
    office.slack.answers = [Uncertain("TimeoutError")]
    assert office.tick() == Delivered(again=1)
    assert office.tick(NOW + MINUTE) == Delivered(sent=1)


def test_one_message_a_second_to_a_channel_and_twenty_a_minute_in_all(office):
    office.queue(team="web")
    for number in range(25):
        office.queue(team=f"t{number}", channel=f"C{number}")
    assert office.tick() == Delivered(sent=20)
    assert office.tick(NOW + 30 * SECOND) == Delivered()
    assert office.tick(NOW + MINUTE).sent == 6


def test_a_database_that_is_away_for_a_moment_does_not_lose_what_became_of_a_post(office, engine):
    """The transaction that would mark it fails twice."""
    office.queue()
    failing = Failing(engine, office.slack, 2)
    office.slack.meanwhile = failing.start
    try:
        assert office.tick() == Delivered(sent=1)
    finally:
        failing.stop()
    assert (failing.left, office.paused, office.record().state) == (0, [0.5, 1.0], State.SENT)


class Failing:
    """Makes the next writing transactions of an engine fail as a database does that is away."""

    def __init__(self, engine, slack, times: int) -> None:
        self.engine, self.slack, self.left = engine, slack, times

    def start(self) -> None:
        self.slack.meanwhile = lambda: None
        event.listen(self.engine, "begin", self._fail)

    def stop(self) -> None:
        event.remove(self.engine, "begin", self._fail)

    def _fail(self, _connection) -> None:
        if self.left:
            self.left -= 1
            raise StoreError("The database leverage.db is held by another process.")


def test_a_worker_that_is_to_stop_claims_nothing_more(office):
    office.queue()
    worker = Worker("me", lambda: NOW, going=lambda: False)
    assert work_off(office.engine, office.slack, lambda _: OWNER, worker) == Delivered()
    assert office.slack.calls == 0


def test_a_person_can_have_a_due_digest_posted_now(office):
    office.queue()
    assert office.post().state is State.SENT
    assert office.post().state is State.SENT
    assert len(office.slack.posts) == 1


def test_only_the_digest_that_was_asked_for_is_posted(office):
    office.queue()
    office.queue(team="web", channel="C2")
    office.post()
    assert [channel for channel, *_ in office.slack.posts] == [CHANNEL]


def test_a_week_without_a_message_has_nothing_to_post(office):
    assert office.post() is None
    assert office.slack.calls == 0


def test_a_person_can_have_a_late_digest_posted(office):
    office.queue()
    office.tick(NOW + 80 * HOUR)
    assert office.post().state is State.SENT


def test_a_person_can_have_a_failed_digest_posted_where_the_team_is_now(office):
    office.queue()
    office.slack.answers = [Refused("is_archived")]
    office.tick()
    office.now += MINUTE
    moved = Team(**{**{name: getattr(PAYMENTS, name) for name in Team.__slots__}, "slack_channel": "C9"})
    assert office.post(team=moved).state is State.SENT
    assert [channel for channel, *_ in office.slack.posts] == ["C9"]


def test_a_person_cannot_have_a_digest_posted_that_may_be_there(office):
    office.queue()
    office.slack.answers = [Uncertain("http_503")]
    assert office.post().state is State.POSTING
    office.tick(NOW + HOUR)
    assert office.post().state is State.UNKNOWN
    assert office.slack.posts == []


def test_a_person_sees_the_text_go_out_when_the_blocks_are_refused(office):
    office.queue()
    office.slack.answers = [BadMessage("invalid_blocks")]
    assert office.post().state is State.SENT
    assert office.slack.posts[0][2] is None


def test_a_team_name_cannot_make_a_link_in_a_note(office):
    office.queue(team="<!channel>")
    office.slack.answers = [Refused("is_archived")]
    office.tick()
    assert "<!" not in office.slack.notes[0][1]
