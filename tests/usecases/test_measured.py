"""Telemetry in the books: where a day went, never more than the provider says of it, and once however it was told."""

import re
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from bot import render
from bot.domain.agents import request_key
from bot.domain.block import Block, Published
from bot.domain.digest import Digest
from bot.domain.privacy.bands import ShareBand
from bot.store import books as books_of
from bot.store import people
from bot.store.db import reading
from bot.store.tables import METADATA
from bot.usecases import tokens
from bot.usecases.consent import leave, switch_team
from bot.usecases.me import me
from bot.usecases.retention import forget_old
from tests.company import DOLLAR, SECRET, SmallCompany
from tests.integrations.agents.samples import logs
from tests.people import dump
from tests.receiving import Receiver, utc

EVERYBODY = "ann bo cy di ed fay"
DAY = "2026-05-12"


@pytest.fixture
def receiver(engine: Engine) -> Receiver:
    """Six have joined. Each but Ann spends two dollars on one merged pull request; hers is number 1, on branch-1."""
    company = SmallCompany(engine, EVERYBODY)
    made = Receiver(engine, utc(f"{DAY} 18:00"), company)
    for name in EVERYBODY.split():
        made.joins(name, utc("2026-05-01 12:00"))
    for number, name in enumerate(EVERYBODY.split(), start=1):
        commits = {name: DAY} if name != "ann" else {}
        company.pull(number, name, commits=commits, opened="2026-05-11", merged="2026-05-14")
    others_spend(made, "2026-04-20", "2026-05-17")
    return made


def request(id: str, dollars: float, at: str = "10:00") -> dict[str, Any]:
    return {
        "key": request_key("claude_code", id),
        "at": f"{DAY}T{at}:00Z",
        "model": "claude-opus-5-5",
        "fresh": 100,
        "output": 10,
        "cost_micro": round(dollars * DOLLAR),
    }


def turn(name: str, branch: str | None, *requests: dict[str, Any], at: str = "10:00", **more: Any) -> dict[str, Any]:
    place = {"repository": "acme/api" if branch else None, "branch": branch}
    times = {"started": f"{DAY}T{at}:00Z", "ended": f"{DAY}T{at}:30Z"}
    return {"turn": name, **times, **place, "requests": list(requests), **more}


EDITED: dict[str, Any] = {"counters": {"edited": [{"file": "0" * 16, "edits": 1}]}}


def hook_tells(receiver: Receiver, *turns: dict[str, Any], name: str = "ann") -> None:
    sessions = [{"session": "s-1", "turns": list(turns)}]
    document = {"version": 1, "agent": "claude_code", "sessions": sessions}
    answer = receiver.tells("/v1/sessions", document, receiver.tokens[name])
    assert answer.json() == {"rejected": {}}


def otlp_tells(receiver: Receiver, *requests: tuple[str, float, str], at: str = f"{DAY}T10:00:00") -> None:
    """Requests with id, dollars and prompt, as Claude Code sends them."""
    events = [
        {
            "event.name": "api_request",
            "event.timestamp": f"{DAY}T10:00:00Z",
            "session.id": "s-1",
            "prompt.id": prompt,
            "request_id": id,
            "model": "claude-opus-5-5",
            "input_tokens": 100,
            "output_tokens": 10,
            "cache_read_tokens": 0,
            "cache_creation_tokens": 0,
            "cost_usd": dollars,
            "query_source": "repl_main_thread",
        }
        for id, dollars, prompt in requests
    ]
    given = logs("claude-code", *events)
    moment = int(datetime.fromisoformat(f"{at}+00:00").timestamp())
    body = re.sub(rb'"timeUnixNano": "\d+"', b'"timeUnixNano": "%d000000000"' % moment, given.body)
    assert receiver.post("/v1/logs", body, receiver.tokens["ann"]).text == "{}"


def others_spend(receiver: Receiver, first: str, last: str) -> None:
    receiver.company.quiet_days(first, last, bo=2, cy=2, di=2, ed=2, fay=2)


