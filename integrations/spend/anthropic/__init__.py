"""Anthropic: what a Claude organisation spent, by day, person and model.

Docs: platform.claude.com/docs, `manage-claude/usage-cost-analytics-api` (read 2026-11). Amounts on the wire are decimal
strings in cents. Organisations that do not have these reports yet answer 404 and are read from the older ones.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial

from bot.domain.model import AccountDay
from bot.domain.ports import Access, NotFound, Setting, SourceError
from integrations.days import DAY, Window, midnight, rfc3339, windows
from integrations.paging import advising
from integrations.spend.anthropic import analytics, legacy
from integrations.spend.anthropic.keys import read_keys
from integrations.spend.anthropic.reports import LONGEST, Reports

NAME = "anthropic"
TITLE = "Anthropic"
KEY_NAME, URL_NAME = "ANTHROPIC_ADMIN_KEY", "ANTHROPIC_API_URL"
SETTINGS = (
    Setting(KEY_NAME, "An Admin API key of your Anthropic organization; it begins with sk-ant-admin.", secret=True),
    Setting(URL_NAME, "Another address for Anthropic's API, such as that of a proxy.", required=False, is_url=True),
)
GIVES = "spend by person, API key and model, with tokens by kind"
KEY = "an Admin API key, made in the Claude Console under Settings, Admin keys"
FRESH = "up to a day old; revised for 30 days"
EVERY = timedelta(hours=6)
BASE_URL = "https://api.anthropic.com"
LAG_DAYS = 1  # up to 24 hours until a day is complete
REFETCH_DAYS = 31  # amounts are revised for up to 30 days
OLDEST = date(2026, 1, 1)
REACH = timedelta(days=365)


def oldest(now: datetime) -> date:
    """The first day that may be asked for: a report begins within the last 365 days, and at OLDEST at the earliest."""
    return max(OLDEST, (now.astimezone(UTC) - REACH).date() + DAY)


def fetch(access: Access, since: date, until: date, now: datetime) -> Iterator[AccountDay]:
    """A window of 31 days is read as a whole before its first day is given.

    Days whose numbers contradict each other are left out, and named in the error that ends the fetch.
    """
    reports = _reports(access)
    with _explained():
        yield from _fetch(reports, windows(since, until, now, LONGEST))


def check(access: Access, now: datetime) -> None:
    """Ask for one row about yesterday."""
    reports = _reports(access)
    today = midnight(now.astimezone(UTC).date())
    day = {"starting_at": rfc3339(today - DAY), "ending_at": rfc3339(today), "limit": 1}
    with _explained():
        try:
            next(reports.pages(analytics.COST, day, beta=analytics.BETA))
        except NotFound:
            next(reports.pages(legacy.COST, day))


def _reports(access: Access) -> Reports:
    base_url = access.settings.get(URL_NAME, BASE_URL).rstrip("/")
    reports = Reports(access.http, base_url, access.settings.get(KEY_NAME, "").strip())
    if not reports.key:
        raise SourceError(f"{TITLE}: {KEY_NAME} is not set", permanent=True)
    return reports


_explained = partial(
    advising,
    TITLE,
    refused=f"Check {KEY_NAME}: it has to be an Admin API key of your organisation, made in the Claude Console under "
    "Settings, Admin keys.",
    missing=f"Check {URL_NAME}, and that the key is that of an organisation.",
)


def _fetch(reports: Reports, asked: list[Window]) -> Iterator[AccountDay]:
    if not asked:
        return
    keys = read_keys(reports)
    read = analytics.read
    broken: list[date] = []
    for window in asked:
        try:
            days = read(reports, keys, window)
        except NotFound:
            if window is not asked[0]:
                raise
            read = legacy.read
            days = read(reports, keys, window)
        yield from days.complete
        broken += days.broken
    if broken:
        named = ", ".join(day.isoformat() for day in broken)
        raise SourceError(f"Anthropic: the numbers of {named} contradict each other, so these days were left out")
