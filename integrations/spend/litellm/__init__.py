"""LiteLLM: what went through a company's own gateway, by UTC day, upstream provider, person, model and session.

Written from the source of `litellm` 1.109 (`proxy/management_endpoints`, `proxy/spend_tracking`). Amounts on the wire
are dollars as JSON numbers; a day is the UTC date on which a request began. Taken care of:

- the upstream providers bill the same dollars, so a day is one account per provider, with its `upstream`;
- daily sums are the bill, the request log explains it. A proxy may keep no log, or delete it: the rest stays remainder;
- a proxy without the aggregated report is read page by page, and a date may be split over pages;
- a request counts in the sum of each of its tags and of each team, so those sums are never read.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial

from bot.domain.model import AccountDay
from bot.domain.ports import Access, Setting, SourceError
from integrations.days import DAY, Window, windows
from integrations.paging import advising
from integrations.spend.litellm.activity import Activity
from integrations.spend.litellm.book import Book
from integrations.spend.litellm.logs import Logs
from integrations.spend.litellm.proxy import NAME, TITLE, Proxy

__all__ = ["NAME", "TITLE"]

KEY_NAME, URL_NAME = "LITELLM_MASTER_KEY", "LITELLM_API_URL"
SETTINGS = (
    Setting(KEY_NAME, "The master key of your LiteLLM proxy, or a key of one of its admin viewers.", secret=True),
    Setting(URL_NAME, "The address of your LiteLLM proxy.", is_url=True),
)
GIVES = "spend by upstream provider, person, key, model, session and tagged pull request, with tokens by kind"
KEY = "a key of a user with the role `proxy_admin_viewer`, or the master key"
FRESH = "minutes old"
EVERY = timedelta(hours=1)
LAG_DAYS = 0  # amounts are written some ten seconds after a request
REFETCH_DAYS = 2  # a request counts on the day that it began, and may end on the next
REACH = timedelta(days=399)  # the report refuses more than 400 days
LONGEST = timedelta(days=7)  # of one request: older proxies repeat all keys in each breakdown, which makes days large


def oldest(now: datetime) -> date:
    """The first day that may be asked for."""
    return (now.astimezone(UTC) - REACH).date()


def fetch(access: Access, since: date, until: date, now: datetime) -> Iterator[AccountDay]:
    """A day's accounts are given together, when its sums and its log have been read.

    Days whose numbers contradict each other are left out, and named in the error that ends the fetch.
    """
    proxy = _proxy(access)
    with _explained():
        yield from _fetch(proxy, access, windows(since, until, now, LONGEST))


def check(access: Access, now: datetime) -> None:
    """Ask for the sums of yesterday."""
    proxy = _proxy(access)
    today = now.astimezone(UTC).date()
    with _explained():
        Activity(proxy).read(Window(today - DAY, today, now))


def _proxy(access: Access) -> Proxy:
    url, key = (access.settings.get(name, "").strip() for name in (URL_NAME, KEY_NAME))
    for name, value in ((KEY_NAME, key), (URL_NAME, url)):
        if not value:
            raise SourceError(f"{TITLE}: {name} is not set", permanent=True)
    return Proxy(access.http, url.rstrip("/"), key)


_explained = partial(
    advising,
    TITLE,
    refused=f"Check {KEY_NAME}: it has to be a key of a user with the role proxy_admin_viewer, or the master key.",
    missing=f"Check {URL_NAME}: it has to be the address of your LiteLLM proxy, without /v1.",
)


def _fetch(proxy: Proxy, access: Access, asked: list[Window]) -> Iterator[AccountDay]:
    activity, logs = Activity(proxy), Logs(proxy)
    broken: list[date] = []
    for window in asked:
        sums = activity.read(window)
        for day in window.days():
            book = Book(day, sums.of(day), access.prices)
            if not sums.is_broken(day):
                book.add(logs.of(day) if sums.has(day) else ())
            if sums.is_broken(day) or book.contradicts(window.now):
                broken.append(day)
            else:
                yield from book.account_days(window.now, sums.strays if day == window.first else 0)
    if broken:
        named = ", ".join(day.isoformat() for day in broken)
        raise SourceError(f"{TITLE}: the numbers of {named} contradict each other, so these days were left out")