def provider_tells(receiver: Receiver, dollars: float, at: str = "2026-05-17") -> None:
    """What Ann spent on the day, by the provider."""
    receiver.company.spends_at(DAY, at=at, ann=dollars, bo=2, cy=2, di=2, ed=2, fay=2)


def close(receiver: Receiver, monday: str = "2026-05-18") -> Block:
    receiver.now = utc(f"{monday} 10:00")
    receiver.measure()
    return receiver.company.monday(monday).blocks[-1]


def books(receiver: Receiver, table: str = "bookings", name: str = "ann") -> dict[tuple[str, str], int]:
    """Dollars of a person by where they went and how surely."""
    sums: dict[tuple[str, str], int] = defaultdict(int)
    for row in dump(receiver.engine, table):
        if row["person_key"] == receiver.company.people[name]:
            sums[row["pull_id"].partition(":")[0], row["grade"]] += row["micro"]
    return {where: micro // DOLLAR for where, micro in sums.items() if micro}


def test_a_session_told_both_ways_is_counted_once_and_its_pull_request_is_measured(receiver: Receiver) -> None:
    """15 measured: 10 on the branch of pull request 1, 3 on a spike, 2 outside; the bill says 20, so 5 are a rest."""
    turns = (
        turn("t1", "branch-1", request("r1", 4), request("r2", 6), **EDITED),
        turn("t2", "spike/idea", request("r3", 3), at="11:00"),
        turn("t3", None, request("r4", 2), at="12:00", **EDITED),
    )
    hook_tells(receiver, *turns)
    otlp_tells(receiver, ("r1", 4, "t1"), ("r2", 6, "t1"), ("r3", 3, "t2"), ("r4", 2, "t3"))
    hook_tells(receiver, *turns)
    provider_tells(receiver, 20)
    close(receiver)
    assert books(receiver) == {
        ("PR_1", "measured"): 10,
        ("exploration", "unattributed"): 3,
        ("nowhere", "unattributed"): 2,
    }
    assert books(receiver, "open_work") == {("", "allocated"): 5}
    (day,) = dump(receiver.engine, "agent_days")
    assert (day["requests"], day["list_micro"], day["human_turns"]) == (4, 15 * DOLLAR, 3)
    assert books(receiver, name="bo") == {("PR_2", "allocated"): 2, ("", "allocated"): 28}  # 14 days without any


def test_a_person_sees_what_was_measured_of_their_pull_request(receiver: Receiver) -> None:
    hook_tells(receiver, turn("t1", "branch-1", request("r1", 10), **EDITED))
    provider_tells(receiver, 20)
    close(receiver)
    own = me(receiver.engine, SECRET, [receiver.company.team], "S_ann", receiver.now)
    assert own is not None
    assert {pull.number: pull.micro for pull in own.pulls} == {1: 10 * DOLLAR}
    assert (own.told.requests, own.told.human_turns) == (1, 1)


def test_more_measured_than_billed_never_adds_to_the_bill(receiver: Receiver) -> None:
    """A plan covers most of it: of 40 measured the provider tells 8, three quarters of it on the branch."""
    hook_tells(
        receiver,
        turn("t1", "branch-1", request("r1", 30), **EDITED),
        turn("t2", None, request("r2", 10), at="11:00", **EDITED),
    )
    provider_tells(receiver, 8)
    close(receiver)
    assert books(receiver) == {("PR_1", "measured"): 6, ("nowhere", "unattributed"): 2}


def test_where_no_provider_tells_of_a_day_what_was_measured_counts_until_one_does(receiver: Receiver) -> None:
    hook_tells(receiver, turn("t1", "branch-1", request("r1", 9), **EDITED))
    close(receiver)
    assert books(receiver) == {("PR_1", "measured"): 9}
    rows = [row for row in dump(receiver.engine, "person_days") if row["account"].startswith("agent:")]
    assert [(row["account"], row["list_micro"], row["billed_micro"]) for row in rows] == [
        ("agent:claude_code", 9 * DOLLAR, None)
    ]
    provider_tells(receiver, 12, at="2026-05-20")
    others_spend(receiver, "2026-05-18", "2026-05-24")
    close(receiver, "2026-05-25")
    assert books(receiver) == {("PR_1", "measured"): 12}
    assert [row["list_micro"] for row in dump(receiver.engine, "person_days") if row["account"][:6] == "agent:"] == [0]


def test_work_on_a_branch_waits_and_goes_to_the_pull_request_that_opens_later(receiver: Receiver) -> None:
    hook_tells(receiver, turn("t1", "branch-9", request("r1", 7), **EDITED))
    provider_tells(receiver, 7)
    close(receiver)
    assert books(receiver) == {}
    assert books(receiver, "open_work") == {("branch", "unattributed"): 7}
    receiver.company.pull(9, "ann", opened="2026-05-20", merged="2026-05-21")
    others_spend(receiver, "2026-05-18", "2026-05-24")
    close(receiver, "2026-05-25")
    assert books(receiver) == {("PR_9", "measured"): 7}
    assert books(receiver, "open_work") == {}


def test_the_branch_of_a_settled_day_turns_into_the_pull_request_that_opens_later(receiver: Receiver) -> None:
    """What was nowhere settled the day at once."""
    hook_tells(
        receiver,
        turn("t1", "branch-9", request("r1", 7), **EDITED),
        turn("t2", None, request("r2", 2), at="11:00", **EDITED),
    )
    provider_tells(receiver, 9)
    close(receiver)
    assert books(receiver) == {("nowhere", "unattributed"): 2}
    receiver.company.pull(9, "ann", opened="2026-05-20", merged="2026-05-21")
    others_spend(receiver, "2026-05-18", "2026-05-24")
    close(receiver, "2026-05-25")
    assert books(receiver) == {("nowhere", "unattributed"): 2, ("PR_9", "measured"): 7}


def test_a_branch_that_nobody_works_on_any_more_is_given_up_after_two_weeks(receiver: Receiver) -> None:
    hook_tells(receiver, turn("t1", "branch-9", request("r1", 7), **EDITED))
    provider_tells(receiver, 7)
    close(receiver)
    others_spend(receiver, "2026-05-18", "2026-05-31")
    for monday in ("2026-05-25", "2026-06-01"):
        close(receiver, monday)
    (row,) = [row for row in dump(receiver.engine, "bookings") if row["micro"] == 7 * DOLLAR]
    assert (row["part"], row["pull_id"][:7]) == ("abandoned", "branch:")
    assert "branch-9" not in str(dump(receiver.engine, "bookings"))


def test_the_digest_says_how_much_is_measured(receiver: Receiver) -> None:
    """Of 680 dollars Ann's 400 are measured on a pull request, and 10 of the others' are split by commits."""
    hook_tells(receiver, turn("t1", "branch-1", request("r1", 400), **EDITED))
    provider_tells(receiver, 400)
    block = close(receiver)
    assert isinstance(block, Published)
    assert (block.linked_band, block.bound_band) == (ShareBand.FROM_50_TO_75, ShareBand.FROM_50_TO_75)
    told = render.text(Digest(block, (), "https://example.com/method"))
    assert "by direct measurement" in " ".join(told.split())


def test_telemetry_of_somebody_who_leaves_is_gone_from_every_table(receiver: Receiver) -> None:
    hook_tells(receiver, turn("t1", "branch-1", request("r1", 9), **EDITED))
    otlp_tells(receiver, ("r1", 9, "t1"))
    receiver.measure()
    person = receiver.company.people["ann"]
    leave(receiver.engine, person, receiver.now)
    for table in ("agent_requests", "agent_events", "agent_places", "agent_days", "agent_models", "ingest_tokens"):
        assert person not in str(dump(receiver.engine, table))


# With the token of a fleet


def claude_of(name: str, session: str, at: str = "10:00") -> bytes:
    """A prompt, as Claude Code tells it that is signed in as somebody."""
    prompt = {
        "event.name": "user_prompt",
        "session.id": session,
        "prompt.id": "p1",
        "user.email": f"{name}@example.com",
    }
    moment = int(datetime.fromisoformat(f"{DAY}T{at}:00+00:00").timestamp())
    return re.sub(
        rb'"timeUnixNano": "\d+"', b'"timeUnixNano": "%d000000000"' % moment, logs("claude-code", prompt).body
    )


def test_the_hook_of_a_fleet_tells_for_whom_its_agent_said_the_session_is(receiver: Receiver) -> None:
    """Ann has joined, Gus has not; the hook says of neither who they are."""
    fleet = receiver.fleet()
    for name in ("ann", "gus"):
        assert receiver.post("/v1/logs", claude_of(name, f"of-{name}"), fleet).text == "{}"
        document = {
            "version": 1,
            "agent": "claude_code",
            "sessions": [{"session": f"of-{name}", "turns": [turn("p1", "branch-1", request(f"r-{name}", 3))]}],
        }
        assert receiver.tells("/v1/sessions", document, fleet).json() == {"rejected": {}}
    (row,) = dump(receiver.engine, "agent_requests")
    assert (row["person_key"], row["session"]) == (receiver.company.people["ann"], "of-ann")
    assert "gus" not in str([dump(receiver.engine, table) for table in sorted(METADATA.tables)])


def test_a_session_that_no_agent_has_told_of_is_nobodys(receiver: Receiver) -> None:
    document = {
        "version": 1,
        "agent": "claude_code",
        "sessions": [{"session": "s-9", "turns": [turn("p1", "branch-1", request("r9", 3))]}],
    }
    assert receiver.tells("/v1/sessions", document, receiver.fleet()).json() == {"rejected": {}}
    assert dump(receiver.engine, "agent_requests") == []


# Edges


def test_a_request_on_both_sides_of_midnight_counts_on_one_day(receiver: Receiver) -> None:
    """One way says a second after midnight, the other, later, two seconds before it."""
    late = {**turn("t1", "branch-1"), "started": "2026-05-11T23:59:00Z", "ended": "2026-05-12T00:01:00Z"}
    otlp_tells(receiver, ("r1", 4, "t1"), at="2026-05-12T00:00:01")
    receiver.measure()
    hook_tells(receiver, {**late, "requests": [{**request("r1", 4), "at": "2026-05-11T23:59:58Z"}]})
    receiver.measure()
    assert sum(row["requests"] for row in dump(receiver.engine, "agent_days")) == 1
    assert sum(row["list_micro"] for row in dump(receiver.engine, "agent_days")) == 4 * DOLLAR


def test_who_counts_again_after_a_pause_loses_nothing_to_what_was_withdrawn(receiver: Receiver) -> None:
    """Only telemetry told of 7 dollars, which were withdrawn with the pause; a provider tells of them after it."""
    ann, zone = receiver.company.people["ann"], receiver.company.team.zone
    hook_tells(receiver, turn("t1", "branch-9", request("r1", 7), **EDITED))
    close(receiver)
    switch_team(receiver.engine, ann, zone, utc("2026-05-19 12:00"), on=False)
    switch_team(receiver.engine, ann, zone, utc("2026-05-20 12:00"), on=True)
    provider_tells(receiver, 7, at="2026-05-21")
    receiver.measure()
    with reading(receiver.engine) as session:
        again = people.joined(session, [ann])[ann].team_from
        assert again is not None
        assert books_of.pending(session, {ann: again}, again) == {}


def test_a_model_that_only_who_left_has_named_is_named_to_nobody(receiver: Receiver) -> None:
    free = {**request("r1", 0), "model": "secret-project-zeus", "cost_micro": None}
    hook_tells(receiver, turn("t1", "branch-1", free, **EDITED))
    assert "zeus" in str(dump(receiver.engine, "source_cursors"))
    leave(receiver.engine, receiver.company.people["ann"], receiver.now)
    assert "zeus" not in str([dump(receiver.engine, table) for table in sorted(METADATA.tables)])


def test_a_token_that_ended_long_ago_is_forgotten(receiver: Receiver) -> None:
    person = receiver.company.people["ann"]
    for _ in range(4):
        tokens.for_person(receiver.engine, person, receiver.now)
    before = len(dump(receiver.engine, "ingest_tokens"))
    forget_old(receiver.engine, receiver.now + timedelta(days=36))
    assert len(dump(receiver.engine, "ingest_tokens")) == before - 3
