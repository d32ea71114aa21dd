"""The older reports: `GET /v1/organizations/cost_report` is the bill, `usage_report/claude_code` says who.

Docs: platform.claude.com/docs `manage-claude/usage-cost-api` and `manage-claude/claude-code-analytics-api`. The bill
names nobody, so a row's billed amount is unknown and the whole bill of a day is its remainder; a row's list amount is
Claude Code's own estimate. `usage_report/messages` is not read: it has tokens without money, most of them a second
time, and daily sums of tokens are never priced.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from bot.domain.model import AccountDay, Actor, SpendRow, Tokens
from bot.domain.money import from_cents
from integrations.days import Window, midnight, rfc3339
from integrations.parse import cents_micro, parsed
from integrations.spend.anthropic.keys import Keys
from integrations.spend.anthropic.models import CodeModel, CodeRecord, CodeTokens, CostBucket, Money
from integrations.spend.anthropic.reports import ACCOUNT, LONGEST, Days, Reports

COST = "/v1/organizations/cost_report"
CODE = "/v1/organizations/usage_report/claude_code"
DELAY = timedelta(hours=1)  # nothing younger is in the Claude Code report


def read(reports: Reports, keys: Keys, window: Window) -> Days:
    """The days of a window for which there is a bill, if only of nothing; the running day may have none yet."""
    bills, strays = _bills(reports, window)
    days = []
    for day in sorted(bills):
        bill = bills[day]
        if bill is not None:
            rows, rejected = _rows(reports, keys, day)
            rejected["outside_window"] += strays if day == window.first else 0
            days.append(AccountDay(ACCOUNT, day, from_cents(bill), None, rows, window.now - DELAY, dict(+rejected)))
    return Days(days, sorted(day for day, bill in bills.items() if bill is None))


def _bills(reports: Reports, window: Window) -> tuple[dict[date, Decimal | None], int]:
    """Each day's bill in cents, None where it cannot be true; and how many buckets are none of the window's days."""
    params = {
        "starting_at": rfc3339(midnight(window.first)),
        "ending_at": rfc3339(midnight(window.end)),
        "bucket_width": "1d",
        "limit": LONGEST.days,
    }
    bills: dict[date, Decimal | None] = {}
    strays = 0
    for raw in reports.rows(COST, params):
        bucket = parsed(CostBucket, raw)
        day = bucket.day() if bucket else None
        if bucket is None or day is None or day not in window:
            strays += 1
        else:
            bills[day] = None if day in bills else _sum([parsed(Money, result) for result in bucket.results])
    return bills, strays


def _sum(items: list[Money | None]) -> Decimal | None:
    return None if None in items else sum((item.amount for item in items if item), Decimal(0))


@dataclass(slots=True)
class Cell:
    """What one actor spent on one model on one day, over all terminals; the estimate in cents. A refused entry
    refuses the whole cell."""

    tokens: Tokens = field(default_factory=Tokens)
    cents: Decimal | None = Decimal(0)
    refused: bool = False


def _rows(reports: Reports, keys: Keys, day: date) -> tuple[tuple[SpendRow, ...], Counter[str]]:
    """A person has a record for each terminal and kind of customer: they are added up."""
    cells: dict[tuple[Actor, str], Cell] = defaultdict(Cell)
    rejected: Counter[str] = Counter()
    for record in _records(reports, day, rejected):
        actor = keys.actor(record.actor)
        for raw in record.model_breakdown or []:
            entry = parsed(CodeModel, raw)
            if entry is None:
                rejected["unreadable"] += 1
            else:
                _add(cells[actor, entry.model], entry, rejected)
    kept = sorted(((key, cell) for key, cell in cells.items() if not cell.refused), key=_by_name)
    rows = (SpendRow(*key, cell.tokens, None, cents_micro(cell.cents), None) for key, cell in kept)
    return tuple(rows), rejected


def _records(reports: Reports, day: date, rejected: Counter[str]) -> Iterator[CodeRecord]:
    """The records of a day, each once, however its date is written."""
    seen: set[int] = set()
    for raw in reports.rows(CODE, {"starting_at": day.isoformat(), "limit": 1000}):
        record = parsed(CodeRecord, raw)
        if record is None:
            rejected["unreadable"] += 1
        elif record.date[:10] != day.isoformat():
            rejected["outside_window"] += 1
        elif (copy := hash(repr(raw))) in seen:
            rejected["duplicate"] += 1
        else:
            seen.add(copy)
            yield record


def _add(cell: Cell, entry: CodeModel, rejected: Counter[str]) -> None:
    tokens = parsed(CodeTokens, entry.tokens)
    cost = None if entry.estimated_cost is None else parsed(Money, entry.estimated_cost)
    if tokens is None or (cost is None and entry.estimated_cost is not None):
        rejected["bad_usage" if tokens is None else "bad_cost"] += 1
        cell.refused = True
        return
    cell.tokens += tokens.tokens()
    cell.cents = None if cost is None or cell.cents is None else cell.cents + cost.amount


def _by_name(item: tuple[tuple[Actor, str], Cell]) -> tuple[str, str, str, str]:
    (actor, model), _ = item
    return actor.kind, actor.id or "", actor.email or "", model
