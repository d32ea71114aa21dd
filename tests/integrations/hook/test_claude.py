"""Claude Code's transcripts: one message in many lines, copies, commands, tools, and lines that nobody has seen yet."""

import json
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from integrations import hook
from integrations.hook import Request, Session, Turn
from tests.integrations.hook.lines import answer, at, calls, claude, prompt, result, write

KEY = b"k" * 16


def read(home: Path) -> list[Session]:
    return hook.read("claude_code", str(home), KEY)


def only(home: Path) -> Turn:
    (session,) = read(home)
    (turn,) = session.turns
    return turn


def requests(session: Session) -> list[Request]:
    return [request for turn in session.turns for request in turn.requests.values()]


def test_a_message_in_three_lines_is_one_request_with_its_final_numbers(tmp_path: Path) -> None:
    claude(
        tmp_path,
        "s1",
        prompt("p1", 0),
        answer("m1", 1, output=1, stop_reason=None),
        answer("m1", 2, output=3, stop_reason=None),
        answer("m1", 3, output=317),
    )

    (request,) = only(tmp_path).requests.values()
    assert (request.output, request.fresh, request.cache_read, request.whole) == (317, 5, 100, True)


def test_the_key_is_the_request_id_and_without_one_the_message_id(tmp_path: Path) -> None:
    claude(tmp_path, "s1", prompt("p1", 0), answer("m1", 1, requestId="req_1"), answer("m2", 2))

    keys = [request.key for request in only(tmp_path).requests.values()]
    assert keys == [hook.request_key("claude_code", "req_1"), hook.request_key("claude_code", "m2")]


def test_a_cache_write_without_a_split_counts_and_what_a_split_leaves_over_is_for_five_minutes(tmp_path: Path) -> None:
    split = {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 300}
    claude(
        tmp_path,
        "s1",
        prompt("p1", 0),
        answer("m1", 1, usage={"cache_creation_input_tokens": 400}),
        answer("m2", 2, usage={"cache_creation_input_tokens": 450, "cache_creation": split}),  # 450 - 100 - 300 = 50
    )

    written = [(one.cache_write_5m, one.cache_write_1h) for one in only(tmp_path).requests.values()]
    assert written == [(400, None), (150, 300)]


def test_numbers_that_cannot_be_are_counted_and_not_used(tmp_path: Path) -> None:
    wrong: list[Any] = [-1, "12", 1.5, 10**13, True]
    lines = [answer(f"m{n}", n + 1, usage={"input_tokens": number}) for n, number in enumerate(wrong)]
    claude(tmp_path, "s1", prompt("p1", 0), *lines, answer("good", 9))

    (session,) = read(tmp_path)
    assert [request.id for request in requests(session)] == ["good"]
    assert session.rejected == {"bad_usage": 5}


def test_broken_lines_are_passed_over_and_counted(tmp_path: Path) -> None:
    path = claude(tmp_path, "s1", prompt("p1", 0), '{"type":"assistant","message":', "nothing at all", answer("m1", 1))
    path.write_bytes(path.read_bytes() + b'{"type":"user"\xff\xfe"}\n')

    (session,) = read(tmp_path)
    assert [request.id for request in requests(session)] == ["m1"]
    assert session.rejected == {"broken_line": 3}


def test_commands_notes_and_interruptions_are_no_prompts(tmp_path: Path) -> None:
    claude(
        tmp_path,
        "s1",
        prompt("p1", 0),
        answer("m1", 1),
        prompt("p2", 2, "<command-name>/cost</command-name>"),
        prompt("p3", 3, "<local-command-stdout>2 dollars</local-command-stdout>"),
        prompt("p4", 4, "<bash-input>ls</bash-input>"),
        prompt("p5", 5, "Caveat: the messages below", isMeta=True),
        prompt("p6", 6, "This session is continued", isCompactSummary=True),
        prompt("p7", 7, "a task is done", origin={"kind": "task-notification"}),
    )

    (session,) = read(tmp_path)
    assert [turn.id for turn in session.turns] == ["p1"]


def test_what_a_command_made_the_model_do_is_paid_for_but_is_no_prompt(tmp_path: Path) -> None:
    claude(tmp_path, "s1", prompt("p1", 0, "<command-name>/review</command-name>"), answer("m1", 1))

    turn = only(tmp_path)
    assert (turn.id, turn.prompted, len(turn.requests)) == ("p1", False, 1)


def test_versions_without_prompt_ids_begin_a_turn_with_each_prompt(tmp_path: Path) -> None:
    first, second = prompt(None, 0), prompt(None, 10)
    claude(tmp_path, "s1", first, answer("m1", 1), second, answer("m2", 11))

    (session,) = read(tmp_path)
    assert [(turn.id, list(turn.requests)) for turn in session.turns] == [
        (first["uuid"], ["m1"]),
        (second["uuid"], ["m2"]),
    ]


