"""Generated transcripts of Claude Code, the same each time, and what they come to. Most of their bytes are content."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.stream import A_TURN, VERSION, Call
from bench.teams import NOW

FILE = 300_000
KINDS = ("fresh", "written", "read", "output")
Sums = dict[str, Counter[str]]
WORDS = 'the reader takes a line and looks for what it may hold before any of it is decoded; \\ "quotes" and é too\n'


@dataclass(frozen=True, slots=True)
class Generated:
    """How many files and bytes there are, and the tokens in them, by model and kind."""

    files: int
    size: int
    tokens: Sums


def generate(home: Path, size: int) -> Generated:
    """Write sessions until there are this many bytes, one file each, below a folder like ~/.claude."""
    folder = home / "projects" / "-home-dev-src-widgets"
    folder.mkdir(parents=True)
    tokens: Sums = {}
    written = files = number = 0
    while written < size:
        session = f"{files:08x}-0000-4000-8000-{files:012x}"
        lines: list[str] = []
        while sum(map(len, lines)) < FILE:
            lines += _turn(session, number, tokens)
            number += A_TURN
        text = "".join(lines).encode()
        (folder / f"{session}.jsonl").write_bytes(text)
        written, files = written + len(text), files + 1
    return Generated(files, written, tokens)


def _turn(session: str, first: int, tokens: Sums) -> Iterator[str]:
    """A prompt and its requests: each one message of two lines, and the long answer of a tool."""
    yield _line(session, first, "user", {"message": {"role": "user", "content": _text(300)}, **_prompt(first)})
    for number in range(first, first + A_TURN):
        call, tool = Call(number), f"toolu_{number:024}"
        of_model = tokens.setdefault(call.model, Counter())
        of_model.update({kind: getattr(call, kind) for kind in KINDS})
        for block in ({"type": "text", "text": _text(400)}, _use(tool)):
            yield _line(session, number, "assistant", {"message": _message(call, block), "requestId": call.id})
        answer = _text(1_000 + number * 977 % 9_000)
        result = {"type": "tool_result", "tool_use_id": tool, "content": answer}
        told = {"toolUseResult": {"stdout": answer, "stderr": ""}, "sourceToolAssistantUUID": f"{number:032}"}
        yield _line(session, number, "user", {"message": {"role": "user", "content": [result]}, **_of(first), **told})


def _prompt(first: int) -> dict[str, Any]:
    return {**_of(first), "origin": {"kind": "human"}, "promptSource": "typed", "permissionMode": "default"}


def _of(first: int) -> dict[str, Any]:
    return {"promptId": Call(first).turn}


def _use(tool: str) -> dict[str, Any]:
    return {"type": "tool_use", "id": tool, "name": "Bash", "input": {"command": _text(120)}}


def _message(call: Call, block: dict[str, Any]) -> dict[str, Any]:
    usage = {
        "input_tokens": call.fresh,
        "cache_creation_input_tokens": call.written,
        "cache_read_input_tokens": call.read,
        "output_tokens": call.output,
        "service_tier": "standard",
        "cache_creation": {"ephemeral_1h_input_tokens": 0, "ephemeral_5m_input_tokens": call.written},
        "speed": "standard",
    }
    names = {"id": f"msg_{call.number:024}", "type": "message", "role": "assistant", "model": call.model}
    return {**names, "content": [block], "stop_reason": "tool_use", "usage": usage}


def _line(session: str, number: int, kind: str, told: dict[str, Any]) -> str:
    at = NOW - timedelta(days=60) + timedelta(seconds=17 * number) % timedelta(days=59)
    record = {
        "parentUuid": None,
        "isSidechain": False,
        "type": kind,
        **told,
        "uuid": f"{kind}-{number:026}",
        "timestamp": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "userType": "external",
        "entrypoint": "cli",
        "cwd": "/srv/dev/src/widgets",
        "sessionId": session,
        "version": VERSION,
        "gitBranch": "feature",
    }
    return json.dumps(record, separators=(",", ":"), ensure_ascii=False) + "\n"


def _text(length: int) -> str:
    return (WORDS * (length // len(WORDS) + 1))[:length]
