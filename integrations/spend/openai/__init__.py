"""OpenAI: what an organization spent on the API, by day, person, key and model.

Docs: the official `openai` package 3.54, `types/admin/organization`, and its OpenAPI description. Times are Unix
seconds, money is in dollars. The ungrouped costs of a day are its bill; grouped costs say who and on which model; the
usage report adds tokens and no money. OpenAI tells one amount, the billed one: the list amount follows from the
company's discount. Other usage families (images, audio, web search …) have no money that the costs do not have already,
and are not read.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import partial

from bot.domain.model import AccountDay
from bot.domain.ports import Access, Refused, Setting, SourceError
from integrations.days import DAY, Window, today, windows
from integrations.paging import advising
from integrations.spend.openai.book import Book
from integrations.spend.openai.people import read_people
from integrations.spend.openai.reports import COSTS, USAGE, Reports

NAME = "openai"
TITLE = "OpenAI"
KEY_NAME, URL_NAME = "OPENAI_ADMIN_KEY", "OPENAI_API_URL"
SETTINGS = (
    Setting(KEY_NAME, "An Admin API key of your OpenAI organization; it begins with sk-admin-.", secret=True),
    Setting(URL_NAME, "Another address for OpenAI's API, such as that of a proxy.", required=False, is_url=True),
)
LAG_DAYS = 1
REFETCH_DAYS = 31
EVERY = timedelta(hours=6)
GIVES = "spend by person, API key and model, with tokens by kind"
KEY = "an Admin key that may read usage, users, projects and their API keys"
FRESH = "mostly within hours; revised in the days after"
BASE_URL = "https://api.openai.com/v1"
LONGEST = timedelta(days=31)
REACH = timedelta(days=365)
BY_PERSON = ("user_id", "api_key_id", "line_item")
BY_KEY = ("api_key_id", "line_item")


def oldest(now: datetime) -> date:
    return today(now - REACH) + DAY


def fetch(access: Access, since: date, until: date, now: datetime) -> Iterator[AccountDay]:
    """A window of 31 days is read as a whole before its first day is given.

    Days whose numbers contradict each other are left out, and named in the error that ends the fetch.
    """
    reports, broken = _reports(access), list[date]()
    asked = windows(since, until, now, LONGEST)
    with _explained():
        people = read_people(reports) if asked else None
        for window in asked if people else ():
            book = Book(window, people)
            book.add_bill(reports.buckets(COSTS, window, ()))
            book.add_costs(_costs(reports, window))
            book.add_usage(reports.buckets(USAGE, window, ("user_id", "api_key_id", "model")))
            yield from book.days()
            broken += sorted(book.broken)
        if broken:
            named = ", ".join(map(str, broken))
            raise SourceError(f"the numbers of {named} contradict each other, so these days were left out")


def check(access: Access, now: datetime) -> None:
    """Ask for yesterday's costs."""
    with _explained():
        list(_reports(access).buckets(COSTS, Window(today(now) - DAY, today(now), now), ()))


_explained = partial(
    advising,
    TITLE,
    refused=f"Check {KEY_NAME}: it has to be an Admin key, made by an owner of the organization on the platform's "
    "settings, that may read usage. A project's key is none.",
    missing=f"Check {URL_NAME}.",
)


def _costs(reports: Reports, window: Window) -> list[object]:
    """By person, key and model; where costs cannot be told by person, OpenAI answers 400 and is asked by key."""
    try:
        return list(reports.buckets(COSTS, window, BY_PERSON))
    except Refused:
        raise
    except SourceError as error:
        if not error.permanent:
            raise
        return list(reports.buckets(COSTS, window, BY_KEY))


def _reports(access: Access) -> Reports:
    key = access.settings.get(KEY_NAME, "").strip()
    if not key:
        raise SourceError(f"{TITLE}: {KEY_NAME} is not set", permanent=True)
    return Reports(access.http, access.settings.get(URL_NAME, BASE_URL).rstrip("/"), key)
