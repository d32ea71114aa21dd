#!/usr/bin/env python3
"""Leverage's hook: tells your company's Leverage what your coding agent's turns took, and on which branch.

    python3 hook.py install --url https://leverage.example.com --token TOKEN     shows what it changes, and asks
    python3 hook.py status                                                       what is set up, and what waits
    python3 hook.py send --dry-run                                               prints exactly what would be sent
    python3 hook.py uninstall                                                    puts everything back

One file, standard library only, Python 3.8 or later. No prompt, answer, command, path or file name leaves the machine:
all that does is made in section 9 ("What is sent"), and `send --dry-run` prints it. Files that an agent edits are told
apart by a hash with a key that is derived from your token; a new token gives new hashes.

Sections: 1 handing over, 2 what is read, 3 Claude Code, 4 Codex, 5 Gemini and Qwen, 6 Copilot, opencode and Cursor,
7 all transcripts together, 8 git, 9 what is sent, 10 settings and state, 11 sending, 12 at work, 13 installing,
14 the commands.
"""

from __future__ import annotations

import os
import sys

# === 1. Handing over: all that an agent ever waits for ================================================================
# Imports nothing: a copy of the process does the work, in a session of its own, while the agent goes on. `install` puts
# this section into a file of its own (hook_start.py), so that an agent does not even wait for the rest to be compiled.

ANSWERS = {"gemini_cli": b"{}", "cursor": b"{}"}  # these two expect a JSON answer; the others none
TOLD = (  # all that is kept of what an agent tells its hook; the rest is forgotten here
    *("hook_event_name", "session_id", "prompt_id", "turn_id", "transcript_path", "cwd"),  # Claude Code, Codex, Gemini
    *("type", "thread-id", "turn-id"),  # Codex, notify
    *("conversation_id", "generation_id", "model", "status"),  # Cursor
    *("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens"),
)


def answer_agent(agent: str, notice: list[str]) -> None:
    """Take what the agent says (on stdin, or for `notify` as an argument), and let a child work with it."""
    told = notice[0].encode() if notice else sys.stdin.buffer.read()
    if agent in ANSWERS:
        os.write(1, ANSWERS[agent])
    if not hasattr(os, "fork"):
        _start_elsewhere(agent, told)
    elif _in_a_child():
        _become_worker(agent, told)


def show_status_line() -> None:
    """Show the status line that was there before ours, or a short one of our own, and note the pull request in it."""
    told = sys.stdin.buffer.read()
    command = _status_line_before()
    news = b'"pr"' in told
    if not hasattr(os, "fork"):
        _show_elsewhere(command, told)
        if news:
            _start_elsewhere("claude_code", told)
        return
    reading, writing = os.pipe()
    if _in_a_child():
        os.close(reading)
        try:
            _write_all(writing, told)
        finally:  # also where the status line does not read its input
            if news:
                _become_worker("claude_code", told)
    os.close(writing)
    if command is None:
        os.write(1, _own_status_line(told))
        return
    os.dup2(reading, 0)
    import signal  # only needed here

    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # as a shell expects it; Python starts with it ignored
    os.execv("/bin/sh", ["sh", "-c", command])


def _in_a_child() -> bool:
    """Fork. True in the child, which no end of the agent reaches; the parent goes on only once that is so: an agent
    that ends when its hook has ended takes along the processes that are still of its own session.
    """
    reading, writing = os.pipe()
    if os.fork() == 0:
        _leave_terminal()
        os.close(reading)
        os.close(writing)
        return True
    os.close(writing)
    os.read(reading, 1)  # nothing comes: the child's end is closed
    os.close(reading)
    return False


def _leave_terminal() -> None:
    os.setsid()
    os.nice(10)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)


def _become_worker(agent: str, told: bytes) -> None:
    """Start afresh, with only the allowed part of what was told. It is far smaller than what a pipe holds."""
    reading, writing = os.pipe()
    os.write(writing, _allowed(told))
    os.close(writing)
    os.dup2(reading, 0)
    os.closerange(3, 64)
    os.execv(sys.executable, _worker(agent))


def _worker(agent: str) -> list[str]:
    return [sys.executable, "-I", "-S", _beside("hook.py"), "work", agent]


def _beside(name: str) -> str:
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), name)


def _write_all(descriptor: int, data: bytes) -> None:
    with open(descriptor, "wb") as pipe:
        pipe.write(data)


def _allowed(told: bytes) -> bytes:
    import json

    given = json.loads(told)
    kept = {name: given[name] for name in TOLD if isinstance(given.get(name), (str, int))}
    roots = given.get("workspace_roots")
    if isinstance(roots, list) and roots and isinstance(roots[0], str):
        kept["cwd"] = roots[0]
    pull, place = given.get("pr"), (given.get("workspace") or {}).get("repo")
    if isinstance(pull, dict) and isinstance(place, dict):
        kept["pull"] = [f"{place.get('owner')}/{place.get('name')}", pull.get("number")]
    return json.dumps(kept).encode()[:16000]


def _status_line_before() -> str | None:
    """The command that showed the status line before this hook was installed."""
    path = os.path.join(_beside("hook"), "status_line")
    if not os.path.exists(path):
        return None
    with open(path, encoding="utf-8") as file:
        return file.read()


def _own_status_line(told: bytes) -> bytes:
    import json

    given = json.loads(told)
    parts = [f"${float((given.get('cost') or {}).get('total_cost_usd') or 0):.2f} this session"]
    number = (given.get("pr") or {}).get("number")
    return " · ".join(parts + ([f"#{int(number)}"] if number else [])).encode()


def _start_elsewhere(agent: str, told: bytes) -> None:
    """The same on systems that cannot copy a process."""
    import subprocess

    flags = getattr(subprocess, "DETACHED_PROCESS", 0) | getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
    nowhere = subprocess.DEVNULL
    child = subprocess.Popen(_worker(agent), stdin=subprocess.PIPE, stdout=nowhere, stderr=nowhere, creationflags=flags)
    if child.stdin:
        child.stdin.write(_allowed(told))
        child.stdin.close()


def _show_elsewhere(command: str | None, told: bytes) -> None:
    import subprocess

    if command is None:
        os.write(1, _own_status_line(told))
    else:
        subprocess.run(command, shell=True, input=told, check=False)


def _hand_over(arguments: list[str]) -> None:
    """Whatever goes wrong here must not reach the agent: it would stop its work."""
    try:
        if arguments[0] == "statusline":
            show_status_line()
        else:
            answer_agent(arguments[1], arguments[2:])
    finally:
        os._exit(0)


# The end of what hook_start.py holds.
if __name__ == "__main__" and sys.argv[1:2] in (["run"], ["statusline"]):
    _hand_over(sys.argv[1:])
else:
    import argparse
    import base64
    import contextlib
    import difflib
    import getpass
    import gzip
    import hashlib
    import hmac
    import json
    import re
    import signal
    import sqlite3
    import subprocess
    import time
    import urllib.error
    import urllib.parse
    import urllib.request
    from collections.abc import Callable, Iterable, Iterator
    from dataclasses import dataclass, field, replace
    from datetime import datetime, timedelta, timezone
    from typing import Any, NamedTuple, NoReturn

# === 2. What is read: requests, turns, sessions =======================================================================

UTC = timezone(timedelta(0))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOST = 10**12  # of any one number
RUN = 3  # equal failing calls in a row that make a run
TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$")


class BadUsage(ValueError):
    """Numbers of a request that cannot be true."""


@dataclass
class Request:
    """One call of a model. Token kinds do not overlap. `id` tells requests of an agent apart; `named` is the provider's
    own id, where `id` is another. Not `whole`: the agent may still be writing down what it took."""

    agent: str
    id: str
    at: str
    model: str
    fresh: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int | None = None
    cache_read: int = 0
    output: int = 0
    reasoning: int | None = None
    origin: str = "main"
    cost_micro: int | None = None
    named: str | None = None
    tier: str | None = None
    geo: str | None = None
    whole: bool = True

    @property
    def key(self) -> str:
        return request_key(self.agent, self.named or self.id)

    @property
    def size(self) -> int:
        written = self.cache_write_5m + (self.cache_write_1h or 0)
        return self.fresh + written + self.cache_read + self.output + (self.reasoning or 0)


class Tool(NamedTuple):
    """A finished call of a tool: ok, failed or rejected; a fingerprint of what was called if it failed; what it
    edited."""

    outcome: str
    what: str = ""
    files: tuple[str, ...] = ()


class Pull(NamedTuple):
    """A pull request that an agent said it opened."""

    at: str
    repository: str | None
    number: int


@dataclass
class Turn:
    """One prompt and all that followed. `prompted`: a person's (or a script's: `headless`) prompt, and no command.
    `branch` and `head` are what the transcript says, which may be stale; `repository` too."""

    id: str | None
    prompted: bool = False
    headless: bool = False
    started: str = ""
    ended: str = ""
    cwd: str | None = None
    repository: str | None = None
    head: str | None = None
    branches: list[str] = field(default_factory=list)
    pulls: list[Pull] = field(default_factory=list)
    commits: list[str] = field(default_factory=list)
    pushed: list[str] = field(default_factory=list)
    requests: dict[str, Request] = field(default_factory=dict)
    tools: dict[str, Tool] = field(default_factory=dict)
    interrupts: set[str] = field(default_factory=set)
    compactions: set[str] = field(default_factory=set)
    api_errors: set[str] = field(default_factory=set)
    error_runs: int = 0

    @property
    def branch(self) -> str | None:
        return _last(self.branches)

    @property
    def counters(self) -> dict[str, Any]:
        outcomes = [tool.outcome for tool in self.tools.values()]
        edits = [file for tool in self.tools.values() for file in tool.files]
        return {
            "tool_ok": outcomes.count("ok"),
            "tool_failed": outcomes.count("failed"),
            "rejected": outcomes.count("rejected"),
            "interrupted": len(self.interrupts),
            "compactions": len(self.compactions),
            "api_errors": len(self.api_errors),
            "error_runs": self.error_runs,
            "edited": [{"file": file, "edits": edits.count(file)} for file in dict.fromkeys(edits)],
        }

    def touch(self, at: Any, cwd: Any = None, branch: Any = None) -> None:
        """Note that something of this turn happened then, and where the agent says it was."""
        if isinstance(at, str) and at:
            self.started = min(self.started or at, at)
            self.ended = max(self.ended, at)
        self.cwd = _text(cwd) or self.cwd
        if _text(branch) and branch != "HEAD" and self.branch != branch:
            self.branches.append(branch)

    def absorb(self, other: Turn) -> None:
        """Add what another file tells of the same turn."""
        self.prompted |= other.prompted
        self.headless |= other.headless
        self.touch(other.started)
        self.touch(other.ended)
        self.cwd = self.cwd or other.cwd
        self.repository, self.head = self.repository or other.repository, self.head or other.head
        self.branches = self.branches or list(other.branches)
        for name in ("pulls", "commits", "pushed"):
            mine = getattr(self, name)
            mine += [item for item in getattr(other, name) if item not in mine]
        for call, tool in other.tools.items():
            self.tools.setdefault(call, tool)
        self.interrupts |= other.interrupts
        self.compactions |= other.compactions
        self.api_errors |= other.api_errors
        self.error_runs += other.error_runs


@dataclass
class Session:
    """One conversation of an agent, each request and turn in it counted nowhere else. `rejected` counts what could not
    be read, by reason."""

    agent: str
    id: str
    turns: list[Turn] = field(default_factory=list)
    rejected: dict[str, int] = field(default_factory=dict)


