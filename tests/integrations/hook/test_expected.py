"""The samples of every agent add up to what was computed for them by other means (expected.json)."""

import json
import shutil
from pathlib import Path

import pytest

from integrations.hook import Request, Session, Turn, read
from tests.integrations.hook.machine import SAMPLES, opencode_database

EXPECTED = json.loads((SAMPLES / "expected.json").read_text())
CLAUDE = ("claude", "claude_older_versions", "claude_pricing_edge")


def requests(sessions: list[Session]) -> list[Request]:
    return [request for session in sessions for turn in session.turns for request in turn.requests.values()]


def as_claude(found: list[Request]) -> dict[str, int]:
    """In Claude's own words: what was written to the cache is one number."""
    return {
        "input": sum(one.fresh for one in found),
        "output": sum(one.output for one in found),
        "cache_creation": sum(one.cache_write_5m + (one.cache_write_1h or 0) for one in found),
        "cache_read": sum(one.cache_read for one in found),
        "requests": len(found),
    }


def as_openai(found: list[Request]) -> dict[str, int]:
    """In OpenAI's own words: the input includes what was cached, the output includes reasoning."""
    given = sum(one.fresh + one.cache_write_5m + one.cache_read for one in found)
    output = sum(one.output + (one.reasoning or 0) for one in found)
    return {
        "input_incl_cached": given,
        "cached": sum(one.cache_read for one in found),
        "output_incl_reasoning": output,
        "reasoning": sum(one.reasoning or 0 for one in found),
        "total": given + output,
    }


def without_cost(told: dict[str, float]) -> dict[str, float]:
    return {name: number for name, number in told.items() if name != "cost_usd"}


@pytest.mark.parametrize("sample", CLAUDE)
def test_claude_adds_up_in_total_and_by_session(sample: str) -> None:
    sessions = read("claude_code", str(SAMPLES / sample))

    assert as_claude(requests(sessions)) == without_cost(EXPECTED[sample]["totals"])
    assert {one.id: as_claude(requests([one])) for one in sessions} == {
        id: without_cost(told) for id, told in EXPECTED[sample]["by_session"].items()
    }


@pytest.mark.parametrize("sample", ["codex", "codex_older_versions"])
def test_codex_adds_up_in_total_and_by_session(sample: str) -> None:
    sessions = read("codex", str(SAMPLES / sample))

    assert as_openai(requests(sessions)) == EXPECTED[sample]["totals"]
    assert {one.id: as_openai(requests([one])) for one in sessions} == EXPECTED[sample]["by_session"]


def test_gemini_adds_up_with_thoughts_beside_the_output() -> None:
    found = requests(read("gemini_cli", str(SAMPLES / "gemini")))
    output, thoughts = sum(one.output for one in found), sum(one.reasoning or 0 for one in found)
    given, cached = sum(one.fresh + one.cache_read for one in found), sum(one.cache_read for one in found)

    assert {
        "input_incl_cached": given,
        "cached": cached,
        "output": output,
        "thoughts": thoughts,
        "total": given + output + thoughts,
    } == EXPECTED["gemini"]["totals"]


def test_qwen_adds_up_with_thoughts_inside_the_output_where_its_total_says_so() -> None:
    found = requests(read("qwen_code", str(SAMPLES / "qwen")))
    totals = as_openai(found)

    assert {
        "input_incl_cached": totals["input_incl_cached"],
        "cached": totals["cached"],
        "output": totals["output_incl_reasoning"],
        "thoughts": totals["reasoning"],
    } == EXPECTED["qwen"]["totals"]
    # 9000 in and 120 out make the 9120 of the file: the 40 thoughts are among the 120.
    assert [(one.output, one.reasoning) for one in found] == [(80, 40), (15, 0)]


def test_copilot_adds_up_and_its_closing_sums_add_nothing() -> None:
    sessions = read("copilot", str(SAMPLES / "copilot"))
    found, totals = requests(sessions), as_openai(requests(sessions))

    assert {
        "requests": len(found),
        "input_incl_cached": totals["input_incl_cached"],
        "cache_read": totals["cached"],
        "output_incl_reasoning": totals["output_incl_reasoning"],
        "reasoning": totals["reasoning"],
    } == EXPECTED["copilot"]["totals"]


