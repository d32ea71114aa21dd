"""The files that turn telemetry and the hook on for every coding agent of a managed fleet.

Docs, read 2026-11: code.claude.com/docs `settings` and `monitoring-usage`; developers.openai.com/codex
`enterprise/managed-configuration` and `hooks`; geminicli.com/docs `cli/enterprise`; QwenLM/qwen-code `docs`
(`configuration/settings`, `development/telemetry`); docs.github.com/copilot `reference/enterprise-administrators`;
cursor.com/docs `hooks`. None of these files switches on that prompts, answers or commands are sent; where an agent
sends them by itself, its file switches that off.
"""

import json
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from integrations.hook import CLAUDE_EVENTS, GEMINI_EVENTS

WIDTH = 100
PROGRAM = "${XDG_CONFIG_HOME:-$HOME/.config}/leverage/hook_start.py"
"""Where `hook.py install` puts what agents call, for each person."""
SYSTEMS = ("Linux", "macOS", "Windows")


@dataclass(frozen=True, slots=True)
class File:
    """What device management puts on every machine: `places` are its paths on Linux, macOS and Windows."""

    agent: str
    places: tuple[str, str, str]
    content: str
    notes: tuple[str, ...]


def text(base_url: str, token: str) -> str:
    """All files to read and to copy from."""
    parts = [_intro(base_url, token), *(_section(file) for file in files(base_url, token)), OTHERS]
    return "\n\n".join(parts)


def files(base_url: str, token: str) -> list[File]:
    """One file for each agent that can be set up this way; agents send with the fleet's token."""
    bearer = f"Bearer {token}"
    return [
        _claude_code(base_url, bearer),
        _codex(base_url, bearer),
        _gemini_cli(base_url),
        _gemini_header(bearer),
        _qwen_code(base_url, bearer),
        _copilot(base_url, bearer),
        _cursor(),
    ]


# --- one agent each


def _claude_code(base_url: str, bearer: str) -> File:
    env = {
        "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
        "OTEL_LOGS_EXPORTER": "otlp",
        "OTEL_METRICS_EXPORTER": "otlp",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_ENDPOINT": base_url,
        "OTEL_EXPORTER_OTLP_HEADERS": f"Authorization={bearer}",  # sent as written: no %20 here
        "OTEL_METRICS_INCLUDE_ACCOUNT_UUID": "false",
    }
    return File(
        "Claude Code",
        (
            "/etc/claude-code/managed-settings.json",
            "/Library/Application Support/ClaudeCode/managed-settings.json",
            r"C:\Program Files\ClaudeCode\managed-settings.json",
        ),
        _json({"env": env, "hooks": _groups("claude_code", CLAUDE_EVENTS, 5)}),
        (_known_by("a Claude account", "an API key, Bedrock or Vertex"), MERGE),
    )


def _codex(base_url: str, bearer: str) -> File:
    exporters = [("exporter", f"{base_url}/v1/logs"), ("metrics_exporter", f"{base_url}/v1/metrics")]
    tables = [
        f'[otel.{name}."otlp-http"]\nendpoint = {_string(url)}\nprotocol = "json"\n'
        f"headers = {{ Authorization = {_string(bearer)} }}"
        for name, url in exporters
    ]
    hooks = [
        f'[[hooks.{event}]]\n[[hooks.{event}.hooks]]\ntype = "command"\n'
        f"command = {_string(_command('codex'))}\ntimeout = 3"
        for event in CLAUDE_EVENTS
    ]
    return File(
        "Codex",
        (
            "/etc/codex/managed_config.toml",
            "/etc/codex/managed_config.toml",
            r"%USERPROFILE%\.codex\managed_config.toml, for each person",
        ),
        "\n\n".join(["[otel]\nlog_user_prompt = false", *tables, *hooks]),
        (
            _known_by("a ChatGPT account", "an API key"),
            "What its tools answer and the commands they ran are in its telemetry whatever is set here; Leverage "
            "drops them as they are decoded.",
            MERGE,
        ),
    )


def _gemini_cli(base_url: str) -> File:
    hooks = _groups("gemini_cli", GEMINI_EVENTS, 5000)
    return File(
        "Gemini CLI",
        (
            "/etc/gemini-cli/settings.json",
            "/Library/Application Support/GeminiCli/settings.json",
            r"C:\ProgramData\gemini-cli\settings.json",
        ),
        _json({"telemetry": _google_telemetry(base_url), "hooks": hooks}),
        (_known_by("a Google account", "an API key or Vertex AI"), "It needs the next file as well.", MERGE),
    )


def _gemini_header(bearer: str) -> File:
    return File(
        "Gemini CLI, its token",
        ("~/.gemini/.env, for each person", "~/.gemini/.env, for each person", r"%USERPROFILE%\.gemini\.env"),
        f'OTEL_EXPORTER_OTLP_HEADERS="Authorization={bearer.replace(" ", "%20")}"',
        (
            "Its settings have no place for a token, so Gemini CLI is not wholly managed: it reads one .env file, and "
            "in a project that has its own it is that one. What comes without the token is refused.",
            "Do not set this variable for the whole machine: every program that sends OpenTelemetry would send the "
            "token wherever it sends to.",
        ),
    )


