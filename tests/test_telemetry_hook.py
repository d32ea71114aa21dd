"""What the hook sends, through the real route: transcripts come to their expected totals, once and however often."""

import gzip
import json
import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from bot.domain.agents import AgentRequest
from bot.domain.model import Tokens
from bot.store.db import reading
from bot.usecases.measure import counted
from tests.company import SmallCompany
from tests.integrations.agents.samples import sample
from tests.integrations.hook.machine import Machine, opencode_database
from tests.people import dump
from tests.receiving import Receiver, utc

SAMPLES = Path(__file__).parent / "samples" / "transcripts"
EXPECTED = json.loads((SAMPLES / "expected.json").read_text())
LONG_AGO = utc("2026-01-05 12:00")


@pytest.fixture
def receiver(engine: Engine) -> Receiver:
    made = Receiver(engine, utc("2026-11-24 12:00"), SmallCompany(engine, "ann bo cy di ed"))
    made.joins("ann", LONG_AGO)
    return made


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    home = tmp_path / "home"
    home.mkdir()
    made = Machine(home)
    made.install()
    return made


def documents(machine: Machine, agent: str) -> list[dict[str, Any]]:
    """What `hook.py send` would send of a sample's transcripts, and only of them."""
    if agent == "opencode":
        opencode_database(machine.home / ".local" / "share" / "opencode")
    else:
        machine.copy(agent)
    found = machine.documents()
    assert found
    return found


def send(receiver: Receiver, given: list[dict[str, Any]]) -> None:
    for document in given:
        answer = receiver.tells("/v1/sessions", document, receiver.tokens["ann"], zipped=True)
        assert (answer.status_code, answer.json()) == (200, {"rejected": {}})


def requests(receiver: Receiver) -> tuple[AgentRequest, ...]:
    today = receiver.now.date()
    with reading(receiver.engine) as session:
        found = counted(session, receiver.company.people["ann"], today - timedelta(days=40), today, None).requests
    return tuple(sorted(found, key=lambda one: one.key))


def as_expected(found: tuple[AgentRequest, ...], form: dict[str, Any]) -> dict[str, int]:
    tokens = sum((one.tokens for one in found), Tokens())
    written, reasoning = tokens.cache_write_5m + (tokens.cache_write_1h or 0), tokens.reasoning or 0
    words = {
        "requests": len(found),
        "input": tokens.fresh,
        "input_excl_cached": tokens.fresh,
        "input_incl_cached": tokens.fresh + tokens.cache_read + written,
        "cache_creation": written,
        "cache_write": written,
        "cache_read": tokens.cache_read,
        "cached": tokens.cache_read,
        "output": tokens.output,
        "output_excl_reasoning": tokens.output,
        "output_incl_reasoning": tokens.output + reasoning,
        "reasoning": reasoning,
        "thoughts": reasoning,
        "total": tokens.total,
    }
    return {name: words[name] for name in form if name in words}


def expected_of(agent: str) -> dict[str, Any]:
    told = dict(EXPECTED[agent]["totals"])
    told.pop("cost_usd", None)
    if agent == "qwen":
        told["output_incl_reasoning"] = told.pop("output")  # Qwen's thoughts are a part of its output
    return told


AGENTS = ("claude", "codex", "gemini", "qwen", "copilot", "opencode")


@pytest.mark.parametrize("agent", AGENTS)
def test_transcripts_come_to_their_expected_totals_and_again_in_any_order_to_the_same(
    receiver: Receiver, machine: Machine, agent: str
) -> None:
    given = documents(machine, agent)
    send(receiver, given)
    receiver.measure()
    first, days = requests(receiver), dump(receiver.engine, "agent_days")
    assert as_expected(first, expected_of(agent)) == expected_of(agent)
    again = given * 2
    random.Random(agent).shuffle(again)
    send(receiver, again)
    receiver.measure()
    assert requests(receiver) == first
    assert dump(receiver.engine, "agent_days") == days


def test_a_session_with_otlp_on_and_the_hook_installed_counts_once(receiver: Receiver, machine: Machine) -> None:
    """What only one of the two knows counts too: the hook's session has 12 requests, OTLP's auxiliary ones beside."""
    session = "919731b1-e785-4ec4-8270-b6c9e2b79e32"
    given = documents(machine, "claude")
    for document in given:
        document["sessions"] = [one for one in document["sessions"] if one["session"] == session]
    send(receiver, given)
    hooked = requests(receiver)
    assert as_expected(hooked, EXPECTED["claude"]["by_session"][session]) == {
        name: count for name, count in EXPECTED["claude"]["by_session"][session].items() if name != "cost_usd"
    }
    for name in ("claude_code.logs.json", "claude_code.resume_pr.logs.json"):
        for _ in range(2):
            body = sample(name).body
            assert receiver.post("/v1/logs", gzip.compress(body), receiver.tokens["ann"], headers=ZIPPED).text == "{}"
    both = requests(receiver)
    assert {one.key for one in hooked} <= {one.key for one in both}
    main = [one for one in both if one.origin != "auxiliary"]
    assert sum(one.tokens.total for one in main) == sum(one.tokens.total for one in hooked)


ZIPPED = {"content-encoding": "gzip"}
