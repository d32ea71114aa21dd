"""Gemini, Qwen, Copilot, opencode and Cursor: what is particular to each."""

import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from integrations import hook
from integrations.hook import Session, Turn
from tests.integrations.hook.lines import at, write
from tests.integrations.hook.machine import told

KEY = b"k" * 16


def gemini(home: Path, *lines: Any) -> Path:
    header = {"sessionId": "g1", "startTime": at(0), "kind": "main"}
    return write(home / "tmp" / "widgets" / "chats" / "session-1.jsonl", header, *lines)


def said(
    id: str, seconds: float, given: int, output: int, thoughts: int = 0, tool: int = 0, **more: Any
) -> dict[str, Any]:
    tokens = {"input": given, "output": output, "cached": 0, "thoughts": thoughts, "tool": tool}
    tokens["total"] = given + output + thoughts + tool
    return {"id": id, "timestamp": at(seconds), "type": "gemini", "tokens": tokens, "model": "gemini-2.5-pro", **more}


def asked(id: str, seconds: float) -> dict[str, Any]:
    return {"id": id, "timestamp": at(seconds), "type": "user", "content": [{"text": "please"}]}


def only(agent: str, home: Path) -> Turn:
    (session,) = hook.read(agent, str(home), KEY)
    (turn,) = session.turns
    return turn


def test_what_tools_gave_gemini_to_read_is_input_beside_the_input(tmp_path: Path) -> None:
    gemini(tmp_path, asked("u1", 1), said("a1", 2, 100, 10, thoughts=5, tool=30))

    (request,) = only("gemini_cli", tmp_path).requests.values()
    assert (request.fresh, request.output, request.reasoning) == (130, 10, 5)


def test_of_a_message_that_is_written_again_the_last_counts(tmp_path: Path) -> None:
    call = {"id": "c1", "name": "replace", "args": {"file_path": "calc.py"}, "status": "success"}
    gemini(tmp_path, asked("u1", 1), said("a1", 2, 100, 10), said("a1", 2, 100, 12, toolCalls=[call]))

    turn = only("gemini_cli", tmp_path)
    assert [request.output for request in turn.requests.values()] == [12]
    assert (turn.counters["tool_ok"], turn.counters["edited"][0]["edits"]) == (1, 1)


def test_a_shell_that_ended_with_an_error_failed_although_gemini_calls_it_a_success(tmp_path: Path) -> None:
    def ran(id: str, code: int, status: str = "success") -> dict[str, Any]:
        result = [{"functionResponse": {"response": {"output": f"Output: (empty)\nExit Code: {code}\n"}}}]
        return {"id": id, "name": "run_shell_command", "args": {"command": "make"}, "status": status, "result": result}

    gemini(
        tmp_path, asked("u1", 1), said("a1", 2, 1, 1, toolCalls=[ran("c1", 2), ran("c2", 0), ran("c3", 0, "cancelled")])
    )

    counters = only("gemini_cli", tmp_path).counters
    assert (counters["tool_failed"], counters["tool_ok"], counters["rejected"]) == (1, 1, 1)


def test_messages_that_gemini_states_again_are_no_new_prompts(tmp_path: Path) -> None:
    restated = {"$set": {"messages": [asked("u0", 0), asked("u1", 1), said("a1", 2, 100, 10)]}}
    gemini(tmp_path, asked("u1", 1), said("a1", 2, 100, 10), restated)

    turn = only("gemini_cli", tmp_path)
    assert (turn.id, len(turn.requests)) == ("u1", 1)


def test_older_chats_are_one_document(tmp_path: Path) -> None:
    chat = {"sessionId": "g1", "startTime": at(0), "messages": [asked("u1", 1), said("a1", 2, 100, 10)]}
    path = tmp_path / "tmp" / "abc" / "chats" / "session-1.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(chat, indent=2))

    turn = only("gemini_cli", tmp_path)
    assert (turn.id, turn.prompted, [one.size for one in turn.requests.values()]) == ("u1", True, [110])


def test_gemini_is_where_its_note_says(tmp_path: Path) -> None:
    gemini(tmp_path, asked("u1", 1), said("a1", 2, 100, 10))
    (tmp_path / "tmp" / "widgets" / ".project_root").write_text("/srv/dev/src/widgets")

    assert only("gemini_cli", tmp_path).cwd == "/srv/dev/src/widgets"


def qwen(home: Path, *lines: dict[str, Any]) -> Path:
    shared = {"sessionId": "q1", "cwd": "/src", "gitBranch": "feature/a"}
    return write(home / "projects" / "-src" / "chats" / "q1.jsonl", *({**shared, **line} for line in lines))


def response(id: str, seconds: float, given: int, output: int, **more: Any) -> dict[str, Any]:
    told: dict[str, Any] = {
        "event.name": "qwen-code.api_response",
        "event.timestamp": at(seconds),
        "response_id": id,
        "model": "qwen3",
    }
    told |= {"input_token_count": given, "output_token_count": output, "total_token_count": given + output, **more}
    return {"type": "system", "subtype": "ui_telemetry", "timestamp": at(seconds), "systemPayload": {"uiEvent": told}}


