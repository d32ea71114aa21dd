"""A source of spend that gives what it is told, and asks nobody."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from bot.domain.model import AccountDay, Request
from bot.domain.ports import Access, Setting

Step = AccountDay | Exception | Callable[[], object]


class NoHttp:
    def get_json(self, url: str, *, params: Mapping[str, Any], headers: Mapping[str, str]) -> Any:
        raise AssertionError("these tests talk to nobody")

    def post_json(self, url: str, *, body: Any, headers: Mapping[str, str]) -> Any:
        raise AssertionError("these tests talk to nobody")

    def get_lines(self, url: str, *, headers: Mapping[str, str]) -> list[Any]:
        raise AssertionError("these tests talk to nobody")


class NoPrices:
    def price(self, request: Request) -> int | None:
        return None


def access() -> Access:
    return Access(NoHttp(), {}, NoPrices())


@dataclass
class FakeSource:
    """Serves its script: account-days, and between them errors to raise or things to do."""

    NAME: str = "anthropic"
    script: list[Step] = field(default_factory=list)
    asked: list[tuple[date, date]] = field(default_factory=list)
    TITLE: str = "Anthropic"
    SETTINGS: tuple[Setting, ...] = (Setting("ANTHROPIC_ADMIN_KEY", "A key.", secret=True),)
    LAG_DAYS: int = 2
    REFETCH_DAYS: int = 30
    EVERY: timedelta = timedelta(hours=6)
    GIVES: str = "spend"
    KEY: str = "a key"
    FRESH: str = "at once"

    def oldest(self, now: datetime) -> date:
        return date(2026, 1, 1)

    def fetch(self, access: Access, since: date, until: date, now: datetime) -> Iterator[AccountDay]:
        self.asked.append((since, until))
        for step in self.script:
            if isinstance(step, Exception):
                raise step
            if isinstance(step, AccountDay):
                yield step
            else:
                step()

    def check(self, access: Access, now: datetime) -> None:
        next(self.fetch(access, now.date(), now.date(), now), None)
