"""Blocks for tests: an ordinary one that a test changes where it matters, and any that the gate could let out."""

from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from bot.domain.block import Held, HeldReason, Part, PartSum, PublicFacts, Published
from bot.domain.digest import Digest
from bot.domain.privacy.cards import Card
from bot.domain.weeks import Week

URL = "https://leverage.example.com/method"
DOLLAR = 1_000_000
CARD = Card(
    median=Fraction(5 * DOLLAR),
    lower_quartile=Fraction(3 * DOLLAR),
    upper_quartile=Fraction(8 * DOLLAR),
    low=Fraction(4 * DOLLAR),
    high=Fraction(6 * DOLLAR),
    percent=95,
)
PUBLIC = PublicFacts(merged=23, reverted=1, review_hours=Fraction(53, 10))
ONE_PART = (PartSum(tuple(Part), 243_170_000),)
TWO_PARTS = (
    PartSum((Part.DIRECT,), 151_900_000),
    PartSum((Part.ABANDONED, Part.UNATTRIBUTED), 91_270_000),
)


def published(weeks: str = "2026-W20", **changes: Any) -> Published:
    """A week of the payments team. `weeks` names the first and the last one: "2026-W17 2026-W20"."""
    first, *_, last = [Week.parse(name) for name in weeks.split() * 2]
    ordinary: dict[str, Any] = {
        "unit": "payments",
        "spend_micro": 243_170_000,
        "parts": TWO_PARTS,
        "merged": 19,
        "touched": 13,
        "service_micro": 40_300_000,
        "typical": CARD,
        "contributors_band": "5-9",
        "coverage_band": "over 75 %",
        "touched_band": "50-74%",
        "linked_band": "over 75 %",
        "bound_band": "under 50 %",
        "explained_band": "50 to 75 %",
        "leads_with_coverage": False,
        "missing_days": 0,
        "public": PUBLIC,
    }
    return Published(first=first, last=last, **{**ordinary, **changes})


def held(reason: HeldReason = HeldReason.HELD, public: PublicFacts | None = PUBLIC) -> Held:
    week = Week.parse("2026-W20")
    return Held("payments", week, week, reason, public)


def trend() -> tuple[Published, ...]:
    """Seven blocks, the first of them four weeks long and one of them silent."""
    story = [("2026-W10 2026-W13", 890, 60), ("2026-W14", 240, 20), ("2026-W15", 190, 2), ("2026-W16", 260, 18)]
    story += [("2026-W17 2026-W18", 310, 41), ("2026-W19", 221, 17)]
    earlier = [published(weeks, spend_micro=spend * DOLLAR, merged=merged) for weeks, spend, merged in story]
    return (*earlier, published())


def digest(block: Published | Held, history: tuple[Published, ...] = ()) -> Digest:
    return Digest(block, history, URL)


# Anything the gate could let out

amounts = st.integers(0, 10**15)
counts = st.integers(0, 10**5)
fractions = st.fractions(0, 10**9)
names = st.text(max_size=80)
mondays = st.integers(0, 2000).map(lambda weeks: date(2000, 1, 3) + timedelta(weeks=weeks))
share_bands = st.sampled_from([None, "under 50 %", "50 to 75 %", "over 75 %"])
groupings = st.sampled_from(
    [
        (tuple(Part),),
        ((Part.DIRECT,), (Part.ABANDONED, Part.UNATTRIBUTED)),
        ((Part.DIRECT, Part.ABANDONED), (Part.UNATTRIBUTED,)),
        ((Part.DIRECT, Part.UNATTRIBUTED), (Part.ABANDONED,)),
        ((Part.DIRECT,), (Part.ABANDONED,), (Part.UNATTRIBUTED,)),
    ]
)
facts = st.builds(PublicFacts, st.integers(0, 900), st.integers(0, 9), st.none() | st.fractions(0, 3000))
cards = st.builds(Card, *[st.integers(0, 8).map(lambda dollars: Fraction(dollars * DOLLAR))] * 5, percent=st.just(95))


@st.composite
def spans(draw: st.DrawFn) -> tuple[Week, Week]:
    first = Week(draw(mondays))
    return first, first.plus(draw(st.integers(0, 3)))


@st.composite
def blocks(draw: st.DrawFn, counted: st.SearchStrategy[int] = counts) -> Published:
    first, last = draw(spans())
    parts = tuple(PartSum(group, draw(amounts)) for group in draw(groupings))
    return Published(
        unit=draw(names),
        first=first,
        last=last,
        spend_micro=sum(part.micro for part in parts),
        parts=parts,
        merged=draw(counted),
        touched=draw(counted),
        service_micro=draw(amounts),
        typical=draw(st.none() | cards),
        contributors_band=draw(st.sampled_from([None, "5-9", "10-19", "20-49", "50+"])),
        coverage_band=draw(share_bands),
        touched_band=draw(st.sampled_from([None, "under 25%", "25-49%", "50-74%", "75% or more"])),
        linked_band=draw(share_bands),
        bound_band=draw(share_bands),
        explained_band=draw(share_bands),
        leads_with_coverage=draw(st.booleans()),
        missing_days=draw(st.integers(0, 7)),
        public=draw(facts),
    )


@st.composite
def held_blocks(draw: st.DrawFn) -> Held:
    first, last = draw(spans())
    return Held(draw(names), first, last, draw(st.sampled_from(HeldReason)), draw(st.none() | facts))
