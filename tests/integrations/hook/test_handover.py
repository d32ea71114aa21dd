"""What an agent waits for: nothing. What it says is handed to a child, which keeps only what is allowed."""

import contextlib
import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.integrations.hook.machine import Machine, told, until

STOPS = {"claude_code": "claude_code.Stop", "codex": "codex.Stop", "cursor": "cursor.stop.derived"}
SESSION = "fbd8bbe7-79a9-45bc-b32c-170dfdc4ccf1"


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Its server is a port of this machine where nobody is."""
    machine = Machine(tmp_path)
    for folder in (".codex", ".gemini", ".cursor"):
        (tmp_path / folder).mkdir()
    machine.install("http://127.0.0.1:9")
    return machine


def stop(machine: Machine, at: Path | None = None) -> dict[str, Any]:
    """The end of a turn of a session that is among the samples."""
    transcript = machine.copy("claude") / "projects" / "-home-dev-src-widgets" / f"{SESSION}.jsonl"
    turn = "e6fa29e0-7aed-468b-b7ac-74532ba0e2be"
    for line in transcript.read_text().splitlines():
        turn = json.loads(line).get("promptId") or turn
    place = str(at or machine.home)
    return {
        **told("claude_code.Stop"),
        "session_id": SESSION,
        "transcript_path": str(transcript),
        "cwd": place,
        "prompt_id": turn,
    }


def state(machine: Machine) -> str:
    """All that the hook has written down, as text."""
    files = [path for path in (machine.config / "hook").rglob("*.json") if path.name != "originals.json"]
    return "\n".join(path.read_text() for path in files) + json.dumps(machine.waiting())


@pytest.mark.parametrize(
    ("agent", "answer"), [("claude_code", b""), ("codex", b""), ("gemini_cli", b"{}"), ("cursor", b"{}")]
)
def test_an_agent_gets_the_answer_it_expects_and_no_trouble(machine: Machine, agent: str, answer: bytes) -> None:
    anything: list[Any] = [told(STOPS.get(agent, "claude_code.Stop")), {}, []]
    for said in anything:
        done = machine.tell(agent, said)
        assert (done.returncode, done.stdout, done.stderr) == (0, answer, b"")


def test_what_is_no_json_is_no_trouble_either(machine: Machine) -> None:
    done = machine.run(["sh", "-c", machine.command("claude_code")], b"\xff not json")

    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_it_does_not_wait_for_the_child(machine: Machine) -> None:
    """A transcript that cannot be read to its end: the child hangs, the agent does not."""
    pipe = machine.home / "endless.jsonl"
    os.mkfifo(pipe)
    said = {**stop(machine), "transcript_path": str(pipe), "session_id": "endless"}
    done = machine.tell("claude_code", said)

    assert (done.returncode, done.stdout) == (0, b"")
    prompt = b'{"type":"user","promptId":"p1","timestamp":"2026-11-22T02:00:00Z","message":{"content":"x"}}\n'
    pipe.write_bytes(prompt)  # opens when the child reads, so it was there all the time
    assert until(machine.waiting)[0]["sessions"][0]["session"] == "endless"


def test_the_child_outlives_the_agent(machine: Machine) -> None:
    """An agent that ends takes its processes along: the child is none of them any more."""
    said = json.dumps(stop(machine)).encode()
    agent = subprocess.Popen(
        ["sh", "-c", machine.command("claude_code")],
        stdin=subprocess.PIPE,
        env=machine.environment,
        start_new_session=True,
    )
    agent.communicate(said)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(agent.pid, signal.SIGKILL)

    assert until(machine.waiting)


def test_a_session_that_ends_while_the_server_is_away_waits_on_disk(machine: Machine) -> None:
    machine.tell("claude_code", stop(machine, machine.checkout()))
    (document,) = until(machine.waiting)
    (session,) = document["sessions"]

    assert (document["agent"], session["session"]) == ("claude_code", SESSION)
    assert [turn["pull"] for turn in session["turns"]] == [43, 44]
    assert session["turns"][1]["branch"] == "main"  # as git says now, not as the transcript does
    assert session["turns"][1]["repository"] == "acme/widgets"
    assert [len(turn["requests"]) for turn in session["turns"]] == [2, 3]


def test_what_was_kept_for_sending_is_not_kept_twice(machine: Machine) -> None:
    said = stop(machine)
    machine.work("claude_code", said)
    machine.work("claude_code", {**said, "hook_event_name": "SessionEnd"})

    assert len(machine.waiting()) == 1


def test_a_turn_that_went_on_is_sent_again_and_the_others_are_not(machine: Machine) -> None:
    said = stop(machine)
    whole = Path(said["transcript_path"]).read_text()
    Path(said["transcript_path"]).write_text("".join(whole.splitlines(keepends=True)[:16]))  # until PR 44 is opened
    machine.work("claude_code", said)
    Path(said["transcript_path"]).write_text(whole)
    machine.work("claude_code", said)

    first, second = ([turn["turn"] for turn in one["sessions"][0]["turns"]] for one in machine.waiting())
    assert (len(first), second) == (2, [said["prompt_id"]])
    assert [turn["pull"] for turn in machine.waiting()[1]["sessions"][0]["turns"]] == [44]


def test_a_session_that_ends_later_and_elsewhere_says_nothing_about_its_last_turn(machine: Machine) -> None:
    at = machine.checkout()
    machine.git("checkout", "-q", "-b", "feature/a", at=at)
    said = stop(machine, at)
    machine.work("claude_code", said)
    machine.git("checkout", "-q", "-b", "feature/b", at=at)
    machine.work("claude_code", {**said, "hook_event_name": "SessionEnd"})

    branches = [turn["branch"] for one in machine.waiting() for turn in one["sessions"][0]["turns"]]
    assert branches == ["main", "feature/a"]  # the first turn is of before git was asked: as the transcript says


@pytest.mark.parametrize("event", ["SessionStart", "UserPromptSubmit"])
def test_the_beginning_of_a_turn_notes_where_git_is(machine: Machine, event: str) -> None:
    at = machine.checkout()
    machine.git("checkout", "-q", "-b", "feature/a", at=at)
    machine.tell("claude_code", {**told(f"claude_code.{event}"), "cwd": str(at)})

    until(lambda: "feature/a" in state(machine))
    assert "acme/widgets" in state(machine)
    assert machine.waiting() == []


def test_nothing_of_what_an_agent_says_is_written_down(machine: Machine) -> None:
    at = machine.checkout()
    secrets = ["Please fix", "Done: add", str(machine.home), "/home/dev", "calc.py", "secret words", "dev@example.com"]
    said = [stop(machine, at), {**told("claude_code.UserPromptSubmit"), "cwd": str(at)}]
    for one in said:
        assert any(secret in json.dumps(one) for secret in secrets)
        machine.tell("claude_code", one)
    machine.tell("cursor", told("cursor.stop.derived"))
    until(lambda: len(machine.waiting()) >= 2)

    assert [secret for secret in secrets if secret in state(machine)] == []


def test_a_codex_turn_is_found_by_its_conversation(machine: Machine) -> None:
    """`notify` does not say where the transcript is, and says it all as an argument."""
    machine.copy("codex")
    said = {**told("codex.notify"), "thread-id": "01a20106-70a7-7231-a520-90c3371ddaad"}
    start = [machine.python, str(machine.config / "hook_start.py"), "run", "codex", json.dumps(said)]
    assert machine.run(start).returncode == 0

    (document,) = until(machine.waiting)
    (session,) = document["sessions"]
    assert sum(len(turn["requests"]) for turn in session["turns"]) == 6
    assert session["turns"][0]["repository"] == "acme/widgets"


def test_a_cursor_turn_is_told_by_its_hook_alone(machine: Machine) -> None:
    at = machine.checkout()
    machine.git("checkout", "-q", "-b", "feature/c", at=at)
    machine.tell("cursor", {**told("cursor.stop.derived"), "workspace_roots": [str(at)]})

    (document,) = until(machine.waiting)
    (turn,) = document["sessions"][0]["turns"]
    assert (turn["branch"], turn["repository"], turn["requests"][0]["fresh"]) == ("feature/c", "acme/widgets", 500)


def status_line(machine: Machine, said: bytes) -> bytes:
    command = json.loads((machine.home / ".claude" / "settings.json").read_text())["statusLine"]["command"]
    done = machine.run(["sh", "-c", command], said)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout


def test_the_status_line_that_was_there_goes_on_being_shown(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    (tmp_path / ".claude").mkdir()
    shown = {"type": "command", "command": "printf 'mine: '; head -c 6"}
    (tmp_path / ".claude" / "settings.json").write_text(json.dumps({"statusLine": shown}))
    machine.install("http://127.0.0.1:9")

    assert status_line(machine, json.dumps({"cwd": "x" * 200_000}).encode()) == b'mine: {"cwd"'


def test_without_one_a_short_line_is_shown(machine: Machine) -> None:
    said = json.dumps(told("claude_code.statusline.documented")).encode()

    assert status_line(machine, said) == "$0.31 this session · #42".encode()
    assert status_line(machine, b"{}") == b"$0.00 this session"
    assert status_line(machine, b"not json") == b""


def test_the_pull_request_in_the_status_line_is_that_of_the_turn(machine: Machine) -> None:
    said = told("claude_code.statusline.documented")
    end = {**stop(machine), "session_id": said["session_id"], "prompt_id": said["prompt_id"]}
    end["transcript_path"] = str(Path(end["transcript_path"]).with_name(f"{said['session_id']}.jsonl"))
    status_line(machine, json.dumps(said).encode())
    until(lambda: '"shown":{"8da4e154' in state(machine))
    machine.tell("claude_code", end)

    (document,) = until(machine.waiting)
    turns = {turn["turn"]: turn["pull"] for turn in document["sessions"][0]["turns"]}
    assert turns[said["prompt_id"]] == 42


def test_processes_show_nothing_of_what_was_said_and_no_token(machine: Machine) -> None:
    """The child's arguments are its own name and the agent's."""
    seen = machine.home / "seen"
    python = machine.home / "python"
    python.write_text(f'#!/bin/sh\necho "$@" >> "{seen}"\nexec {machine.python} "$@"\n')
    python.chmod(0o755)
    program = (machine.config / "hook_start.py").read_text().replace("sys.executable", repr(str(python)))
    (machine.config / "hook_start.py").write_text(program)
    machine.tell("claude_code", stop(machine))
    until(machine.waiting)

    assert seen.read_text().split() == ["-I", "-S", str(machine.config / "hook.py"), "work", "claude_code"]


def test_it_runs_from_a_folder_that_holds_other_modules(machine: Machine, tmp_path: Path) -> None:
    """A repository with a json.py of its own is not run by the hook."""
    trap = tmp_path / "trap"
    trap.mkdir()
    for name in ("json.py", "os.py", "subprocess.py"):
        (trap / name).write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    said = json.dumps(stop(machine)).encode()
    done = machine.run(["sh", "-c", machine.command("claude_code")], said, cwd=trap)
    until(machine.waiting)

    assert done.returncode == 0
    assert not os.path.exists(tmp_path / "ran")