def test_a_fork_keeps_only_what_is_its_own_whatever_the_names_of_the_files(tmp_path: Path) -> None:
    first = [prompt("p1", 0), answer("m1", 1), calls("m2", 2, "t1", "Bash", {}), result("p1", 3, "t1", error=True)]
    own = {"type": "pr-link", "prNumber": 7, "prRepository": "acme/widgets", "timestamp": at(60)}
    claude(tmp_path, "zz", *first)
    claude(tmp_path, "aa", own, *first, prompt("p2", 61), answer("m3", 62))  # sorts first, begins later

    sessions = {session.id: session for session in read(tmp_path)}
    assert [request.id for request in requests(sessions["zz"])] == ["m1", "m2"]
    assert [request.id for request in requests(sessions["aa"])] == ["m3"]
    assert [turn.counters["tool_failed"] for turn in sessions["aa"].turns] == [0]


def test_a_pull_request_counts_in_the_turn_that_opened_it_and_not_where_it_is_said_again(tmp_path: Path) -> None:
    link = {"type": "pr-link", "prNumber": 42, "prRepository": "acme/widgets", "timestamp": at(2)}
    claude(
        tmp_path,
        "s1",
        prompt("p1", 0),
        answer("m1", 1),
        link,
        prompt("p2", 9),
        {**link, "timestamp": at(10)},
        answer("m2", 11),
    )

    (session,) = read(tmp_path)
    assert [[pull.number for pull in turn.pulls] for turn in session.turns] == [[42], []]


def test_a_pull_request_that_was_only_looked_at_is_not_taken_for_the_turns_own(tmp_path: Path) -> None:
    def done(seconds: float, action: str, number: int) -> dict[str, Any]:
        pull = {"number": number, "url": f"https://github.com/acme/widgets/pull/{number}", "action": action}
        return result("p1", seconds, f"t{number}", toolUseResult={"gitOperation": {"pr": pull}})

    claude(tmp_path, "s1", prompt("p1", 0), answer("m1", 1), done(2, "commented", 9), done(3, "created", 43))

    assert [(pull.repository, pull.number) for pull in only(tmp_path).pulls] == [("acme/widgets", 43)]


def failing(number: int, seconds: float, turn: str = "p1", command: str = "make") -> list[dict[str, Any]]:
    call = f"t{number}"
    made = calls(f"m{number}", seconds, call, "Bash", {"command": command})
    return [made, result(turn, seconds + 0.5, call, error=True, text="exit 1")]


def test_three_equal_failing_calls_are_one_run_and_so_are_four(tmp_path: Path) -> None:
    claude(tmp_path, "s1", prompt("p1", 0), *(line for n in range(4) for line in failing(n, n + 1)))

    counters = only(tmp_path).counters
    assert (counters["error_runs"], counters["tool_failed"]) == (1, 4)


def test_a_prompt_does_not_end_a_run_but_a_success_and_another_call_do(tmp_path: Path) -> None:
    good = [calls("g", 40, "ok", "Bash", {"command": "ls"}), result("p3", 41, "ok")]
    claude(
        tmp_path,
        "s1",
        *(prompt("p1", 0), *failing(1, 1), *failing(2, 2)),
        *(prompt("p2", 10), *failing(3, 11, "p2")),  # the third in a row: a run
        *(prompt("p3", 20), *failing(4, 21, "p3", "test"), *failing(5, 22, "p3", "test"), *good),
        *failing(6, 50, "p3", "test"),  # after a success: the first again
    )

    (session,) = read(tmp_path)
    assert [turn.error_runs for turn in session.turns] == [0, 1, 0]


def test_a_rejected_call_is_no_failed_call(tmp_path: Path) -> None:
    no = "The user doesn't want to proceed with this tool use."
    claude(
        tmp_path, "s1", prompt("p1", 0), calls("m1", 1, "t1", "Write", {}), result("p1", 2, "t1", error=True, text=no)
    )

    counters = only(tmp_path).counters
    assert (counters["rejected"], counters["tool_failed"], counters["tool_ok"]) == (1, 0, 0)


def edit(number: int, path: str, *, error: bool = False) -> list[dict[str, Any]]:
    call = f"t{number}"
    return [
        calls(f"m{number}", number + 1, call, "Edit", {"file_path": path, "old_string": "a", "new_string": "b"}),
        result("p1", number + 1.5, call, error=error),
    ]


