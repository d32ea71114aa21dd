"""What leaves the machine: the allowed fields with values of their shape, and no word of anything else."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integrations import hook
from integrations.hook import Pull, Request, Turn, Where, documents, turn_sent
from integrations.sessions import parse
from tests.integrations.hook.machine import HOMES, SAMPLES, TOKEN, Machine, opencode_database

DOCUMENT = {"version", "agent", "sessions"}
SESSION = {"session", "turns"}
TURN = {
    *("turn", "prompted", "headless", "started", "ended", "repository", "branch", "head_before", "head_after"),
    *("commits", "pull", "pulls", "requests", "counters"),
}
REQUEST = {
    *("key", "at", "model", "origin", "fresh", "cache_write_5m", "cache_write_1h", "cache_read", "output"),
    *("reasoning", "cost_micro"),
}
PULL = {"at", "repository", "pull"}
COUNTERS = {"tool_ok", "tool_failed", "rejected", "interrupted", "compactions", "api_errors", "error_runs", "edited"}
ALLOWED = re.compile(  # what may be told of the samples: ids, models, repository, branches and commits
    r"[0-9a-f-]{32,36}|ses_\w+|msg_\w+|(req|resp|chatcmpl|toolu|call)[\w-]+|[0-9a-f]{7,40}|acme/widgets|acme|widgets"
    r"|main|feature/[\w-]+|fix/[\w-]+|(claude|gpt|gemini|qwen)[\w.-]+|\d{4}-\d\d-\d\dT[\d:.]+Z"
)


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> tuple[Machine, str]:
    """A machine with the transcripts of all agents, and all that would be sent."""
    machine = Machine(tmp_path_factory.mktemp("machine"))
    for sample in HOMES:
        machine.copy(sample)
    for sample in ("claude_older_versions", "claude_pricing_edge"):
        machine.copy(sample, ".claude")
    machine.copy("codex_older_versions", ".codex")
    opencode_database(machine.home / ".local" / "share" / "opencode")
    machine.install()
    done = machine.hook("send", "--dry-run", "--since", "2025-01-01")
    assert (done.returncode, done.stderr) == (0, b"")
    return machine, done.stdout.decode()


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
        yield from value.splitlines()
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
        yield from strings(inner)


def told_by_agents() -> Iterator[str]:
    """Every text in every sample that is not of an allowed kind."""
    for path in sorted(SAMPLES.rglob("*.json*")):
        if path.name != "expected.json":
            text = path.read_text()
            for document in [text] if path.suffix == ".json" else text.splitlines():
                if document != "BROKEN LINE {":
                    yield from strings(json.loads(document))


def canaries() -> set[str]:
    """Texts that nothing else could be: longer than a word of the document's own."""
    own = {*DOCUMENT, *SESSION, *TURN, *REQUEST, *PULL, *COUNTERS, *hook.AGENTS, "cursor", "file", "edits", "unknown"}
    own |= {"main", "subagent", "auxiliary", "true", "false", "null", "gpt-mock", "feature/other"}
    skeleton = " ".join(own)
    texts = {text.strip() for text in told_by_agents()}
    return {text for text in texts if len(text) > 3 and not ALLOWED.fullmatch(text) and text not in skeleton}


def leaks(text: str) -> set[str]:
    return {canary for canary in canaries() if canary in text or json.dumps(canary)[1:-1] in text}


def test_the_scan_would_find_a_leak(everything: tuple[Machine, str]) -> None:
    """The negative control: prompts, commands, paths, names and outputs are among what is looked for."""
    text = everything[1]
    for secret in (
        "Please fix add() in calc.py and commit",
        "/home/dev/src/widgets/calc.py",
        "cat calc.py",
        "return a - b",
    ):
        assert any(secret in canary for canary in canaries())
        assert leaks(text + secret)
    assert len(canaries()) > 300


def test_nothing_that_agents_were_told_or_did_is_sent(everything: tuple[Machine, str]) -> None:
    assert leaks(everything[1]) == set()


@pytest.mark.parametrize("secret", ["calc.py", "/home", "dev@example.com", "git commit", "def add", "Fix add", TOKEN])
def test_no_piece_of_it_is_sent_either(everything: tuple[Machine, str], secret: str) -> None:
    assert secret not in everything[1]


def test_every_agent_and_request_of_the_samples_is_among_it(everything: tuple[Machine, str]) -> None:
    sent = [json.loads(line) for line in everything[1].splitlines()]
    requests: dict[str, int] = {}
    for document in sent:
        number = sum(len(turn["requests"]) for session in document["sessions"] for turn in session["turns"])
        requests[document["agent"]] = requests.get(document["agent"], 0) + number
    # claude 24 + 5 + 5; codex 7 (4 + 1 + 1 + 1) and 5 of older versions (2 + 2 + 1)
    expected = {"claude_code": 34, "codex": 12, "gemini_cli": 4, "qwen_code": 2, "copilot": 4, "opencode": 2}
    assert requests == expected