def spoke(uuid: str, seconds: float, given: int, output: int, **more: Any) -> dict[str, Any]:
    usage = {"promptTokenCount": given, "candidatesTokenCount": output, "totalTokenCount": given + output}
    return {
        "type": "assistant",
        "uuid": uuid,
        "timestamp": at(seconds),
        "model": "qwen3",
        "usageMetadata": usage,
        **more,
    }


def test_qwens_answer_and_its_telemetry_are_one_request_under_the_responses_id(tmp_path: Path) -> None:
    start = {"type": "user", "uuid": "u1", "timestamp": at(0), "message": {"parts": [{"text": "please"}]}}
    qwen(tmp_path, start, response("chat-1", 1, 100, 10), spoke("a1", 2, 100, 10))

    (request,) = only("qwen_code", tmp_path).requests.values()
    assert (request.key, request.origin) == (hook.request_key("qwen_code", "chat-1"), "main")


def test_telemetry_of_qwen_without_an_answer_is_paid_for_too(tmp_path: Path) -> None:
    start = {"type": "user", "uuid": "u1", "timestamp": at(0)}
    helper = response("chat-0", 1, 50, 5, subagent_name="explorer")
    qwen(tmp_path, start, helper, response("chat-1", 2, 100, 10), spoke("a1", 3, 100, 10), response("chat-2", 4, 9, 1))

    turn = only("qwen_code", tmp_path)
    assert [(one.size, one.origin) for one in turn.requests.values()] == [
        (55, "subagent"),
        (110, "main"),
        (10, "auxiliary"),
    ]


def test_qwens_tools_are_counted(tmp_path: Path) -> None:
    call = {"id": "c1", "name": "edit", "args": {"file_path": "/src/a.py"}}
    asks = spoke("a1", 1, 1, 1, message={"parts": [{"functionCall": call}]})
    done = {"type": "tool_result", "timestamp": at(2), "toolCallResult": {"callId": "c1", "status": "success"}}
    failed = {"type": "tool_result", "timestamp": at(3), "toolCallResult": {"callId": "c2", "status": "error"}}
    qwen(tmp_path, {"type": "user", "uuid": "u1", "timestamp": at(0)}, asks, done, failed)

    counters = only("qwen_code", tmp_path).counters
    assert (counters["tool_ok"], counters["tool_failed"], len(counters["edited"])) == (1, 1, 1)


def copilot(home: Path, *lines: tuple[str, float, dict[str, Any]]) -> Path:
    told = [
        {"type": kind, "data": data, "id": f"e{n}", "timestamp": at(when)} for n, (kind, when, data) in enumerate(lines)
    ]
    return write(home / "session-state" / "c1" / "events.jsonl", *told)


def used(id: str, **more: Any) -> dict[str, Any]:
    return {"usage": {"model": "gpt-4.1", "inputTokens": 10, "outputTokens": 5, "accounting": {"usageId": id}, **more}}


def test_copilot_counts_a_request_by_its_usage_id_and_ends_a_turn_with_its_work(tmp_path: Path) -> None:
    copilot(
        tmp_path,
        ("user.message", 1, {"interactionId": "i1"}),
        ("session.usage_record", 2, used("chat-1")),
        ("session.usage_record", 2, used("chat-1")),
        ("session.usage_record", 3, used("chat-2", interactionType="conversation-subagent")),
        ("session.shutdown", 900, {"modelMetrics": {"gpt-4.1": {"usage": {"inputTokens": 999}}}}),
    )

    turn = only("copilot", tmp_path)
    assert [(one.id, one.size, one.origin) for one in turn.requests.values()] == [
        ("chat-1", 15, "main"),
        ("chat-2", 15, "subagent"),
    ]
    assert turn.ended == at(3)


def test_copilots_tools_fail_by_their_exit_code_too(tmp_path: Path) -> None:
    copilot(
        tmp_path,
        ("user.message", 1, {"interactionId": "i1"}),
        ("tool.execution_complete", 2, {"toolCallId": "t1", "success": True, "shellExecution": {"exitCode": 4}}),
        ("tool.execution_complete", 3, {"toolCallId": "t2", "success": False, "error": {"code": "denied"}}),
        ("tool.execution_complete", 4, {"toolCallId": "t3", "success": True, "fileEdits": [{"path": "/src/a.py"}]}),
        ("abort", 5, {}),
        ("session.error", 6, {}),
    )

    counters = only("copilot", tmp_path).counters
    assert (counters["tool_failed"], counters["rejected"], counters["tool_ok"]) == (1, 1, 1)
    assert (counters["interrupted"], counters["api_errors"], len(counters["edited"])) == (1, 1, 1)


