"""What a digest says, in numbers and sentences. Here exact integers become the rounded numbers that people read.

Never said: how many pull requests or people count, a person's name, or which rule withheld a number.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from bot.domain.block import METRIC_VERSION, Held, HeldReason, Part, PartSum, PublicFacts, Published
from bot.domain.metrics.cost import SHOWN_FROM, cost_per_merged_pr
from bot.domain.metrics.measure import Measure, Reason
from bot.domain.money import dollars, rounded_dollars, two_digits
from bot.domain.privacy.cards import LEAST_PULLS, Card
from bot.domain.weeks import Week

BLOCKS_SHOWN = 8
NAME_LENGTH = 50
BASIS = "list"

SENTENCES = {
    HeldReason.WAITING: "Compute numbers start when five have joined; eight make most weeks.",
    HeldReason.HELD: "Held for the next digest.",
}
TURNS = "Turns need agents' own telemetry, which this version does not read yet."
PARTS = {
    Part.DIRECT: "in merged pull requests",
    Part.ABANDONED: "abandoned",
    Part.UNATTRIBUTED: "not tied to a pull request",
}
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


@dataclass(frozen=True, slots=True)
class Digest:
    """A block to tell, the unit's published blocks up to it (oldest first), and where the method is explained."""

    block: Published | Held
    history: tuple[Published, ...]
    method_url: str


@dataclass(frozen=True, slots=True)
class Point:
    """A published block's all-in cost of a merged pull request, in rounded micro-USD, under its weeks' short name."""

    label: str
    first: Week
    last: Week
    micro: Fraction

    @property
    def dollars(self) -> str:
        return dollars(self.micro)


@dataclass(frozen=True, slots=True)
class Story:
    """A digest in words, in the order of reading. Nothing in it is foreign but the unit's name in the title."""

    title: str
    headline: str
    coverage: tuple[str, ...] = ()
    trend: tuple[Point, ...] = ()
    where: tuple[str, ...] = ()
    public: tuple[str, ...] = ()
    turns: str = ""
    method: str = ""


def tell(digest: Digest) -> Story:
    block = digest.block
    if isinstance(block, Held):
        public = tuple(_public(block.public)) if block.public else ()
        return Story(_title(block), SENTENCES[block.reason], public=public)
    shown = silence(block) is None
    return Story(
        title=_title(block),
        headline=_headline(block),
        coverage=tuple(_coverage(block)) if shown else (),
        trend=trend(digest) if shown else (),
        where=tuple(_where(block)) if shown else (),
        public=tuple(_public(block.public)),
        turns=TURNS,
        method=f"How these numbers are made ({BASIS} prices, {_dates(block.first, block.last)}, v{METRIC_VERSION})",
    )


# Numbers


def silence(block: Published) -> Reason | None:
    """Why a block tells no money at all: it would be a price tag on the one or two pull requests that count."""
    if block.merged >= SHOWN_FROM:
        return None
    return Reason.TOO_FEW_PRS if block.public.merged else Reason.NO_MERGED_PRS


def loaded(block: Published) -> Measure:
    """All the block's spend by its merged pull requests, in exact micro-USD."""
    return silence(block) or cost_per_merged_pr(block.spend_micro, block.merged)


def direct(block: Published) -> Measure:
    """What merged pull requests took themselves, each on average, where that is a part of its own."""
    found = [part.micro for part in shown_parts(block) if part.parts == (Part.DIRECT,)]
    return silence(block) or (cost_per_merged_pr(found[0], block.merged) if found else Reason.TOO_FEW_PEOPLE)


def typical(block: Published) -> Card | Reason:
    """The card; where there is none, the reason tells no more than GitHub shows."""
    if block.typical is None:
        return silence(block) or (Reason.TOO_FEW_PRS if block.public.merged < LEAST_PULLS else Reason.TOO_FEW_PEOPLE)
    return silence(block) or block.typical


def shown_parts(block: Published) -> tuple[PartSum, ...]:
    """The parts of the total; none where they were all merged into one, which is the total itself."""
    return block.parts if len(block.parts) > 1 else ()


def percent(part: PartSum, block: Published) -> Fraction:
    """A part's share of the total, in rounded percent."""
    return two_digits(Fraction(100 * part.micro, block.spend_micro)) if block.spend_micro else Fraction(0)


def trend(digest: Digest) -> tuple[Point, ...]:
    """What a merged pull request cost in the last published blocks that tell it; nothing before there are two."""
    points = [
        Point(_label(block, digest.block.last), block.first, block.last, two_digits(cost))
        for block in digest.history[-BLOCKS_SHOWN:]
        if isinstance(cost := loaded(block), Fraction)
    ]
    return tuple(points) if len(points) > 1 else ()


# Sentences


def _headline(block: Published) -> str:
    weeks = "week's" if block.first == block.last else "weeks'"
    cost = loaded(block)
    if cost is Reason.NO_MERGED_PRS:
        return "No pull request was merged, so there is no cost to tell."
    if isinstance(cost, Reason):
        return "Too few merged pull requests were counted to say what one cost."
    if block.leads_with_coverage:
        return (
            f"Less than half of the {weeks} spend could be tied to pull requests, so this is rough: "
            f"a merged pull request cost about {rounded_dollars(cost)} of AI compute, all in."
        )
    return f"A merged pull request cost about {rounded_dollars(cost)} of AI compute, all in."


