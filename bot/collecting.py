"""`leverage collect`: all sources side by side, each with a bar, and a table at the end."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine

from bot.app import App, begins, window
from bot.domain.health import ago
from bot.domain.money import cents
from bot.domain.overview import Overview, Standing
from bot.domain.ports import SourceError, SpendSource
from bot.domain.prices import Reconciliation
from bot.domain.reading import whole_from
from bot.errors import UsageError
from bot.progress import Report, all_at_once, say, side_by_side
from bot.usecases.collect import Collected, collect, last_read
from bot.usecases.import_bill import counted, import_bill
from bot.usecases.overview import overview

COLUMNS = ("source", "days", "rows", "billed", "explained", "age", "warnings")
WIDTH = 118


@dataclass(frozen=True, slots=True)
class Asked:
    """A source and the UTC days `[first, until)` to read.

    Unless somebody `typed` the first one, more is read: from the last reading on, and what counts of who joined since.
    """

    source: SpendSource
    first: date
    until: date
    typed: date | None = None

    def since_last(self, engine: Engine, now: datetime) -> "Asked":
        if self.typed:
            return self
        last = last_read(engine, self.source)
        usual = min(self.first, whole_from(last.at, self.source.REFETCH_DAYS, now))
        return replace(self, first=last.first(usual, self.source, now))


def asked(sources: Sequence[SpendSource], since: date | None, until: date | None, now: datetime) -> list[Asked]:
    """What is read of each source; of several, from the day on that each can tell of. One that has no day to read is
    left out, and that is said.

    Raises UsageError for days that cannot be asked for.
    """
    if len(sources) == 1:
        return [Asked(source, *window(source, since, until, now), since) for source in sources]
    kept = [source for source in sources if not _is_left_out(source, since, until, now)]
    if not kept:
        raise UsageError(f"None of these sources has a day to read before --until {until}: see --since and --until.")
    firsts = [since and max(since, source.oldest(now)) for source in kept]
    return [
        Asked(source, *window(source, first, until, now), since) for source, first in zip(kept, firsts, strict=True)
    ]


def _is_left_out(source: SpendSource, since: date | None, until: date | None, now: datetime) -> bool:
    """Whether it has no day before `until`, though what was typed makes sense."""
    first = begins(source, since, now)
    if until is None or until > first or (since and since >= until):
        return False
    why = f"it tells of days from {first} on" if since else f"without --since it is read from {first} on"
    print(f"{source.NAME} is left out: {why}, and --until is {until}.", file=sys.stderr)
    return True


def run(app: App, wanted: Sequence[Asked], now: datetime) -> None:
    """Read all sources at once and print how they stand. Raises a SourceError, after the table."""
    wanted = [one.since_last(app.engine, now) for one in wanted]
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
    for line in import_bill(app.engine, file.name, bill, app.read_accounts, app.splitting, now):
        print(line)
    print(f"{counted(bill.rows, 'row')} read, of which {bill.left_out} not about AI")


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
    """Say every error in the order of the table; the last one is what the command ends with."""
    for error in errors[:-1]:
        say(str(error))
    if errors:
        raise errors[-1]


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
    said = [f"{counted(count, 'row')} refused ({reason})" for reason, count in sorted(result.rejected.items())]
    if result.unpriced:
        said.append(f"no price for {', '.join(result.unpriced)}")
    return said


def organisation(line: Reconciliation, first: date, last: date) -> str:
    """The organisation's line, in words: list and billed are two things, and never added up."""
    factor = "unknown, as nothing has a list price" if line.plan_factor is None else f"{float(line.plan_factor):.2f}"
    return (
        f"Organization, {first} to {last}: {cents(line.list_micro)} at list price, {cents(line.billed_micro)} billed "
        f"({cents(line.usage_micro)} usage, {cents(line.fees_micro)} seats, {cents(line.adjustments_micro)} refunds "
        f"and credits); plan factor {factor}"
    )
