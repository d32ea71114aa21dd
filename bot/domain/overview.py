"""What an admin may see of the books as a whole: how each source stands, and the organisation's line.

Shares are told as bands, of four whole weeks whatever was asked for, and not at all where they would be about a few
people (docs/privacy.md, "What an admin sees").
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction

from bot.domain.prices import Reconciliation
from bot.domain.privacy.bands import ShareBand, share_band
from bot.domain.privacy.gate import LEAST_K
from bot.domain.split import Outside

SHOWN = timedelta(days=28)


@dataclass(frozen=True, slots=True)
class Explained:
    """How a source's bill of some days falls apart. `people` is how many joined people are in it, `named` whether its
    bill names them."""

    bill_micro: int
    explained_micro: int
    people: int
    named: bool
    outside: Collection[Outside]


def explained_band(found: Explained) -> ShareBand | None:
    """How much of the bill joined people and service accounts explain; None where nothing may be said."""
    few_out = Outside.FEW in found.outside and Outside.MANY not in found.outside
    if found.bill_micro <= 0 or not found.named or found.people < LEAST_K or few_out:
        return None
    return share_band(Fraction(found.explained_micro, found.bill_micro))


def shown_days(now: datetime) -> tuple[date, date]:
    """The four weeks of whole UTC days before today, first and last."""
    yesterday = now.date() - timedelta(days=1)
    return yesterday - SHOWN + timedelta(days=1), yesterday


@dataclass(frozen=True, slots=True)
class Standing:
    """How a source stands after it was read."""

    source: str
    explained: ShareBand | None
    fetched_at: datetime | None


@dataclass(frozen=True, slots=True)
class Overview:
    """Every source that was asked, and the organisation's line over four weeks."""

    standings: tuple[Standing, ...]
    organisation: Reconciliation
    first: date
    last: date
