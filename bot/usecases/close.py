"""Closing a unit's block: read its books, let the ledger decide, and write them back once the block is sure.

All queries are about the unit's own people and the block's own days, so that a closing costs what the block holds and
not what history holds.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from fractions import Fraction

from sqlmodel import Session

from bot.domain.block import Facts, PublicFacts
from bot.domain.handles import HandleKind, keyed_hash
from bot.domain.ledger import Closing, Known, Occurred, PersonDay, Share, Slice
from bot.domain.ledger import close as close_books
from bot.domain.metrics.included import reverting
from bot.domain.model import GitHubUser, PullRequest
from bot.domain.ports import Prices
from bot.domain.privacy.bands import FEW
from bot.domain.retention import RAW
from bot.domain.summary import (
    Members,
    explained_share,
    landing,
    link_shares,
    merged_pulls,
    public_facts,
    recognised,
)
from bot.domain.team import Team
from bot.domain.weeks import Week, epoch_start
from bot.store import blocks, books, cursors, people, pulls, spend, units
from bot.store.cursors import SourceKind
from bot.store.people import Joined
from bot.usecases.bind import Branches, binding, read_heads

CONTRIBUTOR_WINDOW = timedelta(weeks=8)
OUTAGE = Fraction(1, 5)

Touched = dict[PersonDay, tuple[str, ...]]
"""The pull requests of a person-day, lowest number first."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The weeks a block is about. `merged_from` is when the last week ended whose merges anybody has seen: what was
    merged since then counts in this block. `service_days` reach back to days that a provider may have corrected."""

    first: Week
    last: Week
    days: tuple[date, ...]
    start: datetime
    end: datetime
    merged_from: datetime
    service_days: tuple[date, date]


@dataclass(frozen=True, slots=True)
class Closed:
    """A block's closing before it is written. `entered` are the slices whose changes it takes in."""

    facts: Facts
    members: Members
    entered: Collection[Slice]
    closing: Closing
    scope: Scope


def close(
    session: Session,
    team: Team,
    secret: bytes,
    first: Week,
    last: Week,
    now: datetime,
    *,
    opened: Week | None,
    prices: Prices | None = None,
    accounts: Collection[str] = (),
) -> Closed:
    """Close the block of the weeks `first` to `last`; nothing is written. `accounts` are those that are set up.

    A first block leaves out weeks in which one of its people was counted in another unit: it may start later, or have
    nobody.
    """
    roster = units.roster(session, team.name, epoch_start(last))
    hashes = {keyed_hash(secret, HandleKind.GITHUB, user.id): user.id for user in roster}
    joined = _joined(session, hashes)
    if opened is None:
        first = _first_alone(session, team, joined, first)
    if first > last:
        first, joined = last, {}
    scope = _scope(session, team, first, last, opened)
    members, counted_from = _members(session, team, joined, scope, opened)
    changes = books.pending(session, counted_from, scope.days[-1])
    open_work = books.open_work(session, members.people)
    pieces = {*changes, *(share.slice for share in open_work)}
    days = {*scope.days, *(piece.day for piece in pieces)}
    told = {day for day in days if day >= now.date() - RAW}
    heads = read_heads(session, members.people, told, open_work)
    bound, branches = binding(session, members.people, told, heads, prices), Branches(heads.candidates)
    settled = branches.splits(books.settled(session, {(piece.person, piece.day) for piece in pieces}))
    known, open_work = Known(settled, _touched(session, members, days), bound.measured), branches.shares(open_work)
    closing = _close_books(session, members, changes, open_work, known, scope.end, bound.last_work)
    missing = _missing_days(session, scope.days, now, accounts)
    facts = _facts(session, team, roster, members, closing, known, scope, missing)
    return Closed(facts, members, list(changes), closing, scope)


def write(session: Session, team: Team, closed: Closed, *, opening: bool) -> None:
    """Write a closing; with `opening`, the unit's first block starts here."""
    facts = closed.facts
    books.write(session, team.name, facts.last.monday, closed.members.people, closed.entered, closed.closing)
    if facts.service_micro:
        books.enter_services(session, team.service_accounts, *closed.scope.service_days)
    if opening:
        units.opened(session, team.name, facts.first)
        people.count_from(session, closed.members.people, facts.first.monday)


def public_week(session: Session, team: Team, week: Week) -> PublicFacts:
    """The public facts of one week, for a unit that shows no numbers yet."""
    accounts = [user.id for user in units.roster(session, team.name, epoch_start(week))]
    window = week.window(team.zone)
    merged = pulls.merged_by(session, accounts, window.start, window.end)
    return public_facts(merged, pulls.taken_back(session, merged))


def _weeks(first: Week, last: Week) -> list[Week]:
    weeks = [first]
    while weeks[-1] < last:
        weeks.append(weeks[-1].next())
    return weeks


def _scope(session: Session, team: Team, first: Week, last: Week, opened: Week | None) -> Scope:
    days = tuple(day for week in _weeks(first, last) for day in week.days(team.zone))
    start, end = first.window(team.zone).start, last.window(team.zone).end
    seen = blocks.last_seen(session, team.name) if opened else None
    merged_from = min(start, seen.window(team.zone).end) if seen else start
    reach = max(opened.days(team.zone)[0], days[-1] - RAW) if opened else days[0]
    return Scope(first, last, days, start, end, merged_from, (min(days[0], reach), days[-1]))


