"""What a person is told with a token of theirs: the token itself, once, and how a machine of theirs gets it."""

from bot.render import Message, mrkdwn
from bot.render_me import note

ADDRESS = "https://leverage.example.com"
"""Stands for an address that nobody has set."""

NOT_JOINED = "A token is for who has joined: `/leverage join` opens the window. Nothing was made."
NONE_ENDED = "You have no token that is valid, so there is nothing to end."


def made(token: str, ended: int, base_url: str | None) -> Message:
    """A new token, for the person's eyes only; nobody can show it again."""
    url = base_url or ADDRESS
    fetch = f"curl -fsSo hook.py {url}/hook.py"
    install = f"python3 hook.py install --url {url}"
    parts = [
        f"*Your token for agents' telemetry.* It is shown this once, and only adds to your own numbers; keep it to "
        f"yourself.\n```{mrkdwn(token)}```",
        "*With the hook*, for Claude Code, Codex, Gemini CLI, Qwen Code, Copilot CLI and opencode. It asks for the "
        "token, and before it changes anything; `hook.py send --dry-run` prints all that it sends.\n"
        f"```{mrkdwn(fetch)}\n{mrkdwn(install)}```",
        "*Over OpenTelemetry*, with or without the hook; each request counts once. For Claude Code:\n"
        f"```{mrkdwn(_variables(url, token))}```",
        "`/leverage token end` ends your tokens at once. Two are valid at a time, so that you can change to a new one.",
    ]
    if not base_url:
        parts.append(
            f"Ask whoever runs Leverage for the address to put in place of {ADDRESS}: LEVERAGE_BASE_URL is not set."
        )
    if ended:
        parts.append("Your oldest token has ended with this, as you had two.")
    return Message("\n\n".join(parts), [block for part in parts for block in note(part).blocks])


def _variables(url: str, token: str) -> str:
    return "\n".join(
        (
            "export CLAUDE_CODE_ENABLE_TELEMETRY=1 OTEL_LOGS_EXPORTER=otlp OTEL_METRICS_EXPORTER=otlp",
            f"export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf OTEL_EXPORTER_OTLP_ENDPOINT={url}",
            f'export OTEL_EXPORTER_OTLP_HEADERS="Authorization=Bearer {token}"',
        )
    )


def ended(count: int) -> Message:
    """What became of the person's tokens."""
    if not count:
        return note(NONE_ENDED)
    what = "Your token has" if count == 1 else f"Your {count} tokens have"
    return note(f"{what} ended: nothing that still carries it is taken in. `/leverage token` makes a new one.")
