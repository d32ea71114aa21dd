"""OpenAI: what an organisation spent on the API platform, by day, person and model.

Docs: platform.openai.com, API reference, Administration: `usage/costs`, `usage/completions` (read 2026-11). Times are
Unix seconds; money is dollars, a number or a numeric string. Quirks that are taken care of:

- Costs are the bill. Usage is recorded apart and may differ a little, so tokens without a cost have an unknown one.
- There is one amount, what was billed: list amounts are unknown here, and follow from a discount elsewhere.
- Input tokens include those that were read from and written to the cache, output tokens include reasoning.
- Users cannot always be combined with other groups (400): then two reports are read, and no dollar of both.
- Projects overlap with users and keys and are not read. The other families of usage (embeddings, images, speech, tools,
  storage) have no money that costs do not have, and no tokens of agents: they are line items of costs and nothing else.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import partial

from bot.domain.model import AccountDay
from bot.domain.ports import Access, Setting, SourceError
from integrations.days import DAY, Window, today, unix, windows
from integrations.paging import advising
from integrations.spend.openai.book import Days, read
from integrations.spend.openai.directory import USERS, read_directory
from integrations.spend.openai.reports import COSTS, Reports

NAME = "openai"
TITLE = "OpenAI"
KEY_NAME, URL_NAME = "OPENAI_ADMIN_KEY", "OPENAI_API_URL"
SETTINGS = (
    Setting(KEY_NAME, "An Admin key of your OpenAI organization; it begins with sk-admin-.", secret=True),
    Setting(URL_NAME, "Another address for OpenAI's API, such as that of a proxy.", required=False, is_url=True),
)
GIVES = "spend by person, API key and model, with tokens by kind"
KEY = "an Admin key, made by an owner, with read access to usage, users, projects and API keys"
FRESH = "hours; a month is final on the 8th of the next"
EVERY = timedelta(hours=6)
BASE_URL = "https://api.openai.com/v1"
LAG_DAYS = 1
REFETCH_DAYS = 38  # on the 8th of a month, all of the month before
REACH = timedelta(days=365)
LONGEST = timedelta(days=7)  # read as a whole; few, so that a large organisation fits into memory


def oldest(now: datetime) -> date:
    """The first day that may be asked for. No limit is documented; what is older than a year is of no use."""
    return today(now - REACH) + DAY


def fetch(access: Access, since: date, until: date, now: datetime) -> Iterator[AccountDay]:
    """A window of a week is read as a whole before its first day is given.

    Days whose numbers contradict each other are left out, and named in the error that ends the fetch.
    """
    reports = _reports(access)
    broken: list[date] = []
    with _explained():
        for days in _read(reports, windows(since, until, now, LONGEST)):
            yield from days.complete
            broken += days.broken
        if broken:
            named = ", ".join(day.isoformat() for day in broken)
            raise SourceError(f"the numbers of {named} contradict each other, so these days were left out")


def _read(reports: Reports, asked: list[Window]) -> Iterator[Days]:
    """The days of each window; nothing is asked for no days."""
    if not asked:
        return
    directory = read_directory(reports)
    for window in asked:
        yield read(reports, directory, window)


def check(access: Access, now: datetime) -> None:
    """Ask for yesterday's bill, and for one user: without them nobody can be recognised."""
    reports = _reports(access)
    yesterday = {"start_time": unix(today(now) - DAY), "end_time": unix(today(now)), "limit": 1}
    with _explained():
        next(reports.pages(COSTS, yesterday))
        next(reports.pages(USERS, {"limit": 1}))


_explained = partial(
    advising,
    TITLE,
    refused=f"Check {KEY_NAME}: it has to be an Admin key, made by an owner of the organization, with read access to "
    "usage, users, projects and API keys.",
    missing=f"Check {URL_NAME}, and that the key is that of an organization.",
)


def _reports(access: Access) -> Reports:
    key = access.settings.get(KEY_NAME, "").strip()
    if not key:
        raise SourceError(f"{TITLE}: {KEY_NAME} is not set", permanent=True)
    return Reports(access.http, access.settings.get(URL_NAME, BASE_URL).rstrip("/"), key)
