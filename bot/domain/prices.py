"""The company's own terms: prices of models nobody else has, negotiated discounts, and plans that cover compute.

List and billed amounts are never mixed: a discount only says how one follows from the other where a source tells of
one.
"""

from calendar import monthrange
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fnmatch import fnmatchcase
from fractions import Fraction

from bot.domain.model import AccountDay, Request, SpendRow, Tokens
from bot.domain.ports import Prices

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class UnitPrices:
    """Micro-USD of a million tokens of each kind; reasoning costs what output does."""

    fresh: int
    output: int
    cache_read: int
    cache_write_5m: int
    cache_write_1h: int

    def of(self, tokens: Tokens) -> int:
        """Micro-USD, rounded down; flat, so sums of requests may be priced too."""
        million = (
            tokens.fresh * self.fresh
            + tokens.cache_read * self.cache_read
            + tokens.cache_write_5m * self.cache_write_5m
            + (tokens.cache_write_1h or 0) * self.cache_write_1h
            + (tokens.output + (tokens.reasoning or 0)) * self.output
        )
        return million // MILLION


@dataclass(frozen=True, slots=True)
class Rate:
    """One `[[price]]`: for models whose name matches the pattern, of one account or of all. `discount` is by how much
    the bill is below list prices."""

    model: str
    account: str | None
    prices: UnitPrices | None
    discount: Fraction

    def matches(self, account: str | None, model: str | None) -> bool:
        of_account = self.account is None or (account is not None and account.partition(":")[0] == self.account)
        return of_account and fnmatchcase((model or "").casefold(), self.model.casefold())


@dataclass(frozen=True, slots=True)
class Plan:
    """One `[[plan]]`: what an account costs apart from its usage. `seat_micro` is per seat and month; `seats` is how
    many, where the source does not tell; `credit_micro` what one of the provider's own credits costs."""

    account: str
    seat_micro: int | None
    seats: int | None
    credit_micro: int | None


@dataclass(frozen=True, slots=True)
class Terms:
    """All of a company's own terms; the first rate that matches counts."""

    rates: tuple[Rate, ...] = ()
    plans: tuple[Plan, ...] = ()

    def prices(self, account: str | None, model: str | None) -> UnitPrices | None:
        return next((one.prices for one in self.rates if one.prices and one.matches(account, model)), None)

    def discount(self, account: str | None, model: str | None) -> Fraction:
        found = (one.discount for one in self.rates if one.discount and one.matches(account, model))
        return next(found, Fraction(0))

    def plan(self, account: str) -> Plan | None:
        return next((one for one in self.plans if one.account == account), None)


NO_TERMS = Terms()


@dataclass(frozen=True, slots=True)
class Priced:
    """`bot.domain.ports.Prices`: the company's own prices, and the price book for what they do not name."""

    terms: Terms
    book: Prices

    def price(self, request: Request) -> int | None:
        own = self.terms.prices(None, request.model)
        return self.book.price(request) if own is None else own.of(request.tokens)


def on_terms(day: AccountDay, terms: Terms) -> AccountDay:
    """The day with what the company's own terms say of it.

    A price of the company's own beats every list figure. Where a source tells only what was billed, the list amount
    follows from the discount; where it tells only credits, the bill follows from what a credit costs.
    """
    rows = tuple(replace(row, list_micro=_list(row, day.account, terms)) for row in day.rows)
    moved = sum(
        new.list_micro - _in_total(old) for new, old in zip(rows, day.rows, strict=True) if new.list_micro is not None
    )
    plan = terms.plan(day.account)
    billed = day.billed_micro
    if billed is None and plan and plan.credit_micro and day.credits_milli is not None:
        billed = day.credits_milli * plan.credit_micro // 1000
    listed = None if day.list_micro is None else day.list_micro + moved
    if listed is None and billed is not None:
        known = [row for row in rows if row.list_micro is not None]
        rest = billed - sum(row.billed_micro or 0 for row in known)
        listed = sum(row.list_micro or 0 for row in known) + _undiscounted(rest, terms.discount(day.account, None))
    return replace(day, rows=rows, billed_micro=billed, list_micro=listed)


def _list(row: SpendRow, account: str, terms: Terms) -> int | None:
    if row.tokens.total and (own := terms.prices(account, row.model)):
        return own.of(row.tokens)
    if row.list_micro is not None or row.billed_micro is None:
        return row.list_micro
    if not row.billed_micro and row.tokens.total:
        return None  # nothing billed for what was used: whoever tells has no price for it either
    return _undiscounted(row.billed_micro, terms.discount(account, row.model))


def _in_total(row: SpendRow) -> int:
    """What a source's own total at list price has of a row: where it lists none, what it billed."""
    return (row.billed_micro or 0) if row.list_micro is None else row.list_micro


def _undiscounted(billed: int, discount: Fraction) -> int:
    return int(billed / (1 - discount))


def unpriced(day: AccountDay) -> frozenset[str]:
    """The models of a day that used tokens and have no amount at all."""
    priced = {row.model for row in day.rows if row.list_micro is not None or row.billed_micro}
    used = {row.model for row in day.rows if row.tokens.total and row.list_micro is None}
    return frozenset(model or "a model without a name" for model in used - priced)


def seat_fee(seats: int, seat_micro: int, day: date) -> int:
    """A day's part of a month of seats, micro-USD: `seats x price x days / days of the month`, so that the days of a
    month come to the month's fee exactly (docs/method.md, "Cost basis")."""
    month = monthrange(day.year, day.month)[1]
    fee = seats * seat_micro
    return fee * day.day // month - fee * (day.day - 1) // month


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The organisation's line: what usage comes to at list prices, and what was paid for it. Never a team's."""

    list_micro: int
    usage_micro: int
    fees_micro: int
    adjustments_micro: int

    @property
    def billed_micro(self) -> int:
        return self.usage_micro + self.fees_micro + self.adjustments_micro

    @property
    def plan_factor(self) -> Fraction | None:
        """Billed over list; None where nothing has a list price."""
        return Fraction(self.billed_micro, self.list_micro) if self.list_micro > 0 else None


@dataclass(frozen=True, slots=True)
class AccountSums:
    """What an account reported for a day, as far as the organisation's line needs it."""

    account: str
    day: date
    billed_micro: int
    list_micro: int
    adjustment_micro: int
    seats: int | None


def reconcile(days: Iterable[AccountSums], terms: Terms, first: date, last: date) -> Reconciliation:
    """The organisation's line over the UTC days `first` to `last`, seats included from `[[plan]]`."""
    sums: Counter[str] = Counter()
    seats: dict[tuple[str, date], int] = {}
    for one in days:
        sums.update(list=one.list_micro, usage=one.billed_micro, adjustments=one.adjustment_micro)
        if one.seats is not None:
            seats[one.account, one.day] = one.seats
    fees = sum(
        seat_fee(count, plan.seat_micro, day)
        for plan in terms.plans
        if plan.seat_micro
        for day, count in _seats(plan, seats, first, last)
    )
    return Reconciliation(sums["list"], sums["usage"], fees, sums["adjustments"])


def _seats(plan: Plan, told: Mapping[tuple[str, date], int], first: date, last: date) -> Iterator[tuple[date, int]]:
    """How many seats there were on each day: as last told, since a day that was not read costs its seats as well."""
    count = next((told[one] for one in sorted(told) if one[0] == plan.account), plan.seats or 0)
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        count = told.get((plan.account, day), count)
        yield day, count
