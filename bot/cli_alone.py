"""Commands that need no deployment: neither settings nor a database, only this machine."""

import sys
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer

DAY = ["%Y-%m-%d"]


class LocalFormat(StrEnum):
    """What `leverage local` prints."""

    TEXT = "text"
    JSON = "json"


def demo(once: Annotated[bool, typer.Option("--once", help="Print and end.")] = False) -> None:
    """Show Leverage at work on an invented company. Needs no account and touches no database of yours."""
    from bot.demo.play import run

    run(sys.stdout)


def local(
    since: Annotated[
        datetime | None, typer.Option(formats=DAY, metavar="DAY", help="The first UTC day; default: all there is.")
    ] = None,
    format: Annotated[LocalFormat, typer.Option(help="Text to read, or a JSON document.")] = LocalFormat.TEXT,
    claude_dir: Annotated[str | None, typer.Option(metavar="DIR", help="Claude Code's folder, like ~/.claude.")] = None,
    codex_home: Annotated[str | None, typer.Option(metavar="DIR", help="Codex's folder, like ~/.codex.")] = None,
    gemini_dir: Annotated[str | None, typer.Option(metavar="DIR", help="Gemini CLI's folder.")] = None,
    qwen_dir: Annotated[str | None, typer.Option(metavar="DIR", help="Qwen Code's folder.")] = None,
    copilot_dir: Annotated[str | None, typer.Option(metavar="DIR", help="Copilot CLI's folder.")] = None,
    opencode_dir: Annotated[str | None, typer.Option(metavar="DIR", help="opencode's folder.")] = None,
) -> None:
    """Read the transcripts of coding agents and the git history on this machine: cost, tokens and prompts by branch and
    pull request, what did not ship, and loops. Needs no account; nothing is stored, and nothing leaves the machine."""
    from bot.local import run, usual_homes

    named = {
        "claude_code": claude_dir,
        "codex": codex_home,
        "gemini_cli": gemini_dir,
        "qwen_code": qwen_dir,
        "copilot": copilot_dir,
        "opencode": opencode_dir,
    }
    run(usual_homes(named), since and since.date(), format)


def hook(context: typer.Context) -> None:
    """The hook of coding agents on this machine: install, status, send and uninstall, as its own file has them."""
    from integrations import hook as program

    raise typer.Exit(program.main(context.args, "leverage hook"))
