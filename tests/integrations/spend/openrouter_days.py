"""OpenRouter in memory, as far as its reports go, and asking it for an invented Tuesday."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import httpx2

from bot.domain.model import AccountDay, Actor, ActorKind, Tokens
from bot.domain.ports import SourceError
from tests.integrations.spend.contract import Answer, Case, encode, given, outcome

MONDAY, TUESDAY, WEDNESDAY, THURSDAY = (date(2026, 11, day) for day in (2, 3, 4, 5))
NOW = datetime(2026, 11, 4, 12, tzinfo=UTC)
SETTINGS = {"OPENROUTER_PROVISIONING_KEY": "sk-or-test"}
SONNET, TERRA = "anthropic/claude-sonnet-5.5", "openai/gpt-6.1-terra"


def path(asked: httpx2.Request) -> str:
    return asked.url.path.removeprefix("/api/v1")


def item(usage: str = "0.5", model: str | None = SONNET, day: date = TUESDAY, **more: Any) -> dict[str, Any]:
    row = {
        "date": day.isoformat(),
        "model": model,
        "usage": Decimal(usage),
        "byok_usage_inference": Decimal(0),
        "requests": 2,
        "prompt_tokens": 1000,
        "completion_tokens": 100,
        "reasoning_tokens": 40,
        "cached_tokens": 600,
    }
    return {**row, **more}


TWO = Tokens(400, 0, None, 600, 60, 40)
"""Of one item."""


class FakeOpenRouter:
    """Serves items by whose they are; None is of nobody. `members` are listed two a page."""

    def __init__(self, of: dict[str | None, list[dict[str, Any]]], total: list[dict[str, Any]] | None = None) -> None:
        self.of = of
        self.total = total if total is not None else [one for items in of.values() for one in items]
        self.members = [{"id": name, "email": f"{name}@Example.com", "first_name": "Secret"} for name in of if name]
        self.asked: list[httpx2.Request] = []

    def __call__(self, asked: httpx2.Request) -> httpx2.Response:
        self.asked.append(asked)
        params = asked.url.params
        if path(asked) == "/organization/members":
            start = int(params["offset"])
            body: dict[str, Any] = {"data": self.members[start : start + 2], "total_count": len(self.members)}
        else:
            items = self.of[params["user_id"]] if "user_id" in params else self.total
            body = {"data": [one for one in items if one["date"][:10] in (params["date"], "")]}
        return httpx2.Response(200, content=encode(body))


def case(answer: Answer, since: date = TUESDAY, until: date = WEDNESDAY, now: datetime = NOW) -> Case:
    return Case("openrouter", SETTINGS, since, until, now, answer, billed={}, listed={})


def only(answer: Answer) -> AccountDay:
    [day] = given(case(answer))
    return day


def left_out(answer: Answer) -> SourceError:
    days, error = outcome(case(answer))
    assert days == []
    assert error
    assert not error.permanent
    return error


def person(name: str) -> Actor:
    return Actor(ActorKind.USER, name, f"{name}@example.com")