@dataclass
class Scan:
    """What one file says by itself, before copies in other files are found. Can be kept while the file is unchanged."""

    agent: str
    path: str
    session: str = ""
    first: str = ""
    parent: str | None = None
    turns: dict[str | None, Turn] = field(default_factory=dict)
    rejected: dict[str, int] = field(default_factory=dict)

    def turn(self, id: str | None) -> Turn:
        if id not in self.turns:
            self.turns[id] = Turn(id)
        return self.turns[id]

    def reject(self, reason: str) -> None:
        self.rejected[reason] = self.rejected.get(reason, 0) + 1


class Reader:
    """Reads the lines of one file, oldest first. `key` is for the fingerprints of files."""

    def __init__(self, found: Scan, key: bytes) -> None:
        self.found = found
        self.key = key
        self.current: Turn | None = None

    def wants(self, line: bytes) -> bool:
        """Whether a line may hold something: most bytes of a transcript are content, which is not even decoded."""
        return True

    def slim(self, line: bytes) -> bytes:
        """The line without content that is long and not needed; what is not JSON any more is read as it was."""
        return line

    def read(self, record: dict[str, Any]) -> None:
        raise NotImplementedError

    @property
    def turn(self) -> Turn:
        """The turn that is going on; what comes before the first prompt belongs to none."""
        if self.current is None:
            self.current = self.found.turn(None)
        return self.current

    def add(self, request: Request) -> None:
        self.turn.requests[request.id] = request
        self.turn.touch(request.at)

    def fingerprint(self, path: Any) -> tuple[str, ...]:
        """A file, told apart by a keyed hash of its path."""
        if not _text(path):
            return ()
        whole = os.path.normpath(os.path.join(self.turn.cwd or "", path))
        return (hmac.new(self.key, whole.encode("utf-8", "replace"), "sha256").hexdigest()[:16],)


def request_key(agent: str, request_id: str) -> str:
    """The key of a request, the same whichever way the server hears of it."""
    return hashlib.sha256(f"{agent}:{request_id}".encode("utf-8", "replace")).hexdigest()[:32]


def moment(text: str) -> datetime:
    """A time as agents write it, in UTC."""
    match = TIME.match(text)
    if not match:
        raise ValueError("not a time with a zone")
    day, clock, fraction, zone = match.groups()
    micros = ((fraction or "") + "000000")[:6]
    return datetime.fromisoformat(f"{day}T{clock}.{micros}{'+00:00' if zone == 'Z' else zone}").astimezone(UTC)


