"""Lines of transcripts, written by hand for one test."""

import itertools
import json
from pathlib import Path
from typing import Any

_numbers = itertools.count()


def at(seconds: float) -> str:
    return f"2026-11-22T10:{int(seconds) // 60:02d}:{seconds % 60:06.3f}Z"


def write(path: Path, *lines: Any) -> Path:
    """A file with one JSON document a line; text stays as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = (line if isinstance(line, str) else json.dumps(line, separators=(",", ":")) for line in lines)
    path.write_text("".join(f"{line}\n" for line in text))
    return path


def claude(home: Path, session: str, *lines: Any) -> Path:
    return write(home / "projects" / "-src" / f"{session}.jsonl", *lines)


def prompt(turn: str | None, seconds: float, text: str = "please", **more: Any) -> dict[str, Any]:
    line = {
        "type": "user",
        "uuid": f"u{next(_numbers)}",
        "timestamp": at(seconds),
        "message": {"content": text},
        **more,
    }
    return {**line, "promptId": turn} if turn else line


def answer(id: str, seconds: float, output: int = 10, **more: Any) -> dict[str, Any]:
    """An assistant's line; `content`, `stop_reason` and `model` go into its message."""
    usage = {"input_tokens": 5, "output_tokens": output, "cache_read_input_tokens": 100, **more.pop("usage", {})}
    message = {"id": id, "model": "claude-sonnet-4-5", "stop_reason": "end_turn", "usage": usage}
    message |= {name: more.pop(name) for name in ("content", "stop_reason", "model") if name in more}
    return {"type": "assistant", "uuid": f"u{next(_numbers)}", "timestamp": at(seconds), "message": message, **more}


def calls(id: str, seconds: float, call: str, name: str, given: dict[str, Any]) -> dict[str, Any]:
    return answer(id, seconds, content=[{"type": "tool_use", "id": call, "name": name, "input": given}])


def result(turn: str, seconds: float, call: str, *, error: bool = False, text: str = "", **more: Any) -> dict[str, Any]:
    block = {"tool_use_id": call, "type": "tool_result", "content": text, "is_error": error}
    return {**prompt(turn, seconds), "message": {"content": [block]}, **more}


def rollout(home: Path, id: str, *lines: Any) -> Path:
    return write(home / "sessions" / "2026" / "11" / "22" / f"rollout-2026-11-22T10-00-00-{id}.jsonl", *lines)


def codex(kind: str, seconds: float, **payload: Any) -> dict[str, Any]:
    return {"timestamp": at(seconds), "type": kind, "payload": payload}


def event(kind: str, seconds: float, **payload: Any) -> dict[str, Any]:
    return codex("event_msg", seconds, type=kind, **payload)


def usage(given: int, cached: int, output: int, reasoning: int) -> dict[str, int]:
    return {
        "input_tokens": given,
        "cached_input_tokens": cached,
        "output_tokens": output,
        "reasoning_output_tokens": reasoning,
    }


def totals(seconds: float, total: dict[str, int], last: dict[str, int] | None = None) -> dict[str, Any]:
    info = {"total_token_usage": total, **({"last_token_usage": last} if last else {})}
    return event("token_count", seconds, info=info)