def _coverage(block: Published) -> Iterator[str]:
    people = block.contributors_band and f"{block.contributors_band} people counted"
    team = block.coverage_band and f"{band(block.coverage_band)} of the team"
    counted = ", ".join(filter(None, (people, team)))
    yield f"At {BASIS} prices. {counted}".strip(". ") + "."
    if block.linked_band:
        bound = f", {band(block.bound_band)} by direct measurement" if block.bound_band else ""
        yield _sentence(f"{band(block.linked_band)} of the spend is tied to pull requests{bound}")
    if block.explained_band:
        yield f"These numbers explain {band(block.explained_band)} of the company's bill."
    if block.missing_days:
        yield (
            "1 day of data is missing."
            if block.missing_days == 1
            else f"{block.missing_days} days of data are missing."
        )


def _where(block: Published) -> Iterator[str]:
    yield f"{rounded_dollars(block.spend_micro)} in all, counted when work ends, not when the money is spent."
    for part in shown_parts(block):
        yield _part(part, block)
    card = typical(block)
    if isinstance(card, Card):
        yield (
            f"A typical pull request that used AI took {dollars(card.median)}; half of them took "
            f"{dollars(card.lower_quartile)} to {dollars(card.upper_quartile)} (estimated from daily totals)."
        )
    if block.touched_band:
        yield _sentence(f"{band(block.touched_band)} of merged pull requests used AI")
    if block.service_micro:
        yield f"CI and shared keys: {rounded_dollars(block.service_micro)}, not in the numbers above."


def _part(part: PartSum, block: Published) -> str:
    words = " or ".join(PARTS[name] for name in part.parts)
    cost = direct(block)
    each = f": {rounded_dollars(cost)} each" if part.parts == (Part.DIRECT,) and isinstance(cost, Fraction) else ""
    return f"{rounded_dollars(part.micro)} ({_decimal(percent(part, block))}%) {words}{each}."


def _public(facts: PublicFacts) -> Iterator[str]:
    merged = {0: "no pull request", 1: "1 pull request"}.get(facts.merged, f"{facts.merged} pull requests")
    reverts = {0: "", 1: "; 1 of them is a revert"}.get(facts.reverted, f"; {facts.reverted} of them are reverts")
    yield f"The whole team merged {merged}{reverts}."
    if facts.review_hours is not None:
        yield f"Half of the first reviews came within {duration(facts.review_hours)}."
    elif facts.merged:
        yield "No first review by another person is recorded."


def duration(hours: Fraction) -> str:
    """Rounded hours in the words people use: "40 min", "5 h", "1.5 days"."""
    minutes = two_digits(hours * 60)
    if minutes < 1:
        return "a minute"
    if minutes < 60:
        return f"{_decimal(minutes)} min"
    if two_digits(hours) < 24:
        return f"{_decimal(two_digits(hours))} h"
    days = two_digits(hours / 24)
    return "1 day" if days == 1 else f"{_decimal(days)} days"


def band(text: str) -> str:
    """A band as it reads inside a sentence."""
    return text.replace(" %", "%")


# Names


def _title(block: Published | Held) -> str:
    weeks = "Week" if block.first == block.last else "Weeks"
    return f"{_name(block.unit)}: {weeks} {_week_numbers(block.first, block.last)} ({_dates(block.first, block.last)})"


def _name(unit: str) -> str:
    """A unit's name on one line, without signs that cannot be seen, and short enough for a title."""
    seen = "".join(sign for sign in " ".join(unit.split()) if not unicodedata.category(sign).startswith("C"))
    return (seen if len(seen) <= NAME_LENGTH else seen[: NAME_LENGTH - 1] + "…") or "Team"


def _label(block: Published, now: Week) -> str:
    """A block's weeks in a chart, told apart from those of other years: "W20", "W17-20", "2025-W50"."""
    year = block.last.monday.isocalendar().year
    numbers = _week_numbers(block.first, block.last)
    return f"W{numbers}" if year == now.monday.isocalendar().year else f"{year}-W{numbers}"


def _week_numbers(first: Week, last: Week) -> str:
    numbers = [str(week.monday.isocalendar().week) for week in (first, last)]
    return numbers[0] if first == last else "-".join(numbers)


def _dates(first: Week, last: Week) -> str:
    """From a Monday to a Sunday: "11-17 May 2026", "20 April-17 May 2026"."""
    start, end = first.monday, last.monday + timedelta(days=6)
    if start.year != end.year:
        return f"{_day(start)} {start.year}-{_day(end)} {end.year}"
    return f"{start.day if start.month == end.month else _day(start)}-{_day(end)} {end.year}"


def _day(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]}"


def _decimal(value: Fraction) -> str:
    """A number that is rounded already."""
    return f"{float(value):.12g}"


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:] + "."
