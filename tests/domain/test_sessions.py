"""What counts of a session that arrives over OTLP and from the hook: each request once, whatever the order."""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.agents import AgentEvent, AgentRequest, Happening, Origin, Via, request_key
from bot.domain.model import Tokens
from bot.domain.sessions import EDGE, TWINS, Arrival, Turns, chosen, turns

START = datetime(2026, 5, 4, 9, tzinfo=UTC)
SAMPLES = Path(__file__).parents[1] / "samples"


def second(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def request(key: str, at: float = 0, **facts: Any) -> AgentRequest:
    ordinary: dict[str, Any] = {"agent": "claude_code", "session": "s1", "model": "m", "tokens": Tokens(fresh=10)}
    return AgentRequest(key=key, at=second(at), **(ordinary | facts))


def otlp(*requests: AgentRequest) -> list[Arrival]:
    return [Arrival(Via.OTLP, one) for one in requests]


def hook(*requests: AgentRequest) -> list[Arrival]:
    return [Arrival(Via.HOOK, one) for one in requests]


def keys(arrivals: Iterable[Arrival]) -> list[str]:
    return [one.key for one in chosen(arrivals)]


def test_the_same_key_is_one_request_with_the_hooks_counters_and_the_cost_of_whichever_tells_it():
    over_otlp = request("k", 0.4, tokens=Tokens(10, cache_write_5m=500, output=7), cost_micro=1234, turn="p1")
    from_hook = request("k", 0, tokens=Tokens(10, cache_write_5m=200, cache_write_1h=300, output=7))
    assert chosen(otlp(over_otlp) + hook(from_hook)) == (replace(from_hook, cost_micro=1234, turn="p1"),)
    assert chosen(otlp(replace(over_otlp, cost_micro=None)) + hook(replace(from_hook, cost_micro=9)))[0].cost_micro == 9
    assert chosen(otlp(over_otlp)) == (over_otlp,)


def test_counters_of_a_line_that_was_not_complete_yet_give_way_to_the_full_ones():
    """Some versions write a stream's first lines with one to three tokens of output."""
    partial, full = request("k", tokens=Tokens(10, output=2)), request("k", 1, tokens=Tokens(10, output=95))
    assert chosen(hook(partial, full)) == (full,)
    over_otlp = request("k", 1.2, tokens=Tokens(10, output=95), cost_micro=5)
    assert chosen(hook(partial) + otlp(over_otlp)) == (over_otlp,)


def test_a_sub_agents_replay_of_a_line_is_not_preferred_though_it_is_fuller():
    own, replay = request("k", tokens=Tokens(10)), request("k", tokens=Tokens(99), origin=Origin.SUBAGENT)
    assert chosen(hook(own, replay)) == (own,)


def test_a_request_without_tokens_stays_one():
    assert keys(
        otlp(request("a", tokens=Tokens()), request("b", tokens=Tokens())) + hook(request("c", tokens=Tokens()))
    ) == [
        "a",
        "b",
        "c",
    ]


def test_a_copied_request_counts_for_the_session_that_said_so_while_it_happened():
    own, copy = request("k"), request("k", session="a fork")
    assert [one.session for one in chosen(hook(own, copy) + otlp(own))] == ["s1"]


def test_a_copied_request_that_only_transcripts_tell_of_counts_for_the_session_that_began_first():
    earlier = request("first", -60)
    own, copy = request("k"), request("k", session="a fork")
    assert [(one.key, one.session) for one in chosen(hook(copy, own, earlier))] == [("first", "s1"), ("k", "s1")]


def test_claude_code_compaction_and_titles_that_only_otlp_tells_of_still_count():
    title = request("title", 0.1, tokens=Tokens(3), origin=Origin.AUXILIARY)
    compaction = request("compact", 5, tokens=Tokens(4), origin=Origin.AUXILIARY)
    work = request("work", 1, turn="p1"), request("more", 9, turn="p1", tokens=Tokens(11))
    assert keys(otlp(title, compaction, *work) + hook(*work)) == ["title", "work", "compact", "more"]


@pytest.mark.parametrize("agent", ["codex", "gemini_cli"])
def test_where_otlp_has_no_ids_the_hook_replaces_it_in_the_time_of_its_turns(agent):
    def one(key: str, at: float, fresh: int, **facts: Any) -> AgentRequest:
        return request(key, at, agent=agent, tokens=Tokens(fresh), **facts)

    before, after = one("o1", 0, 1), one("o5", 300, 5)  # turns from before and after the hook was there
    over_otlp = one("o2", 100, 2), one("o3", 130, 3), one("o4", 160, 4)
    from_hook = one("h2", 100, 22, turn="t1"), one("h3", 130, 33, turn="t1"), one("h4", 160, 44, turn="t1")
    other = one("o6", 130, 6, session="s2")
    found = keys(otlp(before, *over_otlp, after, other) + hook(*from_hook))
    assert found == ["o1", "h2", "h3", "o6", "h4", "o5"]


def test_the_time_of_a_turn_has_a_small_edge_because_two_clocks_are_read():
    edge = EDGE.total_seconds()
    from_hook = request("h", 0, agent="codex", turn="t1", tokens=Tokens(99))
    for at, counts in ((-edge - 1, True), (-edge, False), (edge, False), (edge + 1, True)):
        found = keys(otlp(request("o", at, agent="codex")) + hook(from_hook))
        assert ("o" in found) is counts


def test_between_two_turns_of_the_hook_otlp_still_counts():
    """The hook was off for one turn."""
    from_hook = [request(f"h{at}", at, agent="codex", turn=f"t{at}", tokens=Tokens(90 + at)) for at in (0, 100)]
    assert keys(otlp(request("o", 50, agent="codex")) + hook(*from_hook)) == ["h0", "o", "h100"]


def test_housekeeping_is_not_replaced_because_no_transcript_has_it():
    from_hook = [request(f"h{at}", at, agent="gemini_cli", turn="t1", tokens=Tokens(90 + at)) for at in (0, 100)]
    router = request("o", 50, agent="gemini_cli", origin=Origin.AUXILIARY)
    assert keys(otlp(router) + hook(*from_hook)) == ["h0", "o", "h100"]


def test_agents_with_ids_are_not_replaced_by_time():
    from_hook = [request(f"h{at}", at, turn="t1", tokens=Tokens(90 + at)) for at in (0, 100)]
    assert keys(otlp(request("o", 50)) + hook(*from_hook)) == ["h0", "o", "h100"]


def test_one_request_under_two_keys_is_known_by_its_counters():
    """Some versions of Claude Code leave the request id out of the transcript; its key is then another."""
    over_otlp = request("req", 1, tokens=Tokens(12, cache_write_5m=18000, output=140), cost_micro=110136)
    from_hook = request("msg", 0, tokens=Tokens(12, cache_write_5m=0, cache_write_1h=18000, output=140), turn="p1")
    assert chosen(otlp(over_otlp) + hook(from_hook)) == (replace(from_hook, cost_micro=110136),)


def test_the_same_counters_are_two_requests_in_another_session_or_a_minute_apart_or_told_the_same_way():
    beyond = TWINS.total_seconds() + 1
    assert keys(otlp(request("a")) + hook(request("b", session="s2"))) == ["a", "b"]
    assert keys(otlp(request("a")) + hook(request("b", beyond))) == ["a", "b"]
    assert keys(otlp(request("a", beyond)) + hook(request("b"))) == ["b", "a"]
    assert keys(otlp(request("a"), request("b"))) == ["a", "b"]
    assert keys(otlp(request("a"), request("b")) + hook(request("a"), request("c"))) == ["a", "c"]  # b is c
    assert keys(otlp(request("a")) + hook(request("a"), request("c"))) == ["a", "c"]


def test_pairs_are_one_to_one_in_order_of_time():
    found = chosen(
        otlp(request("o1", 0), request("o2", 30)) + hook(request("h1", 1), request("h2", 31), request("h3", 32))
    )
    assert [one.key for one in found] == ["h1", "h2", "h3"]


def test_the_captured_session_counts_once_over_both_ways():
    """Eight requests, the same in both samples: 99,000 tokens read from caches, 24,900 written, $0.163811 by OTLP."""
    arrivals = otlp(*sampled_otlp()) + hook(*sampled_transcript())
    found = chosen(arrivals)
    mine = [one for one in found if one.key in {told.key for told in sampled_otlp()}]
    assert len(mine) == 8
    assert sum((one.tokens for one in mine), Tokens()).cache_read == 99_000
    assert sum(one.tokens.cache_write_5m + (one.tokens.cache_write_1h or 0) for one in mine) == 24_900
    assert sum(one.cost_micro or 0 for one in mine) == 163_811
    assert any(one.tokens.cache_write_1h for one in mine)  # which OTLP cannot tell
    assert len(found) == len({one.key for one in sampled_transcript()})


# --- whatever the order ---------------------------------------------------------------------------------------------

ANY_TOKENS = st.builds(
    Tokens,
    fresh=st.integers(0, 2),
    cache_write_5m=st.integers(0, 2),
    cache_write_1h=st.none() | st.integers(0, 2),
    output=st.integers(0, 2),
)
ANY_REQUEST = st.builds(
    request,
    st.sampled_from(["k1", "k2", "k3"]),
    st.integers(0, 90),
    agent=st.sampled_from(["claude_code", "codex"]),
    session=st.sampled_from(["s1", "s2"]),
    tokens=ANY_TOKENS,
    cost_micro=st.none() | st.integers(0, 3),
    turn=st.sampled_from([None, "t1", "t2"]),
    origin=st.sampled_from(Origin),
)
BATCHES = st.lists(st.lists(st.builds(Arrival, st.sampled_from(Via), ANY_REQUEST), max_size=5), max_size=5)


@settings(max_examples=300)
@given(BATCHES, st.randoms(use_true_random=False))
def test_batches_in_any_order_and_repeated_give_what_their_union_gives(batches, chance):
    union = {arrival for batch in batches for arrival in batch}
    sent = [*batches, *batches[:2], *(batch[1:] for batch in batches)]
    chance.shuffle(sent)
    found = chosen(arrival for batch in sent for arrival in batch)
    assert found == chosen(union)
    assert len({(one.agent, one.key) for one in found}) == len(found)


@st.composite
def histories(draw) -> tuple[list[AgentRequest], list[Arrival]]:
    """What really happened, and what arrived of it: the hook tells of some turns whole, OTLP of any requests."""
    agent = draw(st.sampled_from(["claude_code", "codex", "gemini_cli"]))
    truth: list[AgentRequest] = []
    arrivals: list[Arrival] = []
    for turn in range(draw(st.integers(1, 4))):
        is_hooked = draw(st.booleans())
        for step in range(draw(st.integers(1, 3))):
            place = len(truth)
            one = request(f"id{place}", 100 * turn + 10 * step, agent=agent, tokens=Tokens(2**place), turn=f"t{turn}")
            skew = draw(st.integers(-1, 1))
            bare = agent != "claude_code"  # a fingerprint for a key, and no turn
            fingerprint: dict[str, Any] = {"key": f"print{place}", "turn": None} if bare else {}
            is_told = draw(st.booleans()) or not is_hooked
            arrivals += hook(one) if is_hooked else []
            arrivals += otlp(replace(one, at=one.at + timedelta(seconds=skew), **fingerprint)) if is_told else []
            truth.append(one)
    return truth, arrivals


@settings(max_examples=300)
@given(histories(), st.randoms(use_true_random=False))
def test_what_happened_is_counted_once_however_it_was_told(history, chance):
    """Each request has its own power of two in tokens, so the sum is right only if each is in it once."""
    truth, arrivals = history
    sent = [*arrivals, *arrivals]
    chance.shuffle(sent)
    expected = 2 ** len(truth) - 1
    assert sum(one.tokens.total for one in chosen(sent)) == expected
    naive = {(one.request.agent, one.request.key): one.request.tokens.total for one in arrivals}
    both_ways = len(naive) > len(truth)  # the check bites: by key alone, agents without ids count twice
    assert (sum(naive.values()) == expected) is not both_ways


# --- turns ----------------------------------------------------------------------------------------------------------


def prompt(key: str, at: float = 0, **facts: Any) -> AgentEvent:
    ordinary: dict[str, Any] = {"agent": "claude_code", "session": "s1", "happening": Happening.PROMPT}
    return AgentEvent(key=key, at=second(at), **(ordinary | facts))


def test_turns_are_distinct_prompts_told_by_a_prompt_or_by_its_requests():
    requests = [request("a", 1, turn="p1"), request("b", 2, turn="p1"), request("c", 3, turn="p2")]
    prompts = [prompt("e1", turn="p1"), prompt("again", turn="p1"), prompt("interrupted", 9, turn="p3")]
    assert turns(requests, prompts) == Turns(human=3, auto=0)
    assert turns([], []) == Turns(human=0, auto=0)


def test_sub_agents_and_housekeeping_are_no_turns():
    requests = [request("a", turn="p1"), request("b", turn="x", origin=Origin.SUBAGENT)]
    assert turns([*requests, request("c", turn="y", origin=Origin.AUXILIARY)], []) == Turns(human=1, auto=0)


def test_headless_runs_are_counted_apart_one_for_each_prompt():
    requests = [request("a", turn="p1"), request("b", turn="p2"), request("c", session="ci", turn="p3")]
    assert turns(requests, [], headless={("claude_code", "ci")}) == Turns(human=2, auto=1)


def test_a_copied_prompt_is_one_turn_and_a_persons_if_it_was_a_persons():
    copies = [prompt("e", turn="p1"), prompt("f", session="fork", turn="p1"), prompt("g", session="fork", turn="p2")]
    assert turns([], copies) == Turns(human=2, auto=0)
    assert turns([], copies, headless={("claude_code", "fork")}) == Turns(human=1, auto=1)


def test_a_prompt_without_an_id_is_the_turn_that_its_next_request_names():
    """Codex tells of prompts without an id over OTLP; the hook names the turn."""
    prompts = [prompt("e1", 0), prompt("e2", 10), prompt("e3", 20)]
    named = [request("a", 1, turn="t1"), request("b", 11)]
    assert turns(named, prompts) == Turns(human=3, auto=0)  # t1 with its e1, e2, and e3 that nothing followed
    assert turns([], prompts) == Turns(human=3, auto=0)


def test_the_captured_sessions_have_twelve_turns():
    """`distinct_turns_over_all_files` of the sample's expected numbers, as the reader tells them."""
    expected = json.loads((SAMPLES / "transcripts" / "expected.json").read_text())["claude"]
    told = [prompt(f"{session} {turn}", session=session, turn=turn) for session, turn in sampled_prompts()]
    assert turns([], told) == Turns(human=expected["distinct_turns_over_all_files"], auto=0)


def sampled_otlp() -> list[AgentRequest]:
    logs = json.loads((SAMPLES / "otlp" / "claude_code.logs.json").read_text())["resourceLogs"]
    records = [record for one in logs for scope in one["scopeLogs"] for record in scope["logRecords"]]
    told = [{one["key"]: next(iter(one["value"].values())) for one in record["attributes"]} for record in records]
    return [
        AgentRequest(
            agent="claude_code",
            session=one["session.id"],
            key=request_key("claude_code", one["request_id"]),
            at=datetime.fromisoformat(one["event.timestamp"]),
            model=one["model"],
            tokens=Tokens(
                fresh=int(one["input_tokens"]),
                cache_write_5m=int(one["cache_creation_tokens"]),
                cache_read=int(one["cache_read_tokens"]),
                output=int(one["output_tokens"]),
            ),
            cost_micro=int(one["cost_usd_micros"]),
            turn=one["prompt.id"],
        )
        for one in told
        if one.get("event.name") == "api_request"
    ]


def sampled_transcript() -> list[AgentRequest]:
    found = []
    folder = SAMPLES / "transcripts" / "claude" / "projects"
    for path in sorted(folder.rglob("919731b1*.jsonl")) + sorted(folder.rglob("agent-*.jsonl")):
        for line in map(json.loads, path.read_text().splitlines()):
            if line.get("type") == "assistant" and line.get("requestId"):
                usage = line["message"]["usage"]
                written = usage.get("cache_creation") or {}
                tokens = Tokens(
                    fresh=usage["input_tokens"],
                    cache_write_5m=written.get("ephemeral_5m_input_tokens", 0),
                    cache_write_1h=written.get("ephemeral_1h_input_tokens", 0),
                    cache_read=usage["cache_read_input_tokens"],
                    output=usage["output_tokens"],
                )
                key = request_key("claude_code", line["requestId"])
                at = datetime.fromisoformat(line["timestamp"])
                found.append(AgentRequest("claude_code", line["sessionId"], key, at, line["message"]["model"], tokens))
    return found


def sampled_prompts() -> set[tuple[str, str]]:
    """By the sample's own rule: a person's lines, without results, commands, summaries and interruptions."""
    found = set()
    for path in (SAMPLES / "transcripts" / "claude" / "projects").rglob("*.jsonl"):
        for line in map(json.loads, path.read_text().splitlines()):
            flags = ("isMeta", "isCompactSummary", "isSidechain")
            if line.get("type") == "user" and line.get("promptId") and not any(line.get(flag) for flag in flags):
                content = line["message"]["content"]
                parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
                texts = [part.get("text", "") for part in parts if part["type"] != "tool_result"]
                marks = ("<command-name>", "<local-command", "[Request interrupted")
                if texts and not any(text.startswith(marks) for text in texts):
                    found.add((line["sessionId"], line["promptId"]))
    return found
