"""Anthropic: what a Claude organisation spent, by day, person and model.

Docs: platform.claude.com/docs, `manage-claude/usage-cost-analytics-api` (read 2026-11). Amounts on the wire are decimal
strings in cents. Organisations that do not have these reports yet answer 404 and are read from the older ones.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

from bot.domain.model import AccountDay
from bot.domain.ports import Http, NotFound, Refused, SourceError
from integrations.spend.anthropic import analytics, legacy
from integrations.spend.anthropic.keys import read_keys
from integrations.spend.anthropic.reports import DAY, Reports, Window, midnight, rfc3339, windows

NAME = "anthropic"
SECRETS: tuple[str, ...] = ("ANTHROPIC_ADMIN_KEY",)
BASE_URL = "https://api.anthropic.com"
LAG_DAYS = 1  # up to 24 hours until a day is complete
REFETCH_DAYS = 31  # amounts are revised for up to 30 days
OLDEST = date(2026, 1, 1)
REACH = timedelta(days=365)


def oldest(now: datetime) -> date:
    """The first day that may be asked for: a report begins within the last 365 days, and at OLDEST at the earliest."""
    return max(OLDEST, (now.astimezone(UTC) - REACH).date() + DAY)


def fetch(
    http: Http, secrets: Mapping[str, str], base_url: str | None, since: date, until: date, now: datetime
) -> Iterator[AccountDay]:
    """Each UTC day of `[since, until)` up to the running one, oldest first.

    A window of 31 days is read as a whole before its first day is given. Days whose numbers contradict each other are
    left out, and named in the error that ends the fetch.
    """
    reports = _reports(http, secrets, base_url)
    with _explained():
        yield from _fetch(reports, windows(since, until, now))


def check(http: Http, secrets: Mapping[str, str], base_url: str | None, now: datetime) -> None:
    """Ask for one row about yesterday, which shows whether the key may read what `fetch` needs. Raises SourceError."""
    reports = _reports(http, secrets, base_url)
    today = midnight(now.astimezone(UTC).date())
    day = {"starting_at": rfc3339(today - DAY), "ending_at": rfc3339(today), "limit": 1}
    with _explained():
        try:
            next(reports.pages(analytics.COST, day, beta=analytics.BETA))
        except NotFound:
            next(reports.pages(legacy.COST, day))


def _reports(http: Http, secrets: Mapping[str, str], base_url: str | None) -> Reports:
    reports = Reports(http, (base_url or BASE_URL).rstrip("/"), secrets.get(SECRETS[0], "").strip())
    if not reports.key:
        raise SourceError(f"Anthropic: {SECRETS[0]} is not set", permanent=True)
    return reports


@contextmanager
def _explained() -> Iterator[None]:
    """Say what to do where a key is refused, or nothing is found at all."""
    try:
        yield
    except Refused as error:
        raise Refused(
            f"Anthropic: {error}. Check {SECRETS[0]}: it has to be an Admin API key of your organisation, "
            "made in the Claude Console under Settings, Admin keys."
        ) from None
    except NotFound as error:
        raise NotFound(
            f"Anthropic: {error}. Check ANTHROPIC_API_URL, and that the key is that of an organisation.", permanent=True
        ) from None


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
