"""GitHub Copilot: what an organization paid beyond its plan, and which credits its people used.

Docs: docs.github.com, REST `billing/usage` (AI credits, premium requests), `copilot/copilot-usage-metrics` and
`copilot/copilot-user-management`. Money is in dollars: `netAmount` is the bill, `grossAmount` the list value, of which
`discountAmount` is covered by the plan's pool. A bill sums up the whole time that it is asked for, so each day is asked
for by itself. A person's `ai_credits_used` (a cent each) is a signal and no bill. What all products cost together
(`billing/usage` and its summary) repeats these amounts beside Actions and others, teams overlap and leave out small
ones, and reports by organization, by repository and of 28 days name nobody: none of them is read. What a seat costs is
told nowhere.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import partial

from bot.domain.model import AccountDay
from bot.domain.ports import Access, Setting, SourceError
from integrations.days import DAY, today, windows
from integrations.paging import advising
from integrations.spend.copilot.days import account_day
from integrations.spend.copilot.reports import BASE_URL as BASE_URL
from integrations.spend.copilot.reports import KEY_NAME, ORG_NAME, URL_NAME, Reports

NAME = "copilot"
TITLE = "GitHub Copilot"
SETTINGS = (
    Setting(KEY_NAME, "A token that may read your organization's billing and Copilot metrics.", secret=True),
    Setting(ORG_NAME, "The GitHub organization that pays for Copilot."),
    Setting(URL_NAME, "The address of GitHub's API, if it is another one.", required=False, is_url=True),
)
LAG_DAYS = 3
REFETCH_DAYS = 36  # a month's bill may change until the 5th of the next one, and a month has up to 31 days
EVERY = timedelta(hours=12)
GIVES = "the bill beyond the plan, what the plan covered, seats, and credits, prompts and sessions by person"
KEY = "*Administration: read* and *Organization Copilot metrics: read*, or `manage_billing:copilot` and `read:org`"
FRESH = "bills a day, people's use up to three days"
REACH = timedelta(days=365)


def oldest(now: datetime) -> date:
    return today(now - REACH) + DAY


def fetch(access: Access, since: date, until: date, now: datetime) -> Iterator[AccountDay]:
    """A day at a time, each with three questions. Without people's reports or seats the bill is still told.

    Days with an amount that cannot be true are left out, and named in the error that ends the fetch.
    """
    broken: list[date] = []
    with _explained():
        reports = Reports(access)
        for window in windows(since, until, now, REACH):
            seats = reports.seats()
            for day in window.days():
                whole = account_day(day, reports.items(day), reports.people(day), seats)
                if whole:
                    yield whole
                else:
                    broken.append(day)
        if broken:
            named = ", ".join(map(str, broken))
            raise SourceError(f"amounts of {named} cannot be true, so these days were left out")


def check(access: Access, now: datetime) -> None:
    """Ask for yesterday's credits."""
    with _explained():
        Reports(access).credits(today(now) - DAY)


_explained = partial(
    advising,
    TITLE,
    refused=f"Check {KEY_NAME}: it has to be a token of an owner or billing manager of the organization in {ORG_NAME}, "
    "with the organization permission Administration: read, or a classic one with manage_billing:copilot; for people's "
    "use also Organization Copilot metrics: read, or read:org.",
    missing=f"Check {ORG_NAME}, and that the organization is on GitHub's enhanced billing: without it, and to a token "
    "that may not see it, GitHub answers that there is nothing.",
)