def opencode(home: Path, sessions: list[tuple[str, str | None]], messages: list[tuple[str, str, Any]]) -> list[Session]:
    database = sqlite3.connect(home / "opencode.db")
    with database:
        database.execute("CREATE TABLE session (id TEXT, parent_id TEXT, directory TEXT)")
        database.execute("CREATE TABLE message (id TEXT, session_id TEXT, time_created INTEGER, data TEXT)")
        database.executemany("INSERT INTO session VALUES (?, ?, '/src')", sessions)
        rows = [
            (id, session, n, data if isinstance(data, str) else json.dumps(data))
            for n, (session, id, data) in enumerate(messages)
        ]
        database.executemany("INSERT INTO message VALUES (?, ?, ?, ?)", rows)
    database.close()
    return hook.read("opencode", str(home), KEY)


def replied(parent: str, created: int, **more: Any) -> dict[str, Any]:
    tokens = {"input": 10, "output": 4, "reasoning": 1, "cache": {"read": 3, "write": 2}}
    time = {"created": created, "completed": created + 500}
    return {"role": "assistant", "parentID": parent, "modelID": "gpt", "tokens": tokens, "time": time, **more}


def test_messages_that_a_fork_in_opencode_copied_under_new_names_count_once(tmp_path: Path) -> None:
    user = {"role": "user", "time": {"created": 1_795_313_987_000}}
    first = replied("u1", 1_795_313_988_000)
    own = replied("v2", 1_795_313_999_000)
    messages = [("s1", "u1", user), ("s1", "a1", first), ("s2", "v1", user), ("s2", "b1", {**first, "parentID": "v1"})]
    found = opencode(tmp_path, [("s1", None), ("s2", None)], [*messages, ("s2", "b2", own)])

    counted = {session.id: sum(len(turn.requests) for turn in session.turns) for session in found}
    assert counted == {"s1": 1, "s2": 1}


def test_a_session_that_opencode_began_itself_is_a_sub_agents(tmp_path: Path) -> None:
    user = {"role": "user", "time": {"created": 1_795_313_987_000}}
    messages = [("s1", "u1", user), ("s2", "u2", user), ("s2", "a2", replied("u2", 1_795_313_988_000))]
    found = {session.id: session for session in opencode(tmp_path, [("s1", None), ("s2", "s1")], messages)}

    (turn,) = found["s2"].turns
    assert (turn.prompted, [one.origin for one in turn.requests.values()]) == (False, ["subagent"])


def test_opencode_says_of_a_message_what_went_wrong(tmp_path: Path) -> None:
    user = {"role": "user", "time": {"created": 1_795_313_987_000}}
    aborted = {**replied("u1", 1_795_313_988_000), "tokens": {}, "error": {"name": "MessageAbortedError"}}
    failed = {**aborted, "error": {"name": "APIError"}}
    (session,) = opencode(
        tmp_path, [("s1", None)], [("s1", "u1", user), ("s1", "a1", aborted), ("s1", "a2", failed), ("s1", "a3", "{")]
    )

    (turn,) = session.turns
    assert (turn.counters["interrupted"], turn.counters["api_errors"], len(turn.requests)) == (1, 1, 0)
    assert session.rejected == {"broken_line": 1}


def test_a_database_of_another_shape_is_counted_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "opencode.db").write_text("not a database at all, but long enough to look at")

    (session,) = hook.read("opencode", str(tmp_path), KEY)
    assert session.rejected == {"unreadable_file": 1}


def test_cursor_tells_a_turn_by_its_hook() -> None:
    now = datetime(2026, 11, 22, 10, tzinfo=UTC)
    session = hook.cursor_session(told("cursor.stop.derived"), now)

    assert session is not None
    (turn,) = session.turns
    (request,) = turn.requests.values()
    assert (session.id[:8], turn.id, turn.prompted) == ("5d7f0c52", "9a6d2b10-0c0e-4c1f-8f52-2f9f0a1c0002", True)
    # 500 in, 100 out, and beside them 200 read from and 50 written to the cache
    assert (request.fresh, request.output, request.cache_read, request.cache_write_5m) == (500, 100, 200, 50)
    assert request.at == "2026-11-22T10:00:00Z"


def test_cursor_without_a_conversation_tells_nothing() -> None:
    assert hook.cursor_session({"generation_id": "g"}, datetime(2026, 11, 22, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    ("written", "micros"),
    [
        ("2026-11-22T02:07:14Z", 0),
        ("2026-11-22T02:07:14.5Z", 500_000),
        ("2026-11-22T02:07:14.289123456Z", 289_123),
        ("2026-11-22T03:07:14.000+01:00", 0),
    ],
)
def test_times_are_read_as_any_agent_writes_them(written: str, micros: int) -> None:
    assert hook.moment(written) == datetime(2026, 11, 22, 2, 7, 14, micros, tzinfo=UTC)


@pytest.mark.parametrize("written", ["", "yesterday", "2026-11-22T02:07:14", "2026-11-22", "2026-13-22T02:07:14Z"])
def test_what_is_no_time_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        hook.moment(written)
