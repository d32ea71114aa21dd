"""Telemetry through the real routes into a real database: the captured bodies come to their expected totals, however
often, in whatever order and in whichever encoding they are sent."""

import random
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from bot.domain.agents import AgentRequest
from bot.domain.model import Tokens
from bot.store.db import reading
from bot.usecases.measure import counted
from tests.company import SmallCompany
from tests.integrations.agents.samples import EXPECTED, FILES, Sent, sample, to_json, to_protobuf, zipped
from tests.people import dump
from tests.receiving import Receiver, utc

LONG_AGO = utc("2026-01-05 12:00")
AGENT_FILES = [name for name in FILES if not name.startswith(("edge_cases", "empty"))]
ENCODINGS: list[Callable[[Sent], Sent]] = [lambda one: one, to_json, to_protobuf, zipped]


@pytest.fixture
def receiver(engine: Engine) -> Receiver:
    """At a moment by which every sample was made, within the days that are taken in."""
    made = Receiver(engine, utc("2026-07-01 12:00"), SmallCompany(engine, "ann bo cy di ed"))
    made.joins("ann", LONG_AGO)
    return made


def send(receiver: Receiver, given: Sent, name: str = "ann") -> Any:
    """As its sender would; the clock is moved to the day of what is sent."""
    moments = [record.at for record in given.batch().records if record.at]
    if moments:
        receiver.now = datetime.fromtimestamp(max(moments) // 10**9, UTC) + timedelta(minutes=5)
    more = {"content-encoding": given.encoding} if given.encoding else {}
    answer = receiver.post(f"/v1/{given.signal}", given.body, receiver.tokens[name], given.media, headers=more)
    assert answer.status_code == 200, answer.text
    return answer


def requests(receiver: Receiver, name: str = "ann") -> tuple[AgentRequest, ...]:
    """What counts of all that was told."""
    today = receiver.now.date()
    with reading(receiver.engine) as session:
        found = counted(session, receiver.company.people[name], today - timedelta(days=40), today, None).requests
    return tuple(sorted(found, key=lambda one: one.key))


def total(found: Iterable[AgentRequest]) -> Tokens:
    return sum((one.tokens for one in found), Tokens())


def as_told(tokens: Tokens, form: dict[str, int]) -> dict[str, int]:
    """Tokens in the words of a sample's expectation."""
    written = tokens.cache_write_5m + (tokens.cache_write_1h or 0)
    words = {
        "input": tokens.fresh,
        "cache_creation": written,
        "cache_read": tokens.cache_read,
        "cached": tokens.cache_read,
        "cache_write": written,
        "input_incl_cached": tokens.fresh + tokens.cache_read + written,
        "output_incl_reasoning": tokens.output + (tokens.reasoning or 0),
        "output": tokens.output,
        "reasoning": tokens.reasoning or 0,
        "thoughts": tokens.reasoning or 0,
        "total": tokens.total,
    }
    return {name: words[name] for name in form}


@pytest.mark.parametrize("name", [name for name in FILES if "tokens" in EXPECTED.get(name, {})])
def test_a_sample_comes_to_its_expected_tokens_and_cost(receiver: Receiver, name: str) -> None:
    send(receiver, sample(name))
    expected, found = EXPECTED[name], requests(receiver)
    told = dict(expected["tokens"])
    if name.startswith("qwen"):
        told["output_incl_reasoning"] = told.pop("output")  # Qwen's thoughts are a part of its output
    assert as_told(total(found), told) == told
    if "cost_usd_micros" in expected:
        assert sum(one.cost_micro or 0 for one in found) == expected["cost_usd_micros"]


def metered(values: dict[str, float], *, of: str) -> dict[str, int]:
    """The values of a counter, added up over all but the last part of their names."""
    sums: dict[str, int] = {}
    for name, value in values.items():
        if name.startswith(of):
            kind = name.rpartition("|")[2]
            sums[kind] = sums.get(kind, 0) + round(value)
    return sums


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["claude_code.metrics.json"], "claude_code.metrics.json"),
        (["claude_code.resume_pr.metrics.json"], "claude_code.resume_pr.metrics.json"),
        (
            [f"claude_code.delta_series_{number}.metrics.json" for number in (1, 2, 3)],
            "claude_code.delta_series_(1+2+3)",
        ),
    ],
)
def test_counters_of_an_agent_that_tells_of_no_request_come_to_what_they_say(
    receiver: Receiver, names: list[str], expected: str
) -> None:
    for name in [*names, *reversed(names)]:
        send(receiver, sample(name))
    told = metered(EXPECTED[expected]["values"], of="claude_code.token.usage")
    form = {"input": "input", "output": "output", "cacheRead": "cache_read", "cacheCreation": "cache_creation"}
    assert as_told(total(requests(receiver)), {form[kind]: 0 for kind in told}) == {
        form[kind]: value for kind, value in told.items()
    }


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2), (2, 3, 1)])
def test_counters_that_go_on_come_to_their_last_value_and_a_restart_adds(
    receiver: Receiver, order: tuple[int, ...]
) -> None:
    names = {1: "1", 2: "2", 3: "3_restart"}
    for number in (*order, *order):
        send(receiver, sample(f"gemini_cli.cumulative_{names[number]}.metrics.json"))
    expected = EXPECTED["gemini_cli.cumulative_(1,2,3)"]["values"]
    tokens = total(requests(receiver))
    assert tokens == Tokens(
        fresh=expected["input"] - expected["cache"],
        cache_read=expected["cache"],
        output=expected["output"],
        reasoning=expected["thought"],
    )


def test_counters_beside_the_requests_they_count_add_nothing(receiver: Receiver) -> None:
    send(receiver, sample("claude_code.metrics.json"))
    send(receiver, sample("claude_code.logs.json"))
    expected = EXPECTED["claude_code.logs.json"]["tokens"]
    assert as_told(total(requests(receiver)), expected) == expected


@pytest.mark.parametrize("name", AGENT_FILES)
def test_a_sample_again_in_any_encoding_and_order_changes_nothing(receiver: Receiver, name: str) -> None:
    send(receiver, sample(name))
    receiver.measure()
    first, days = requests(receiver), dump(receiver.engine, "agent_days")
    tables = ("agent_requests", "agent_events", "agent_places", "agent_counters")
    rows = {table: len(dump(receiver.engine, table)) for table in tables}
    copies = [form(sample(name)) for form in ENCODINGS * 2]
    random.Random(name).shuffle(copies)
    for copy in copies:
        send(receiver, copy)
    receiver.measure()
    assert requests(receiver) == first
    assert dump(receiver.engine, "agent_days") == days
    assert {table: len(dump(receiver.engine, table)) for table in tables} == rows


def test_all_samples_together_come_to_the_same_in_any_order(receiver: Receiver) -> None:
    """Everybody tells the same, each in another order and encoding."""
    found = []
    for seed, name in enumerate(("ann", "bo", "cy")):
        if name not in receiver.tokens:
            receiver.joins(name, LONG_AGO)
        chance = random.Random(seed)
        for given in chance.sample(AGENT_FILES, len(AGENT_FILES)):
            send(receiver, chance.choice(ENCODINGS)(sample(given)), name)
        with reading(receiver.engine) as session:
            all_days = (LONG_AGO.date(), date(2026, 12, 31))
            found.append(counted(session, receiver.company.people[name], *all_days, None).requests)
    assert found[0]
    assert {one.key: one for one in found[0]} == {one.key: one for one in found[1]}
    assert {one.key: one for one in found[0]} == {one.key: one for one in found[2]}
