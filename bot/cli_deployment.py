"""Commands of a deployment: they read its settings, and most of them its teams and its database."""

import json
import sys
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot import clock, log
from bot.domain.digest import Digest
from bot.domain.ports import OutcomeSource
from bot.domain.team import Team
from bot.domain.weeks import Week, due_at
from bot.errors import UsageError, UserError
from bot.progress import all_of, reporting

if TYPE_CHECKING:
    from bot.app import App  # it loads every library: only the commands that need it do

DAY = ["%Y-%m-%d"]


class Format(StrEnum):
    """What `leverage digest` prints: text to read, one JSON document, or the Slack message."""

    TEXT = "text"
    JSON = "json"
    BLOCKS = "blocks"


def migrate() -> None:
    """Bring the database to this version's schema. Every command does so as well."""
    from bot.app import DeploymentSettings, open_database

    open_database(DeploymentSettings())
    print("The database is up to date.")


def collect(
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="SOURCE", help="Default: all whose key is set.")
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            formats=DAY,
            metavar="DAY",
            help="The first UTC day; default: as far back as the source still corrects, or was not read.",
        ),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(formats=DAY, metavar="DAY", help="The UTC day after the last; default: tomorrow, so today is in."),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="EXPORT", help="With `focus`: the exported bill, .csv, .csv.gz or .parquet."),
    ] = None,
) -> None:
    """Fetch from the providers' admin APIs what was spent, or take in a bill that a cloud exported as FOCUS."""
    from bot import collecting
    from bot.app import DeploymentSettings, choose_sources, load

    now, settings = clock.now(), DeploymentSettings()
    if _is_focus(sources or [], file, since or until):
        collecting.run_focus(load(settings), file or Path(), now)
        return
    chosen = choose_sources(settings, sources or [])
    wanted = collecting.asked(chosen, since and since.date(), until and until.date(), now)
    collecting.run(load(settings), wanted, now)


def _is_focus(sources: list[str], file: Path | None, days: datetime | None) -> bool:
    """Whether a file is to be taken in. Raises UsageError for half of what that needs."""
    if [name.casefold() for name in sources] != ["focus"]:
        if file or "focus" in sources:
            raise UsageError("A bill from a file stands alone: `leverage collect focus --file EXPORT.csv`.")
        return False
    if file is None or days is not None:
        raise UsageError("Name the export, and no days: `leverage collect focus --file EXPORT.csv`.")
    return True


def backfill(
    repositories: Annotated[list[str] | None, typer.Argument(metavar="REPO", help="Default: all of all teams.")] = None,
    days: Annotated[int, typer.Option(min=1, max=730, metavar="N", help="How far back, from 1 to 730.")] = 90,
) -> None:
    """Fetch pull requests and team rosters from GitHub. Safe to run again."""
    from bot.app import DeploymentSettings, load

    now = clock.now()
    app = load(DeploymentSettings())
    chosen = app.repositories(repositories or [])
    outcomes = app.outcomes()
    pulls = [partial(_backfill, app, outcomes, name, now - timedelta(days=days), now) for name in chosen]
    all_of([partial(_take_rosters, app, outcomes, now), *pulls])


def _take_rosters(app: "App", outcomes: OutcomeSource, now: datetime) -> None:
    from bot.usecases.observe import take_rosters

    taken = take_rosters(app.engine, outcomes, app.company.teams, now)
    for team in app.company.teams:
        print(f"{team.name}: {'read who is on it' if team.name in taken else 'its members are fixed for four weeks'}")


def _backfill(app: "App", outcomes: OutcomeSource, repository: str, since: datetime, now: datetime) -> None:
    from bot.usecases.observe import backfill as run

    with reporting(repository) as report:
        seen = run(app.engine, outcomes, repository, since, now, report)
    print(f"{repository}: {seen.seen} pull requests, {seen.changed} new or changed")


