"""`leverage tokens`: the tokens of a fleet's machines. People make their own in Slack, and are never listed here."""

import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from bot import clock
from bot.domain.tokens import id_of

if TYPE_CHECKING:
    from bot.usecases.tokens import FleetToken

BASE_URL = "LEVERAGE_BASE_URL"
COLUMNS = ("id", "name", "made", "ends", "last used", "state")


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the machines are called, like laptops.")],
    days: Annotated[
        int | None, typer.Option(min=1, max=730, metavar="N", help="It ends after so many days; default: never.")
    ] = None,
    snippet: Annotated[
        bool, typer.Option("--snippet", help="Print the files that set up every agent, with the token in them.")
    ] = False,
) -> None:
    """Make a token for managed machines, and print it once. Two of a name are valid at a time, to change them."""
    from bot.app import DeploymentSettings, open_database
    from bot.usecases.tokens import new_fleet
    from integrations import fleet

    settings = DeploymentSettings()
    base_url = settings.required(BASE_URL) if snippet else ""
    made = new_fleet(open_database(settings), name, clock.now(), timedelta(days) if days else None)
    token = made.token
    print(fleet.text(base_url, token) if snippet else token)
    print(
        "The token is shown this once. Whoever has it can add telemetry, and read nothing; "
        f"`leverage tokens revoke {id_of(token)}` ends it.",
        file=sys.stderr,
    )
    if made.ended:
        print(f"The oldest token of {name} has ended with this: two of a name are valid at a time.", file=sys.stderr)


def list_() -> None:
    """List the tokens of managed machines, without the tokens themselves."""
    from bot.app import DeploymentSettings, open_database
    from bot.usecases.tokens import fleet

    found = fleet(open_database(DeploymentSettings()), clock.now())
    if not found:
        print("There is no fleet token yet: `leverage tokens new NAME` makes one.", file=sys.stderr)
        return
    rows = [COLUMNS, *map(_row, found)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _row(token: "FleetToken") -> tuple[str, ...]:
    ends = f"{token.expires_at:%Y-%m-%d}" if token.expires_at else "never"
    used = f"{token.last_used:%Y-%m-%d}" if token.last_used else "never"
    return token.id, token.name, f"{token.created_at:%Y-%m-%d}", ends, used, "valid" if token.is_valid else "ended"


def revoke(
    id: Annotated[str, typer.Argument(metavar="ID", help="As `leverage tokens list` shows it.")],
) -> None:
    """End a token of managed machines at once."""
    from bot.app import DeploymentSettings, open_database
    from bot.usecases.tokens import revoke_fleet

    revoke_fleet(open_database(DeploymentSettings()), id, clock.now())
    print(f"The token {id} has ended: nothing that still carries it is taken in.")
