"""Cursor: what a team spent, event by event, with the conversation it belongs to.

Docs: cursor.com/docs, Admin API, `POST /teams/filtered-usage-events`, and the AI Code Tracking API. Times are
milliseconds, money is in fractions of a cent. `chargedCents` is the bill, `tokenUsage.totalCents` what the model costs
at list price, also where a plan includes it. An event has no id, and two can be alike to the byte: they are two.
`/teams/spend` and `/teams/groups` tell the same dollars by member and group, `/teams/daily-usage-data` counts requests
without money: none of them is read. Of AI code tracking, the hash, the author's address and the conversations of at
most 200 commits a run are read (the newest; details may be asked for 20 times a minute); messages and file names are
not. It sees a part of all commits only: those made in Cursor, and before they are squashed.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import partial

from bot.domain.model import AccountDay
from bot.domain.ports import Access, Setting, SourceError
from integrations.days import DAY, Window, today, windows
from integrations.paging import advising
from integrations.spend.cursor.book import Book
from integrations.spend.cursor.commits import Commits
from integrations.spend.cursor.team import BASE_URL as BASE_URL
from integrations.spend.cursor.team import KEY_NAME, URL_NAME, Team

NAME = "cursor"
TITLE = "Cursor"
SETTINGS = (
    Setting(KEY_NAME, "An Admin API key of your Cursor team; read-only is enough.", secret=True),
    Setting(URL_NAME, "Another address for Cursor's API, such as that of a proxy.", required=False, is_url=True),
)
LAG_DAYS = 1
REFETCH_DAYS = 3
EVERY = timedelta(hours=1)
GIVES = "spend by person, model and conversation, with tokens by kind; commits by conversation where the plan has them"
KEY = "an Admin API key of the team; read-only is enough"
FRESH = "an hour"
REACH = timedelta(days=90)
LONGEST = timedelta(days=7)  # 30 may be asked for, but a week of a large team is enough events for one reading


def oldest(now: datetime) -> date:
    return today(now - REACH) + DAY


def fetch(access: Access, since: date, until: date, now: datetime) -> Iterator[AccountDay]:
    """A window is read as a whole, up to the last full hour: Cursor sums up by the hour, so that what is younger is
    not complete, and would shift pages while they are read.

    The events are the bill, so days with a charge that cannot be true are left out, and named in the error that ends
    the fetch.
    """
    broken: list[date] = []
    with _explained():
        team = Team(access)
        commits = Commits(team, since, until)
        for window in windows(since, until, now.replace(minute=0, second=0, microsecond=0), LONGEST):
            book = Book(window)
            for raw in team.events(window):
                book.add(raw)
            yield from book.days(commits.found)
            broken += sorted(book.broken)
        if broken:
            named = ", ".join(map(str, broken))
            raise SourceError(f"charges of {named} cannot be true, so these days were left out")
        if error := commits.found.error:
            raise SourceError(f"all spend was read, but not which commits it went into: {error}")


def check(access: Access, now: datetime) -> None:
    """Ask for one event of yesterday."""
    with _explained():
        Team(access).page(Window(today(now) - DAY, today(now), now), 1, 1)


_explained = partial(
    advising,
    TITLE,
    refused=f"Check {KEY_NAME}: it has to be an Admin API key of a team, made by an admin on the dashboard under "
    "Settings, Advanced.",
    missing=f"Check {URL_NAME}, and that your plan has the Admin API.",
)
