"""Devin: agent compute units (ACUs) by day, and by user where the key may see them.

Docs: docs.devin.ai, `GET /v3/enterprise/consumption/daily` (times are Unix seconds) and its older twin under /v2. There
is no money on the wire: what a unit costs is the company's contract ([[plan]] in leverage.toml). Days begin at midnight
in California as Devin counts it, which is 08:00 UTC: a day here is the UTC day in which it began, so its last eight
hours are the next morning's. `acus_by_product` repeats the day's total and is not read.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Annotated, Any

from pydantic import BaseModel, Field

from bot.domain.model import AccountDay, Activity, Actor, ActorKind
from bot.domain.ports import Access, Setting, SourceError
from integrations.days import DAY, Window, today, unix, windows
from integrations.paging import advising
from integrations.parse import parsed

NAME = "devin"
TITLE = "Devin"
KEY_NAME, URL_NAME = "DEVIN_API_KEY", "DEVIN_API_URL"
SETTINGS = (
    Setting(KEY_NAME, "The API key of a Devin service user that may view the account's consumption.", secret=True),
    Setting(URL_NAME, "Another address for Devin's API, such as that of a proxy.", required=False, is_url=True),
)
LAG_DAYS = 1
REFETCH_DAYS = 7
EVERY = timedelta(hours=12)
GIVES = "agent compute units by day, and by person where the key may see them; no money"
KEY = "a service user's key with *ViewAccountConsumption*"
FRESH = "a day is complete after about a day"
BASE_URL = "https://api.devin.ai"
DAILY = "/v3/enterprise/consumption/daily"
BY_USER = "/v2/enterprise/consumption/daily"
REACH = timedelta(days=365)
LONGEST = timedelta(days=90)
OFFSET = 8 * 3600  # seconds after midnight UTC at which a day of Devin's begins

Units = Annotated[Decimal, Field(ge=0, le=10**9, allow_inf_nan=False)]


class Day(BaseModel):
    """`date` is when the day begins, in Unix seconds."""

    date: Annotated[int, Field(strict=True, ge=0)]
    acus: Units


class Daily(BaseModel):
    consumption_by_date: list[Any]


class ByUser(BaseModel):
    consumption_by_user: dict[str, Any] = {}


class User(BaseModel):
    units: Units


def oldest(now: datetime) -> date:
    return today(now - REACH) + DAY


def fetch(access: Access, since: date, until: date, now: datetime) -> Iterator[AccountDay]:
    """Each UTC day of `[since, until)` up to the running one; a day that Devin does not list had no use."""
    asking = _Asking(access)
    with _explained():
        for window in windows(since, until, now, LONGEST):
            yield from asking.days(window)


def check(access: Access, now: datetime) -> None:
    """Ask for yesterday."""
    yesterday = today(now) - DAY
    with _explained():
        _Asking(access).daily(Window(yesterday, today(now), now))


_explained = partial(
    advising,
    TITLE,
    refused=f"Check {KEY_NAME}: it has to be the key of a service user with the permission ViewAccountConsumption.",
    missing=f"Check {URL_NAME}, and that your plan is an enterprise one.",
)


class _Asking:
    def __init__(self, access: Access) -> None:
        key = access.settings.get(KEY_NAME, "").strip()
        if not key:
            raise SourceError(f"{TITLE}: {KEY_NAME} is not set", permanent=True)
        self._http = access.http
        self._base_url = access.settings.get(URL_NAME, BASE_URL).rstrip("/")
        self._headers = {"authorization": f"Bearer {key}"}
        self._sees_users = True

    def days(self, window: Window) -> Iterator[AccountDay]:
        found, strays = self._units(window)
        for day in window.days():
            units = found.get(day, Decimal(0))
            if units is None:
                continue  # it cannot be true: the day is left as it was
            activity, refused = self._activity(day, units) if units else ((), 0)
            counted = Counter({"outside_window": strays if day == window.first else 0, "bad_usage": refused})
            yield AccountDay(
                NAME, day, None, None, (), rejected=+counted, credits_milli=_milli(units), activity=activity
            )
        if None in found.values():
            named = ", ".join(str(day) for day, units in found.items() if units is None)
            raise SourceError(f"the numbers of {named} cannot be true, so these days were left out")

    def daily(self, window: Window) -> Daily:
        params = {"time_after": unix(window.first) + OFFSET, "time_before": unix(window.end) + OFFSET}
        daily = parsed(Daily, self._http.get_json(self._base_url + DAILY, params=params, headers=self._headers))
        if daily is None:
            raise SourceError(f"{DAILY} answered with something that is no report")
        return daily

    def _units(self, window: Window) -> tuple[dict[date, Decimal | None], int]:
        """Each day's units, None where they cannot be true; and how many entries are of no day of the window."""
        found: dict[date, Decimal | None] = {}
        strays = 0
        for raw in self.daily(window).consumption_by_date:
            day = _begins(raw)
            if day is None or day not in window:
                strays += 1
            else:
                read = parsed(Day, raw)
                found[day] = None if read is None or day in found else read.acus
        return found, strays

    def _activity(self, day: date, units: Decimal) -> tuple[tuple[Activity, ...], int]:
        """By user, and how many were refused. Whether the last day asked for is in the answer is not documented: users
        who come to more than the day's units are of more than the day, and none of them counts."""
        told = self._by_user(day)
        users = {name: user.units for name, raw in told.items() if (user := parsed(User, {"units": raw}))}
        if sum(users.values()) > units:
            return (), len(told)
        activity = (Activity(Actor(ActorKind.USER, name), credits_milli=_milli(users[name])) for name in sorted(users))
        return tuple(activity), len(told) - len(users)

    def _by_user(self, day: date) -> dict[str, Any]:
        """Each user's units; a key that may not see them is asked once."""
        if not self._sees_users:
            return {}
        params = {"start_date": day.isoformat(), "end_date": day.isoformat()}
        try:
            answer = self._http.get_json(self._base_url + BY_USER, params=params, headers=self._headers)
        except SourceError as error:
            if not error.permanent:
                raise
            self._sees_users = False
            return {}
        users = parsed(ByUser, answer)
        return users.consumption_by_user if users else {}


def _begins(raw: Any) -> date | None:
    """The UTC day in which an entry's day begins, if it begins when Devin's days do (in summer an hour earlier)."""
    start = raw.get("date") if isinstance(raw, dict) else None
    if not isinstance(start, int) or isinstance(start, bool) or not 0 <= start < 10**10:
        return None
    return date(1970, 1, 1) + DAY * (start // 86_400) if start % 3600 == 0 and start % 86_400 <= OFFSET else None


def _milli(units: Decimal) -> int:
    return int((units * 1000).to_integral_value())