def test_edits_are_counted_by_file_under_a_keyed_name_and_failed_ones_not(tmp_path: Path) -> None:
    lines = [
        *edit(1, "/src/calc.py"),
        *edit(2, "/src/calc.py"),
        *edit(3, "/src/other.py"),
        *edit(4, "/src/x", error=True),
    ]
    claude(tmp_path, "s1", prompt("p1", 0), *lines)

    edited = only(tmp_path).counters["edited"]
    assert [one["edits"] for one in edited] == [2, 1]
    assert all(len(one["file"]) == 16 for one in edited)
    other = hook.read("claude_code", str(tmp_path), b"another key")[0].turns[0].counters["edited"]
    assert edited[0]["file"] != other[0]["file"]


def test_a_long_answer_of_a_tool_is_cut_out_and_nothing_is_lost_by_it(tmp_path: Path) -> None:
    tricky = 'x","toolUseResult":{"y":1},"sourceToolAssistantUUID":"' + "z" * 5000
    shown = {"stdout": tricky}
    long = result("p1", 2, "t1", error=True, text=tricky, toolUseResult=shown, sourceToolAssistantUUID="u9", cwd="/src")
    done = {"gitOperation": {"commit": {"sha": "ee227e5"}}, "stdout": tricky}
    commit = result("p1", 3, "t2", toolUseResult=done, sourceToolAssistantUUID="u9")
    claude(tmp_path, "s1", prompt("p1", 0), calls("m1", 1, "t1", "Bash", {}), long, commit)

    (session,) = read(tmp_path)
    (turn,) = session.turns
    assert (turn.cwd, turn.commits, turn.counters["tool_failed"]) == ("/src", ["ee227e5"], 1)
    assert session.rejected == {}


def test_a_side_conversation_belongs_to_the_turn_in_which_it_was_held(tmp_path: Path) -> None:
    claude(tmp_path, "s1", prompt("p1", 0), answer("m1", 1), prompt("p2", 20), answer("m2", 21))
    aside = answer("m3", 10, isSidechain=True, sessionId="s1")
    write(tmp_path / "projects" / "-src" / "s1" / "subagents" / "agent-aside.jsonl", aside)

    (session,) = read(tmp_path)
    assert [list(turn.requests) for turn in session.turns] == [["m1", "m3"], ["m2"]]
    assert session.turns[0].requests["m3"].origin == "subagent"


def test_a_script_prompts_too_and_is_told_apart(tmp_path: Path) -> None:
    claude(tmp_path, "s1", prompt("p1", 0, entrypoint="sdk-cli"), answer("m1", 1), prompt("p2", 2, entrypoint="cli"))

    (session,) = read(tmp_path)
    assert [(turn.prompted, turn.headless) for turn in session.turns] == [(True, True), (True, False)]


def test_a_head_without_a_branch_is_none(tmp_path: Path) -> None:
    claude(tmp_path, "s1", prompt("p1", 0, gitBranch="HEAD"), answer("m1", 1, gitBranch="HEAD"))

    assert only(tmp_path).branch is None


def test_fast_mode_and_the_old_cost_are_kept_for_whoever_prices(tmp_path: Path) -> None:
    fast = answer("m1", 1, usage={"speed": "fast", "inference_geo": "us"})
    claude(tmp_path, "s1", prompt("p1", 0), fast, answer("m2", 2, costUSD=0.006))

    one, two = only(tmp_path).requests.values()
    assert (one.tier, one.geo, one.cost_micro) == ("fast", "us", None)
    assert (two.tier, two.cost_micro) == (None, 6000)


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
shaped = st.fixed_dictionaries(
    {"type": st.sampled_from(["user", "assistant", "pr-link", "system"])},
    optional={
        name: anything
        for name in (
            "message",
            "uuid",
            "timestamp",
            "promptId",
            "cwd",
            "gitBranch",
            "toolUseResult",
            "origin",
            "prNumber",
        )
    },
)
message = st.fixed_dictionaries({}, optional={name: anything for name in ("id", "content", "usage", "model", "role")})


@given(
    st.lists(st.one_of(anything, shaped, st.builds(lambda line, inner: {**line, "message": inner}, shaped, message)))
)
def test_no_line_of_any_shape_stops_a_reader(tmp_path_factory: Any, lines: list[Any]) -> None:
    home = tmp_path_factory.mktemp("any")
    claude(home, "s1", *lines, prompt("last", 59), answer("last", 59))

    found = [request.id for session in read(home) for request in requests(session)]
    assert "last" in found


def test_a_faster_reader_of_json_may_be_given(tmp_path: Path) -> None:
    seen = []

    def decode(line: bytes) -> Any:
        seen.append(line)
        return json.loads(line)

    claude(tmp_path, "s1", prompt("p1", 0), answer("m1", 1))
    assert len(hook.read("claude_code", str(tmp_path), KEY, decode)) == 1
    assert len(seen) == 2
