"""A row of a FOCUS export becomes a charge: of which account, on which days, and whether it is the bill's."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from bot.domain.ports import SourceError
from integrations.days import DAY, midnight
from integrations.parse import MOST_DOLLARS

COLUMNS = (
    "ProviderName",
    "ServiceCategory",
    "ServiceName",
    "ChargeCategory",
    "ChargeClass",
    "BilledCost",
    "ListCost",
    "BillingCurrency",
    "BillingPeriodStart",
    "BillingPeriodEnd",
    "ChargePeriodStart",
    "ChargePeriodEnd",
    "CommitmentDiscountStatus",
)
OPTIONAL = frozenset({"CommitmentDiscountStatus"})
ALSO_CALLED = MappingProxyType({"ProviderName": "ServiceProviderName"})  # from 1.4 on
NULLS = frozenset({None, "", "NULL", "null"})

ACCOUNTS = MappingProxyType(
    {
        "aws": "aws",
        "amazon": "aws",
        "amazon web services": "aws",
        "amazon web services, inc.": "aws",
        "azure": "azure",
        "microsoft": "azure",
        "microsoft azure": "azure",
        "microsoft corporation": "azure",
        "gcp": "gcp",
        "google": "gcp",
        "google cloud": "gcp",
        "google cloud platform": "gcp",
        "google llc": "gcp",
    }
)
"""The account of a cloud, by its name in lower case."""
SELLERS = MappingProxyType(
    {
        "anthropic": "anthropic",
        "openai": "openai",
        "anysphere": "cursor",
        "cursor": "cursor",
        "github": "copilot",
        "openrouter": "openrouter",
        "cognition": "devin",
        "devin": "devin",
    }
)
"""The account of who is read from their API as well, by the word that their companies' names begin with. Any other
provider's is `focus:` and its name."""

AI = "ai and machine learning"
AI_ONLY = frozenset(SELLERS.values()) - {"copilot"}  # GitHub also sells what is no AI
AI_SERVICES = (
    "amazon bedrock",  # also "Claude ... (Amazon Bedrock Edition)", which AWS sells through its marketplace
    "amazon q",
    "azure openai",
    "azure ai foundry",
    "claude",
    "copilot",
    "foundry models",
    "gemini",
    "kiro",
    "vertex ai",
)
"""Words in the names of services that are AI, whatever category they are filed under."""
NAMED_AI = re.compile(rf"\b({'|'.join(AI_SERVICES)})\b")  # whole words: Amazon QuickSight is none
YEAR = 366 * DAY


class Raw(NamedTuple):
    """The values of COLUMNS, as they stand in the file."""

    provider: Any
    service_category: Any
    service: Any
    category: Any
    correction: Any
    billed: Any
    listed: Any
    currency: Any
    billing_start: Any
    billing_end: Any
    start: Any
    end: Any
    commitment: Any


class Kind(StrEnum):
    """What an amount of a charge is."""

    BILLED = "billed"
    LISTED = "listed"
    COVERED = "covered"
    ADJUSTMENT = "adjustment"


class Span(NamedTuple):
    """`length` days from `first` on, of the billing period that begins on `period`."""

    period: date
    first: date
    length: int


@dataclass(frozen=True, slots=True)
class Charge:
    """Amounts in dollars by kind, None where the file does not tell. `rejected` is the reason why there are none."""

    account: str
    span: Span
    amounts: tuple[tuple[Kind, Decimal | None], ...] = ()
    rejected: str | None = None


class ImpossibleError(Exception):
    """A value that is written well and cannot be true; the text is the reason that is counted."""


class WrongError(Exception):
    """A value that is not of its kind; the text names its column."""


def charge(number: int, raw: Raw) -> Charge:
    """Raises SourceError for a value that is not of its kind: then the file is not what it seems to be."""
    try:
        if _text(raw.currency) != "USD":
            raise WrongError("BillingCurrency is not USD; only bills in US dollars are understood")
        account = account_of(_given("ProviderName", raw.provider))
        span = _span(raw.billing_start, raw.billing_end, raw.start, raw.end)
        try:
            return Charge(account, span, _amounts(raw))
        except ImpossibleError as reason:
            return Charge(account, span, (), str(reason))
    except WrongError as error:
        raise SourceError(f"row {number}: {error}", permanent=True) from None


