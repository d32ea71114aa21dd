"""Codex's rollouts: totals that are said again, forks that go on from their parent's, sub-agents that replay."""

import json
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from integrations import hook
from integrations.hook import Request, Session
from tests.integrations.hook.lines import at, codex, event, rollout, totals, usage

KEY = b"k" * 16
GIT = {"commit_hash": "c" * 40, "branch": "feature/a", "repository_url": "https://user:pw@github.com/acme/widgets.git"}


def meta(id: str, seconds: float = 0, **more: Any) -> dict[str, Any]:
    return codex("session_meta", seconds, id=id, cwd="/src", source="cli", git=GIT, **more)


def context(seconds: float, turn: str | None = None, model: str = "gpt-5.2-codex") -> dict[str, Any]:
    return codex("turn_context", seconds, model=model, cwd="/src", **({"turn_id": turn} if turn else {}))


def record(seconds: float, turn: str, response: str, used: dict[str, int], total: dict[str, int]) -> dict[str, Any]:
    told = {"turn_id": turn, "response_id": response, "usage": used, "thread_token_usage": total}
    return codex("token_usage_record", seconds, **told)


def read(home: Path) -> dict[str, Session]:
    return {session.id: session for session in hook.read("codex", str(home), KEY)}


def requests(session: Session) -> list[Request]:
    return [request for turn in session.turns for request in turn.requests.values()]


def sizes(session: Session) -> list[int]:
    return [request.size for request in requests(session)]


def test_totals_that_are_said_again_are_counted_once(tmp_path: Path) -> None:
    first = totals(2, usage(1000, 0, 200, 50), usage(1000, 0, 200, 50))
    rollout(tmp_path, "a", meta("a"), context(1), event("user_message", 1), first, first, {**first, "timestamp": at(9)})

    assert sizes(read(tmp_path)["a"]) == [1200]


def test_without_last_usage_the_difference_of_totals_counts(tmp_path: Path) -> None:
    lines = (totals(2, usage(500, 0, 100, 20)), totals(3, usage(1300, 400, 260, 40)))
    rollout(tmp_path, "a", meta("a"), context(1), *lines)

    one, two = requests(read(tmp_path)["a"])
    assert (one.fresh, one.cache_read, one.output, one.reasoning) == (500, 0, 80, 20)
    # 1300 - 500 = 800 in, of which 400 cached; 260 - 100 = 160 out, of which 20 reasoning
    assert (two.fresh, two.cache_read, two.output, two.reasoning) == (400, 400, 140, 20)


def test_a_record_and_the_totals_beside_it_are_one_request_in_either_order(tmp_path: Path) -> None:
    used, total = usage(100, 0, 10, 0), usage(100, 0, 10, 0)
    both = [record(2, "t1", "resp_1", used, total), totals(3, total, used)]
    rollout(tmp_path, "a", meta("a"), context(1, "t1"), *both)
    rollout(tmp_path, "b", meta("b", 30), context(31, "t2"), both[1], record(33, "t2", "resp_2", used, total))

    found = read(tmp_path)
    assert [request.key for request in requests(found["a"])] == [hook.request_key("codex", "resp_1")]
    assert [request.key for request in requests(found["b"])] == [hook.request_key("codex", "resp_2")]


def test_two_conversations_with_the_same_totals_are_two(tmp_path: Path) -> None:
    for id in ("a", "b"):
        rollout(tmp_path, id, meta(id), context(1), totals(2, usage(1000, 0, 200, 50), usage(1000, 0, 200, 50)))

    assert [sizes(session) for session in read(tmp_path).values()] == [[1200], [1200]]


def test_a_fork_goes_on_from_its_parents_totals_and_copies_nothing(tmp_path: Path) -> None:
    rollout(tmp_path, "a", meta("a"), context(1), totals(2, usage(5000, 0, 100, 0), usage(5000, 0, 100, 0)))
    rollout(
        tmp_path,
        "b",
        meta("b", 30, forked_from_id="a"),
        context(31),
        totals(32, usage(5700, 600, 180, 0), usage(700, 600, 80, 0)),
    )

    assert sizes(read(tmp_path)["b"]) == [780]


def test_a_fork_that_only_has_totals_begins_where_its_parent_stood(tmp_path: Path) -> None:
    lines = (totals(32, usage(5000, 0, 100, 0)), totals(33, usage(5700, 600, 180, 0)))
    rollout(tmp_path, "b", meta("b", 30, forked_from_id="a"), context(31), *lines)

    assert sizes(read(tmp_path)["b"]) == [780]  # 700 in and 80 out after the 5100 before


def test_a_fork_that_replays_turns_gives_them_back_to_its_parent(tmp_path: Path) -> None:
    told = [context(1), totals(2, usage(1000, 0, 200, 50), usage(1000, 0, 200, 50))]
    rollout(tmp_path, "a", meta("a"), *told)
    own = totals(40, usage(1600, 0, 300, 50), usage(600, 0, 100, 0))
    rollout(tmp_path, "b", meta("b", 30, forked_from_id="a"), meta("a"), *told, own)

    found = read(tmp_path)
    assert (sizes(found["a"]), sizes(found["b"])) == ([1200], [700])


def test_a_sub_agents_prompt_is_nobodys_and_its_requests_say_so(tmp_path: Path) -> None:
    spawned = {"subagent": {"thread_spawn": {"parent_thread_id": "a", "depth": 1}}}
    first = totals(3, usage(10, 0, 5, 0), usage(10, 0, 5, 0))
    told = {**meta("b"), "payload": {**meta("b")["payload"], "source": spawned}}
    rollout(tmp_path, "b", told, context(1), event("user_message", 2), first)

    (turn,) = read(tmp_path)["b"].turns
    assert (turn.prompted, [request.origin for request in turn.requests.values()]) == (False, ["subagent"])


