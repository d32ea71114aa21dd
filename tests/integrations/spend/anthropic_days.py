"""What the tests of Anthropic share: an invented organisation in an invented week, and asking for its days."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import httpx2
import pytest
import stamina

from bot.domain.model import AccountDay
from bot.domain.ports import Access, SourceError
from integrations._http import ATTEMPTS, HttpClient
from integrations.prices import ListPrices
from integrations.spend import anthropic
from tests.fake_anthropic import ADMIN_KEY, service_account, user

NOW = datetime(2026, 11, 4, 12, tzinfo=UTC)
MONDAY, TUESDAY, WEDNESDAY, THURSDAY = (date(2026, 11, day) for day in (2, 3, 4, 5))
OPUS, SONNET, HAIKU = "claude-opus-5-5", "claude-sonnet-5", "claude-haiku-4-5-20251001"
ANN, BO = user("Ann@Example.com", "user_01ann"), user("bo@example.com", "user_01bo")
CI = service_account("svac_01ci")

Answer = Callable[[httpx2.Request], httpx2.Response]
Alter = Callable[[str, dict[str, Any]], None]


def given_days(
    answer: Answer, since: date = MONDAY, until: date = THURSDAY, now: datetime = NOW, key: str = ADMIN_KEY
) -> Iterator[AccountDay]:
    http = HttpClient(httpx2.MockTransport(answer))
    with stamina.set_testing(True, attempts=ATTEMPTS):  # no pauses
        yield from anthropic.fetch(Access(http, {"ANTHROPIC_ADMIN_KEY": key}, ListPrices()), since, until, now)


def fetch(answer: Answer, since: date = MONDAY, until: date = THURSDAY, now: datetime = NOW) -> list[AccountDay]:
    return list(given_days(answer, since, until, now))


def failing(answer: Answer, **options: Any) -> tuple[list[AccountDay], SourceError]:
    """The days that came before the error, and the error."""
    days: list[AccountDay] = []
    with pytest.raises(SourceError) as caught:
        days.extend(given_days(answer, **options))
    return days, caught.value


def spoil(path: str, change: Callable[[dict[str, Any]], object]) -> Alter:
    """Changes Bo's row of one report."""

    def alter(asked: str, body: dict[str, Any]) -> None:
        for row in body["data"]:
            if asked == path and (row["group"]["actor"] or {}).get("user_id") == "user_01bo":
                change(row)

    return alter
