"""A day of the proxy: its bill by upstream provider, and the requests that explain it.

A request that failed counts as one, with what it cost, mostly nothing. Daily sums and the log are written apart, some
seconds after a request. So while a day is running, and for an hour after, each of them may be behind the other, and as
both only grow the larger one counts. After that, a log that comes to more than the bill contradicts it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from bot.domain.model import AccountDay, Actor, SpendRow, Tokens
from bot.domain.money import from_dollars
from bot.domain.ports import Prices
from integrations.days import DAY, midnight
from integrations.parse import dollars_micro, parsed
from integrations.spend.litellm.activity import Bill
from integrations.spend.litellm.logs import Found
from integrations.spend.litellm.proxy import account_of, exceeds, upstream_of
from integrations.spend.litellm.request import Cost, Log, Usage

SETTLED = timedelta(hours=1)
"""How long after a day its sums and its log may still be behind each other."""
NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Key:
    """What the requests of a row share. Those without a price have rows of their own, so that no value is lost."""

    actor: Actor
    model: str | None
    session: str | None
    pull: str | None
    priced: bool

    def by_name(self) -> tuple[str, ...]:
        actor = self.actor
        names = (actor.kind.value, actor.id, actor.email, self.model, self.session, self.pull, str(self.priced))
        return tuple(name or "" for name in names)


@dataclass(slots=True)
class Cell:
    """A row in the making: dollars as the proxy put them, and the list value of what it put no cost on."""

    tokens: Tokens = field(default_factory=Tokens)
    requests: int = 0
    dollars: Decimal = NOTHING
    covered_micro: int = 0

    def row(self, key: Key) -> SpendRow:
        billed = dollars_micro(self.dollars) or 0
        at_list = billed + self.covered_micro if key.priced else None
        return SpendRow(key.actor, key.model, self.tokens, self.requests, at_list, billed, key.session, key.pull)


class Book:
    """The bill of a day, and its requests by the account that their upstream provider bills them in."""

    def __init__(self, day: date, bill: Bill, prices: Prices) -> None:
        self._day = day
        self._bill = bill
        self._prices = prices
        self._cells: dict[str | None, dict[Key, Cell]] = defaultdict(lambda: defaultdict(Cell))
        self._seen: set[str] = set()
        self._rejected: Counter[str] = Counter()

    def add(self, found: Iterable[Found]) -> None:
        for piece, raw in found:
            log = parsed(Log, raw)
            if log is None:
                self._rejected["unreadable"] += 1
            elif log.at == piece.end:
                continue  # the next piece has it, or the next day
            elif not piece.start <= log.at < piece.end:
                self._rejected["outside_window"] += 1
            elif log.request_id in self._seen:
                self._rejected["duplicate"] += 1
            else:
                self._seen.add(log.request_id)
                self._count(log, raw)

    def _count(self, log: Log, raw: dict[str, Any]) -> None:
        cost, usage = parsed(Cost, raw), parsed(Usage, {**raw, "additional": log.additional()})
        if cost is None or usage is None:
            self._rejected["bad_usage" if cost else "bad_cost"] += 1
            return
        tokens = Tokens() if log.is_replayed() else usage.tokens()
        covered = 0 if cost.spend else log.value(tokens, self._prices)
        key = Key(log.actor(), log.model or None, log.session(), log.pull(), covered is not None)
        cell = self._cells[upstream_of(log.custom_llm_provider)][key]
        cell.tokens += tokens
        cell.requests += 1
        cell.dollars += cost.spend
        cell.covered_micro += covered or 0

    def contradicts(self, now: datetime) -> bool:
        """Whether the log of a settled day comes to more than its bill, in any of its accounts."""
        settled = midnight(self._day) + DAY + SETTLED <= now
        return settled and any(
            exceeds(self._explained(upstream), self._bill.get(upstream, NOTHING), sum(map(_requests, cells.values())))
            for upstream, cells in self._cells.items()
        )

    def account_days(self, now: datetime, strays: int) -> Iterator[AccountDay]:
        """A day of the proxy's own account, also of nothing; and one of each upstream provider with traffic."""
        self._rejected["outside_window"] += strays
        for upstream in sorted({None, *self._bill, *self._cells}, key=lambda name: name or ""):
            rejected = {} if upstream else dict(+self._rejected)
            yield self._account_day(upstream, now, rejected)

    def _account_day(self, upstream: str | None, now: datetime, rejected: dict[str, int]) -> AccountDay:
        cells = self._cells[upstream]
        rows = tuple(cells[key].row(key) for key in sorted(cells, key=Key.by_name))
        dollars = max(self._bill.get(upstream, NOTHING), self._explained(upstream))
        billed = max(from_dollars(dollars), sum(row.billed_micro or 0 for row in rows))
        at_list = billed + sum(cell.covered_micro for cell in cells.values())
        account = account_of(upstream)
        return AccountDay(account, self._day, billed, at_list, rows, now, rejected, upstream=upstream)

    def _explained(self, upstream: str | None) -> Decimal:
        return sum((cell.dollars for cell in self._cells[upstream].values()), NOTHING)


def _requests(cell: Cell) -> int:
    return cell.requests
