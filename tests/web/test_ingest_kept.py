"""What is kept of telemetry that is taken: of whom, of when, and within which bounds."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from httpx2 import Response
from sqlalchemy import Engine

from bot.store import cursors
from bot.store.cursors import SourceKind
from bot.store.db import reading
from bot.usecases.consent import leave
from tests.company import REPOSITORY
from tests.integrations.agents.samples import Sent, logs, pairs, sent, to_protobuf, zipped
from tests.people import dump
from tests.receiving import JSON, PROTOBUF, Receiver, utc
from tests.web.sending import (
    AGENT_TABLES,
    AT,
    CANARY,
    LONG_AGO,
    NOW,
    call,
    calls,
    document,
    everything,
    receiving,
    requests,
    send,
    turn,
)

GZIP = {"content-encoding": "gzip"}
DROPPED = "'; DROP TABLE agent_requests; --"
DROPPED_AS_A_REF = "';DROP/TABLE/agent_requests;--"
FIVE = "ann bo cy di ed"
MONDAY = utc("2026-11-23 12:00")


@pytest.fixture
def receiver(engine: Engine) -> Receiver:
    return receiving(engine, "ann")


def at(given: Sent, *moments: datetime) -> Sent:
    """The records at these moments."""
    body = json.loads(given.body)
    for record, moment in zip(body["resourceLogs"][0]["scopeLogs"][0]["logRecords"], moments, strict=True):
        record["timeUnixNano"] = str(int(moment.timestamp()) * 10**9)
    return sent(given.signal, body)


def partial(answer: Response) -> tuple[int, str]:
    told = answer.json()["partialSuccess"]
    return int(told["rejectedLogRecords"]), told["errorMessage"]


def noted(receiver: Receiver, agent: str = "claude_code") -> dict[str, int]:
    """What was refused of the last batch, as `doctor` sees it."""
    with reading(receiver.engine) as session:
        found = cursors.one(session, SourceKind.TELEMETRY, agent)
    return dict(found.rejected) if found else {}


# --- when


def test_what_is_of_a_time_that_cannot_be_is_counted_and_the_rest_kept(receiver: Receiver) -> None:
    minute = timedelta(minutes=1)
    moments = (NOW - timedelta(days=31), NOW + 11 * minute, NOW - timedelta(days=29), NOW + 9 * minute, NOW)
    answer = send(receiver, at(calls("too old", "too new", "old", "new", "now"), *moments), receiver.tokens["ann"])
    assert (answer.status_code, partial(answer)) == (200, (2, "clock: 2"))
    assert [row["at"] for row in requests(receiver)] == [int(one.timestamp()) * 10**6 for one in sorted(moments)[1:4]]
    assert noted(receiver) == {"clock": 2}


def test_the_hook_is_told_of_times_that_cannot_be(receiver: Receiver) -> None:
    def request(key: str, moment: datetime) -> dict[str, Any]:
        return {"key": key * 32, "at": moment.isoformat(), "model": "m", "fresh": 1, "output": 1}

    asked = [request("a", NOW - timedelta(days=31)), request("b", NOW + timedelta(minutes=11)), request("c", NOW)]
    told = document(turn(NOW.isoformat(), prompted=False, requests=asked))
    answer = receiver.tells("/v1/sessions", told, receiver.tokens["ann"])
    assert (answer.status_code, answer.json()) == (200, {"rejected": {"clock": 2}})
    assert [row["key"] for row in requests(receiver)] == ["c" * 32]


def test_days_before_somebody_agreed_are_dropped_without_a_word(receiver: Receiver) -> None:
    """Bo joins on Monday, 23 November; his days are kept from the Monday four weeks before, which is 26 October."""
    receiver.now = MONDAY
    bo = receiver.joins("bo", MONDAY)
    [since] = [row["collect_from"] for row in dump(receiver.engine, "people") if row["person_key"] == bo]
    assert str(since) == "2026-10-26"
    first = utc("2026-10-26 00:00")
    before = first - timedelta(seconds=1)
    answer = send(receiver, at(calls("before", "first"), before, first), receiver.tokens["bo"])
    assert (answer.status_code, answer.json()) == (200, {})
    assert [row["at"] for row in requests(receiver)] == [int(first.timestamp()) * 10**6]
    assert noted(receiver) == {}


# --- how much


def test_a_person_who_names_10_000_models_has_200_and_the_rest_are_one(receiver: Receiver) -> None:
    receiver.now += timedelta(hours=3)  # a second apart
    given = logs("claude-code", *(call(f"r{number}", model=f"m{number}") for number in range(10_000)))
    assert send(receiver, zipped(to_protobuf(given)), receiver.tokens["ann"], headers=GZIP).status_code == 200
    rows = requests(receiver)
    assert len(rows) == 10_000
    assert len({row["model"] for row in rows}) == 201
    assert sum(row["model"] == "other" for row in rows) == 9_800
    assert noted(receiver) == {"too_many_models": 9_800}
    receiver.now += timedelta(minutes=1)
    send(receiver, logs("claude-code", call("r", model="m0"), call("s", model="new")), receiver.tokens["ann"])
    assert len({row["model"] for row in requests(receiver)}) == 201
    assert noted(receiver) == {"too_many_models": 1}


# --- where


def placed(branch: str, repository: str = REPOSITORY) -> Sent:
    owner, _, name = repository.partition("/")
    where = {"vcs.repository.name": name, "vcs.owner.name": owner, "vcs.ref.head.name": branch}
    return logs("claude-code", call("r1"), **where)


def test_a_branch_that_git_does_not_allow_is_refused_and_its_request_kept(receiver: Receiver) -> None:
    answer = send(receiver, placed(DROPPED), receiver.tokens["ann"])
    assert partial(answer) == (1, "bad_place: 1")
    asked = {"key": "ab" * 16, "at": AT.isoformat(), "model": "m", "fresh": 1, "output": 1}
    told = document(turn(repository=REPOSITORY, branch=DROPPED, requests=[asked]))
    answer = receiver.tells("/v1/sessions", told, receiver.tokens["ann"])
    assert answer.json() == {"rejected": {"bad_place": 1}}
    assert len(requests(receiver)) == 2
    assert dump(receiver.engine, "agent_places") == []


def test_a_branch_called_like_a_command_of_the_database_is_a_branch(receiver: Receiver) -> None:
    send(receiver, placed(DROPPED_AS_A_REF), receiver.tokens["ann"])
    told = document(turn(turn="t2", repository=REPOSITORY, branch=DROPPED_AS_A_REF))
    assert receiver.tells("/v1/sessions", told, receiver.tokens["ann"]).json() == {"rejected": {}}
    places = dump(receiver.engine, "agent_places")
    assert [(row["repository"], row["branch"]) for row in places] == [(REPOSITORY, DROPPED_AS_A_REF)] * 2
    assert len(requests(receiver)) == 1


@pytest.mark.parametrize("repository", ["rival/secret-plan", "me/dotfiles", "acme/api2"])
def test_of_a_repository_that_no_team_observes_nothing_is_kept_but_that_it_is_another(
    receiver: Receiver, repository: str
) -> None:
    send(receiver, placed("a-secret-branch", repository), receiver.tokens["ann"])
    told = turn(repository=repository, branch="a-secret-branch", head_before="a" * 40, head_after="b" * 40, pull=7)
    answer = receiver.tells("/v1/sessions", document(told | {"commits": ["c" * 40]}), receiver.tokens["ann"])
    assert answer.json() == {"rejected": {}}
    places = dump(receiver.engine, "agent_places")
    assert {row["proof"] for row in places} >= {"branch", "commit", "pull", "resource"}
    assert {(row["repository"], row["branch"], row["sha"], row["pull"]) for row in places} == {
        ("other/other", None, None, None)
    }
    stored = str(everything(receiver.engine))
    assert not [one for one in (repository, "a-secret-branch", "b" * 40, "c" * 40) if one in stored]


def test_a_fork_of_what_a_team_observes_is_observed(receiver: Receiver) -> None:
    send(receiver, placed("fix", "Ann/API"), receiver.tokens["ann"])
    [place] = dump(receiver.engine, "agent_places")
    assert (place["repository"], place["branch"]) == ("Ann/API", "fix")


# --- whose: a fleet's token


NOBODY = f"{CANARY}@example.com"
JOINED = "ann@example.com"


def from_machine(email: str | None, *, session: str = "s1", on: datetime = AT) -> Sent:
    """A request, and one of 31 days ago, with a place of its own, as a machine of a fleet sends them."""
    told = {"session.id": session, "model": f"{session}-model"} | ({"user.email": email} if email else {})
    where = {"vcs.repository.name": "api", "vcs.owner.name": "acme", "vcs.ref.head.name": f"{session}-branch"}
    given = logs("claude-code", call("r1", **told), call("r2", **told), **where)
    return at(given, on, NOW - timedelta(days=31))


def answered(answer: Response) -> tuple[int, bytes, list[tuple[str, str]]]:
    return answer.status_code, answer.content, sorted(answer.headers.items())


@pytest.mark.parametrize("media", [JSON, PROTOBUF])
@pytest.mark.parametrize("stale", [False, True])
def test_a_fleet_is_answered_alike_for_who_has_joined_and_who_has_not(
    receiver: Receiver, media: str, stale: bool
) -> None:
    """Also where something is refused: what is counted must not tell who has joined."""
    token = receiver.fleet()
    shape = (lambda one: one) if media == JSON else to_protobuf
    on = NOW - timedelta(days=40) if stale else AT
    of_ann = send(receiver, shape(from_machine(JOINED, on=on)), token)
    of_nobody = send(receiver, shape(from_machine(NOBODY, on=on)), token)
    without = send(receiver, shape(from_machine(None, on=on)), token)
    assert answered(of_ann) == answered(of_nobody) == answered(without)
    assert of_ann.status_code == 200
    assert len(requests(receiver)) == (0 if stale else 1)


def test_of_an_address_of_nobody_who_has_joined_nothing_is_left_anywhere(
    receiver: Receiver, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    token = receiver.fleet()
    send(receiver, from_machine(JOINED), token)
    before = everything(receiver.engine)
    assert send(receiver, from_machine(NOBODY, session=CANARY), token).status_code == 200
    assert everything(receiver.engine) == before
    output = capfd.readouterr()
    assert CANARY not in " ".join((str(before), caplog.text, output.out, output.err))
    assert "ann@example.com" not in str(before)


def test_each_person_of_a_batch_of_a_fleet_gets_their_own(receiver: Receiver) -> None:
    for name in FIVE.split()[1:3]:
        receiver.joins(name, LONG_AGO)
    told = [call(f"r{name}", **{"user.email": f"{name.upper()}@example.com"}) for name in FIVE.split()]
    assert send(receiver, logs("claude-code", *told), receiver.fleet()).json() == {}
    people = receiver.company.people
    assert {row["person_key"] for row in requests(receiver)} == {people["ann"], people["bo"], people["cy"]}
    assert len(requests(receiver)) == 3


def test_with_a_persons_own_token_an_address_of_somebody_else_changes_nothing(receiver: Receiver) -> None:
    receiver.joins("bo", LONG_AGO)
    send(receiver, from_machine("bo@example.com"), receiver.tokens["ann"])
    assert {row["person_key"] for row in requests(receiver)} == {receiver.company.people["ann"]}


def test_days_before_consent_are_dropped_of_a_fleet_too(receiver: Receiver) -> None:
    """As above, for what Bo's machine tells."""
    receiver.now = MONDAY
    receiver.joins("bo", MONDAY)
    first = utc("2026-10-26 00:00")
    told = [call(f"r{number}", **{"user.email": "bo@example.com"}) for number in range(2)]
    given = at(logs("claude-code", *told), first - timedelta(seconds=1), first)
    assert send(receiver, given, receiver.fleet()).json() == {}
    assert [row["at"] for row in requests(receiver)] == [int(first.timestamp()) * 10**6]
    assert noted(receiver) == {}
    before = everything(receiver.engine)
    told = [call("r3", **{"user.email": "bo@example.com", "session.id": CANARY})]
    assert send(receiver, at(logs("claude-code", *told), first - timedelta(days=1)), receiver.fleet("more"))
    assert CANARY not in str(everything(receiver.engine))
    assert requests(receiver) == before["agent_requests"]


def test_who_has_left_since_is_nobody(receiver: Receiver) -> None:
    token = receiver.fleet()
    own = receiver.tokens["ann"]
    leave(receiver.engine, receiver.company.people["ann"], NOW)
    assert send(receiver, from_machine(JOINED), token).status_code == 200
    assert send(receiver, calls("r9"), own).status_code == 401
    assert {table: dump(receiver.engine, table) for table in AGENT_TABLES} == {table: [] for table in AGENT_TABLES}


def test_a_metric_point_that_belongs_to_nobody_is_nowhere(receiver: Receiver) -> None:
    point = {
        "asInt": "5",
        "timeUnixNano": str(int(AT.timestamp()) * 10**9),
        "startTimeUnixNano": "1",
        "attributes": pairs({"type": "input", "session.id": CANARY, "user.email": NOBODY}),
    }
    metric = {
        "name": "claude_code.token.usage",
        "sum": {"aggregationTemporality": 1, "isMonotonic": True, "dataPoints": [point]},
    }
    body = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]}
    answer = receiver.tells("/v1/metrics", body, receiver.fleet())
    assert (answer.status_code, answer.json()) == (200, {})
    assert dump(receiver.engine, "agent_counters") == []