def digest(
    team: Annotated[str, typer.Argument(metavar="TEAM", help="A team of leverage.toml.")],
    week: Annotated[str | None, typer.Option(metavar="WEEK", help="Like 2026-W20; default: the newest.")] = None,
    format: Annotated[Format, typer.Option(help="Text to read, a JSON document, or Slack's blocks.")] = Format.TEXT,
    post: Annotated[
        bool, typer.Option("--post", help="Also post it to the team's channel, unless it is there.")
    ] = False,
) -> None:
    """Print a team's frozen digest, after freezing the weeks that are due."""
    from bot.app import SOURCES, DeploymentSettings, load
    from bot.usecases.digest import freeze_due, read
    from bot.usecases.measure import measure

    wanted = _week(week)
    app = load(DeploymentSettings())
    chosen = app.team(team)
    measure(app.engine, app.prices)
    frozen = freeze_due(app.engine, chosen, app.publishing, clock.now())
    for source in frozen.waits_for:
        command = "collect" if source in SOURCES else "backfill"
        print(f"The week that is due waits for {source}: run `leverage {command}`.", file=sys.stderr)
    found = read(app.engine, chosen, wanted, app.publishing.method_url)
    _print(found or _unfrozen(app, chosen, wanted), format)
    if post:
        _post(app, chosen, found)


def _unfrozen(app: "App", team: Team, wanted: Week | None) -> Digest:
    """What is printed of a week that is not frozen. Raises UsageError for one that never will be, or has not begun."""
    from bot.usecases.digest import next_week, unfrozen

    now = clock.now()
    upcoming = next_week(app.engine, team, now)
    week = wanted or upcoming
    if week < upcoming:
        raise UsageError(f"{team.name} has no digest for {week}: its first is for a later week.")
    if week > Week.of(now, team.zone):
        raise UsageError(f"{week} has not begun.")
    due = due_at(week, team.schedule, team.zone).astimezone(team.zone)
    if due > now:
        print(
            f"The digest of {team.name} for {week} is due on {due:%A %d %B %Y, %H:%M} ({team.zone}).", file=sys.stderr
        )
    return unfrozen(team, week, app.publishing.method_url)


def _post(app: "App", team: Team, found: Digest | None) -> None:
    """Post a frozen digest now, and say what became of it. Raises UserError if it is not in the channel for sure."""
    from bot.domain import notes
    from bot.domain.delivery import State
    from bot.usecases.deliver import post_now

    messenger = app.messenger()
    if messenger is None:
        raise UserError("SLACK_BOT_TOKEN is not set: without it nothing can be posted.")
    record = post_now(app.engine, messenger, team, found.block.last, app.worker()) if found else None
    if record is None:
        raise UserError(
            f"There is no message for that week of {team.name}: only a frozen week that says something has one."
        )
    sentence = notes.say_of_post(record.key, record.state, record.target, record.reason)
    if record.state is not State.SENT:
        raise UserError(sentence)
    print(sentence, file=sys.stderr)


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, envvar="PORT", help="Port to listen on.")] = 8080,
    web: Annotated[
        bool, typer.Option("--web", help="Only answer Slack, GitHub and agents; the jobs run elsewhere.")
    ] = False,
    jobs: Annotated[bool, typer.Option("--jobs", help="Only read, freeze, post and comment; answer nothing.")] = False,
) -> None:
    """Answer Slack and GitHub, read the sources, post digests and comment, until stopped."""
    from bot.app import DeploymentSettings, load
    from bot.serve import serve as run

    log.setup(sys.stderr, "INFO")
    run(load(DeploymentSettings()), host, port, web=web or not jobs, work=jobs or not web)


def doctor() -> None:
    """Check the settings, keys, channels, repositories and sources, and say what to do about what is wrong."""
    from bot.app import examine
    from bot.domain import health

    found = examine(clock.now())
    for finding in found:
        print(health.line(finding))
    if count := health.problems(found):
        what = "1 line needs" if count == 1 else f"{count} lines need"
        raise UserError(f"{what} a person: see those that begin with problem.")


def _week(text: str | None) -> Week | None:
    try:
        return Week.parse(text) if text else None
    except ValueError as error:
        raise UsageError(str(error)) from None


def _print(found: Digest, format: Format) -> None:
    from bot import render

    if format is Format.TEXT:
        print(render.text(found))
    else:
        message = render.document(found) if format is Format.JSON else render.slack_message(found).blocks
        print(json.dumps(message, indent=2, ensure_ascii=False))
