"""The one door: from `Facts` to `Published`, or to nothing at all.

What goes out is either a sum whose every part passed the gate, a card, a band, or public. Which rule held a block is
told to nobody.
"""

from collections.abc import Mapping
from fractions import Fraction

from bot.domain.block import Facts, Part, PartSum, Published
from bot.domain.metrics.cost import LEADS_WITH_COST
from bot.domain.privacy.bands import adoption_band, coverage_band, participation_band, share_band
from bot.domain.privacy.cards import Card, card
from bot.domain.privacy.gate import Rule
from bot.domain.privacy.parts import publish_parts


def publish(facts: Facts, rule: Rule) -> Published | None:
    """The block as everybody may see it, or None if it is held."""
    parts = None if facts.outage else publish_parts(_by_part(facts), rule, facts.disclosed)
    if parts is None:
        return None
    sums = tuple(PartSum(group, _sum(facts, group)) for group in parts)
    touched = [pull for pull in facts.pulls if pull.touched]
    return Published(
        unit=facts.unit,
        first=facts.first,
        last=facts.last,
        spend_micro=sum(part.micro for part in sums),
        parts=sums,
        merged=len(facts.pulls),
        touched=len(touched),
        service_micro=facts.service_micro,
        typical=_typical(facts, rule),
        contributors_band=participation_band(len(facts.people)),
        coverage_band=coverage_band(len(facts.people), facts.roster),
        touched_band=adoption_band(Fraction(len(touched), len(facts.pulls))) if facts.pulls else None,
        linked_band=_band(facts.linked),
        bound_band=_band(facts.bound),
        explained_band=_band(facts.explained),
        leads_with_coverage=facts.linked is not None and facts.linked < LEADS_WITH_COST,
        missing_days=facts.missing_days,
        public=facts.public,
    )


def _by_part(facts: Facts) -> dict[Part, Mapping[str, int]]:
    return {part: {person: sums.get(part, 0) for person, sums in facts.people.items()} for part in Part}


def _sum(facts: Facts, group: tuple[Part, ...]) -> int:
    return sum(sums.get(part, 0) for sums in facts.people.values() for part in group)


def _typical(facts: Facts, rule: Rule) -> Card | None:
    return card([(pull.author, pull.cost_micro) for pull in facts.pulls if pull.touched], rule)


def _band(share: Fraction | None) -> str | None:
    return None if share is None else share_band(share)
