"""The command line. Exit 0: done, 1: failed with one clear line on stderr, 2: wrong usage."""

import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import Annotated

import typer

from bot import __version__, cli_alone, cli_deployment, cli_tokens, log, usage
from bot.domain.ports import SourceError
from bot.errors import UserError
from bot.progress import say, unwritten
from bot.store.errors import StoreError

cli = typer.Typer(
    name="leverage",
    help="How a team's AI compute becomes resolved work.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and end the process with its exit code."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal may not know every sign
    sys.exit(_guarded(list(sys.argv[1:] if arguments is None else arguments) or ["--help"]))


def _run(typed: list[str]) -> int:
    """Not by Typer's own way, which says nothing of Ctrl-C, and ends with 1 where nobody reads on."""
    command = typer.main.get_command(cli)
    try:
        with command.make_context("leverage", typed) as context:
            command.invoke(context)
    except typer.Exit as end:
        return end.exit_code
    finally:
        sys.stdout.flush()
    return 0


def _guarded(typed: list[str]) -> int:
    """Say a person's mistake in one line; a defect of ours keeps its traceback."""
    try:
        return _run(typed)
    except typer.TyperException as error:
        return say(usage.words(error, typed), error.exit_code)
    except UserError as error:
        return say(str(error), error.exit_code)
    except (StoreError, SourceError) as error:
        return say(str(error), 1)
    except (KeyboardInterrupt, typer.Abort):
        return say("stopped; nothing is half-written, the same command goes on from here", 130)
    except OSError as error:
        return unwritten(error)


def _version(asked: bool) -> None:
    if asked:
        print(f"leverage {__version__}")
        raise typer.Exit


@cli.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    log.setup(sys.stderr, "ERROR")  # `serve` says more; elsewhere the one clear line is enough


cli.command()(cli_alone.demo)
cli.command()(cli_deployment.migrate)
cli.command(short_help="Fetch what was spent, or take in a bill from a file.")(cli_deployment.collect)
cli.command(short_help="Show what the agents on this machine cost, for you alone.")(cli_alone.local)
cli.command(
    short_help="Set up what tells Leverage of your agents' work on this machine.",
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
)(cli_alone.hook)
cli.command()(cli_deployment.backfill)
cli.command(short_help="Print a team's frozen digest.")(cli_deployment.digest)
cli.command(short_help="Answer Slack and GitHub, post and comment, until stopped.")(cli_deployment.serve)
cli.command(short_help="Check everything, and say what is wrong.")(cli_deployment.doctor)

tokens = typer.Typer(help="The tokens of managed machines: make, list and revoke them.")
tokens.command("new", short_help="Make a token, and print it once.")(cli_tokens.new)
tokens.command("list", short_help="List the tokens there are.")(cli_tokens.list_)
tokens.command("revoke", short_help="End a token at once.")(cli_tokens.revoke)
cli.add_typer(tokens, name="tokens")
