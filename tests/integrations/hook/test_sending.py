"""Sending over loopback: what waits goes when the server is back, once, with the token and to nobody else."""

import json
from pathlib import Path
from typing import Any

import pytest

from integrations.sessions import parse
from tests.integrations.hook.machine import TOKEN, Machine, Server, server, until

pytestmark = pytest.mark.e2e
DAY = ("--since", "2025-01-01")


def machine(tmp_path: Path, url: str) -> Machine:
    machine = Machine(tmp_path)
    machine.copy("claude")
    machine.install(url)
    return machine


def stop(machine: Machine) -> dict[str, Any]:
    session = "fbd8bbe7-79a9-45bc-b32c-170dfdc4ccf1"
    path = machine.home / ".claude" / "projects" / "-home-dev-src-widgets" / f"{session}.jsonl"
    return {"hook_event_name": "Stop", "session_id": session, "transcript_path": str(path), "cwd": str(machine.home)}


def counts(machine: Machine) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((machine.config / "hook" / "counts.json").read_text())
    return told


def test_what_a_dry_run_prints_is_what_arrives(tmp_path: Path) -> None:
    with server() as there:
        mine = machine(tmp_path, there.url)
        printed = mine.documents()
        done = mine.hook("send", *DAY)

    assert (done.returncode, done.stdout) == (0, b"everything is sent; 0 documents wait\n")
    assert there.bodies == printed
    assert there.tokens == {f"Bearer {TOKEN}"}
    assert sum(len(parse(body)[0].requests) for body in there.bodies) == 24


def test_nothing_is_sent_twice(tmp_path: Path) -> None:
    with server() as there:
        mine = machine(tmp_path, there.url)
        mine.hook("send", *DAY)
        asked = there.asked
        mine.hook("send", *DAY)
        mine.work("claude_code", stop(mine))

    assert (there.asked, mine.documents()) == (asked, [])


def test_a_turn_arrives_without_the_agent_waiting_for_it(tmp_path: Path) -> None:
    with server() as there:
        mine = machine(tmp_path, there.url)
        assert mine.tell("claude_code", stop(mine)).returncode == 0
        (body,) = until(lambda: there.bodies)

    assert len(parse(body)[0].requests) == 5


def test_what_waited_while_the_server_was_away_goes_first_when_it_is_back(tmp_path: Path) -> None:
    with server() as gone:
        port = int(gone.url.rpartition(":")[2])
    mine = machine(tmp_path, gone.url)
    mine.work("claude_code", stop(mine))
    assert counts(mine)["last"][1] == "no answer"
    assert mine.hook("send", *DAY).returncode == 1
    waiting = mine.waiting()
    assert len(waiting) == 2  # the session, then the others

    with server(port) as there:
        assert mine.hook("send", *DAY).returncode == 0
    assert there.bodies == waiting
    assert (mine.waiting(), counts(mine)["sent"]) == ([], 2)


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
def test_what_the_server_could_take_later_is_kept(tmp_path: Path, status: int) -> None:
    with server() as there:
        there.status = status
        mine = machine(tmp_path, there.url)
        done = mine.hook("send", *DAY)

    assert done.returncode == 1
    assert done.stdout.decode() == f"HTTP {status}; 1 documents wait\n"
    assert there.asked == 1  # it stops at the first answer of this kind


@pytest.mark.parametrize("status", [400, 413, 415, 422])
def test_what_the_server_never_takes_is_dropped_and_counted(tmp_path: Path, status: int) -> None:
    with server() as there:
        there.status = status
        mine = machine(tmp_path, there.url)
        mine.hook("send", *DAY)

    assert (mine.waiting(), counts(mine)["refused"]) == ([], 1)
    assert b"refused 1" in mine.hook("status", "--since", "2027-01-01").stdout


def test_a_server_that_asks_for_rest_is_left_alone_by_turns_that_end(tmp_path: Path) -> None:
    with server() as there:
        there.status, there.headers = 503, {"Retry-After": "600"}
        mine = machine(tmp_path, there.url)
        mine.hook("send", *DAY)
        path = Path(stop(mine)["transcript_path"])
        more = {
            "type": "user",
            "promptId": "p9",
            "uuid": "u9",
            "timestamp": "2026-11-22T02:40:00Z",
            "message": {"content": "x"},
        }
        path.write_text(f"{path.read_text()}{json.dumps(more)}\n")
        mine.work("claude_code", stop(mine))

    assert there.asked == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_token_is_not_carried_on_to_another_address(tmp_path: Path, status: int) -> None:
    with server() as elsewhere, server() as there:
        there.status, there.headers = status, {"Location": f"{elsewhere.url}/v1/sessions"}
        mine = machine(tmp_path, there.url)
        mine.hook("send", *DAY)

    assert (there.asked, elsewhere.asked) == (1, 0)
    assert len(mine.waiting()) == 1


def test_too_much_waiting_drops_the_oldest_and_counts_it(tmp_path: Path) -> None:
    mine = machine(tmp_path, "http://127.0.0.1:9")
    for name in ("hook.py", "hook_start.py"):
        text = (mine.config / name).read_text()
        (mine.config / name).write_text(text.replace("MOST_WAITING = 500", "MOST_WAITING = 2"))
    for number in range(4):
        path = Path(stop(mine)["transcript_path"]).with_name(f"s{number}.jsonl")
        line = {
            "type": "user",
            "promptId": f"p{number}",
            "uuid": f"u{number}",
            "timestamp": f"2026-11-22T02:4{number}:00Z",
        }
        path.write_text(json.dumps({**line, "message": {"content": "x"}}) + "\n")
        mine.run([mine.python, str(mine.config / "hook.py"), "send", *DAY])

    assert len(mine.waiting()) == 2
    assert mine.waiting()[-1]["sessions"][0]["session"] == "s3"
    assert counts(mine)["dropped"] == 2  # each of the four runs made one document


def test_nobody_learns_the_token_from_what_is_printed(tmp_path: Path) -> None:
    with server() as there:
        mine = machine(tmp_path, there.url)
        there.status = 500
        outputs = [mine.hook("send", *DAY), mine.hook("status"), mine.hook("uninstall")]

    assert all(TOKEN.encode() not in done.stdout + done.stderr for done in outputs)


def sent(there: Server) -> list[str]:
    return [session["session"] for body in there.bodies for session in body["sessions"]]


def test_two_ends_at_once_send_one_turn_once(tmp_path: Path) -> None:
    with server() as there:
        mine = machine(tmp_path, there.url)
        for _ in range(4):
            mine.tell("claude_code", stop(mine))
        until(lambda: there.bodies)
        mine.work("claude_code", stop(mine))  # waits for the others' locks

    assert sent(there) == ["fbd8bbe7-79a9-45bc-b32c-170dfdc4ccf1"]
