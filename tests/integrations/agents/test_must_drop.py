"""Nothing that an agent was told, did or is called survives decoding: no prompt, command, output, name or address."""

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from integrations.agents import ALLOWED, read
from integrations.otlp import Log
from integrations.otlp.reduce import NEVER
from tests.integrations.agents.samples import FILES, Sent, attributes, document, sample, sent, texts, to_protobuf

MUST_DROP = frozenset(  # samples/otlp/README.md
    {
        *("prompt", "response", "arguments", "output", "tool_parameters", "tool_input", "response_text"),
        *("request_text", "function_args", "process.command_args", "process.owner", "host.name", "error"),
        *("error.message", "user.email", "user.account_uuid", "user.account_id", "user.id", "installation.id"),
    }
)
ADDRESS = "dev.one@example.com"


def canaries(name: str) -> set[str]:
    """All texts in attributes that must be dropped. What is shorter than four signs would be found anywhere, and one of
    Gemini's arguments is the model."""
    found = {text for key, value in attributes(document(name)) if key in MUST_DROP for text in texts(value)}
    return {text for text in found if len(text) > 3} - {"gemini-2.5-pro"}


def shown(given: Sent, allowed: Any = ALLOWED) -> str:
    """All there is to see of a body once it is decoded and read."""
    batch = given.batch(allowed)
    return repr((batch, read(batch.records)))


@pytest.mark.parametrize("name", FILES)
def test_no_value_that_must_be_dropped_is_left(name: str) -> None:
    for given in (sample(name), to_protobuf(sample(name))):
        text = shown(given)
        assert {canary for canary in canaries(name) if canary in text or repr(canary)[1:-1] in text} == set()


def test_there_are_such_values_and_a_rule_that_kept_them_would_show() -> None:
    """The negative control."""
    wide = replace(ALLOWED, attributes=ALLOWED.attributes | MUST_DROP)
    leaky = {
        name for name in FILES if any(repr(canary)[1:-1] in shown(sample(name), wide) for canary in canaries(name))
    }
    assert {
        "codex.logs.json",
        "claude_code.tool_details.logs.pb",
        "gemini_cli.logs.json",
        "qwen_code.logs.json",
    } <= leaky
    assert sum(len(canaries(name)) for name in FILES) > 60
    assert any("calc.py" in canary for canary in canaries("codex.logs.json"))


def test_the_rule_names_none_of_them() -> None:
    assert not MUST_DROP & ALLOWED.attributes
    assert {key for key in MUST_DROP if key in ALLOWED.pieces} == {"tool_parameters"}
    assert MUST_DROP <= NEVER


def planted(value: Any, count: Counter[str]) -> Any:
    """The same document with a canary in every attribute that is not allowed, every body, name, schema and scope."""
    if isinstance(value, list):
        return [planted(inner, count) for inner in value]
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("key"), str) and value["key"] not in ALLOWED.attributes:
        count["planted"] += 1
        return {"key": value["key"], "value": {"stringValue": f"canary {count['planted']}"}}
    if "stringValue" in value and value["stringValue"] not in ALLOWED.events and "canary" not in value["stringValue"]:
        return value
    named: dict[str, Any] = {
        key: f"canary {key}" for key in ("description", "unit", "schemaUrl", "traceState") if key in value
    }
    if "spanId" in value and "name" in value:
        named["name"] = "canary span"
    if "observedTimeUnixNano" in value and (value.get("body") or {}).get("stringValue") not in ALLOWED.events:
        named["body"] = {"stringValue": "canary body"}
        named["eventName"] = "canary event"
    return {key: named.get(key, planted(inner, count)) for key, inner in {**named, **value}.items()}


@pytest.mark.parametrize("name", FILES)
def test_a_canary_in_everything_that_is_not_allowed_is_gone_and_nothing_else_is(name: str) -> None:
    count: Counter[str] = Counter()
    given = sent(sample(name).signal, planted(document(name), count))
    if name != "empty.logs.json":
        assert "canary" in given.body.decode()
    batch = given.batch()
    assert "canary" not in shown(given)
    people, before = read(batch.records)[0], read(sample(name).batch().records)[0]
    requests = [request for one in people for request in one.telemetry.requests]
    assert requests == [request for one in before for request in one.telemetry.requests]
    assert "canary" not in shown(to_protobuf(given))


def test_the_address_is_told_and_never_shown() -> None:
    (told,), _ = read(sample("claude_code.oauth_documented.logs.json").batch().records)
    assert told.telemetry.email == ADDRESS
    assert ADDRESS not in repr(told)


def test_of_a_tools_parameters_only_the_commit_is_left() -> None:
    records = sample("claude_code.tool_details.logs.pb").batch().records
    (tool,) = [record for record in records if isinstance(record, Log) and "git_commit_id" in record.attributes]
    assert tool.attributes["git_commit_id"] == "bacea61"
    assert "Add notes" not in repr(records)
    assert not any("tool_parameters" in record.attributes for record in records)


@pytest.mark.parametrize(
    "parameters",
    [
        '{"git_commit_id": "not hex at all"}',
        '{"git_commit_id": "bacea6"}',  # six digits
        '{"git_commit_id": "' + "a" * 41 + '"}',
        '{"full_command": "echo \\"git_commit_id\\": \\"bacea61\\""}',  # within a command
        "git_commit_id bacea61",
        '{"git_commit_id": ["bacea61"]}',
        "",
    ],
)
def test_what_is_no_commit_is_none(parameters: str) -> None:
    assert ALLOWED.pieces["tool_parameters"].take(parameters) is None


def test_a_commit_behind_a_very_long_command_is_found() -> None:
    parameters = json.dumps({"full_command": "x" * 100_000, "git_commit_id": "bacea61"})
    assert ALLOWED.pieces["tool_parameters"].take(parameters) == "bacea61"
