"""The captured bodies add up to what was computed for them by other means (expected.json), file by file.

What is compared and is no part of the product (sessions started, lines changed) is decoded with a wider rule of what is
kept, made here.
"""

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from bot.domain.agents import AgentEvent, AgentRequest, Happening, Proof
from bot.domain.series import Meter, Reading, totals
from integrations.agents import ALLOWED, read
from integrations.otlp import Log, Point, Span
from tests.integrations.agents.samples import EXPECTED, FILES, counted, sample, told_by, total

CLAUDE_LOGS = [name for name in EXPECTED if name.startswith("claude_code") and name.endswith(".logs.json")]
METRICS = [name for name in EXPECTED if name.endswith(".metrics.json")]
COMBINED = {
    "claude_code.delta_series_(1+2+3)": [f"claude_code.delta_series_{number}.metrics.json" for number in (1, 2, 3)],
    "gemini_cli.cumulative_(1,2,3)": [
        *(f"gemini_cli.cumulative_{number}.metrics.json" for number in ("1", "2", "3_restart")),
    ],
    "copilot_vscode.(traces+logs)": ["copilot_vscode.traces.json", "copilot_vscode.logs.json"],
}
LABELS = (  # in the order in which the names of expected.json hold them
    *("gen_ai.token.type", "start_type", "model", "gen_ai.request.model", "query_source", "agent.name"),
    *("type", "token_type", "decision", "gen_ai.tool.name"),
)


def test_every_file_and_every_total_is_compared_here() -> None:
    others = {"codex.logs.json", "codex.traces.json", "gemini_cli.logs.json", "qwen_code.logs.json"}
    others |= {"copilot_cli.traces.json", "copilot_vscode.traces.json", "opencode.traces.json"}
    assert {*CLAUDE_LOGS, *METRICS, *COMBINED, *others} == set(EXPECTED)
    alone = {"claude_code.tool_details.logs.pb", "claude_code.tool_details.logs.pb.gz", "claude_code.traces.json"}
    alone |= {"claude_code.version_entrypoint.metrics.pb", "copilot_vscode.logs.json"}
    alone |= {"edge_cases.logs.json", "empty.logs.json"}
    combined = {name for names in COMBINED.values() for name in names}
    assert {*CLAUDE_LOGS, *METRICS, *others, *alone, *combined} == set(FILES)


@pytest.mark.parametrize("name", CLAUDE_LOGS)
def test_claude_codes_events(name: str) -> None:
    expected, told = EXPECTED[name], told_by(name)
    requests, happened = told.telemetry.requests, counted(told)
    tokens = total(requests)
    assert {
        "input": tokens.fresh,
        "output": tokens.output,
        "cache_read": tokens.cache_read,
        "cache_creation": tokens.cache_write_5m,
    } == expected["tokens"]
    assert sum(request.cost_micro or 0 for request in requests) == expected["cost_usd_micros"]
    by_model: Counter[str] = Counter()
    for request in requests:
        by_model[request.model] += request.cost_micro or 0
    # each request is a whole number of micro-dollars, so a sum of n may be n/2 of them off the exact one
    assert by_model.keys() == expected["by_model"].keys()
    assert all(abs(by_model[model] - Decimal(str(cost)) * 10**6) <= 4 for model, cost in expected["by_model"].items())
    everything: tuple[AgentRequest | AgentEvent, ...] = (*requests, *told.telemetry.events)
    assert {one.session for one in everything} == set(expected["sessions"])
    assert happened[Happening.PROMPT] == expected["turns"]
    assert happened[Happening.REJECTED] == expected["rejections"]
    results = {"success": happened[Happening.TOOL_OK], "failure": happened[Happening.TOOL_FAILED]}
    assert results == expected["tool_results"]
    assert happened[Happening.API_ERROR] == expected["events"].get("api_error", 0)
    assert happened[Happening.COMPACTION] == expected["events"].get("compaction", 0)
    assert len(requests) == expected["events"].get("api_request", 0)


@pytest.mark.parametrize("name", CLAUDE_LOGS)
def test_claude_codes_events_by_name_and_exact_dollars(name: str) -> None:
    expected = EXPECTED[name]
    wide = replace(ALLOWED, events=frozenset(expected["events"]))
    records = [record for record in sample(name).batch(wide).records if isinstance(record, Log)]
    assert Counter(record.name for record in records) == expected["events"]
    asked = [record for record in records if record.name == "api_request"]
    assert sorted({str(record.get("query_source")) for record in asked}) == expected["query_sources"]
    dollars = sum((Decimal(str(record.get("cost_usd"))) for record in asked), Decimal(0))
    assert float(round(dollars, 9)) == expected["cost_usd"]


