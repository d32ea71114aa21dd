"""What is said of a command that was typed in a way nobody knows: plain words, and where the right way is explained."""

from collections.abc import Sequence
from typing import Any

import typer

SHAPES = {
    "since": "write a day like 2026-05-01",
    "until": "write a day like 2026-05-01",
    "week": "write a week like 2026-W20",
    "days": "write a whole number from 1 to 730",
    "port": "write a whole number from 1 to 65535",
    "format": "write one of text, json, blocks",
}
"""What belongs behind an option, by its name."""


def words(error: typer.TyperException, typed: Sequence[str]) -> str:
    """One line for a mistake that Typer found in what was typed."""
    sentence = _sentence(error).rstrip(".")
    return f"{sentence}{'' if sentence.endswith('?') else '.'} See `{_command(error, typed)} --help`."


def _command(error: Any, typed: Sequence[str]) -> str:
    if context := getattr(error, "ctx", None):
        return str(context.command_path)
    return f"leverage {typed[0]}" if typed and not typed[0].startswith("-") else "leverage"


def _sentence(error: Any) -> str:
    """Typer's classes of errors are its own affair, so what an error is about is read from what it carries."""
    if param := getattr(error, "param", None):
        name = param.opts[0] if param.param_type_name == "option" else param.metavar
        return f"{name}: {SHAPES.get(param.name, error.message)}" if error.message else f"{name} is missing"
    option = getattr(error, "option_name", "")
    if option.removeprefix("--") in SHAPES and "requires" in error.message:
        return f"{option}: {SHAPES[option.removeprefix('--')]}"
    _, surplus, found = error.message.partition("unexpected extra argument(s) ")
    return f"There is a word too many: {found.strip('()')}" if surplus else str(error.format_message())
