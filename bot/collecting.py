"""`leverage collect`: all sources side by side, each with a bar, and a table at the end."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bot.app import App, window
from bot.domain.health import ago
from bot.domain.money import cents
from bot.domain.overview import Overview, Standing
from bot.domain.ports import SourceError, SpendSource
from bot.domain.prices import Reconciliation
from bot.progress import Report, all_at_once, say, side_by_side
from bot.usecases.collect import Collected, collect
from bot.usecases.import_bill import import_bill
from bot.usecases.overview import overview

COLUMNS = ("source", "days", "rows", "billed", "explained", "age", "warnings")
WIDTH = 118


@dataclass(frozen=True, slots=True)
class Asked:
    """A source and the UTC days `[first, until)` to read."""

    source: SpendSource
    first: date
    until: date


def asked(sources: Sequence[SpendSource], since: date | None, until: date | None, now: datetime) -> list[Asked]:
    """What is read of each source; of several, from the day on that each can tell of.

    Raises UsageError for days that cannot be asked for.
    """
    if since is None or len(sources) == 1:
        return [Asked(source, *window(source, since, until, now)) for source in sources]
    return [Asked(source, *window(source, max(since, source.oldest(now)), until, now)) for source in sources]


def run(app: App, wanted: Sequence[Asked], now: datetime) -> None:
    """Read all sources at once and print how they stand. Raises the first SourceError, after the table."""
    with side_by_side(sys.stderr) as board:
        steps = [partial(_read, app, one, board(one.source.NAME), now) for one in wanted]
        found = all_at_once(steps)
    names = [one.source.NAME for one in wanted]
    _print(dict(zip(names, found, strict=True)), overview(app.engine, names, app.company.terms, now), now)
    for result in found:
        _name_people(result)
    _fail([result for result in found if isinstance(result, SourceError)])


def run_focus(app: App, file: Path, now: datetime) -> None:
    """Take in a bill in FOCUS form and print what was in it. Raises SourceError."""
    bill = app.bill(file, now)
    for line in import_bill(app.engine, bill, app.read_accounts, app.splitting, now):
        print(line)
    print(f"{bill.rows} rows read, {bill.left_out} of them are not about AI")


def _read(app: App, one: Asked, report: Report, now: datetime) -> Collected:
    days = (one.until - one.first).days
    result = collect(
        app.engine, one.source, app.access(one.source), app.splitting, one.first, one.until, now,
        lambda day: report((day - one.first).days + 1, days),
    )  # fmt: skip
    report(days, days)
    return result


def _name_people(result: Collected | SourceError) -> None:
    for account in result.refused if isinstance(result, Collected) else ():
        print(f"{account} belongs to a person and is no service account: take it out of leverage.toml", file=sys.stderr)


def _fail(errors: Sequence[SourceError]) -> None:
    """Say every error, the first one last, as what the command ends with."""
    for error in errors[1:]:
        say(str(error))
    if errors:
        raise errors[0]


def _print(found: dict[str, Collected | SourceError], seen: Overview, now: datetime) -> None:
    table = Table(*COLUMNS, box=None, pad_edge=False, header_style="bold")
    for standing in seen.standings:
        table.add_row(*_row(found[standing.source], standing, now))
    console = Console(file=sys.stdout, highlight=False, width=None if sys.stdout.isatty() else WIDTH)
    console.print(table)
    print(f"\n{organisation(seen.organisation, seen.first, seen.last)}")


def _row(result: Collected | SourceError, standing: Standing, now: datetime) -> Sequence[str]:
    age = "never read" if standing.fetched_at is None else ago(now - standing.fetched_at)
    explained = standing.explained or "not said"
    if isinstance(result, SourceError):
        return standing.source, "-", "-", "-", explained, age, "could not be read: see below"
    return (
        standing.source,
        str(result.days),
        str(result.rows),
        "credits only" if result.billed_micro is None else cents(result.billed_micro),
        explained,
        age,
        "; ".join(warnings(result)) or "none",
    )


def warnings(result: Collected) -> list[str]:
    """What is not as it should be, though the source was read."""
    said = [f"{count} {_rows(count)} refused ({reason})" for reason, count in sorted(result.rejected.items())]
    if result.unpriced:
        said.append(f"no price for {', '.join(result.unpriced)}")
    return said


def _rows(count: int) -> str:
    return "row" if count == 1 else "rows"


def organisation(line: Reconciliation, first: date, last: date) -> str:
    """The organisation's line, in words: list and billed are two things, and never added up."""
    factor = "unknown, as nothing has a list price" if line.plan_factor is None else f"{float(line.plan_factor):.2f}"
    return (
        f"Organization, {first} to {last}: {cents(line.list_micro)} at list price, {cents(line.billed_micro)} billed "
        f"({cents(line.usage_micro)} usage, {cents(line.fees_micro)} seats, {cents(line.adjustments_micro)} refunds "
        f"and credits); plan factor {factor}"
    )
