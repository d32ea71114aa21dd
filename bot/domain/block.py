"""A block: what is known of a unit's weeks before anyone may see it (`Facts`), and what may be shown.

The gate is the only way from `Facts` to `Published` or `Held`. Money is exact micro-USD on the `list` basis; rounding
happens where text is made.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from bot.domain.privacy.cards import Card
from bot.domain.weeks import Week

METRIC_VERSION = 1


class Part(StrEnum):
    """How a dollar was recognised. The three are a partition of recognised spend."""

    DIRECT = "direct"
    ABANDONED = "abandoned"
    UNATTRIBUTED = "unattributed"


@dataclass(frozen=True, slots=True)
class PublicFacts:
    """What GitHub shows its readers anyway, over the pull requests of everybody on the unit's roster.

    `review_hours` is the median time from ready-for-review to the first human review.
    """

    merged: int
    reverted: int
    review_hours: Fraction | None


@dataclass(frozen=True, slots=True)
class MergedPull:
    """An included merged pull request of the block, with the direct cost that was recognised for it."""

    author: str
    cost_micro: int
    touched: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """A unit's block before the gate. Keys of `people` are person keys of verified, consenting members.

    `people` holds what was recognised of each person in the block by part; `disclosed` what
    each made public already, by part.
    `linked` and `bound` are shares of the block's occurred spend, `explained` is the share of the company's bill that
    published numbers explain, None where it may not be said. `outage` is true when over a fifth of the block's days are
    missing from a source.
    """

    unit: str
    first: Week
    last: Week
    people: Mapping[str, Mapping[Part, int]]
    disclosed: Mapping[Part, Mapping[str, int]]
    pulls: tuple[MergedPull, ...]
    roster: int
    service_micro: int
    linked: Fraction | None
    bound: Fraction | None
    explained: Fraction | None
    missing_days: int
    outage: bool
    public: PublicFacts


@dataclass(frozen=True, slots=True)
class PartSum:
    """One published part of the total: the parts merged into it, and their sum."""

    parts: tuple[Part, ...]
    micro: int


@dataclass(frozen=True, slots=True)
class Published:
    """A block that passed the gate. `merged` and `touched` are for arithmetic and never printed.

    Bands are None where they may not be said. `typical` is the card of what a pull request that used AI usually costs,
    from daily totals until turns are measured. `service_micro` is the team's CI and shared keys: in no other number.
    """

    unit: str
    first: Week
    last: Week
    spend_micro: int
    parts: tuple[PartSum, ...]
    merged: int
    touched: int
    service_micro: int
    typical: Card | None
    contributors_band: str | None
    coverage_band: str | None
    touched_band: str | None
    linked_band: str | None
    bound_band: str | None
    explained_band: str | None
    leads_with_coverage: bool
    missing_days: int
    public: PublicFacts


class HeldReason(StrEnum):
    """Which sentence a week without a block shows. Never which rule held it."""

    WAITING = "waiting"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Held:
    """A week that shows no compute number. After the unit's first eight weeks `public` is None: nothing is posted."""

    unit: str
    first: Week
    last: Week
    reason: HeldReason
    public: PublicFacts | None


Block = Published | Held
