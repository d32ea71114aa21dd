"""Freezing the weeks that are due, and reading what is frozen.

A week is closed, gated, rendered and queued in one transaction, once. Nothing here looks at a week before its time.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlmodel import Session

from bot.domain.block import Block, Facts, Held, HeldReason, Published
from bot.domain.digest import Digest
from bot.domain.ports import Prices
from bot.domain.privacy.gate import Rule
from bot.domain.privacy.publish import publish
from bot.domain.team import Team
from bot.domain.weeks import Week, due_at, epoch_start
from bot.render import slack_message
from bot.store import blocks, cursors, outbox, units
from bot.store.cursors import SourceKind
from bot.store.db import reading, transaction
from bot.usecases.close import Closed, close, public_week, write

FIRST_BLOCK_WEEKS = 4
WEEKS_WITH_PUBLIC_FACTS = 8
CHART_BLOCKS = 8
PATIENCE = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Publishing:
    """What freezing needs besides a team: the gate's rule, the handles' secret, where the method is explained, the
    accounts that are set up, whether or not they were ever read, and prices for telemetry that brings none."""

    rule: Rule
    secret: bytes
    method_url: str
    accounts: frozenset[str] = frozenset()
    prices: Prices | None = None


@dataclass(frozen=True, slots=True)
class Frozen:
    """What `freeze_due` did: the blocks it froze, and the sources the next due week still waits for."""

    blocks: tuple[Block, ...]
    waits_for: tuple[str, ...]


def freeze_due(engine: Engine, team: Team, publishing: Publishing, now: datetime) -> Frozen:
    """Freeze every due week of a team that is not frozen yet, oldest first.

    Safe to call at any time, as often as you like, from anywhere. A week is never frozen before its due time. It waits
    for sources that were not read since it ended; after two days only for those that were never read, and what is
    missing counts as an outage. The week that had ended when a unit was set up shows public facts only, unposted.
    """
    frozen: list[Block] = []
    while True:
        with transaction(engine) as session:
            unit = units.ensure(session, team, now)
            last = blocks.last_frozen(session, team.name)
            week = last.next() if last else unit.first_week
            due = due_at(week, team.schedule, team.zone)
            lack = unread(session, team, publishing.accounts, week) if due <= now else Lack()
            if due > now or lack.never or (lack.since and now < due + PATIENCE):
                return Frozen(tuple(frozen), (*lack.never, *lack.since))
            unseen = any(name in team.repositories for name in lack.since)
            if due < unit.created_at:
                block: Block = _waiting(session, team, unit, week)
            else:
                block = _freeze(session, team, publishing, unit, week, now, unseen=unseen)
            blocks.freeze(session, block, now, unseen=unseen)
            if due >= unit.created_at:
                _queue(session, team, publishing, block, due)
        frozen.append(block)


@dataclass(frozen=True, slots=True)
class Lack:
    """The sources a week needs that were never read, and those that were not read since it ended."""

    never: tuple[str, ...] = ()
    since: tuple[str, ...] = ()


def unread(session: Session, team: Team, accounts: Collection[str], week: Week) -> Lack:
    """What a week lacks of the team's repositories, its roster, and the accounts that are set up and switched on."""
    end = week.window(team.zone).end
    read = {cursor.source: cursor.fetched_at for cursor in cursors.every(session, SourceKind.OUTCOME)}
    known = {one.source: one for one in cursors.every(session, SourceKind.SPEND)}
    working = {name: None for name in accounts} | {name: one.fetched_at for name, one in known.items()}
    off = {name for name, one in known.items() if one.disabled}
    needed = {name: read.get(name) for name in team.repositories} | {
        name: at for name, at in working.items() if name not in off
    }
    never = tuple(name for name, at in needed.items() if at is None)
    since = tuple(name for name, at in needed.items() if at is not None and at < end)
    return Lack(never if never or units.roster(session, team.name, epoch_start(week)) else ("its roster",), since)


def _freeze(
    session: Session,
    team: Team,
    publishing: Publishing,
    unit: units.UnitBooks,
    week: Week,
    now: datetime,
    *,
    unseen: bool,
) -> Block:
    """Close one week, or a new unit's first four, and write what comes out of the gate.

    With `unseen`, nobody knows what merged: it counts as an outage, and no public fact is told that may be wrong.
    """
    first = week if unit.opened else week.plus(1 - FIRST_BLOCK_WEEKS)
    opened, prices, accounts = unit.opened, publishing.prices, publishing.accounts
    closed = close(
        session, team, publishing.secret, first, week, now, opened=opened, prices=prices, accounts=accounts
    )  # fmt: skip
    if unseen:
        block: Block = Held(unit.name, week, week, HeldReason.HELD if unit.opened else HeldReason.WAITING, None)
    else:
        block = publish(closed.facts, publishing.rule) or _held(unit, week, closed)
    if unit.opened or isinstance(block, Published):
        write(session, team, closed, opening=unit.opened is None)
    elif not unseen:
        block = _waiting(session, team, unit, week)
    return block


def _held(unit: units.UnitBooks, week: Week, closed: Closed) -> Held:
    facts: Facts = closed.facts
    public = facts.public if _speaks(unit, week) else None
    return Held(unit.name, week, week, HeldReason.HELD, public)


def _waiting(session: Session, team: Team, unit: units.UnitBooks, week: Week) -> Held:
    public = public_week(session, team, week) if _speaks(unit, week) else None
    return Held(unit.name, week, week, HeldReason.WAITING, public)


def _speaks(unit: units.UnitBooks, week: Week) -> bool:
    """In its first eight weeks a unit gets public facts even without a block; later a silent week stays silent."""
    return week < unit.first_week.plus(WEEKS_WITH_PUBLIC_FACTS)


def _queue(session: Session, team: Team, publishing: Publishing, block: Block, due: datetime) -> None:
    """Queue the message, unless it would say nothing."""
    if isinstance(block, Held) and block.public is None:
        return
    message = slack_message(_digest(session, block, publishing.method_url))
    payload = json.dumps({"text": message.text, "blocks": message.blocks})
    outbox.put(session, f"digest/{team.name}/{block.last}", "digest", team.slack_channel, payload, due)


def read(engine: Engine, team: Team, week: Week | None, method_url: str) -> Digest | None:
    """The frozen digest of a week, or the newest one; None if there is none."""
    with reading(engine) as session:
        wanted = week or blocks.last_frozen(session, team.name)
        block = blocks.of_week(session, team.name, wanted) if wanted else None
        return _digest(session, block, method_url) if block else None


def unfrozen(team: Team, week: Week, method_url: str) -> Digest:
    """What is said of a week that is not frozen: the same words as of one that is held."""
    return Digest(Held(team.name, week, week, HeldReason.HELD, None), (), method_url)


def next_week(engine: Engine, team: Team, now: datetime) -> Week:
    """The week that is frozen next."""
    with transaction(engine) as session:
        last = blocks.last_frozen(session, team.name)
        return last.next() if last else units.ensure(session, team, now).first_week


def _digest(session: Session, block: Block, method_url: str) -> Digest:
    history = blocks.history(session, block.unit, block.last, CHART_BLOCKS)
    if isinstance(block, Published) and block not in history:
        history = (*history, block)[-CHART_BLOCKS:]
    return Digest(block, history, method_url)