def values_of(*names: str, metrics: frozenset[str]) -> dict[str, float]:
    wide = replace(ALLOWED, metrics=metrics, attributes=ALLOWED.attributes | set(LABELS))
    sums: Counter[str] = Counter()
    for name in names:
        for point in sample(name).batch(wide).records:
            assert isinstance(point, Point)
            labels = [str(point.attributes[label]) for label in LABELS if label in point.attributes]
            sums["|".join([point.name, *labels])] += round(Decimal(str(point.value)) * 10**9)
    return {name: float(Decimal(value) / 10**9) for name, value in sums.items()}


@pytest.mark.parametrize("name", METRICS)
def test_the_values_of_every_counter(name: str) -> None:
    expected = EXPECTED[name]["values"]
    assert values_of(name, metrics=frozenset(key.partition("|")[0] for key in expected)) == expected


@pytest.mark.parametrize("name", METRICS)
def test_the_temporality_of_every_counter(name: str) -> None:
    found = {point.temporality for point in sample(name).batch().records if isinstance(point, Point)}
    assert [{"delta": 1, "cumulative": 2}[one] for one in found] == EXPECTED[name]["temporality"]


def readings(*names: str) -> list[Reading]:
    return [reading for name in names for reading in told_by(name).readings]


def test_deltas_add_up() -> None:
    name = "claude_code.delta_series_(1+2+3)"
    expected = EXPECTED[name]["values"]
    assert values_of(*COMBINED[name], metrics=frozenset(key.partition("|")[0] for key in expected)) == expected
    # tokens: 10 + 31 in, 50 + 82 out, 3,000 + 6,000 read, 200 + 17,400 written; $0.00243 + $0.068373 = $0.070803
    assert totals(readings(*COMBINED[name])) == {
        Meter.FRESH: 41,
        Meter.ANSWER: 132,
        Meter.CACHE_READ: 9_000,
        Meter.CACHE_WRITE: 17_600,
        Meter.COST: 70_803_000,
    }


def test_a_cumulative_counter_goes_on_from_its_start_and_adds_after_a_restart() -> None:
    name = "gemini_cli.cumulative_(1,2,3)"
    found, expected = totals(readings(*COMBINED[name])), EXPECTED[name]["values"]
    # input: 16,700 replaces 8,200, and 5,000 is another process: 21,700
    assert {
        "input": found[Meter.INPUT],
        "output": found[Meter.ANSWER],
        "cache": found[Meter.CACHE_READ],
        "thought": found[Meter.REASONING],
        "tool": found[Meter.FRESH],
    } == expected


def test_codexs_events() -> None:
    expected, told = EXPECTED["codex.logs.json"], told_by("codex.logs.json")
    tokens, happened = total(told.telemetry.requests), counted(told)
    assert {request.session for request in told.telemetry.requests} == set(expected["conversations"])
    assert len(told.telemetry.requests) == expected["responses"]
    assert {
        "input_incl_cached": tokens.fresh + tokens.cache_read + tokens.cache_write_5m,
        "cached": tokens.cache_read,
        "cache_write": tokens.cache_write_5m,
        "output_incl_reasoning": tokens.output + (tokens.reasoning or 0),
        "reasoning": tokens.reasoning,
    } == expected["tokens"]
    assert happened[Happening.PROMPT] == expected["turns"]
    assert happened[Happening.API_ERROR] == expected["api_failures"]
    assert happened[Happening.TOOL_OK] + happened[Happening.TOOL_FAILED] == expected["tool_results"]
    logs = [record for record in sample("codex.logs.json").batch().records if isinstance(record, Log)]
    assert sum(record.name == "codex.api_request" for record in logs) == expected["api_attempts"]
    bare = [record for record in logs if record.get("event.kind") == "response.completed"]
    without = sum("input_token_count" not in record.attributes for record in bare)
    assert without == expected["response_completed_records_without_tokens"]


def test_codexs_spans_repeat_its_events_and_are_not_read() -> None:
    expected = EXPECTED["codex.traces.json"]["session_task.turn"]
    wide = replace(ALLOWED, attributes=frozenset(expected))
    spans = sample("codex.traces.json").batch(wide).records
    assert [span.attributes for span in spans if "turn.id" in span.attributes] == [expected]
    assert read(sample("codex.traces.json").batch().records) == ([], Counter())