def test_copilot_says_where_it_was() -> None:
    (turn,) = read("copilot", str(SAMPLES / "copilot"))[0].turns
    git = EXPECTED["copilot"]["git"]

    assert (turn.cwd, turn.repository, turn.branch, turn.head) == (
        git["cwd"],
        git["repository"],
        git["branch"],
        git["headCommit"],
    )


def test_opencode_adds_up_with_its_own_cost(tmp_path: Path) -> None:
    found = requests(read("opencode", str(opencode_database(tmp_path))))
    expected = EXPECTED["opencode"]["totals"]

    assert {
        "input_excl_cached": sum(one.fresh for one in found),
        "cache_read": sum(one.cache_read for one in found),
        "cache_write": sum(one.cache_write_5m for one in found),
        "output_excl_reasoning": sum(one.output for one in found),
        "reasoning": sum(one.reasoning or 0 for one in found),
    } == without_cost(expected)
    # $0.00924 and $0.0011204: 9240 and 1120 micro-dollars, the last 0.4 of one rounded away.
    assert [one.cost_micro for one in found] == [9240, 1120]
    assert expected["cost_usd"] == pytest.approx(0.01036, abs=1e-6)


def alone(session: str, tmp_path: Path) -> list[Turn]:
    """What one file says without the files that it may have copied from."""
    name = "projects/-home-dev-src-widgets"
    place = tmp_path / name
    place.mkdir(parents=True)
    shutil.copy(SAMPLES / "claude" / name / f"{session}.jsonl", place)
    inner = SAMPLES / "claude" / name / session
    if inner.exists():
        shutil.copytree(inner, place / session)
    (found,) = read("claude_code", str(tmp_path))
    return found.turns


@pytest.mark.parametrize("session", EXPECTED["claude"]["session_facts"])
def test_each_claude_file_tells_what_happened_in_it(session: str, tmp_path: Path) -> None:
    turns, expected = alone(session, tmp_path), EXPECTED["claude"]["session_facts"][session]
    counted = {name: sum(turn.counters[name] for turn in turns) for name in turns[0].counters if name != "edited"}
    done = [operation for operation in expected["git_operations"]]

    assert list(dict.fromkeys(name for turn in turns for name in turn.branches)) == expected["git_branch_values"]
    assert [pull.number for turn in turns for pull in turn.pulls] == expected["pr_links"]
    assert [sha for turn in turns for sha in turn.commits] == [one["commit"]["sha"] for one in done if "commit" in one]
    assert [name for turn in turns for name in turn.pushed] == [one["push"]["branch"] for one in done if "push" in one]
    assert [f"https://github.com/{pull.repository}/pull/{pull.number}" for turn in turns for pull in turn.pulls] == [
        one["pr"]["url"] for one in done if "pr" in one
    ]
    assert sum(turn.prompted for turn in turns) == expected["turns"]
    assert counted["interrupted"] == expected["interrupts"]
    assert counted["rejected"] == expected["rejections"]
    assert counted["tool_failed"] + counted["rejected"] == expected["tool_errors"]  # both are errors in the file
    assert counted["compactions"] == expected["compactions"]
    assert counted["api_errors"] == expected["api_error_lines"]


def test_a_turn_that_a_fork_copied_is_counted_once() -> None:
    sessions = {one.id: one for one in read("claude_code", str(SAMPLES / "claude"))}
    turns = {id: sum(turn.prompted for turn in one.turns) for id, one in sessions.items()}

    assert sum(turns.values()) == EXPECTED["claude"]["distinct_turns_over_all_files"]
    assert turns["94439193-2772-433c-893c-2b080299c6d4"] == EXPECTED["claude"]["turns_new_in_fork_94439193"]


def test_adding_every_line_would_be_wrong() -> None:
    """The negative control: the samples do hold the traps."""
    naive = EXPECTED["claude"]["naive_sum_without_dedupe"]

    assert naive["cache_read"] > EXPECTED["claude"]["totals"]["cache_read"]
    assert EXPECTED["codex"]["naive_sum_of_total_token_usage_is_wrong"] > EXPECTED["codex"]["totals"]["total"]