def _amounts(raw: Raw) -> tuple[tuple[Kind, Decimal | None], ...]:
    """Refunds and credits are no part of the bill. What a commitment covers is not billed a second time: the purchase
    of the commitment is, so its list price is kept apart as well."""
    category, billed = _text(raw.category), _amount("BilledCost", raw.billed)
    if category in ("Credit", "Adjustment") or (billed < 0 and is_refund(category, _text(raw.correction))):
        return ((Kind.ADJUSTMENT, billed),)
    if category not in ("Usage", "Purchase", "Tax"):
        raise ImpossibleError("unreadable")
    listed = None if raw.listed in NULLS else _amount("ListCost", raw.listed)
    if billed < 0 or (listed is not None and listed < 0):
        raise ImpossibleError("bad_cost")
    if category == "Usage" and not billed and (status := _text(raw.commitment)):
        covered = ((Kind.COVERED, listed),) if status == "Used" else ()
        return ((Kind.BILLED, billed), *covered)
    return ((Kind.BILLED, billed), (Kind.LISTED, listed))


def is_refund(category: str | None, correction: str | None) -> bool:
    """Whether an amount below zero is one: of an invoice of the past, or of something bought in this one."""
    return correction == "Correction" or category in ("Purchase", "Tax")


@lru_cache(1024)
def account_of(provider: str) -> str:
    name = " ".join(provider.casefold().split())
    seller = SELLERS.get(re.split(r"[^a-z0-9]", name, maxsplit=1)[0])
    return ACCOUNTS.get(name) or seller or f"focus:{re.sub(r'[^a-z0-9]+', '-', name).strip('-')[:40] or 'other'}"


@lru_cache(1024)
def is_ai(provider: Any, category: Any, service: Any) -> bool:
    """Whether a row is about AI: by its category, by its service, or because its provider sells nothing else."""
    return (
        (_text(category) or "").casefold() == AI
        or NAMED_AI.search((_text(service) or "").casefold()) is not None
        or account_of(_text(provider) or "") in AI_ONLY
    )


@lru_cache(4096)
def _span(billing_start: Any, billing_end: Any, start: Any, end: Any) -> Span:
    """The UTC days of a charge, kept inside the days of its billing period: see the package's docstring.

    A billing period begins and ends at the nearest midnight, so that two of them never share a day, whatever the
    provider's own time zone.
    """
    period, time = _moments("BillingPeriod", billing_start, billing_end), _moments("ChargePeriod", start, end)
    if period[0] == period[1]:
        raise WrongError("BillingPeriodEnd is BillingPeriodStart; it has to be the moment after the period")
    if period[1] - period[0] > YEAR:
        raise WrongError("BillingPeriodEnd is more than a year after BillingPeriodStart")
    opens, closes = ((moment + DAY / 2).date() for moment in period)
    closes = max(closes, opens + DAY)
    first, length = time[0].date(), max(1, -((time[0] - time[1]) // DAY))
    begins = min(max(first, opens), closes - DAY)
    ends = min(max(first + DAY * length, begins + DAY), closes)
    return Span(opens, begins, (ends - begins).days)


def _moments(column: str, start: Any, end: Any) -> tuple[datetime, datetime]:
    begins, ends = _moment(f"{column}Start", start), _moment(f"{column}End", end)
    if ends < begins:
        raise WrongError(f"{column}End is before {column}Start")
    return begins, ends


def _moment(column: str, value: Any) -> datetime:
    """FOCUS writes 2026-11-02T00:00:00Z; exports also leave out seconds or the zone, and BigQuery writes it as UTC."""
    try:
        return _in_utc(value if isinstance(value, date) else _given(column, value))
    except (ValueError, OverflowError):
        raise WrongError(f"{column} is no date and time like 2026-11-02T00:00:00Z") from None


def _in_utc(value: date | str) -> datetime:
    if isinstance(value, str):
        value = datetime.fromisoformat(value.removesuffix(" UTC"))
    moment = value if isinstance(value, datetime) else midnight(value)
    in_utc = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    if not 2000 <= in_utc.year < 2200:
        raise ValueError
    return in_utc


def _amount(column: str, value: Any) -> Decimal:
    """Raises ImpossibleError for what is a number and no amount. A float is taken as the digits that it is shown as."""
    text = repr(value) if isinstance(value, float) else _given(column, value)
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise WrongError(f"{column} is no number") from None
    if not amount.is_finite() or not -MOST_DOLLARS <= amount <= MOST_DOLLARS:
        raise ImpossibleError("bad_cost")
    return amount


def _given(column: str, value: Any) -> str:
    text = _text(value)
    if text is None:
        raise WrongError(f"{column} is empty")
    return text


def _text(value: Any) -> str | None:
    return None if value in NULLS else str(value).strip()