def test_a_session_that_was_archived_meanwhile_is_counted_once(tmp_path: Path) -> None:
    path = rollout(tmp_path, "a", meta("a"), context(1), totals(2, usage(10, 0, 5, 0), usage(10, 0, 5, 0)))
    archived = tmp_path / "archived_sessions" / path.name
    archived.parent.mkdir()
    archived.write_bytes(path.read_bytes())

    assert [sizes(session) for session in read(tmp_path).values()] == [[15]]


def test_a_part_that_is_larger_than_its_whole_is_refused(tmp_path: Path) -> None:
    rollout(tmp_path, "a", meta("a"), context(1, "t1"), record(2, "t1", "r1", usage(10, 20, 5, 0), usage(10, 20, 5, 0)))

    assert read(tmp_path)["a"].rejected == {"bad_usage": 1}


def test_a_turn_ends_with_its_last_work_and_not_when_the_session_is_taken_up_again(tmp_path: Path) -> None:
    used = usage(10, 0, 5, 0)
    rollout(
        tmp_path,
        "a",
        *(meta("a"), event("task_started", 1, turn_id="t1"), context(1, "t1"), record(2, "t1", "r1", used, used)),
        *(event("task_complete", 3, turn_id="t1"), event("thread_settings_applied", 300)),
    )

    (turn,) = read(tmp_path)["a"].turns
    assert (turn.started, turn.ended) == (at(1), at(3))


def test_the_repository_comes_without_what_else_stands_in_the_address(tmp_path: Path) -> None:
    rollout(tmp_path, "a", meta("a"), context(1), totals(2, usage(10, 0, 5, 0), usage(10, 0, 5, 0)))

    (turn,) = read(tmp_path)["a"].turns
    assert (turn.repository, turn.branch, turn.head) == ("acme/widgets", "feature/a", "c" * 40)


def item(seconds: float, kind: str, id: str, **more: Any) -> dict[str, Any]:
    return event("item_completed", seconds, item={"type": kind, "id": id, **more})


def test_tools_are_counted_by_how_they_ended_and_files_by_a_keyed_name(tmp_path: Path) -> None:
    rollout(
        tmp_path,
        "a",
        *(meta("a"), context(1, "t1"), item(1, "UserMessage", "u1")),
        item(2, "CommandExecution", "c1", status="completed", exit_code=0, command=["ls"]),
        *(item(3 + n, "CommandExecution", f"f{n}", status="failed", exit_code=3, command=["make"]) for n in range(3)),
        item(7, "CommandExecution", "c2", status="declined", command=["rm"]),
        item(8, "FileChange", "c3", status="completed", changes={"/src/a.py": {}, "/src/b.py": {}}),
        item(9, "FileChange", "c4", status="completed", changes=[{"path": "a.py"}]),
        event("turn_aborted", 10),
        codex("compacted", 11),
    )

    (turn,) = read(tmp_path)["a"].turns
    counters = turn.counters
    assert (counters["tool_ok"], counters["tool_failed"], counters["rejected"]) == (3, 3, 1)
    assert (counters["error_runs"], counters["interrupted"], counters["compactions"]) == (1, 1, 1)
    assert [one["edits"] for one in counters["edited"]] == [2, 1]  # /src/a.py twice, once by its name in /src


def test_older_versions_tell_the_same_of_tools_in_other_words(tmp_path: Path) -> None:
    rollout(
        tmp_path,
        "a",
        *(meta("a"), context(1), event("user_message", 1)),
        event("exec_command_end", 2, call_id="c1", exit_code=2, command=["make"]),
        event("patch_apply_end", 3, call_id="c2", success=True, changes={"/src/a.py": {}}),
        totals(4, usage(10, 0, 5, 0), usage(10, 0, 5, 0)),
    )

    (turn,) = read(tmp_path)["a"].turns
    counters = turn.counters
    assert (turn.prompted, counters["tool_failed"], counters["tool_ok"], len(counters["edited"])) == (True, 1, 1, 1)


anything = st.recursive(
    st.none() | st.integers(-5, 5) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
kinds = st.sampled_from(["session_meta", "turn_context", "token_usage_record", "compacted", "event_msg", "other"])
names = ("type", "id", "turn_id", "usage", "info", "item", "git", "source", "thread_token_usage", "changes", "status")
payloads = st.fixed_dictionaries({}, optional={name: anything for name in names})
lines = st.builds(lambda kind, payload: {"type": kind, "timestamp": at(1), "payload": payload}, kinds, payloads)


@given(st.lists(lines | anything))
def test_no_line_of_any_shape_stops_a_reader(tmp_path_factory: Any, strange: list[Any]) -> None:
    home, used = tmp_path_factory.mktemp("any"), usage(7, 0, 1, 0)
    rollout(
        home,
        "a",
        meta("a"),
        *strange,
        context(50, "last"),
        record(51, "last", "resp_last", used, usage(10**6, 0, 1, 0)),
    )

    keys = [request.key for session in read(home).values() for request in requests(session)]
    assert hook.request_key("codex", "resp_last") in keys


def test_content_is_not_even_decoded(tmp_path: Path) -> None:
    seen: list[str] = []

    def decode(line: bytes) -> Any:
        seen.append(line.decode())
        return json.loads(line)

    rollout(tmp_path, "a", meta("a"), codex("response_item", 1, content="a secret"), context(2))
    hook.read("codex", str(tmp_path), KEY, decode)
    assert len(seen) == 2
    assert "secret" not in "".join(seen)
