"""Summarising a unit's block, from its books and its pull requests, for nobody's eyes but the gate's."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

from bot.domain.binding.bound import Grade
from bot.domain.block import MergedPull, Part, PublicFacts
from bot.domain.ledger import Booking, Known, Landing, Occurred, branch_landing, no_pull_landing
from bot.domain.measured import is_measured_only
from bot.domain.metrics.cost import Links, bound_share, linked_share
from bot.domain.metrics.guardrails import reverted, review_hours
from bot.domain.metrics.included import PullFacts, PullKey, exclusion, pull_key, responsible
from bot.domain.metrics.measure import defined
from bot.domain.model import PullRequest
from bot.domain.privacy.bands import FEW
from bot.domain.split import Outside
from bot.domain.targets import EXPLORATION, NOWHERE, is_branch, is_pull


@dataclass(frozen=True, slots=True)
class Members:
    """Who counts in a unit's block: GitHub account (node id) to person key. `reverts` are known to take work back."""

    accounts: Mapping[str, str]
    reverts: frozenset[PullKey] = frozenset()

    @property
    def people(self) -> frozenset[str]:
        return frozenset(self.accounts.values())

    def author_of(self, pull: PullRequest) -> str | None:
        """The counted person whose work the pull request is: its author, or the owner of the agent that wrote it."""
        human = responsible(pull)
        return self.accounts.get(human.id) if human else None


def is_included(pull: PullRequest, members: Members) -> bool:
    """Whether a pull request counts among the unit's merged ones."""
    facts = PullFacts(
        merged=pull.merged_at is not None,
        is_bot=pull.author is not None and pull.author.is_bot and pull.owner is None,
        is_revert=pull_key(pull) in members.reverts,
        is_ignored=False,
        opted_in=members.author_of(pull) is not None,
    )
    return exclusion(facts) is None


def landing(
    pulls: Mapping[str, PullRequest], members: Members, cutoff: datetime, last_work: Mapping[str, date]
) -> Landing:
    """As what a share is recognised by the cut-off: see `bot.domain.ledger.close`. `last_work` is the last day of work
    on each branch without a pull request."""

    def land(_person: str, pull_id: str, day: date) -> Part | None:
        if pull_id in (NOWHERE, EXPLORATION):
            return Part.UNATTRIBUTED
        if is_branch(pull_id):
            return branch_landing(max(day, last_work.get(pull_id, day)), cutoff)
        if pull_id not in pulls:
            return no_pull_landing(day, cutoff)
        pull = pulls[pull_id]
        if pull.merged_at is not None and pull.merged_at < cutoff:
            return Part.DIRECT if is_included(pull, members) else Part.UNATTRIBUTED
        closed = pull.merged_at is None and pull.closed_at is not None and pull.closed_at < cutoff
        return Part.ABANDONED if closed else None

    return land


def recognised(bookings: Iterable[Booking]) -> dict[str, dict[Part, int]]:
    """What a closing recognised of each person, by part."""
    sums: dict[str, dict[Part, int]] = defaultdict(lambda: defaultdict(int))
    for booking in bookings:
        sums[booking.share.slice.person][booking.part] += booking.share.micro
    return {person: dict(parts) for person, parts in sums.items()}


def merged_pulls(
    pulls: Iterable[PullRequest], members: Members, bookings: Collection[Booking]
) -> tuple[MergedPull, ...]:
    """The block's included merged pull requests with what was recognised for each."""
    costs: dict[str, int] = defaultdict(int)
    for booking in bookings:
        if booking.part is Part.DIRECT:
            costs[booking.share.pull] += booking.share.micro
    included = ((pull, members.author_of(pull)) for pull in pulls if is_included(pull, members))
    return tuple(
        MergedPull(author, costs.get(pull.id, 0), touched=pull.id in costs) for pull, author in included if author
    )


def link_shares(occurred: Collection[Occurred], known: Known) -> tuple[Fraction | None, Fraction | None]:
    """The linked and the bound share of the block's occurred spend, each None where it is undefined.

    What telemetry tells is bound; where only a day's sum is known, spend on a day with a pull request is allocated.
    """
    spend = sum(one.list_micro for one in occurred)
    linked: dict[Grade, int] = defaultdict(int)
    for one in occurred:
        for share in known.split(one.slice, one.list_micro):
            if is_pull(share.pull):
                linked[share.grade] += share.micro
    links = Links(linked[Grade.MEASURED], linked[Grade.INFERRED], linked[Grade.ALLOCATED], spend)
    return defined(linked_share(links)), defined(bound_share(links))


def explained_share(
    occurred: Iterable[Occurred], service_micro: int, bill_micro: int, outside: Collection[Outside], others: int
) -> Fraction | None:
    """The share of the company's bill that a unit's people and services explain.

    None without a bill, where a bill does not name people, and while one to four people are outside: then the rest
    would be theirs. `others` are joined people of other units who spent, counted up to one more than a few. What only
    telemetry tells of is on no bill that anybody has read.
    """
    billed = [one.billed_micro for one in occurred if not is_measured_only(one.slice.account)]
    few = 0 < others <= FEW or Outside.FEW in outside
    many = others > FEW or Outside.MANY in outside
    if bill_micro <= 0 or None in billed or (few and not many):
        return None
    return Fraction(sum(amount or 0 for amount in billed) + service_micro, bill_micro)


def public_facts(merged: Collection[PullRequest], taken_back: Collection[PullRequest]) -> PublicFacts:
    """What GitHub shows anyway of the pull requests merged by everybody on the roster. `taken_back` are those that
    reverts among them name."""
    return PublicFacts(len(merged), reverted(merged, taken_back), review_hours(merged))