@pytest.mark.parametrize("name", ["gemini_cli.logs.json", "qwen_code.logs.json"])
def test_geminis_and_qwens_events(name: str) -> None:
    expected, told = EXPECTED[name], told_by(name)
    tokens, happened = total(told.telemetry.requests), counted(told)
    is_inside = name.startswith("qwen")  # on an OpenAI interface, thoughts are part of the output
    assert {
        "input_incl_cached": tokens.fresh + tokens.cache_read,
        "cached": tokens.cache_read,
        "output": tokens.output + (tokens.reasoning or 0 if is_inside else 0),
        "thoughts": tokens.reasoning,
        "total": tokens.total,
    } == expected["tokens"]
    assert len(told.telemetry.requests) == expected["responses"]
    assert happened[Happening.PROMPT] == expected["turns"]
    assert happened[Happening.API_ERROR] == expected["api_errors"]
    assert happened[Happening.TOOL_OK] + happened[Happening.TOOL_FAILED] == expected["tool_calls"]


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("copilot_cli.traces.json", ["copilot_cli.traces.json"]),
        ("copilot_vscode.traces.json", ["copilot_vscode.traces.json"]),
        ("copilot_vscode.(traces+logs)", COMBINED["copilot_vscode.(traces+logs)"]),
    ],
)
def test_copilots_spans_of_calls_count_and_the_agents_own_sums_do_not(name: str, files: list[str]) -> None:
    expected, told = EXPECTED[name], told_by(*files)
    tokens = total(told.telemetry.requests)
    assert {
        "input_incl_cached": tokens.fresh + tokens.cache_read,
        "cache_read": tokens.cache_read,
        "output_incl_reasoning": tokens.output + (tokens.reasoning or 0),
        "reasoning": tokens.reasoning,
    } == expected["tokens"]
    for field, found in {
        "chat_spans": len(told.telemetry.requests),
        "conversations": sorted({request.session for request in told.telemetry.requests}),
        "execute_tool_spans": counted(told)[Happening.TOOL_OK] + counted(told)[Happening.TOOL_FAILED],
    }.items():
        assert expected.get(field, found) == found


@pytest.mark.parametrize("name", ["copilot_cli.traces.json", "copilot_vscode.traces.json"])
def test_copilots_repetition_and_where_it_was(name: str) -> None:
    expected = EXPECTED[name]
    git = ("repository", "branch", "commit_sha")
    wide = replace(
        ALLOWED,
        attributes=ALLOWED.attributes | {f"github.copilot.git.{one}" for one in git} | {"github.copilot.github.org"},
    )
    (agent,) = [
        span for span in sample(name).batch(wide).records if span.get("gen_ai.operation.name") == "invoke_agent"
    ]
    assert isinstance(agent, Span)
    repeated = {kind: agent.get(f"gen_ai.usage.{kind}_tokens") for kind in ("input", "output")}
    assert repeated == expected["invoke_agent_repeats_the_same_tokens"]
    said = {key: value for key, value in agent.attributes.items() if key.startswith(("github.copilot.git",))}
    assert said == expected["git"]
    places = [(one.proof, one.repository, one.branch, one.commit) for one in told_by(name).telemetry.evidence]
    known = [(Proof.BRANCH, "acme/widgets", "feature/fix-add", None)]  # the commit was there before the turn
    assert places == (known if expected["git"] else [])


def test_opencodes_streamed_answers_count_and_the_spans_around_them_do_not() -> None:
    expected, told = EXPECTED["opencode.traces.json"], told_by("opencode.traces.json")
    tokens = total(told.telemetry.requests)
    assert {
        "input_incl_cached": tokens.fresh + tokens.cache_read,
        "cached": tokens.cache_read,
        "output_incl_reasoning": tokens.output + (tokens.reasoning or 0),
        "reasoning": tokens.reasoning,
    } == expected["tokens"]
    assert len(told.telemetry.requests) == 1


def test_claude_codes_counters_agree_with_its_events() -> None:
    """The same process over both signals: 49 in, 775 out, 99,000 read, 24,900 written, $0.1638105."""
    by_counters, by_events = totals(readings("claude_code.metrics.json")), EXPECTED["claude_code.logs.json"]
    assert by_counters[Meter.COST] == round(Decimal(str(by_events["cost_usd"])) * 10**9)
    kinds: dict[str, Any] = {
        "input": by_counters[Meter.FRESH],
        "output": by_counters[Meter.ANSWER],
        "cache_read": by_counters[Meter.CACHE_READ],
        "cache_creation": by_counters[Meter.CACHE_WRITE],
    }
    assert kinds == by_events["tokens"]


def test_codexs_counters_agree_with_its_events() -> None:
    found = totals(readings("codex.metrics.json"))
    assert [found[meter] for meter in (Meter.INPUT, Meter.CACHE_READ, Meter.OUTPUT, Meter.REASONING)] == [
        47_100,
        34_432,
        680,
        384,
    ]
