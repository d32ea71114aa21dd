"""The sums of a FOCUS export: exact while rows come in, rounded once to micro-dollars, then spread over days."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Context, Decimal

from bot.domain.model import AccountDay
from bot.domain.money import from_dollars, split_equally
from bot.domain.ports import SourceError
from integrations.days import DAY
from integrations.spend.focus.charges import Kind, Raw, Span, charge

EXACT = Context(prec=60)  # bills by the hour have amounts far below a micro-dollar, which count in their sum
MOST_ACCOUNTS = 100


class Book:
    """Charges by account and days. A sum is unknown (None) if a part is."""

    def __init__(self, today: date) -> None:
        self._today = today
        self._sums: dict[str, dict[Span, dict[Kind, Decimal | None]]] = defaultdict(lambda: defaultdict(dict))
        self._rejected: dict[tuple[str, date], Counter[str]] = defaultdict(Counter)

    def add(self, number: int, raw: Raw) -> None:
        one = charge(number, raw)
        reason = one.rejected or ("outside_window" if one.span.first > self._today else None)
        if reason:
            self._rejected[one.account, one.span.first][reason] += 1
            return
        sums = self._sums[one.account][one.span]
        if len(self._sums) > MOST_ACCOUNTS:
            raise SourceError(f"row {number}: no bill has more than {MOST_ACCOUNTS} providers", permanent=True)
        for kind, amount in one.amounts:
            known = sums.get(kind, Decimal(0))
            sums[kind] = None if amount is None or known is None else EXACT.add(known, amount)

    def days(self) -> tuple[AccountDay, ...]:
        """Every day up to today, oldest first."""
        sums = {(day, account): sums for account in self._sums for day, sums in self._by_day(account).items()}
        rejected = self._by_given_day(sorted(sums))
        return tuple(
            AccountDay(
                account,
                day,
                of.get(Kind.BILLED) or 0,
                of.get(Kind.LISTED, 0),
                (),
                rejected=dict(rejected[day, account]),
                covered_micro=of.get(Kind.COVERED),
                adjustment_micro=of.get(Kind.ADJUSTMENT) or 0,
            )
            for (day, account), of in sorted(sums.items(), key=lambda item: item[0])
        )

    def _by_day(self, account: str) -> dict[date, dict[Kind, int | None]]:
        days: dict[date, dict[Kind, int | None]] = {day: {} for day in self._between(account)}
        for span, sums in self._sums[account].items():
            for kind, total in sums.items():
                for day, micro in zip(_days(span.first, span.length), _shares(total, span.length), strict=True):
                    if day <= self._today:
                        known = days[day].get(kind, 0)
                        days[day][kind] = None if micro is None or known is None else known + micro
        return days

    def _between(self, account: str) -> Iterator[date]:
        """Every day from the first to the last charge in each billing period: a day of nothing cost nothing."""
        periods: dict[date, list[Span]] = defaultdict(list)
        for span in self._sums[account]:
            periods[span.period].append(span)
        for spans in periods.values():
            first = min(span.first for span in spans)
            end = min(max(span.first + DAY * span.length for span in spans), self._today + DAY)
            yield from _days(first, (end - first).days)

    def _by_given_day(self, given: list[tuple[date, str]]) -> dict[tuple[date, str], Counter[str]]:
        """Refused rows on their day, or on the first one that is given: of their account, or else of the file."""
        counts: dict[tuple[date, str], Counter[str]] = defaultdict(Counter)
        if self._rejected and not given:
            reasons = sum(self._rejected.values(), Counter[str]())
            told = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
            raise SourceError(f"not one row about AI makes sense ({told})", permanent=True)
        for (account, day), reasons in self._rejected.items():
            own = [key for key in given if key[1] == account] or given
            counts[(day, account) if (day, account) in own else own[0]] += reasons
        return counts


def _days(first: date, length: int) -> Iterator[date]:
    return (first + DAY * number for number in range(length))


def _shares(total: Decimal | None, length: int) -> list[int] | list[None]:
    """Micro-USD of each day; together exactly the total."""
    if total is None:
        return [None] * length
    try:
        return split_equally(from_dollars(total), length)
    except ValueError:
        raise SourceError("its amounts come to more than can be true", permanent=True) from None