def _joined(session: Session, hashes: Mapping[str, str]) -> dict[str, Joined]:
    """Who of these accounts (node id by hash) has joined, by node id."""
    known = people.owners(session, hashes)
    accounts = {hashes[hash_]: owner.person for hash_, owner in known.items() if owner.person}
    joined = people.joined(session, accounts.values())
    return {account: joined[person] for account, person in accounts.items()}


def _first_alone(session: Session, team: Team, joined: Mapping[str, Joined], first: Week) -> Week:
    """The first week from which on none of these people is in another unit's books."""
    elsewhere = books.last_week_elsewhere(session, [one.person for one in joined.values()], team.name)
    return max(first, Week(elsewhere).next()) if elsewhere else first


def _members(
    session: Session, team: Team, joined: Mapping[str, Joined], scope: Scope, opened: Week | None
) -> tuple[Members, dict[str, date]]:
    """Who counts: joined, switched `team` on in time, and a verified contributor; and the first day of each.

    A first block also covers the weeks before somebody joined, if their spend of them was collected since.
    """
    verified = pulls.active(session, joined, scope.end - CONTRIBUTOR_WINDOW, scope.end)
    collected = None if opened else spend.collected_since(session, scope.days[0], scope.days[-1])
    from_monday = scope.first.monday if opened else scope.last.next().monday
    counted = {
        account: one
        for account, one in joined.items()
        if account in verified
        and one.team_from is not None
        and one.team_from <= from_monday
        and (opened or (collected is not None and one.joined_at <= collected))
    }
    counted_from = {
        one.person: (Week(one.team_from) if opened and one.team_from else scope.first).days(team.zone)[0]
        for one in counted.values()
    }
    return Members({account: one.person for account, one in counted.items()}), counted_from


def _touched(session: Session, members: Members, days: Collection[date]) -> Touched:
    """Which pull requests the counted people touched on these days, lowest number first."""
    found: Touched = {}
    for touch in pulls.touched(session, members.accounts, days):
        key = (members.accounts[touch.author_id], touch.day)
        found[key] = (*found.get(key, ()), touch.pull)
    return found


def _close_books(
    session: Session,
    members: Members,
    changes: Mapping[Slice, int],
    open_work: Collection[Share],
    known: Known,
    cutoff: datetime,
    last_work: Mapping[str, date],
) -> Closing:
    targets = (one.pull for split in (*known.settled.values(), *known.measured.values()) for one in split)
    ids = {*targets, *(pull for pulls_ in known.touched.values() for pull in pulls_), *(one.pull for one in open_work)}
    found = pulls.by_id(session, ids)
    reverts = reverting([*found.values(), *pulls.taken_back(session, found.values())])
    return close_books(changes, open_work, known, landing(found, replace(members, reverts=reverts), cutoff, last_work))


def _facts(
    session: Session,
    team: Team,
    roster: Collection[GitHubUser],
    members: Members,
    closing: Closing,
    known: Known,
    scope: Scope,
    missing: int,
) -> Facts:
    days = scope.days
    merged = pulls.merged_by(session, [user.id for user in roster], scope.merged_from, scope.end)
    taken_back = pulls.taken_back(session, merged)
    counted = replace(members, reverts=reverting([*merged, *taken_back]))
    occurred = books.occurred(session, members.people, days[0], days[-1])
    linked, bound = link_shares(occurred, known)
    sums = recognised(closing.bookings)
    return Facts(
        unit=team.name,
        first=scope.first,
        last=scope.last,
        people={person: sums.get(person, {}) for person in members.people},
        disclosed={},
        pulls=merged_pulls(merged, counted, closing.bookings),
        roster=len(roster),
        service_micro=max(0, books.service_changes(session, team.service_accounts, *scope.service_days)),
        linked=linked,
        bound=bound,
        explained=_explained(session, team, members, occurred, days),
        missing_days=missing,
        outage=Fraction(missing, len(days)) > OUTAGE,
        public=public_facts([pull for pull in merged if _is_within(pull, scope)], taken_back),
    )


def _is_within(pull: PullRequest, scope: Scope) -> bool:
    return pull.merged_at is not None and pull.merged_at >= scope.start


def _explained(
    session: Session,
    team: Team,
    members: Members,
    occurred: Collection[Occurred],
    days: tuple[date, ...],
) -> Fraction | None:
    bill = spend.bill(session, days[0], days[-1])
    others = spend.others(session, members.people, days[0], days[-1], FEW + 1)
    services = books.service_billed(session, team.service_accounts, days[0], days[-1])
    return explained_share(occurred, services, bill.billed_micro, bill.outside, others)


def _missing_days(session: Session, days: tuple[date, ...], now: datetime, accounts: Collection[str]) -> int:
    """On how many of these days some source should have answered by now and has not.

    One that is switched off, or not set up any more, will not answer. If no other is left, all count: numbers without
    any source would be wrong.
    """
    known = cursors.every(session, SourceKind.SPEND)
    working = [one for one in known if not one.disabled and (one.source in accounts or not accounts)]
    missing: set[date] = set()
    for cursor in working or known:
        late = {day for day in days if day + timedelta(days=1 + cursor.lag_days) <= now.date()}
        missing |= late - spend.collected_days(session, cursor.source, days[0], days[-1])
    return len(missing)