def _written(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _from_millis(millis: Any) -> str:
    if isinstance(millis, bool) or not isinstance(millis, int) or not 0 <= millis < 10**14:
        raise BadUsage("no time in milliseconds")
    return _written(EPOCH + timedelta(milliseconds=millis))


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _count(value: Any) -> int:
    """A counter; one that is missing is 0."""
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST:
        raise BadUsage("a counter is no whole number from 0 to 10^12")
    return value


def _rest(whole: int, *parts: int) -> int:
    """What is left of a number that includes others."""
    left = whole - sum(parts)
    if left < 0:
        raise BadUsage("a part is larger than its whole")
    return left


def _micro(dollars: Any) -> int | None:
    given = isinstance(dollars, (int, float)) and not isinstance(dollars, bool) and 0 <= dollars <= 10**9
    return round(dollars * 10**6) if given else None


def _what(name: Any, given: Any) -> str:
    """Tells calls of tools apart, on this machine only."""
    told = json.dumps([name, given], sort_keys=True, default=str)
    return hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()[:16]


def _count_runs(found: Scan) -> None:
    """Count runs of equal failing calls; prompts do not end one, a successful or another call does."""
    last, length = "", 0
    for turn in found.turns.values():
        for tool in turn.tools.values():
            length = length + 1 if tool.outcome == "failed" and tool.what == last else int(tool.outcome == "failed")
            last = tool.what if tool.outcome == "failed" else ""
            turn.error_runs += length == RUN


# === 3. Claude Code ===================================================================================================
# <home>/projects/<folder>/<session>.jsonl, sub-agents in <session>/subagents/. The format is internal to Claude Code
# and has changed often; all of it is optional here. One message is written as several lines with the same usage.

REJECTED = "doesn't want to proceed"
INTERRUPTED = "[Request interrupted"
NO_PROMPTS = ("<command-name>", "<local-command", "<bash-", INTERRUPTED)
CLAUDE_EDITS = {"Edit": "file_path", "MultiEdit": "file_path", "Write": "file_path", "NotebookEdit": "notebook_path"}
PULL_URL = re.compile(r"https?://[^/]+/([\w.-]+/[\w.-]+)/pull/\d+$")


class Claude(Reader):
    def __init__(self, found: Scan, key: bytes) -> None:
        super().__init__(found, key)
        stem = os.path.basename(found.path)[: -len(".jsonl")]
        found.session = "" if stem.startswith("agent-") else stem
        self.calls: dict[str, tuple[Any, Any]] = {}
        self.where: dict[str, Turn] = {}
        self.links: set[tuple[Any, Any]] = set()

    def wants(self, line: bytes) -> bool:
        return b'"assistant"' in line or b'"user"' in line or b'"pr-link"' in line or b'"compact_boundary"' in line

    def slim(self, line: bytes) -> bytes:
        """What a tool answered stands in a line twice, once for the screen. A quote within a text is never bare."""
        if len(line) < 2000 or b'"gitOperation"' in line:
            return line
        start, end = line.find(b',"toolUseResult":'), line.rfind(b',"sourceToolAssistantUUID":')
        return line[:start] + line[end:] if 0 < start < end else line

    def read(self, record: dict[str, Any]) -> None:
        self.found.session = self.found.session or _text(record.get("sessionId")) or ""
        kind = record.get("type")
        if kind == "user":
            self.user(record)
        elif kind == "assistant":
            self.assistant(record)
        elif kind == "pr-link":
            self.link(record)
        elif record.get("subtype") == "compact_boundary":
            self.turn.compactions.add(str(record.get("uuid")))

    def user(self, record: dict[str, Any]) -> None:
        content = _dict(record.get("message")).get("content")
        results = [block for block in _list(content) if _dict(block).get("type") == "tool_result"]
        self.enter(record, content, results)
        if _first_text(content).startswith(INTERRUPTED):
            self.turn.interrupts.add(str(record.get("uuid")))
        for result in results:
            self.result(result)
        self.operation(record, _dict(_dict(record.get("toolUseResult")).get("gitOperation")))

    def enter(self, record: dict[str, Any], content: Any, results: list[Any]) -> None:
        """Go to the turn of this line. Versions that do not name it: a prompt begins one."""
        prompt = not results and _is_prompt(record, content)
        id = _text(record.get("promptId")) or (_text(record.get("uuid")) if prompt else None)
        if id:
            self.current = self.found.turn(id)
        self.turn.prompted |= prompt
        self.turn.headless |= prompt and str(record.get("entrypoint")).startswith("sdk")
        self.touch(record)

    def touch(self, record: dict[str, Any]) -> None:
        self.turn.touch(record.get("timestamp"), record.get("cwd"), record.get("gitBranch"))

    def result(self, result: dict[str, Any]) -> None:
        call = str(result.get("tool_use_id"))
        name, given = self.calls.pop(call, (None, None))
        if result.get("is_error") is not True:
            tool = Tool("ok", files=self.fingerprint(_dict(given).get(CLAUDE_EDITS.get(str(name), ""))))
        elif REJECTED in _first_text(result.get("content")):
            tool = Tool("rejected")
        else:
            tool = Tool("failed", _what(name, given))
        self.turn.tools.setdefault(call, tool)

    def operation(self, record: dict[str, Any], done: dict[str, Any]) -> None:
        """What Claude Code noticed of git and gh in a command's output."""
        sha, branch = _text(_dict(done.get("commit")).get("sha")), _text(_dict(done.get("push")).get("branch"))
        if sha:
            self.turn.commits.append(sha)
        if branch:
            self.turn.pushed.append(branch)
        pull = _dict(done.get("pr"))
        url = PULL_URL.match(str(pull.get("url")))
        if pull.get("action") == "created" and url:
            self.opened(record, url.group(1), pull.get("number"))

    def link(self, record: dict[str, Any]) -> None:
        """A pull request of the session. It is written again when a session is resumed or forked: only the first one
        says something about the turn it stands in, and none before the first prompt."""
        link = (record.get("prRepository"), record.get("prNumber"))
        if link not in self.links and self.current is not None:
            self.opened(record, *link)
        self.links.add(link)

    def opened(self, record: dict[str, Any], repository: Any, number: Any) -> None:
        pull = Pull(_text(record.get("timestamp")) or self.turn.ended, _text(repository), _count(number))
        if pull.number and (pull.repository, pull.number) not in [
            (one.repository, one.number) for one in self.turn.pulls
        ]:
            self.turn.pulls.append(pull)

    def assistant(self, record: dict[str, Any]) -> None:
        message = _dict(record.get("message"))
        self.touch(record)
        if record.get("isApiErrorMessage"):
            self.turn.api_errors.add(str(record.get("uuid")))
        for block in _list(message.get("content")):
            if _dict(block).get("type") == "tool_use":
                self.calls[str(block.get("id"))] = (block.get("name"), block.get("input"))
        usage = message.get("usage")
        if isinstance(usage, dict) and message.get("model") != "<synthetic>":
            self.count(_claude_request(record, message, usage))

    def count(self, request: Request) -> None:
        """One message is one request: its best line counts, in the turn that had it first."""
        turn = self.where.setdefault(request.id, self.turn)
        known = turn.requests.get(request.id)
        turn.requests[request.id] = request if known is None else _better(known, request)


def _claude_request(record: dict[str, Any], message: dict[str, Any], usage: dict[str, Any]) -> Request:
    id = _text(message.get("id")) or _text(record.get("requestId")) or _text(record.get("uuid"))
    if not id:
        raise BadUsage("a request without an id")
    five, hour = _cache_writes(usage)
    return Request(
        agent="claude_code",
        id=id,
        named=_text(record.get("requestId")),
        at=_text(record.get("timestamp")) or "",
        model=_text(message.get("model")) or "",
        fresh=_count(usage.get("input_tokens")),
        cache_write_5m=five,
        cache_write_1h=hour,
        cache_read=_count(usage.get("cache_read_input_tokens")),
        output=_count(usage.get("output_tokens")),
        origin="subagent" if record.get("isSidechain") else "main",
        cost_micro=_micro(record.get("costUSD")),
        tier={"fast": "fast"}.get(str(usage.get("speed"))) or {"batch": "batch"}.get(str(usage.get("service_tier"))),
        geo=_text(usage.get("inference_geo")),
        whole=message.get("stop_reason") is not None,
    )


def _cache_writes(usage: dict[str, Any]) -> tuple[int, int | None]:
    """Written to the cache for five minutes and for an hour; what a split leaves over is for five minutes."""
    total, split = _count(usage.get("cache_creation_input_tokens")), usage.get("cache_creation")
    if not isinstance(split, dict):
        return total, None
    five, hour = _count(split.get("ephemeral_5m_input_tokens")), _count(split.get("ephemeral_1h_input_tokens"))
    return five + max(0, total - five - hour), hour


def _better(known: Request, other: Request) -> Request:
    """Of two lines about one request: the conversation's own before a copy in a side conversation, then the larger
    (older versions wrote a first guess before the final numbers)."""
    if (known.origin == "main") != (other.origin == "main"):
        best = known if known.origin == "main" else other
    else:
        best = other if other.size > known.size else known
    return replace(best, named=best.named or known.named or other.named, whole=known.whole or other.whole)


def _is_prompt(record: dict[str, Any], content: Any) -> bool:
    if record.get("isMeta") or record.get("isCompactSummary") or record.get("isSidechain"):
        return False
    if _dict(record.get("origin")).get("kind", "human") != "human":
        return False
    return not _first_text(content).startswith(NO_PROMPTS)


def _first_text(content: Any) -> str:
    """The first text of a message, to see what kind of message it is. It goes nowhere."""
    if isinstance(content, str):
        return content
    return next((str(block.get("text")) for block in _list(content) if _dict(block).get("type") == "text"), "")


# === 4. Codex =========================================================================================================
# <home>/sessions/YYYY/MM/DD/rollout-*.jsonl and archived_sessions/. New versions write one record a response; older
# ones only running totals, which they repeat, and which forks and sub-agents replay.

CODEX_DONE = {"exec_command_end", "patch_apply_end"}
CODEX_IN_TURN = CODEX_DONE | {
    "token_count",
    "item_completed",
    "agent_message",
    "task_complete",
    "turn_aborted",
    "error",
}


class Codex(Reader):
    def __init__(self, found: Scan, key: bytes) -> None:
        super().__init__(found, key)
        self.root = ""  # the oldest conversation of the line of forks: running totals count in it
        self.model = ""
        self.lines = self.prompts = 0
        self.named = self.subagent = self.forked = self.replaying = self.headless = False
        self.totals: tuple[int, ...] | None = None
        self.counted: str | None = None  # the request that the totals were last counted as
        self.git: dict[str, Any] = {}
        self.cwd: str | None = None

    def wants(self, line: bytes) -> bool:
        head = line[:120]
        return b'"response_item"' not in head and b'"world_state"' not in head

    def read(self, record: dict[str, Any]) -> None:
        self.lines += 1
        at, payload = _text(record.get("timestamp")) or "", _dict(record.get("payload"))
        kind = str(record.get("type"))
        if kind == "event_msg":
            self.event(at, str(payload.get("type")), payload)
        elif kind == "session_meta":
            self.meta(payload)
        elif kind == "turn_context":
            self.context(at, payload)
        elif kind == "token_usage_record":
            self.record(at, payload)
        elif kind == "compacted":
            self.turn.compactions.add(str(self.lines))

    def meta(self, payload: dict[str, Any]) -> None:
        id, origin = _text(payload.get("id")) or "", _text(payload.get("forked_from_id"))
        self.root = origin or id
        if self.found.session:  # a copy of the parent's beginning follows
            self.replaying = id != self.found.session
            return
        source = _dict(_dict(payload.get("source")).get("subagent"))
        self.found.session, self.found.parent = id, origin
        self.subagent, self.forked = bool(source), bool(origin)
        self.headless = payload.get("source") == "exec"
        self.git, self.cwd = _dict(payload.get("git")), _text(payload.get("cwd"))

    def enter(self, at: str, id: str) -> None:
        self.current = self.found.turn(id)
        self.touch(at)

    def touch(self, at: str) -> None:
        turn = self.turn
        turn.touch(at, self.cwd, self.git.get("branch"))
        turn.repository = turn.repository or repository_of(str(self.git.get("repository_url")))
        turn.head = turn.head or _text(self.git.get("commit_hash"))

    def context(self, at: str, payload: dict[str, Any]) -> None:
        self.replaying = False
        self.model = _text(payload.get("model")) or self.model
        self.cwd = _text(payload.get("cwd")) or self.cwd
        self.started(at, payload)

    def started(self, at: str, payload: dict[str, Any]) -> None:
        id = _text(payload.get("turn_id"))
        if id:
            self.replaying, self.named = False, True
            self.enter(at, id)

    def prompted(self, at: str) -> None:
        if self.replaying:
            return
        if not self.named:  # older versions: a prompt begins a turn
            self.prompts += 1
            self.enter(at, f"{self.found.session}:{self.prompts}")
        self.turn.prompted, self.turn.headless = not self.subagent, self.headless

    def event(self, at: str, kind: str, payload: dict[str, Any]) -> None:
        if kind == "token_count":
            self.token_count(at, _dict(payload.get("info")))
        elif kind == "task_started":
            self.started(at, payload)
        elif kind == "user_message":
            self.prompted(at)
        elif kind == "item_completed":
            self.item(at, _dict(payload.get("item")))
        elif kind in CODEX_DONE:
            self.done(payload)
        else:
            self.trouble(kind)
        if kind in CODEX_IN_TURN and self.current is not None and not self.replaying:
            self.current.touch(at)

    def trouble(self, kind: str) -> None:
        counted = {"turn_aborted": self.turn.interrupts, "error": self.turn.api_errors}.get(kind)
        if counted is not None and not self.replaying:
            counted.add(str(self.lines))

    def item(self, at: str, item: dict[str, Any]) -> None:
        kind, call = item.get("type"), str(item.get("id"))
        if kind == "UserMessage":
            self.prompted(at)
        elif kind in ("CommandExecution", "McpToolCall"):
            self.tool(call, item, item.get("command") or [item.get("server"), item.get("tool"), item.get("arguments")])
        elif kind == "FileChange":
            self.tool(call, item, item.get("changes"), self.changed(item.get("changes")))

    def tool(self, call: str, item: dict[str, Any], what: Any, files: tuple[str, ...] = ()) -> None:
        if item.get("status") == "declined":
            tool = Tool("rejected")
        elif item.get("status") == "failed" or item.get("exit_code"):
            tool = Tool("failed", _what(item.get("type"), what))
        else:
            tool = Tool("ok", files=files)
        self.turn.tools.setdefault(call, tool)

    def done(self, payload: dict[str, Any]) -> None:
        """The same of older versions."""
        failed = payload.get("exit_code") or payload.get("success") is False
        state = {"type": payload.get("type"), "status": "failed" if failed else "completed"}
        what = payload.get("command") or payload.get("changes")
        if not self.replaying:
            self.tool(str(payload.get("call_id")), state, what, self.changed(payload.get("changes")))

    def changed(self, changes: Any) -> tuple[str, ...]:
        paths = list(changes) if isinstance(changes, dict) else [_dict(one).get("path") for one in _list(changes)]
        return tuple(name for path in paths for name in self.fingerprint(path))

    def record(self, at: str, payload: dict[str, Any]) -> None:
        if self.replaying:
            return
        self.started(at, payload)
        totals = _codex_numbers(_dict(payload.get("thread_token_usage")))
        if totals == self.totals and self.counted:  # counted by its totals a line before
            self.turn.requests.pop(self.counted, None)
        self.totals, self.counted = totals, None
        id = _text(payload.get("response_id")) or f"{self.root}:{totals}"
        self.use(at, id, _codex_numbers(_dict(payload.get("usage"))))

    def token_count(self, at: str, info: dict[str, Any]) -> None:
        """Running totals; the same ones are written several times."""
        if not isinstance(info.get("total_token_usage"), dict):
            return
        before, totals = self.totals, _codex_numbers(info["total_token_usage"])
        self.totals = totals
        if totals == before or self.replaying:
            return
        last = info.get("last_token_usage")
        if isinstance(last, dict):
            numbers = _codex_numbers(last)
        elif before is None and self.forked:
            return  # where the parent stood
        else:
            since = before or (0,) * len(totals)
            numbers = tuple(_rest(total, since[kind]) for kind, total in enumerate(totals))
        self.counted = f"{self.root}:{totals}"
        self.use(at, self.counted, numbers)

    def use(self, at: str, id: str, numbers: tuple[int, ...]) -> None:
        given, cached, written, output, reasoning = numbers
        self.touch(at)
        self.add(
            Request(
                agent="codex",
                id=id,
                at=at,
                model=self.model,
                fresh=_rest(given, cached, written),
                cache_write_5m=written,
                cache_read=cached,
                output=_rest(output, reasoning),
                reasoning=reasoning,
                origin="subagent" if self.subagent else "main",
            )
        )


CODEX_NUMBERS = ("input", "cached_input", "cache_write_input", "output", "reasoning_output")


def _codex_numbers(usage: dict[str, Any]) -> tuple[int, ...]:
    return tuple(_count(usage.get(f"{name}_tokens")) for name in CODEX_NUMBERS)


# === 5. Gemini and Qwen ===============================================================================================
# ~/.gemini/tmp/<project>/chats/session-*.jsonl (older: one .json document), ~/.qwen/projects/<folder>/chats/*.jsonl.

GEMINI_EDITS = {"replace", "write_file", "edit"}
SHELL = "run_shell_command"
EXIT_CODE = re.compile(r"Exit Code: ([1-9]\d*)")


class Gemini(Reader):
    agent = "gemini_cli"
    origin = "main"
    cwd: str | None = None

    def read(self, record: dict[str, Any]) -> None:
        if "sessionId" in record and "type" not in record:
            self.found.session = _text(record.get("sessionId")) or self.found.session
            self.origin = "main" if record.get("kind", "main") == "main" else "subagent"
            self.cwd = _gemini_folder(self.found.path)
        for message in [record, *_list(_dict(record.get("$set")).get("messages")), *_list(record.get("messages"))]:
            self.message(_dict(message), restated=message is not record and "$set" in record)

    def message(self, message: dict[str, Any], restated: bool) -> None:
        kind, id = message.get("type"), _text(message.get("id"))
        if kind == "user" and id and not restated:
            self.user(id, message)
        elif kind == "gemini" and id:
            self.answer(id, message)

    def user(self, id: str, message: dict[str, Any]) -> None:
        """A prompt, unless it gives the model what its tools answered."""
        if not any("functionResponse" in _dict(part) for part in _list(message.get("content"))):
            self.current = self.found.turn(id)
            self.current.prompted = self.origin == "main"
        self.turn.touch(message.get("timestamp"), self.cwd)

    def answer(self, id: str, message: dict[str, Any]) -> None:
        """The same message is written again when more is known of its tools: the last one counts."""
        for call in _list(message.get("toolCalls")):
            self.turn.tools[str(_dict(call).get("id"))] = self.tool(_dict(call))
        tokens = message.get("tokens")
        if isinstance(tokens, dict):
            numbers = [tokens.get(name) for name in ("input", "cached", "output", "thoughts", "tool", "total")]
            self.add(_google_request(self.agent, id, message, self.origin, numbers))

    def tool(self, call: dict[str, Any]) -> Tool:
        name, given, status = str(call.get("name")), _dict(call.get("args")), call.get("status")
        if status == "cancelled":
            return Tool("rejected")
        if status != "success" or (name == SHELL and EXIT_CODE.search(json.dumps(call.get("result")))):
            return Tool("failed", _what(name, given))
        return Tool("ok", files=self.fingerprint(given.get("file_path")) if name in GEMINI_EDITS else ())


def _google_request(agent: str, id: str, said: dict[str, Any], origin: str, numbers: list[Any]) -> Request:
    """Cached tokens are part of the input, what tools read is not. Thoughts are part of the output where the total says
    so (Qwen on an OpenAI interface), else beside it."""
    given, cached, output, thoughts, tool, total = (_count(number) for number in numbers)
    inside = thoughts and total and total < given + output + thoughts + tool
    return Request(
        agent=agent,
        id=id,
        at=_text(said.get("timestamp")) or "",
        model=_text(said.get("model")) or "",
        fresh=_rest(given, cached) + tool,
        cache_read=cached,
        output=_rest(output, thoughts) if inside else output,
        reasoning=thoughts,
        origin=origin,
    )


def _gemini_folder(path: str) -> str | None:
    """Where the project is, if Gemini has written it down beside its chats."""
    note = os.path.join(os.path.dirname(os.path.dirname(path)), ".project_root")
    with contextlib.suppress(OSError), open(note, encoding="utf-8", errors="replace") as file:
        return file.read(4096).strip() or None
    return None


class Qwen(Gemini):
    """Each answer is written twice: as telemetry with the response's id, then as a message. Telemetry without a message
    is a sub-agent's or a title's."""

    agent = "qwen_code"

    def __init__(self, found: Scan, key: bytes) -> None:
        super().__init__(found, key)
        self.waiting: Request | None = None
        self.asked: dict[str, tuple[str, Any]] = {}

    def read(self, record: dict[str, Any]) -> None:
        self.found.session = _text(record.get("sessionId")) or self.found.session
        kind = record.get("type")
        if kind == "user":
            self.current = self.found.turn(_text(record.get("uuid")))
            self.current.prompted = True
        self.turn.touch(record.get("timestamp"), record.get("cwd"), record.get("gitBranch"))
        if kind == "assistant":
            self.said(record)
        elif kind == "tool_result":
            self.result(record, _dict(record.get("toolCallResult")))
        elif record.get("subtype") == "ui_telemetry":
            self.telemetry(_dict(_dict(record.get("systemPayload")).get("uiEvent")))

    def telemetry(self, event: dict[str, Any]) -> None:
        """A response that waits for its message."""
        id, name = _text(event.get("response_id")), str(event.get("event.name"))
        if name.endswith("api_error"):
            self.turn.api_errors.add(str(event.get("event.timestamp")))
        if not name.endswith("api_response") or not id:
            return
        parts = ("input", "cached_content", "output", "thoughts", "tool", "total")
        numbers = [event.get(f"{part}_token_count") for part in parts]
        said = {"timestamp": event.get("event.timestamp"), "model": event.get("model")}
        origin = "subagent" if event.get("subagent_name") else "auxiliary"
        self.waiting = _google_request(self.agent, id, said, origin, numbers)
        self.add(self.waiting)

    def said(self, record: dict[str, Any]) -> None:
        for part in _list(_dict(record.get("message")).get("parts")):
            call = _dict(_dict(part).get("functionCall"))
            if call:
                self.asked[str(call.get("id"))] = (str(call.get("name")), call.get("args"))
        usage = record.get("usageMetadata")
        if isinstance(usage, dict):
            self.used(record, usage)

    def used(self, record: dict[str, Any], usage: dict[str, Any]) -> None:
        parts = ("prompt", "cachedContent", "candidates", "thoughts", "toolUsePrompt", "total")
        numbers = [usage.get(f"{part}TokenCount") for part in parts]
        request = _google_request(self.agent, str(record.get("uuid")), record, "main", numbers)
        if self.waiting is not None and self.waiting.size == request.size:
            request = replace(request, id=self.waiting.id)
        self.waiting = None
        self.add(request)

    def result(self, record: dict[str, Any], done: dict[str, Any]) -> None:
        call = str(done.get("callId"))
        name, given = self.asked.pop(call, ("", None))
        message = _dict(record.get("message")).get("parts")
        self.turn.tools[call] = self.tool(
            {"name": name, "args": given, "status": done.get("status"), "result": message}
        )


# === 6. Copilot, opencode and Cursor ==================================================================================
# ~/.copilot/session-state/<id>/events.jsonl; ~/.local/share/opencode/opencode.db; Cursor keeps no transcript, but tells
# its hook what a turn took.


class Copilot(Reader):
    def __init__(self, found: Scan, key: bytes) -> None:
        super().__init__(found, key)
        found.session = os.path.basename(os.path.dirname(found.path))
        self.place: dict[str, Any] = {}
        self.asked: dict[str, tuple[Any, Any]] = {}

    def wants(self, line: bytes) -> bool:
        return b'"type":"assistant.message"' not in line and b'"type":"system.message"' not in line

    def read(self, record: dict[str, Any]) -> None:
        kind, data = str(record.get("type")), _dict(record.get("data"))
        at, id = _text(record.get("timestamp")) or "", str(record.get("id"))
        self.place = _dict(data.get("context")) or self.place
        if kind == "user.message":
            self.current = self.found.turn(_text(data.get("interactionId")) or id)
            self.current.prompted = True
        elif kind == "session.usage_record":
            self.usage(at, _dict(data.get("usage")))
        elif kind == "tool.execution_start":
            self.asked[str(data.get("toolCallId"))] = (data.get("toolName"), data.get("arguments"))
        elif kind == "tool.execution_complete":
            self.finished(data)
        else:
            self.other(kind, id)
        if self.current is not None and not kind.startswith("session.s"):  # start and shutdown are in no turn
            self.touch(at)

    def touch(self, at: str) -> None:
        self.turn.touch(at, self.place.get("cwd"), self.place.get("branch"))
        self.turn.repository = self.turn.repository or _text(self.place.get("repository"))
        self.turn.head = self.turn.head or _text(self.place.get("headCommit"))

    def other(self, kind: str, id: str) -> None:
        if kind == "abort":
            self.turn.interrupts.add(id)
        elif kind == "session.compaction_complete":
            self.turn.compactions.add(id)
        elif kind == "session.error":
            self.turn.api_errors.add(id)

    def finished(self, data: dict[str, Any]) -> None:
        call = str(data.get("toolCallId"))
        name, given = self.asked.pop(call, (None, None))
        if _dict(data.get("error")).get("code") in ("rejected", "denied"):
            tool = Tool("rejected")
        elif data.get("success") is not True or _dict(data.get("shellExecution")).get("exitCode"):
            tool = Tool("failed", _what(name, given))
        else:
            edits = [_dict(edit).get("path") for edit in _list(data.get("fileEdits"))]
            tool = Tool("ok", files=tuple(file for path in edits for file in self.fingerprint(path)))
        self.turn.tools[call] = tool

    def usage(self, at: str, usage: dict[str, Any]) -> None:
        """`cost` is in premium requests, not in money. The sums at the end of a session repeat these."""
        id = _text(_dict(usage.get("accounting")).get("usageId")) or _text(usage.get("apiCallId"))
        if not id:
            raise BadUsage("a request without an id")
        names = ("inputTokens", "cacheReadTokens", "cacheWriteTokens", "outputTokens", "reasoningTokens")
        given, read, written, output, reasoning = (_count(usage.get(name)) for name in names)
        self.add(
            Request(
                agent="copilot",
                id=id,
                at=at,
                model=_text(usage.get("model")) or "",
                fresh=_rest(given, read, written),
                cache_write_5m=written,
                cache_read=read,
                output=_rest(output, reasoning),
                reasoning=reasoning,
                origin=_copilot_origin(str(usage.get("interactionType") or "conversation-agent")),
            )
        )


def _copilot_origin(interaction: str) -> str:
    if "subagent" in interaction:
        return "subagent"
    return "main" if interaction.startswith("conversation") else "auxiliary"


def scan_opencode(path: str) -> list[Scan]:
    """Every session of opencode's database, opened for reading only."""
    with contextlib.closing(
        sqlite3.connect(f"file:{urllib.parse.quote(path)}?mode=ro", uri=True, timeout=2)
    ) as database:
        sessions = database.execute("SELECT id, parent_id, directory FROM session").fetchall()
        messages = database.execute("SELECT session_id, id, data FROM message ORDER BY time_created, id").fetchall()
    found = {str(id): Scan("opencode", path, str(id), parent=parent) for id, parent, _ in sessions}
    folders = {str(id): folder for id, _, folder in sessions}
    for session, id, data in messages:
        if session in found:
            _opencode_message(found[session], folders[session], str(id), data)
    return list(found.values())


def _opencode_message(found: Scan, folder: Any, id: str, data: Any) -> None:
    try:
        message = _dict(json.loads(data))
        at = _from_millis(_dict(message.get("time")).get("created"))
        found.first = found.first or at
        if message.get("role") == "user":
            turn = found.turn(id)
            turn.prompted = not found.parent
        else:
            turn = found.turn(_text(message.get("parentID")))
            _opencode_answer(found, turn, at, message, id)
        turn.touch(at, _dict(message.get("path")).get("cwd") or folder)
    except BadUsage:
        found.reject("bad_usage")
    except (ValueError, RecursionError):
        found.reject("broken_line")


def _opencode_answer(found: Scan, turn: Turn, at: str, message: dict[str, Any], id: str) -> None:
    """Forks copy messages under new ids; their times and numbers stay."""
    tokens, cache = _dict(message.get("tokens")), _dict(_dict(message.get("tokens")).get("cache"))
    names = ("input", "output", "reasoning")
    numbers = (*(_count(tokens.get(name)) for name in names), _count(cache.get("read")), _count(cache.get("write")))
    if message.get("error"):
        aborted = _dict(message.get("error")).get("name") == "MessageAbortedError"
        (turn.interrupts if aborted else turn.api_errors).add(id)
    if not sum(numbers):
        return
    ended = _dict(message.get("time")).get("completed")
    fresh, output, reasoning, read, written = numbers
    same = f"{at}:{ended}:{message.get('modelID')}:{numbers}"
    turn.requests[same] = Request(
        agent="opencode",
        id=same,
        at=_from_millis(ended) if ended else at,
        model=_text(message.get("modelID")) or "",
        fresh=fresh,
        cache_write_5m=written,
        cache_read=read,
        output=output,
        reasoning=reasoning,
        origin="subagent" if found.parent else "main",
        cost_micro=_micro(message.get("cost")),
        whole=bool(ended),
    )
    turn.touch(turn.requests[same].at)


def cursor_session(told: dict[str, Any], now: datetime) -> Session | None:
    """A turn as Cursor's `stop` hook tells it. Its cache counts are taken to be beside the input, as in its reports."""
    session, id = _text(told.get("conversation_id")), _text(told.get("generation_id"))
    if not session or not id:
        return None
    turn = Turn(id, prompted=True, cwd=_text(told.get("cwd")))
    turn.touch(_written(now))
    names = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
    fresh, output, read, written = (_count(told.get(name)) for name in names)
    if told.get("status") == "aborted":
        turn.interrupts.add(id)
    if fresh + output + read + written:
        turn.requests[id] = Request(
            agent="cursor",
            id=id,
            at=_written(now),
            model=_text(told.get("model")) or "",
            fresh=fresh,
            cache_write_5m=written,
            cache_read=read,
            output=output,
        )
    return Session("cursor", session, [turn])


# === 7. All transcripts together ======================================================================================

READERS: dict[str, type[Reader]] = {
    "claude_code": Claude,
    "codex": Codex,
    "gemini_cli": Gemini,
    "qwen_code": Qwen,
    "copilot": Copilot,
}
AGENTS = (*READERS, "opencode")  # those that write transcripts
PLACES = {
    "claude_code": (("projects",), r"\.jsonl$"),
    "codex": (("sessions", "archived_sessions"), r"^rollout-.*\.jsonl$"),
    "gemini_cli": (("tmp",), r"^session-.*\.jsonl?$"),
    "qwen_code": (("projects",), r"\.jsonl$"),
    "copilot": (("session-state",), r"^events\.jsonl$"),
    "opencode": ((), r"^opencode\.db$"),
}
STAMP = re.compile(rb'"(?:timestamp|startTime)": ?"([^"\\]{10,40})"')


def homes(agent: str) -> list[str]:
    """Where an agent keeps its transcripts on this machine, as its own variables say."""
    user = os.path.expanduser("~")
    config = os.environ.get("XDG_CONFIG_HOME") or os.path.join(user, ".config")
    data = os.environ.get("XDG_DATA_HOME") or os.path.join(user, ".local", "share")
    claude = [os.path.join(user, ".claude"), os.path.join(config, "claude")]
    usual = {
        "claude_code": [home for home in os.environ.get("CLAUDE_CONFIG_DIR", "").split(",") if home] or claude,
        "codex": [os.environ.get("CODEX_HOME") or os.path.join(user, ".codex")],
        "gemini_cli": [os.path.join(user, ".gemini")],
        "qwen_code": [os.path.join(user, ".qwen")],
        "copilot": [os.path.join(user, ".copilot")],
        "opencode": [os.path.join(data, "opencode")],
    }
    return [home for home in usual[agent] if os.path.isdir(home)]


def files(agent: str, home: str) -> list[str]:
    """An agent's transcripts."""
    folders, pattern = PLACES[agent]
    if not folders:
        return [path for path in [os.path.join(home, "opencode.db")] if os.path.isfile(path)]
    named = re.compile(pattern)
    walks = (os.walk(os.path.join(home, folder)) for folder in folders)
    found = [os.path.join(at, name) for walk in walks for at, _, names in walk for name in names if named.search(name)]
    return sorted(found)


def read(agent: str, home: str, key: bytes = b"", decode: Callable[[bytes], Any] | None = None) -> list[Session]:
    """All sessions of an agent, copies found across all files. Without a key, fingerprints hold for this call only.

    `decode` may be a faster reader of JSON that raises ValueError for what is none.
    """
    key = key or os.urandom(16)
    return merge([found for path in files(agent, home) for found in scan(agent, path, key, decode)])


def scan(agent: str, path: str, key: bytes, decode: Callable[[bytes], Any] | None = None) -> list[Scan]:
    """Read one file: most hold one session, opencode's database holds all."""
    found = Scan(agent, path)
    try:
        if agent == "opencode":
            return scan_opencode(path)
        _scan_lines(found, READERS[agent](found, key), decode or json.loads)
    except (OSError, sqlite3.Error):  # gone, not ours to read, or of a version that we do not know
        found.reject("unreadable_file")
    _count_runs(found)
    found.session = found.session or os.path.basename(path).partition(".")[0]
    return [found] if found.turns or found.rejected else []


def _scan_lines(found: Scan, reader: Reader, decode: Callable[[bytes], Any]) -> None:
    with open(found.path, "rb", buffering=1 << 20) as file:
        for line in [file.read()] if found.path.endswith(".json") else file:
            if not found.first:
                stamp = STAMP.search(line)
                found.first = stamp.group(1).decode("ascii", "replace") if stamp else ""
            if reader.wants(line):
                _scan_line(found, reader, line, decode)
            elif not line.rstrip().endswith(b"}"):
                found.reject("broken_line")


def _scan_line(found: Scan, reader: Reader, line: bytes, decode: Callable[[bytes], Any]) -> None:
    try:
        reader.read(_dict(_decoded(line, reader.slim(line), decode)))
    except (_Broken, RecursionError):
        if line.strip():
            found.reject("broken_line")
    except BadUsage:
        found.reject("bad_usage")
    except (AttributeError, TypeError, ValueError):  # a shape that no version has had so far
        found.reject("unreadable")


class _Broken(Exception):
    pass


def _decoded(line: bytes, slim: bytes, decode: Callable[[bytes], Any]) -> Any:
    for text in dict.fromkeys((slim, line)):
        with contextlib.suppress(ValueError):
            return decode(text)
    raise _Broken


def merge(scans: Iterable[Scan]) -> list[Session]:
    """Sessions out of files. A request or turn that several files have belongs to the file that begins first: forks
    and resumed sessions copy what was before."""
    merging = _Merging()
    for found in sorted(scans, key=lambda found: (found.first, found.path)):
        merging.take(found)
    return merging.sessions()


class _Merging:
    def __init__(self) -> None:
        self.found: dict[str, Session] = {}
        self.turns: dict[tuple[str, str | None], Turn] = {}
        self.owners: dict[str, str] = {}
        self.requests: dict[str, Turn] = {}

    def take(self, scan: Scan) -> None:
        session = self.found.setdefault(scan.session, Session(scan.agent, scan.session))
        for reason, number in scan.rejected.items():
            session.rejected[reason] = session.rejected.get(reason, 0) + number
        for turn in scan.turns.values():
            owner = scan.session if turn.id is None else self.owners.setdefault(turn.id, scan.session)
            new = {id: request for id, request in turn.requests.items() if not self.known(request)}
            if owner == scan.session or new:
                self.add(session, turn, new, copied=owner != scan.session)

    def known(self, request: Request) -> bool:
        turn = self.requests.get(request.id)
        if turn is not None:
            turn.requests[request.id] = _better(turn.requests[request.id], request)
        return turn is not None

    def add(self, session: Session, turn: Turn, new: dict[str, Request], copied: bool) -> None:
        target = self.turns.get((session.id, turn.id))
        if target is None:
            target = self.turns[session.id, turn.id] = Turn(turn.id)
            session.turns.append(target)
        if copied:
            target.touch(turn.started, turn.cwd, turn.branch)
            target.touch(turn.ended)
        else:
            target.absorb(turn)
        target.requests.update(new)
        self.requests.update(dict.fromkeys(new, target))

    def sessions(self) -> list[Session]:
        for session in self.found.values():
            session.turns.sort(key=lambda turn: turn.started)
            _settle(session)
        return [session for session in self.found.values() if session.turns or session.rejected]


def _settle(session: Session) -> None:
    """Give requests without a turn (side conversations) to the turn in which they fell, and drop what is no turn."""
    loose = next((turn for turn in session.turns if turn.id is None), None)
    for id, request in list(loose.requests.items()) if loose else []:
        begun = (turn for turn in reversed(session.turns) if turn.id is not None and turn.started <= request.at)
        turn = next(begun, None)
        if loose and turn:
            turn.requests[id] = loose.requests.pop(id)
            turn.touch(request.at)
    session.turns = [turn for turn in session.turns if turn.prompted or turn.requests or _happened(turn)]


def _happened(turn: Turn) -> bool:
    return bool(turn.tools or turn.interrupts or turn.compactions or turn.api_errors or turn.pulls or turn.commits)


# === 8. Git: where a turn was =========================================================================================

GIT_SECONDS = 2
MADE = re.compile(r"(?:commit|cherry-pick|revert|am|rebase[^:]*\((?:pick|reword|edit|squash|fixup|continue)\))[ :]")
MOVED = re.compile(r"checkout: moving from (\S+) to \S+$")
REMOTE = re.compile(r"(?:[\w.+-]+://(?:[^/@]*@)?[^/]+/|(?:[^/@:]+@)?[^/:]+:)([\w.-]+)/([\w.-]+?)(?:\.git)?/*$")
SHA = re.compile(r"[0-9a-f]{7,64}$")
NEAR = timedelta(seconds=30)  # how far a note may be from the turn that it is about


class Note(NamedTuple):
    """Where git was when an agent called the hook. `when` is start or end, of a turn."""

    at: str
    when: str
    turn: str | None
    repository: str | None
    branch: str | None
    head: str | None


class Move(NamedTuple):
    """A move of HEAD, as git's own log of them says."""

    at: datetime
    head: str
    why: str


class Where(NamedTuple):
    repository: str | None
    branch: str | None
    head_before: str | None
    head_after: str | None
    commits: list[str]


def repository_of(url: str) -> str | None:
    """`owner/name` of a remote's address, without what else may stand in it. A path on this machine has none."""
    match = REMOTE.match(url.strip())
    return f"{match.group(1)}/{match.group(2)}" if match and not url.startswith("file:") else None


def git(cwd: str, *question: str) -> str | None:
    """Git's answer, or None. It may not ask, wait, lock, or run what a repository configures."""
    quiet = {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}
    harmless = ("core.fsmonitor=false", "core.hooksPath=/dev/null", "log.showSignature=false")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", *(word for setting in harmless for word in ("-c", setting)), *question],
            cwd=cwd,
            env={**inherited, **quiet},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=GIT_SECONDS,
            check=False,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else None


class Checkout:
    """A working folder, and what git remembers of it."""

    def __init__(self, cwd: str | None) -> None:
        self.cwd = cwd or ""
        exists = bool(cwd) and os.path.isdir(self.cwd)
        self.head = self._ask("rev-parse", "--verify", "--quiet", "HEAD") if exists else None
        self.branch = self._ask("symbolic-ref", "--quiet", "--short", "HEAD") if exists else None
        inside = self.head or self.branch
        self.repository = repository_of(self._ask("remote", "get-url", "origin") or "") if inside else None
        self._moves: list[Move] | None = None if inside else []
        self._default: str | None = None

    def _ask(self, *question: str) -> str | None:
        return git(self.cwd, *question) or None

    @property
    def moves(self) -> list[Move]:
        """HEAD's moves in this folder, newest first. The words of a commit stand in them too: they go nowhere."""
        if self._moves is None:
            lines = self._ask("log", "-g", "-n", "1000", "--date=unix", "--format=%H%x09%gd%x09%gs", "HEAD", "--") or ""
            self._moves = [move for move in map(_move, lines.splitlines()) if move]
        return self._moves

    @property
    def defaults(self) -> set[str | None]:
        """Branches that say nothing about what was worked on."""
        if self._default is None:
            remote = self._ask("symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD") if self.head else None
            self._default = (remote or "").partition("/")[2]
        return {None, "main", "master", self._default}

    def note(self, now: datetime, when: str, turn: str | None) -> Note:
        return Note(_written(now), when, turn, self.repository, self.branch, self.head)

    def at(self, then: datetime) -> Note | None:
        """Where HEAD was then; None if that is not remembered."""
        if not self.moves or self.moves[-1].at > then:
            return None
        branch, head = self.branch, self.head
        for move in self.moves:
            if move.at <= then:
                head = move.head
                break
            left = MOVED.match(move.why)
            if left:
                branch = None if SHA.match(left.group(1)) else left.group(1)
        return Note(_written(then), "then", None, self.repository, branch, head)

    def made(self, start: datetime, end: datetime) -> list[str]:
        """Commits that were made here in that time, oldest first; what was pulled, merged or checked out is not."""
        first, last = start.replace(microsecond=0), end + timedelta(seconds=1)  # git remembers whole seconds
        return [move.head for move in reversed(self.moves) if first <= move.at <= last and MADE.match(move.why)]


def _move(line: str) -> Move | None:
    parts = line.split("\t")
    seconds = re.search(r"@\{(\d+)\}$", parts[1]) if len(parts) > 2 else None
    return Move(EPOCH + timedelta(seconds=int(seconds.group(1))), parts[0], parts[2]) if seconds else None


def where_was(turn: Turn, notes: list[Note], checkout: Checkout) -> Where:
    """Where a turn was: as git said when it began and ended, else as git remembers it, else as the agent says."""
    start, end = _note(notes, turn, "start", turn.started), _note(notes, turn, "end", turn.ended)
    began, ended = start or checkout.at(moment(turn.started)), end or checkout.at(moment(turn.ended))
    known = [note for note in (ended, began) if note]
    places = [note.repository for note in known] + [checkout.repository, turn.repository]
    places += [pull.repository for pull in turn.pulls]
    commits = _whole(turn.commits + checkout.made(moment(turn.started), moment(turn.ended)))
    after = ended.head if ended else None
    return Where(
        repository=next((place for place in places if place), None),
        branch=_branch(known, checkout.defaults) if known else _last(turn.pushed) or turn.branch,
        head_before=_before(began, ended, commits, checkout.moves),
        head_after=after or turn.head,
        commits=commits,
    )


def _last(names: list[str]) -> str | None:
    return names[-1] if names else None


def _note(notes: list[Note], turn: Turn, when: str, at: str) -> Note | None:
    """The note about a turn: by its id where agents tell it, else the nearest in time."""
    mine = [note for note in notes if note.when == when and note.turn == turn.id and turn.id]
    if mine:
        return mine[-1]
    near = [(abs(moment(note.at) - moment(at)), note) for note in notes if note.when == when and note.turn is None]
    best = min(near, key=lambda one: one[0], default=None)
    return best[1] if best and best[0] <= NEAR else None


def _branch(known: list[Note], defaults: set[str | None]) -> str | None:
    """The branch at the end of a turn; where it ended by going back to the default branch, the one it began on."""
    named = [note.branch for note in known if note.branch not in defaults]
    return named[0] if named else known[0].branch


def _before(began: Note | None, ended: Note | None, commits: list[str], moves: list[Move]) -> str | None:
    """Where HEAD was when a turn began, if it moved by commits of the turn or not at all: a head that changed is taken
    as work, and a pull or a checkout is none."""
    if not began or not ended or began.branch != ended.branch:
        return None
    own = began.head == ended.head or ended.head in commits or not moves
    return began.head if own else None


def _whole(commits: list[str]) -> list[str]:
    """Each commit once, by its full name where that is known."""
    full = [sha for sha in commits if len(sha) >= 40]
    return list(dict.fromkeys(full + [sha for sha in commits if not any(name.startswith(sha) for name in full)]))


# === 9. What is sent: this, and nothing else ==========================================================================

VERSION = 1
SAFE = re.compile(r"[\w.:@/+\[\]() -]{1,200}$", re.ASCII)
NAMED = re.compile(r"[\w.:-]{1,200}$", re.ASCII)
REPOSITORY = re.compile(r"[\w.-]{1,100}/[\w.-]{1,100}$", re.ASCII)
NO_BRANCH = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{")
NUMBERS = ("fresh", "cache_write_5m", "cache_write_1h", "cache_read", "output", "reasoning", "cost_micro")
TOGETHER = 500  # requests in one document; the server takes 10,000 records
LARGEST = 200_000  # bytes of one document, about


def turn_sent(turn: Turn, where: Where, shown: Pull | None) -> dict[str, Any]:
    """All that is told of a turn. Numbers, times, and names of the model, repository, branch and commits."""
    pulls = [pull for pull in (*turn.pulls, *([] if turn.pulls or not shown else [shown])) if 0 < pull.number < 10**9]
    return {
        "turn": _id_sent(turn.id),
        "prompted": turn.prompted,
        "headless": turn.headless,
        "started": _written(moment(turn.started)),
        "ended": _written(moment(turn.ended)),
        "repository": _matching(where.repository, REPOSITORY),
        "branch": _branch_sent(where.branch),
        "head_before": _matching(where.head_before, SHA),
        "head_after": _matching(where.head_after, SHA),
        "commits": [sha for sha in where.commits if SHA.match(sha)],
        "pull": pulls[-1].number if pulls else None,
        "pulls": [_pull_sent(pull, turn) for pull in pulls],
        "requests": [request for request in map(_request_sent, turn.requests.values()) if request],
        "counters": turn.counters,
    }


def _request_sent(request: Request) -> dict[str, Any] | None:
    try:
        at = _written(moment(request.at))
    except ValueError:
        return None
    told = {"key": request.key, "at": at, "model": _matching(request.model, SAFE) or "unknown"}
    return {**told, "origin": request.origin, **{name: getattr(request, name) for name in NUMBERS}}


def _pull_sent(pull: Pull, turn: Turn) -> dict[str, Any]:
    return {
        "at": _written(moment(pull.at if TIME.match(pull.at) else turn.ended)),
        "repository": _matching(pull.repository, REPOSITORY),
        "pull": pull.number,
    }


def _matching(text: str | None, shape: re.Pattern[str]) -> str | None:
    return text if text and shape.match(text) else None


def _branch_sent(branch: str | None) -> str | None:
    return branch if branch and len(branch) <= 250 and not NO_BRANCH.search(branch) else None


def _id_sent(id: str | None) -> str | None:
    """An id as it is, or a hash of what does not look like one."""
    return id if not id or NAMED.match(id) else hashlib.sha256(id.encode("utf-8", "replace")).hexdigest()[:32]


def documents(agent: str, turns: Iterable[tuple[str, dict[str, Any]]]) -> Iterator[bytes]:
    """The bodies for turns of sessions, each small enough for the server."""
    held: dict[str, list[Any]] = {}
    records = size = 0
    for session, turn in (piece for whole in turns for piece in _pieces(*whole)):
        length = len(_json(turn))
        if held and (records + len(turn["requests"]) > TOGETHER or size + length > LARGEST):
            yield _document(agent, held)
            held, records, size = {}, 0, 0
        held.setdefault(session, []).append(turn)
        records, size = records + len(turn["requests"]) + 1, size + length
    if held:
        yield _document(agent, held)


def _pieces(session: str, turn: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """A turn of very many requests is told in pieces; its counters once."""
    requests = turn["requests"]
    yield session, {**turn, "requests": requests[:TOGETHER]}
    nothing: dict[str, Any] = {name: [] if name == "edited" else 0 for name in turn["counters"]}
    for start in range(TOGETHER, len(requests), TOGETHER):
        yield session, {**turn, "requests": requests[start : start + TOGETHER], "counters": nothing}


def _document(agent: str, held: dict[str, list[Any]]) -> bytes:
    sessions = [{"session": _id_sent(session), "turns": turns} for session, turns in held.items()]
    return _json({"version": VERSION, "agent": agent, "sessions": sessions})


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


# === 10. Settings and state ===========================================================================================
# <config>/leverage/hook.json (address and token, for its owner only), hook.py and hook_start.py beside it, and hook/
# with what waits to be sent, where git was in each session, and what was in the agents' settings before.

MOST_WAITING = 500  # documents
MOST_BYTES = 20_000_000
KEEP_DAYS = 30  # the server takes nothing older
PROGRAM = "python3 hook.py"  # as it is called where nothing else calls it


class Trouble(Exception):
    """Something a person has to put right; the message says what."""


@dataclass
class Config:
    url: str
    token: str = field(repr=False)

    @property
    def key(self) -> bytes:
        return hmac.new(self.token.encode(), b"leverage: fingerprints of files", "sha256").digest()


def config_path() -> str:
    """Beside the installed program, else where LEVERAGE_HOOK_CONFIG says (a file named hook.json), else the usual."""
    if os.path.exists(_beside("hook_start.py")):
        return _beside("hook.json")
    usual = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    return os.path.abspath(os.environ.get("LEVERAGE_HOOK_CONFIG") or os.path.join(usual, "leverage", "hook.json"))


def folder(*names: str) -> str:
    return os.path.join(os.path.dirname(config_path()), *names)


def state(*names: str) -> str:
    return folder("hook", *names)


def load_config() -> Config:
    told = _load(config_path())
    if not _text(told.get("url")) or not _text(told.get("token")):
        raise Trouble(f"The hook is not set up: run `{PROGRAM} install --url URL --token TOKEN`.")
    return Config(checked_url(told["url"]), told["token"])


def checked_url(url: str) -> str:
    """An address that a token may be sent to."""
    parts = _split(url.strip())
    safe = parts.scheme == "https" or (parts.scheme == "http" and loopback(parts.hostname))
    if not parts.hostname or not safe or parts.username or parts.query or parts.fragment:
        raise Trouble("The address has to be https:// and a host (http:// only for this machine itself).")
    return url.strip().rstrip("/")


def _split(url: str) -> urllib.parse.SplitResult:
    try:
        return urllib.parse.urlsplit(url)
    except ValueError:
        return urllib.parse.urlsplit("")


def loopback(host: str | None) -> bool:
    return host in ("localhost", "::1") or bool(re.match(r"127(\.\d{1,3}){3}$", host or ""))


def write(path: str, data: bytes, mode: int = 0o600) -> None:
    """Replace a file as a whole. A link stays a link to the file that changes."""
    path = os.path.realpath(path)
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    draft = f"{path}.{os.getpid()}.new"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with open(descriptor, "wb") as file:
        file.write(data)
    os.chmod(draft, mode)
    os.replace(draft, path)


def _bytes(path: str) -> bytes | None:
    with contextlib.suppress(OSError), open(path, "rb") as file:
        return file.read()
    return None


def _load(path: str) -> dict[str, Any]:
    with contextlib.suppress(ValueError):
        return _dict(json.loads(_bytes(path) or b"{}"))
    return {}


@contextlib.contextmanager
def locked(name: str) -> Iterator[None]:
    """One process at a time; the lock goes with the process."""
    os.makedirs(state(), mode=0o700, exist_ok=True)
    with open(state(f"{name}.lock"), "ab") as file:
        with contextlib.suppress(ImportError):
            import fcntl  # not on Windows, where two at a time may send something twice, which is harmless

            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def count(**numbers: int) -> None:
    """Add to what `status` shows."""
    with locked("counts"):
        told = _load(state("counts.json"))
        write(state("counts.json"), _json({**told, **{name: told.get(name, 0) + n for name, n in numbers.items()}}))


def remember(**facts: Any) -> None:
    """Note what `status` shows."""
    with locked("counts"):
        write(state("counts.json"), _json({**_load(state("counts.json")), **facts}))


class Memory:
    """What is known of one session: where git was, pull requests its status line showed, and what was sent already."""

    def __init__(self, agent: str, session: str) -> None:
        name = hashlib.sha256(f"{agent}:{session}".encode("utf-8", "replace")).hexdigest()[:32]
        self.path = state("sessions", f"{name}.json")
        told = _load(self.path)
        self.notes = [Note(*note) for note in _list(told.get("notes")) if len(_list(note)) == len(Note._fields)]
        self.shown: dict[str, Any] = _dict(told.get("shown"))
        self.sent: dict[str, str] = _dict(told.get("sent"))

    def save(self) -> None:
        write(self.path, _json({"notes": self.notes[-500:], "shown": self.shown, "sent": self.sent}))

    def pull(self, turn: str | None) -> Pull | None:
        told = self.shown.get(turn or "")
        return Pull(*told) if isinstance(told, list) and len(told) == len(Pull._fields) else None


def forget_old(now: datetime) -> None:
    """Forget sessions that are over for long."""
    for name in _names(state("sessions")):
        with contextlib.suppress(OSError):
            if now.timestamp() - os.path.getmtime(state("sessions", name)) > (KEEP_DAYS + 5) * 86400:
                os.unlink(state("sessions", name))


def _names(path: str) -> list[str]:
    with contextlib.suppress(OSError):
        return sorted(os.listdir(path))
    return []


# === 11. Sending ======================================================================================================

REFUSED = (400, 405, 413, 415, 422)  # sending it again would not help


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A token is not carried on to another address."""

    def redirect_request(self, *_: Any) -> None:
        return None


def spool(bodies: Iterable[bytes], now: datetime) -> None:
    """Keep documents until the server has them."""
    for body in bodies:
        last = (waiting() or ["0"])[-1]
        number = max(int(now.timestamp() * 1000), int(last.partition(".")[0]) + 1)
        write(state("spool", f"{number:015d}.json.gz"), gzip.compress(body, mtime=0))
    drop_oldest()


def drop_oldest() -> None:
    """When too much waits, the oldest goes, and is counted."""
    with locked("sending"):
        sizes = [(name, os.path.getsize(state("spool", name))) for name in waiting()]
        dropped = 0
        while len(sizes) > MOST_WAITING or sum(size for _, size in sizes) > MOST_BYTES:
            os.unlink(state("spool", sizes.pop(0)[0]))
            dropped += 1
    if dropped:
        count(dropped=dropped)


def waiting() -> list[str]:
    return [name for name in _names(state("spool")) if name.endswith(".json.gz")]


def flush(config: Config, now: datetime) -> str:
    """Send what waits, oldest first, until something does not work. Says how it went."""
    with locked("sending"):
        for name in waiting():
            status, wait = post(config, _bytes(state("spool", name)) or b"")
            said = f"HTTP {status}" if status else "no answer"
            if not 200 <= status < 300 and status not in REFUSED:
                remember(last=[_written(now), said], rest_until=_written(now + timedelta(seconds=wait)))
                return said
            os.unlink(state("spool", name))
            count(**{"sent" if status < 300 else "refused": 1})
            remember(last=[_written(now), said], rest_until=None)
    return "everything is sent"


def rests(now: datetime) -> bool:
    """Whether the server asked to be left alone for now."""
    until = _text(_load(state("counts.json")).get("rest_until"))
    return bool(until) and moment(until or "") > now


def post(config: Config, body: bytes) -> tuple[int, int]:
    """The status (0 without an answer) and for how many seconds not to come back."""
    handlers: list[Any] = [_NoRedirects()]
    if loopback(urllib.parse.urlsplit(config.url).hostname):
        handlers.append(urllib.request.ProxyHandler({}))
    headers = {
        "Authorization": f"Bearer {config.token}",
        "Content-Type": "application/json",
        "Content-Encoding": "gzip",
        "User-Agent": "leverage-hook/1",
    }
    request = urllib.request.Request(f"{config.url}/v1/sessions", data=body, headers=headers, method="POST")
    try:
        with urllib.request.build_opener(*handlers).open(request, timeout=20) as answer:
            answer.read(65536)
            return int(answer.status), 0
    except urllib.error.HTTPError as error:
        return error.code, _seconds(error.headers.get("Retry-After"))
    except (OSError, ValueError):
        return 0, 60


def _seconds(asked: str | None) -> int:
    return min(int(asked), 3600) if asked and asked.isdigit() else 60


# === 12. At work: what the child does with what an agent told =========================================================

STARTS = {"UserPromptSubmit", "BeforeAgent"}
ENDS = {"Stop", "SessionEnd", "AfterAgent", "agent-turn-complete", "stop"}
SETTLE_SECONDS = 0.5  # without a change, and a transcript is taken to be whole: agents write it a little later
SETTLE_TIMES = 20
UNFINISHED = timedelta(minutes=10)


def now_is() -> datetime:
    """The only place that asks what time it is."""
    return datetime.now(UTC)  # noqa: TID251 (people run this file by itself: there is nobody to pass the time in)


def work(agent: str, told: dict[str, Any]) -> None:
    """Note where git is; at the end of a turn, read the transcript and send what is new."""
    event = _text(told.get("hook_event_name")) or _text(told.get("type")) or ""
    now, session = now_is(), _text(told.get("session_id")) or _text(told.get("thread-id")) or _session(agent, told)
    if not session:
        return
    turn = _text(told.get("prompt_id")) or _text(told.get("turn_id")) or _text(told.get("turn-id"))
    remember(**{f"called_{agent}": _written(now)})
    if "pull" in told:
        note_pull(agent, session, turn, told["pull"], now)
    elif event in STARTS or event == "SessionStart":
        note_place(agent, session, Checkout(_text(told.get("cwd"))).note(now, "start", turn))
    elif event in ENDS:
        # A session may end long after its last turn, and elsewhere: only the time says whether they belong together.
        of = None if event == "SessionEnd" else turn
        note_place(agent, session, Checkout(_text(told.get("cwd"))).note(now, "end", of))
        send_session(agent, session, told, now)


def _session(agent: str, told: dict[str, Any]) -> str | None:
    return _text(told.get("conversation_id")) if agent == "cursor" else None


def note_place(agent: str, session: str, note: Note) -> None:
    with locked("sessions"):
        memory = Memory(agent, session)
        memory.notes.append(note)
        memory.save()


def note_pull(agent: str, session: str, turn: str | None, shown: Any, now: datetime) -> None:
    """The open pull request of the current branch, which only the status line tells."""
    known = isinstance(shown, list) and len(shown) == 2 and isinstance(shown[1], int)
    if not turn or not known or not REPOSITORY.match(str(shown[0])):
        return
    with locked("sessions"):
        memory = Memory(agent, session)
        if memory.shown.get(turn, [None])[1:] != shown:
            memory.shown[turn] = [_written(now), *shown]
            memory.save()


def send_session(agent: str, session: str, told: dict[str, Any], now: datetime) -> None:
    config = load_config()
    if agent == "cursor":
        single = cursor_session(told, now)
        sessions = [single] if single else []
    else:
        path = _text(told.get("transcript_path")) or _transcript(agent, session)
        if not path:
            return
        settle(path)
        sessions = [one for one in session_files(agent, path, config.key) if one.id == session]
    with locked("sessions"):
        send_news(sessions, now, now - timedelta(days=KEEP_DAYS))
    if not rests(now):
        flush(config, now)
    forget_old(now)


def _transcript(agent: str, session: str) -> str | None:
    """Where an agent that does not say it keeps a session."""
    found = [path for home in homes(agent) for path in files(agent, home) if session in path]
    return found[-1] if found else None


def settle(path: str) -> None:
    """Wait until nothing is written any more."""
    before = -1
    for _ in range(SETTLE_TIMES):
        size = os.path.getsize(path) if os.path.exists(path) else 0
        if size == before:
            return
        before = size
        time.sleep(SETTLE_SECONDS)


def session_files(agent: str, path: str, key: bytes) -> list[Session]:
    """One session: its file, those of its sub-agents, and for Codex those it was forked from."""
    inner = os.path.join(path[: -len(".jsonl")], "subagents")
    paths = [path, *(os.path.join(inner, name) for name in _names(inner) if name.endswith(".jsonl"))]
    scans = [found for one in paths for found in scan(agent, one, key)]
    parent = scans[0].parent if scans and agent == "codex" else None
    origin = _transcript(agent, parent) if parent else None
    return merge(scans + (scan(agent, origin, key) if origin else []))


def send_news(sessions: list[Session], now: datetime, since: datetime) -> None:
    """Put what is new where it waits to be sent; then note it as sent."""
    turns, memories = news(sessions, now, since)
    spool(documents(sessions[0].agent, turns) if sessions else [], now)
    for memory in memories:
        memory.save()


def news(sessions: list[Session], now: datetime, since: datetime) -> tuple[list[tuple[str, Any]], list[Memory]]:
    """The turns that were not sent yet, or that changed, and what is to be remembered once they are safe."""
    checkouts: dict[str | None, Checkout] = {}
    turns: list[tuple[str, Any]] = []
    memories = []
    for session in sessions:
        memory = Memory(session.agent, session.id)
        new = list(session_news(session, memory, checkouts, now, since))
        memory.sent.update({turn: _digest(body) for turn, body in new})
        turns += [(session.id, body) for _, body in new]
        memories += [memory] if new else []
    return turns, memories


def session_news(
    session: Session, memory: Memory, checkouts: dict[str | None, Checkout], now: datetime, since: datetime
) -> Iterator[tuple[str, dict[str, Any]]]:
    for turn in session.turns:
        if not _sendable(turn, since):
            continue
        checkout = checkouts.get(turn.cwd) or checkouts.setdefault(turn.cwd, Checkout(turn.cwd))
        ready = {id: one for id, one in turn.requests.items() if one.whole or moment(one.at) < now - UNFINISHED}
        where = where_was(turn, memory.notes, checkout)
        body = turn_sent(replace(turn, requests=ready), where, memory.pull(turn.id))
        if memory.sent.get(str(turn.id)) != _digest(body):
            yield str(turn.id), body


def _sendable(turn: Turn, since: datetime) -> bool:
    try:
        return moment(turn.ended) >= since and moment(turn.started) <= moment(turn.ended)
    except ValueError:
        return False


def _digest(body: dict[str, Any]) -> str:
    return hashlib.sha256(_json(body)).hexdigest()[:16]


# === 13. Installing ===================================================================================================

CLAUDE_EVENTS = ("SessionStart", "UserPromptSubmit", "Stop", "SessionEnd")
GEMINI_EVENTS = ("SessionStart", "BeforeAgent", "AfterAgent", "SessionEnd")


class Target(NamedTuple):
    """A file of an agent's settings that this hook has a part in."""

    agent: str
    path: str
    edit: Callable[[dict[str, Any]], None]


class Change(NamedTuple):
    target: Target
    before: bytes | None
    after: bytes | None


def targets() -> list[Target]:
    """Claude Code always; the others where they are."""
    user = os.path.expanduser("~")
    claude = os.environ.get("CLAUDE_CONFIG_DIR", "").split(",")[0] or os.path.join(user, ".claude")
    found = [
        Target(
            "codex", os.path.join(os.environ.get("CODEX_HOME") or os.path.join(user, ".codex"), "hooks.json"), _codex
        ),
        Target("gemini_cli", os.path.join(user, ".gemini", "settings.json"), _gemini),
        Target("cursor", os.path.join(user, ".cursor", "hooks.json"), _cursor),
    ]
    present = [target for target in found if os.path.isdir(os.path.dirname(target.path))]
    return [Target("claude_code", os.path.join(claude, "settings.json"), _claude), *present]


def command(*arguments: str) -> str:
    """What agents run. Whatever happens to Python or to this file, it ends well: a failing hook may block an agent."""
    python = getattr(sys, "_base_executable", None) or sys.executable
    return " ".join([_quoted(python), "-I", "-S", _quoted(folder("hook_start.py")), *arguments, "|| exit 0"])


def _quoted(path: str) -> str:
    return f'"{path}"' if os.name == "nt" else "'" + path.replace("'", "'\\''") + "'"


def _group(agent: str, timeout: int) -> dict[str, Any]:
    return {"hooks": [{"type": "command", "command": command("run", agent), "timeout": timeout}]}


def _add(settings: dict[str, Any], events: Iterable[str], entry: dict[str, Any]) -> None:
    hooks = settings.setdefault("hooks", {})
    for event in events:
        if not isinstance(hooks, dict) or not isinstance(hooks.setdefault(event, []), list):
            raise Trouble("its `hooks` have a shape that this version does not know")
        hooks[event].append(entry)


def _claude(settings: dict[str, Any]) -> None:
    _add(settings, CLAUDE_EVENTS, _group("claude_code", 5))
    line = settings.get("statusLine")
    kept = line if isinstance(line, dict) else {}
    settings["statusLine"] = {**kept, "type": "command", "command": command("statusline")}


def _codex(settings: dict[str, Any]) -> None:
    _add(settings, CLAUDE_EVENTS, _group("codex", 3))


def _gemini(settings: dict[str, Any]) -> None:
    _add(settings, GEMINI_EVENTS, _group("gemini_cli", 5000))


def _cursor(settings: dict[str, Any]) -> None:
    settings.setdefault("version", 1)
    _add(settings, ["stop"], {"command": command("run", "cursor"), "timeout": 5})


def strip(settings: dict[str, Any], before: dict[str, Any]) -> None:
    """Take out what is ours, and nothing else; `before` is what was there when it was put in."""
    hooks = settings.get("hooks")
    if isinstance(hooks, dict):
        _strip_hooks(hooks, _dict(before.get("hooks")))
    if hooks == {} and "hooks" not in before:
        del settings["hooks"]
    if _ours(_dict(settings.get("statusLine"))):
        _strip_status_line(settings, before)
    if settings == {"version": 1} and "version" not in before:
        del settings["version"]


def _strip_hooks(hooks: dict[str, Any], before: dict[str, Any]) -> None:
    for event, entries in list(hooks.items()):
        left = [entry for entry in map(_without_ours, _list(entries)) if entry is not None]
        if left or event in before:
            hooks[event] = left if isinstance(entries, list) else entries
        elif entries:
            del hooks[event]


def _strip_status_line(settings: dict[str, Any], before: dict[str, Any]) -> None:
    if "statusLine" in before:
        settings["statusLine"] = before["statusLine"]
    else:
        del settings["statusLine"]


def _ours(entry: dict[str, Any]) -> bool:
    return folder("hook_start.py") in str(entry.get("command"))


def _without_ours(entry: Any) -> Any:
    """A hook, or a group of them, without ours; None if nothing is left."""
    if not isinstance(entry, dict) or not isinstance(entry.get("hooks"), list):
        return None if _ours(_dict(entry)) else entry
    left = [hook for hook in entry["hooks"] if not _ours(_dict(hook))]
    if left == entry["hooks"]:
        return entry
    return {**entry, "hooks": left} if left else None


def settings_of(data: bytes | None) -> dict[str, Any]:
    try:
        told = json.loads(data) if data and data.strip() else {}
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise Trouble("it is no plain JSON (comments?)")
    return told


def dumped(settings: dict[str, Any], like: bytes | None) -> bytes:
    """JSON in the manner of the file that it replaces."""
    text = (like or b"{\n  }\n").decode("utf-8", "replace")
    indent = re.search(r"\{\r?\n([ \t]+)", text)
    written = json.dumps(settings, indent=indent.group(1) if indent else 2, ensure_ascii=False)
    written += "\n" if text.endswith("\n") else ""
    return (written.replace("\n", "\r\n") if "\r\n" in text else written).encode()


def original(target: Target) -> dict[str, Any]:
    """What was kept of a file when the hook was put into it; empty if it is not in there."""
    return _dict(_load(state("originals.json")).get(target.path))


def _kept_bytes(kept: dict[str, Any]) -> bytes | None:
    return base64.b64decode(kept["before"]) if _text(kept.get("before")) or kept.get("before") == "" else None


def _hash(data: bytes | None) -> str | None:
    return None if data is None else hashlib.sha256(data).hexdigest()


def restored(target: Target) -> Change:
    """A file as it would be without the hook: byte for byte as before, unless somebody changed it since."""
    now, kept = _bytes(target.path), original(target)
    before = _kept_bytes(kept)
    if not kept or now is None:
        return Change(target, now, now)
    if _hash(now) == kept.get("after"):
        return Change(target, now, before)
    settings, was = settings_of(now), settings_of(before)
    strip(settings, was)
    if settings == was:
        return Change(target, now, before)
    return Change(target, now, dumped(settings, now))


def installed(target: Target) -> Change:
    """A file as it would be with the hook."""
    bare = restored(target).after
    settings = settings_of(bare)
    target.edit(settings)
    return Change(target, _bytes(target.path), dumped(settings, bare))


def difference(change: Change) -> str:
    old, new = ((data or b"").decode("utf-8", "replace").splitlines() for data in (change.before, change.after))
    path = change.target.path
    return "".join(f"{line}\n" for line in difflib.unified_diff(old, new, path, f"{path} (new)", lineterm=""))


def changed_targets() -> list[Target]:
    """Those that were changed by `install`, wherever the agents' variables point by now."""
    kept = _load(state("originals.json")).items()
    return [Target(str(_dict(one).get("agent")), path, dict.clear) for path, one in kept]


def planned(make: Callable[[Target], Change], of: list[Target]) -> tuple[list[Change], list[str]]:
    """What would be changed, and what is left alone and why."""
    changes, left = [], []
    for target in of:
        try:
            changes.append(make(target))
        except Trouble as trouble:
            left.append(f"{target.path} is left as it is: {trouble}.")
    return changes, left


def apply(change: Change) -> None:
    """Write a file of an agent's settings, or remove what was not there before."""
    path = change.target.path
    if change.after == change.before:
        return
    if change.after is None:
        os.unlink(path)
        for made in _list(original(change.target).get("made")):
            with contextlib.suppress(OSError):
                os.rmdir(made)
        return
    mode = os.stat(path).st_mode & 0o777 if os.path.exists(path) else 0o600
    write(path, change.after, mode)


def keep_original(change: Change) -> None:
    """Keep what to put back, before anything is changed."""
    kept = original(change.target)
    bare = restored(change.target).after
    at = os.path.dirname(change.target.path)
    kept = {
        "agent": change.target.agent,
        "before": None if bare is None else base64.b64encode(bare).decode(),
        "after": _hash(change.after),
        "made": kept.get("made") or ([] if os.path.isdir(at) else [at]),
    }
    write(state("originals.json"), _json({**_load(state("originals.json")), change.target.path: kept}))
    if change.target.agent == "claude_code":
        keep_status_line(settings_of(bare))


def keep_status_line(settings: dict[str, Any]) -> None:
    """The command that goes on showing the status line."""
    line = _text(_dict(settings.get("statusLine")).get("command"))
    if line:
        write(state("status_line"), line.encode())
    elif os.path.exists(state("status_line")):
        os.unlink(state("status_line"))


def copy_program() -> None:
    """Put this file where agents find it, and its first section where they do not wait for the rest."""
    program = _bytes(os.path.abspath(__file__))
    if program is None:
        raise Trouble("Save hook.py as a file first; it cannot install itself from a pipe.")
    start = program[: program.index(b"# The end of what hook_start.py holds.\n")]
    write(folder("hook.py"), program, 0o700)
    write(folder("hook_start.py"), start + b"_hand_over(sys.argv[1:])\n", 0o700)


# === 14. The commands =================================================================================================


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def complain(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def install(options: argparse.Namespace) -> int:
    token = options.token or os.environ.get("LEVERAGE_TOKEN") or asked_token()
    config = Config(checked_url(options.url), token.strip())
    if os.path.basename(config_path()) != "hook.json":
        raise Trouble("LEVERAGE_HOOK_CONFIG has to name a file hook.json.")
    if not re.match(r"[\x21-\x7e]{8,500}$", config.token):
        raise Trouble("That is no token: make one with `/leverage token` in Slack.")
    changes, left = planned(installed, [] if options.managed else targets())
    for line in [difference(change) for change in changes] + left:
        say(line)
    if not (options.yes or options.managed) and not agreed():
        complain("Nothing was changed. With --yes it does not ask.")
        return 1
    write(config_path(), _json({"url": config.url, "token": config.token}))
    copy_program()
    for change in changes:
        keep_original(change)
        apply(change)
    say(f"Installed. Address and token are in {config_path()}, for you only.")
    if left and not changes:
        complain("But no agent calls the hook yet: mend the files that were left as they are, and install again.")
        return 1
    if any(change.target.agent == "codex" for change in changes):
        say("Codex runs a new hook only after you trust it: it asks, or type /hooks in it.")
    return 0


def asked_token() -> str:
    try:
        return getpass.getpass("Token: ")
    except EOFError:
        raise Trouble("There is nobody to ask for the token: give it with --token, or in LEVERAGE_TOKEN.") from None


def agreed() -> bool:
    sys.stdout.write("Write these changes? [y/N] ")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def uninstall(_: argparse.Namespace) -> int:
    if not os.path.exists(config_path()) and not changed_targets():
        say("The hook is not installed here.")
        return 0
    changes, left = planned(restored, changed_targets())
    for change in changes:
        sys.stdout.write(difference(change))
        apply(change)
    if left:
        for line in left:
            complain(line)
        complain(f"Take the entries with {folder('hook_start.py')} out by hand, then run this again.")
        return 1
    remove_own_files()
    say("Everything is as it was before.")
    return 0


def remove_own_files() -> None:
    for at, _, names in os.walk(state(), topdown=False):
        for name in names:
            os.unlink(os.path.join(at, name))
        os.rmdir(at)
    for path in (config_path(), folder("hook.py"), folder("hook_start.py")):
        if os.path.exists(path):
            os.unlink(path)
    with contextlib.suppress(OSError):
        os.rmdir(folder())


def status(options: argparse.Namespace) -> int:
    config, told = load_config(), _load(state("counts.json"))
    say(f"server    {config.url} (token in {config_path()})")
    for target in targets():
        there = "installed" if b"hook_start.py" in (_bytes(target.path) or b"") else "not installed"
        called = _text(told.get(f"called_{target.agent}"))
        say(f"{target.agent:<12}{there}, {f'last called {called}' if called else 'not called yet'}: {target.path}")
    say(
        f"sent      {told.get('sent', 0)} documents; refused {told.get('refused', 0)}, dropped {told.get('dropped', 0)}"
    )
    last = told.get("last")
    if isinstance(last, list) and len(last) == 2:
        say(f"last      {last[0]}: {last[1]}")
    say("waiting   what follows, document by document, would be sent next:")
    show(config, options)
    return 0


def send(options: argparse.Namespace) -> int:
    config, now = load_config(), now_is()
    if options.dry_run:
        show(config, options)
        return 0
    with locked("sessions"):
        for agent in AGENTS:
            send_news(recent(agent, config, options), now, beginning(options, now))
    said = flush(config, now)
    left = len(waiting())
    say(f"{said}; {left} documents wait")
    return 1 if left else 0


def show(config: Config, options: argparse.Namespace) -> None:
    """Print what would be sent: one document a line, as it is on the wire before compression. Nothing is noted."""
    now = now_is()
    for name in waiting():
        say(gzip.decompress(_bytes(state("spool", name)) or gzip.compress(b"")).decode())
    for agent in AGENTS:
        turns, _ = news(recent(agent, config, options), now, beginning(options, now))
        for body in documents(agent, turns):
            say(body.decode())


def recent(agent: str, config: Config, options: argparse.Namespace) -> list[Session]:
    """An agent's sessions, out of the files that changed lately."""
    since = beginning(options, now_is()).timestamp()
    paths = [path for home in homes(agent) for path in files(agent, home) if os.path.getmtime(path) >= since]
    return merge([found for path in paths for found in scan(agent, path, config.key)])


def beginning(options: argparse.Namespace, now: datetime) -> datetime:
    given = _text(getattr(options, "since", None))
    try:
        return moment(f"{given}T00:00:00Z") if given else now - timedelta(days=KEEP_DAYS)
    except ValueError:
        raise Trouble("--since takes a day, such as 2026-11-22.") from None


def at_work(options: argparse.Namespace) -> int:
    """In the background: whatever goes wrong, nobody is there to be told. Two minutes are enough for anything."""
    if hasattr(signal, "alarm"):
        signal.alarm(120)
    with contextlib.suppress(Exception):
        work(options.agent, _dict(json.loads(sys.stdin.buffer.read())))
    return 0


class Parser(argparse.ArgumentParser):
    """Says in one line what is wrong with what was typed."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{message[:1].upper()}{message[1:]}. See `{self.prog} --help`.\n")


def parser(prog: str) -> Parser:
    top = Parser(prog=prog, description="Tells Leverage what your coding agent's turns took.")
    commands = top.add_subparsers(dest="command", required=True, metavar="install|status|send|uninstall")
    setup = commands.add_parser("install", help="put the hook into your agents' settings; shows what changes, and asks")
    setup.add_argument("--url", required=True, help="your Leverage, such as https://leverage.example.com")
    setup.add_argument("--token", help="from `/leverage token` in Slack; else LEVERAGE_TOKEN, else it asks")
    setup.add_argument("--yes", action="store_true", help="do not ask")
    setup.add_argument(
        "--managed",
        action="store_true",
        help="leave the agents' settings alone: those that your company manages call the hook already",
    )
    setup.set_defaults(do=install)
    undo = commands.add_parser("uninstall", help="put everything back")
    undo.add_argument("--yes", action="store_true", help=argparse.SUPPRESS)
    undo.set_defaults(do=uninstall)
    for name, do, about in (
        ("status", status, "what is set up, and what waits"),
        ("send", send, "send what waits now"),
    ):
        one = commands.add_parser(name, help=about)
        one.add_argument("--since", metavar="DAY", help="only turns from this day on (usually the last 30 days)")
        one.set_defaults(do=do)
    commands.choices["send"].add_argument("--dry-run", action="store_true", help="print it instead")
    worker = commands.add_parser("work")
    worker.add_argument("agent")
    worker.set_defaults(do=at_work)
    return top


def main(arguments: list[str] | None = None, prog: str = PROGRAM) -> int:
    options = parser(prog).parse_args(arguments)
    try:
        return int(options.do(options))
    except Trouble as trouble:
        complain(str(trouble).replace(PROGRAM, prog))
    except OSError as error:
        complain(f"It did not work: {error.strerror or 'an error of this machine'} ({error.filename or 'no file'}).")
    return 1


if __name__ == "__main__":
    sys.exit(main())
