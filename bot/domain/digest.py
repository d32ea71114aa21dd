"""What a digest says, in numbers and sentences. Here exact integers become the rounded numbers that people read.

Never printed: how many pull requests or people count, a person's name, or which rule withheld a number.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from bot.domain.block import METRIC_VERSION, Held, HeldReason, Part, PartSum, PublicFacts, Published
from bot.domain.metrics.cost import SHOWN_FROM, cost_per_merged_pr
from bot.domain.metrics.measure import Measure, Reason
from bot.domain.money import dollars, rounded_dollars, two_digits
from bot.domain.privacy.cards import LEAST_PULLS, Card
from bot.domain.titles import dates, label, title
from bot.domain.weeks import Week

BLOCKS_SHOWN = 8
BASIS = "list"

SENTENCES = {
    HeldReason.WAITING: "Compute numbers start when five have joined; for most weeks it takes eight.",
    HeldReason.HELD: "Held for the next digest.",
}
TURNS = "How many turns a change took is in no digest yet, also where agents' telemetry knows it."
PARTS = {
    Part.DIRECT: "in the merged pull requests themselves",
    Part.ABANDONED: "in abandoned ones",
    Part.UNATTRIBUTED: "not tied to a pull request",
}


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
class Gap:
    """Weeks between two points of a trend that told no cost, for whatever reason."""

    label: str
    dollars: str = "-"


@dataclass(frozen=True, slots=True)
class Story:
    """A digest in words, in the order of reading. Nothing in it is foreign but the unit's name in the title."""

    title: str
    headline: str
    coverage: tuple[str, ...] = ()
    trend: tuple[Point | Gap, ...] = ()
    where: tuple[str, ...] = ()
    public: tuple[str, ...] = ()
    turns: str = ""
    method: str = ""

    @property
    def points(self) -> tuple[Point, ...]:
        return tuple(row for row in self.trend if isinstance(row, Point))

    @property
    def gaps(self) -> tuple[str, ...]:
        return tuple(row.label for row in self.trend if isinstance(row, Gap))


def tell(digest: Digest) -> Story:
    block = digest.block
    if isinstance(block, Held):
        public = tuple(_public(block.public)) if block.public else ()
        return Story(title(block.unit, block.first, block.last), SENTENCES[block.reason], public=public)
    shown = silence(block) is None
    return Story(
        title=title(block.unit, block.first, block.last),
        headline=_headline(block),
        coverage=tuple(_coverage(block)) if shown else (),
        trend=tuple(_rows(trend(digest), block.last)) if shown else (),
        where=tuple(_where(block)) if shown else (),
        public=tuple(_public(block.public, beside_cost=shown)),
        turns=TURNS,
        method=f"How these numbers are made ({BASIS} prices, {dates(block.first, block.last)}, v{METRIC_VERSION})",
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
        Point(label(block.first, block.last, digest.block.last), block.first, block.last, two_digits(cost))
        for block in digest.history[-BLOCKS_SHOWN:]
        if isinstance(cost := loaded(block), Fraction)
    ]
    return tuple(points) if len(points) > 1 else ()


def _rows(points: tuple[Point, ...], now: Week) -> Iterator[Point | Gap]:
    """The points, with the weeks that lie between them and told no cost. Nothing is put in their place."""
    for before, point in zip((None, *points), points, strict=False):
        if before and before.last.next() < point.first:
            yield Gap(label(before.last.next(), point.first.plus(-1), now))
        yield point


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
        yield f"These numbers are one team's: they explain {band(block.explained_band)} of the company's bill."
    if block.missing_days:
        yield (
            "1 day of data is missing."
            if block.missing_days == 1
            else f"{block.missing_days} days of data are missing."
        )


def _where(block: Published) -> Iterator[str]:
    parts = shown_parts(block)
    more = (
        "; amounts are rounded, so parts may not add up"
        if parts
        else ", whether or not it led to a merged pull request"
    )
    yield f"About {rounded_dollars(block.spend_micro)} in all{more}."
    yield "Money counts in the week its work ended, even if it was spent earlier."
    for part in parts:
        yield _part(part, block)
    card = typical(block)
    if isinstance(card, Card):
        yield (
            f"Of pull requests that used AI, the typical (middle) one took {dollars(card.median)} itself; half took "
            f"{dollars(card.lower_quartile)} to {dollars(card.upper_quartile)} (estimated from daily totals)."
        )
    if block.touched_band:
        yield f"Of the merged pull requests counted here, {band(block.touched_band)} used AI."
    if block.service_micro:
        yield f"CI and shared keys: {rounded_dollars(block.service_micro)}, not in the numbers above."


def _part(part: PartSum, block: Published) -> str:
    words = " or ".join(PARTS[name] for name in part.parts)
    each, all_in = direct(block), loaded(block)
    if part.parts == (Part.DIRECT,) and isinstance(each, Fraction) and isinstance(all_in, Fraction):
        words += f": {rounded_dollars(each)} of the {rounded_dollars(all_in)} each"
    return f"{rounded_dollars(part.micro)} ({_decimal(percent(part, block))}%) {words}."


def _public(facts: PublicFacts, beside_cost: bool = False) -> Iterator[str]:
    """Public facts are about everybody; beside a cost that is about fewer people, that needs saying."""
    merged = {0: "no pull request", 1: "1 pull request"}.get(facts.merged, f"{facts.merged} pull requests")
    reverts = {0: "", 1: "; 1 is a revert"}.get(facts.reverted, f"; {facts.reverted} are reverts")
    yield f"Joined or not, the whole team merged {merged}{reverts}."
    if beside_cost:
        yield "The cost above counts only those who joined, and their pull requests."
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


def _decimal(value: Fraction) -> str:
    """A number that is rounded already."""
    return f"{float(value):.12g}"


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:] + "."