def _qwen_code(base_url: str, bearer: str) -> File:
    env = {"OTEL_EXPORTER_OTLP_HEADERS": f"Authorization={bearer.replace(' ', '%20')}"}
    return File(
        "Qwen Code",
        (
            "/etc/qwen-code/settings.json",
            "/Library/Application Support/QwenCode/settings.json",
            r"C:\ProgramData\qwen-code\settings.json",
        ),
        _json({"telemetry": _google_telemetry(base_url), "env": env}),
        (
            NO_ADDRESS,
            "It sends prompts, answers and arguments whatever is set here; Leverage drops them as they are decoded.",
            "It has no hook of ours.",
            MERGE,
        ),
    )


def _copilot(base_url: str, bearer: str) -> File:
    telemetry = {
        "enabled": True,
        "endpoint": base_url,
        "protocol": "http/json",
        "captureContent": False,
        "lockCaptureContent": True,
        "headers": {"Authorization": bearer},
    }
    return File(
        "GitHub Copilot, CLI and VS Code",
        (
            "/etc/github-copilot/managed-settings.json",
            "/Library/Application Support/GitHubCopilot/managed-settings.json",
            r"C:\Program Files\GitHubCopilot\managed-settings.json",
        ),
        _json({"telemetry": telemetry}),
        (
            f"{NO_ADDRESS} Here it can stand under `telemetry` as `resourceAttributes`.",
            "Some versions give the token to the chat in VS Code only and not to Copilot CLI; what comes without it is "
            "refused.",
            "It has no hook of ours.",
            MERGE,
        ),
    )


def _cursor() -> File:
    hooks = {"stop": [{"command": _command("cursor"), "timeout": 5}]}
    return File(
        "Cursor, its hook",
        (
            "/etc/cursor/hooks.json",
            "/Library/Application Support/Cursor/hooks.json",
            r"C:\ProgramData\Cursor\hooks.json",
        ),
        _json({"version": 1, "hooks": hooks}),
        (
            "The hook only: Cursor's OpenTelemetry is sent by its servers, is set up in its dashboard, and names "
            "people by numbers of its own, so with a fleet's token all of it is dropped.",
            MERGE,
        ),
    )


# --- what they share

MERGE = "If the file is there already, put these entries into it."
NO_ADDRESS = (
    "It sends no e-mail address, so with a fleet's token all of it is dropped, unless device management gives it the "
    "resource attribute user.email of whoever uses the machine."
)
OTHERS = textwrap.fill(
    "opencode has no managed file: it reads OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_EXPORTER_OTLP_HEADERS from its own "
    "environment, and sends no e-mail address. How to change, end and check all of this is in docs/fleet.md.",
    WIDTH,
)


def _known_by(signed_in: str, otherwise: str) -> str:
    return (
        f"Whose work it is, it says by the e-mail address of {signed_in}. With {otherwise} it sends none, and all of "
        "it is dropped."
    )


def _google_telemetry(base_url: str) -> Mapping[str, Any]:
    """Both log prompts unless they are told not to."""
    return {"enabled": True, "target": "local", "otlpEndpoint": base_url, "otlpProtocol": "http", "logPrompts": False}


def _groups(agent: str, events: Iterable[str], timeout: int) -> Mapping[str, Any]:
    entry = {"type": "command", "command": _command(agent), "timeout": timeout}
    return {event: [{"hooks": [entry]}] for event in events}


def _command(agent: str) -> str:
    """What an agent runs: the hook where the person has it, else nothing, and always with success. In an `sh` of its
    own, as not every agent's shell is one."""
    answer = "echo {}" if agent in ("gemini_cli", "cursor") else "exit 0"  # these two expect a JSON answer
    return f"""sh -c 'f="{PROGRAM}"; [ -f "$f" ] && python3 -I -S "$f" run {agent} || {answer}'"""


def _json(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=2)


def _string(value: str) -> str:
    """A basic string of TOML is one of JSON."""
    return json.dumps(value)


def _intro(base_url: str, token: str) -> str:
    paragraphs = [
        "Files for device management, which turn telemetry and the hook on for each agent. Agents send with the "
        "fleet's token, which is in these files: let only the machines' people read them. What is of nobody who has "
        "joined is dropped before anything is stored.",
        "The entries of the hook do nothing until it is installed for the person who uses the machine. Device "
        "management does so by the two lines below, run as that person. The hook does not say whose work it tells; it "
        "counts for whom the agent of the same session has said to be. Where an agent sends no address, the person "
        "installs it with their own token, by `/leverage token` in Slack. On Windows leave the `hooks` out of these "
        "files, and --managed out of the second line.",
    ]
    install = f"python3 hook.py install --managed --url {base_url} --token {token}"
    commands = f"  curl -fsSo hook.py {base_url}/hook.py\n  {install}"
    return "\n\n".join([*(textwrap.fill(one, WIDTH) for one in paragraphs), commands])


def _section(file: File) -> str:
    lines = [file.agent, "=" * len(file.agent), *_places(file.places)]
    notes = [textwrap.fill(note, WIDTH, initial_indent="- ", subsequent_indent="  ") for note in file.notes]
    return "\n".join([*lines, *notes, "", file.content])


def _places(places: Sequence[str]) -> Iterable[str]:
    return (f"{f'{system}:':<9}{place}" for system, place in zip(SYSTEMS, places, strict=True))
