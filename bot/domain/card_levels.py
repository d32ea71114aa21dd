"""Reference cards: what merged pull requests like this one usually take, at one level of detail an epoch.

The levels are tried from the finest to the coarsest. The first at which any card passes is the epoch's level, all
others stay silent: cards of one level are about disjoint pull requests, and nothing can be subtracted from anything
(docs/privacy.md, "Cards"). For the same reason two epochs' cards never share a pull request.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.domain.metrics.size import SizeClass
from bot.domain.privacy.cards import Card, card
from bot.domain.privacy.gate import Rule
from bot.domain.weeks import EPOCH_WEEKS, Week, epoch_start

FIRST_BLOCK_WEEKS = 4
ANY = ""

Cell = tuple[str, str]
"""(repository id, size class), each `ANY` where a level does not tell it apart."""


class Level(StrEnum):
    """What a card tells apart within a unit, finest first."""

    REPOSITORY = "repository"
    SIZE = "size"
    UNIT = "unit"


@dataclass(frozen=True, slots=True)
class CostedPull:
    """An included merged pull request with its recognised direct cost; `author` is who answers for it."""

    repository_id: str
    size: SizeClass
    author: str
    micro: int


@dataclass(frozen=True, slots=True)
class ReferenceCards:
    """An epoch's cards of a unit, all of one level; no level, no cards."""

    level: Level | None
    cards: Mapping[Cell, Card]


@dataclass(frozen=True, slots=True)
class Reference:
    """What may be said beside a pull request of this size."""

    level: Level
    size: SizeClass
    card: Card


def reference_cards(pulls: Iterable[CostedPull], rule: Rule) -> ReferenceCards:
    """The cards of the first level at which any passes."""
    known = list(pulls)
    for level in Level:
        cards = _cards(known, level, rule)
        if cards:
            return ReferenceCards(level, cards)
    return ReferenceCards(None, {})


def cell(level: Level, repository_id: str, size: SizeClass) -> Cell:
    """Where a pull request is found at a level."""
    return (
        repository_id if level is Level.REPOSITORY else ANY,
        ANY if level is Level.UNIT else size.value,
    )


def _cards(pulls: Iterable[CostedPull], level: Level, rule: Rule) -> dict[Cell, Card]:
    values: dict[Cell, list[tuple[str, int]]] = defaultdict(list)
    for pull in pulls:
        values[cell(level, pull.repository_id, pull.size)].append((pull.author, max(0, pull.micro)))
    made = {where: card(found, rule) for where, found in values.items()}
    return {where: found for where, found in made.items() if found is not None}


def period(opened: Week, epoch: Week) -> tuple[Week, Week] | None:
    """The first and last week that the cards of an epoch are made from; None if it has none.

    `opened` is the first week of the unit's first block. That block gives the cards of the epoch in which it is
    posted; later cards come from the epoch before, without what lies in the first block.
    """
    begins = opened.plus(FIRST_BLOCK_WEEKS)
    first = epoch_start(begins)
    if epoch < first:
        return None
    if epoch == first:
        return opened, begins.plus(-1)
    return max(begins, epoch.plus(-EPOCH_WEEKS)), epoch.plus(-1)
