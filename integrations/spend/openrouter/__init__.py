"""OpenRouter: what an organisation spent there, by completed UTC day, member and model.

Written from the official `openrouter` package 1.3 (`analytics`, `organization`). Amounts on the wire are US dollars as
JSON numbers. Taken care of:

- `usage` is what OpenRouter charges. `byok_usage_inference` was spent at the provider behind it, on the company's own
  key, and is on that provider's bill: it is not read;
- the report names nobody, so it is asked for again for each member. Who may not list members gets rows of nobody;
- cached tokens are a part of the prompt, and reasoning of the completion. Answers that are replayed can have more
  cached tokens than prompt: such a row is refused, and its money stays unexplained;
- grouping by workspace tells the same dollars again, and credits and the usage of keys are counters of a lifetime.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import partial

from bot.domain.model import AccountDay
from bot.domain.ports import Access, Setting, SourceError
from integrations import paging
from integrations.days import DAY, today, windows
from integrations.spend.openrouter.book import account_day
from integrations.spend.openrouter.reports import NAME, TITLE, Reports

__all__ = ["NAME", "TITLE"]

KEY_NAME, URL_NAME = "OPENROUTER_PROVISIONING_KEY", "OPENROUTER_API_URL"
SETTINGS = (
    Setting(KEY_NAME, "A provisioning (management) key of your OpenRouter organization.", secret=True),
    Setting(URL_NAME, "Another address for OpenRouter's API, such as that of a proxy.", required=False, is_url=True),
)
GIVES = "spend by member and model, with tokens by kind"
KEY = "a provisioning (management) key, made in the organization's settings"
FRESH = "up to a day old: whole UTC days only"
EVERY = timedelta(hours=6)
BASE_URL = "https://openrouter.ai/api/v1"
LAG_DAYS = 1
REFETCH_DAYS = 3
REACH = timedelta(days=29)  # the report has 30 days; one less, for a run that goes past midnight


def oldest(now: datetime) -> date:
    """The first day that may be asked for."""
    return today(now) - REACH


def fetch(access: Access, since: date, until: date, now: datetime) -> Iterator[AccountDay]:
    """Only completed days are told. A day is given when the reports of all members have been read.

    Days whose numbers contradict each other are left out, and named in the error that ends the fetch.
    """
    reports = _reports(access)
    days = [day for window in windows(since, min(until, today(now)), now, REACH) for day in window.days()]
    with _explained():
        members = reports.members() if days else None
        broken = []
        for day in days:
            told = account_day(reports, members, day)
            if told:
                yield told
            else:
                broken.append(day.isoformat())
        if broken:
            named = ", ".join(broken)
            raise SourceError(f"{TITLE}: the numbers of {named} contradict each other, so these days were left out")


def check(access: Access, now: datetime) -> None:
    """Ask for yesterday."""
    reports = _reports(access)
    with _explained():
        reports.activity(today(now) - DAY)


def _reports(access: Access) -> Reports:
    reports = Reports(
        access.http, access.settings.get(URL_NAME, BASE_URL).rstrip("/"), access.settings.get(KEY_NAME, "").strip()
    )
    if not reports.key:
        raise SourceError(f"{TITLE}: {KEY_NAME} is not set", permanent=True)
    return reports


_explained = partial(
    paging.advising,
    TITLE,
    refused=f"Check {KEY_NAME}: it has to be a provisioning (management) key, made in the organization's settings.",
    missing=f"Check {URL_NAME}.",
)