def test_only_the_allowed_fields_are_there(everything: tuple[Machine, str]) -> None:
    for line in everything[1].splitlines():
        document = json.loads(line)
        assert set(document) == DOCUMENT
        for session in document["sessions"]:
            assert set(session) == SESSION
            for turn in session["turns"]:
                assert set(turn) == TURN
                assert set(turn["counters"]) == COUNTERS
                assert all(set(request) == REQUEST for request in turn["requests"])
                assert all(set(pull) == PULL for pull in turn["pulls"])
                assert all(re.fullmatch("[0-9a-f]{16}", one["file"]) for one in turn["counters"]["edited"])


def test_the_server_takes_all_of_it(everything: tuple[Machine, str]) -> None:
    taken = [parse(json.loads(line)) for line in everything[1].splitlines()]

    assert [rejected for _, rejected in taken] == [{}] * len(taken)
    assert sum(len(telemetry.requests) for telemetry, _ in taken) == 58  # 34 + 12 + 4 + 2 + 4 + 2


def test_a_dry_run_notes_nothing_and_says_the_same_again(everything: tuple[Machine, str]) -> None:
    machine, text = everything

    assert machine.hook("send", "--dry-run", "--since", "2025-01-01").stdout.decode() == text
    assert not (machine.config / "hook" / "spool").exists()


def test_status_prints_what_would_be_sent_and_never_the_token(everything: tuple[Machine, str]) -> None:
    machine, text = everything
    done = machine.hook("status", "--since", "2025-01-01")

    assert done.returncode == 0
    assert done.stdout.decode().endswith(text)
    assert TOKEN.encode() not in done.stdout + done.stderr


def test_only_turns_from_the_given_day_on_are_sent(everything: tuple[Machine, str]) -> None:
    done = everything[0].hook("send", "--dry-run", "--since", "2026-11-23")

    assert done.stdout == b""


def test_a_day_that_is_none_is_refused(everything: tuple[Machine, str]) -> None:
    done = everything[0].hook("send", "--dry-run", "--since", "yesterday")

    assert done.returncode == 1
    assert done.stderr == b"--since takes a day, such as 2026-11-22.\n"


AT = "2026-11-22T10:00:00Z"
NOWHERE = Where(None, None, None, None, [])


def turn(**more: Any) -> Turn:
    return Turn("t1", prompted=True, started=AT, ended=AT, **more)


@pytest.mark.parametrize("branch", ["'; DROP", "a b", "../up", "x~1", "a\nb", "b" * 251, "a:b", "line\x00"])
def test_what_can_be_no_branch_is_not_sent(branch: str) -> None:
    assert turn_sent(turn(), NOWHERE._replace(branch=branch), None)["branch"] is None


@pytest.mark.parametrize("repository", ["acme", "acme/widgets/x", "ac me/widgets", "acme/wid gets", "/etc/passwd"])
def test_what_can_be_no_repository_is_not_sent(repository: str) -> None:
    assert turn_sent(turn(), NOWHERE._replace(repository=repository), None)["repository"] is None


def test_ids_models_and_commits_that_look_like_text_are_not_sent_as_they_are() -> None:
    odd = Request("codex", "r", AT, "a model;\nwith a note")
    body = turn_sent(turn(requests={"r": odd}), NOWHERE._replace(commits=["not a sha", "ee227e5"]), None)

    assert (body["requests"][0]["model"], body["commits"]) == ("unknown", ["ee227e5"])
    (document,) = documents("codex", [("please fix my secret", body)])
    assert b"secret" not in document
    assert re.fullmatch("[0-9a-f]{32}", json.loads(document)["sessions"][0]["session"])


def test_the_pull_request_of_the_status_line_counts_where_the_turn_opened_none() -> None:
    shown, opened = Pull(AT, "acme/widgets", 42), Pull(AT, "acme/widgets", 43)

    assert turn_sent(turn(), NOWHERE, shown)["pull"] == 42
    assert turn_sent(turn(pulls=[opened]), NOWHERE, shown)["pull"] == 43
    assert turn_sent(turn(), NOWHERE, None)["pull"] is None


def test_a_turn_of_very_many_requests_is_sent_in_pieces_and_its_counters_once() -> None:
    many = {str(n): Request("codex", str(n), AT, "m", fresh=1) for n in range(1201)}
    body = turn_sent(turn(requests=many, interrupts={"x"}), NOWHERE, None)
    bodies = [json.loads(document) for document in documents("codex", [("s", body)])]
    turns = [turn for document in bodies for session in document["sessions"] for turn in session["turns"]]

    assert [len(turn["requests"]) for turn in turns] == [500, 500, 201]
    assert [turn["counters"]["interrupted"] for turn in turns] == [1, 0, 0]
    assert max(len(json.dumps(document)) for document in bodies) < 1 << 20


def test_many_turns_make_documents_that_the_server_takes(tmp_path: Path) -> None:
    body = turn_sent(turn(requests={"r": Request("codex", "r", AT, "m")}), NOWHERE, None)
    bodies = list(documents("codex", [(f"s{n}", body) for n in range(2000)]))

    assert max(map(len, bodies)) < 1 << 20
    assert sum(len(json.loads(document)["sessions"]) for document in bodies) == 2000
