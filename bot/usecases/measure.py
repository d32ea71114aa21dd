"""Summing up what agents told of a person's day: each request once, and in the books where no provider tells of it."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Engine
from sqlmodel import Session

from bot.domain.agents import AgentEvent, AgentRequest, Happening
from bot.domain.measured import account_of, is_measured_only
from bot.domain.model import Request, Tokens
from bot.domain.ports import Prices
from bot.domain.series import daily
from bot.domain.sessions import chosen, session_of, turns
from bot.domain.split import PersonSpend
from bot.store import agent_days, spend, telemetry
from bot.store.db import reading, transaction

MOST = 100  # person-days that are looked up at once
ENOUGH = 2_000
"""Person-days a call: what arrives faster than it is summed up must not keep a digest waiting."""
NEIGHBOURS = timedelta(days=1)  # the two tellings of a request may lie on both sides of midnight
KEPT = timedelta(days=40)  # longer than telemetry is kept


@dataclass(frozen=True, slots=True)
class Counted:
    """A person's requests of some days that count, and what each costs at list price."""

    requests: tuple[AgentRequest, ...]
    prices: dict[tuple[str, str], int | None]

    def amount(self, request: AgentRequest) -> int | None:
        """Micro-USD; None for a request without a price."""
        own = request.cost_micro
        return self.prices.get((request.agent, request.key)) if own is None else own


def measure(engine: Engine, prices: Prices, going: Callable[[], bool] = lambda: True) -> int:
    """Sum up the person-days that wait; returns how many there were. Any number of processes may."""
    done = 0
    while done < ENOUGH:
        with reading(engine) as session:
            waiting = agent_days.pending(session, MOST)
        for person, day in waiting:
            if not going():
                return done
            with transaction(engine) as session:
                _sum_up(session, person, day, prices)
            done += 1
        if not waiting:
            break
    return done


def counted(session: Session, person: str, first: date, last: date, prices: Prices | None) -> Counted:
    """The person's requests of these UTC days, each once, whichever ways it came."""
    stored = telemetry.requests(session, person, first - NEIGHBOURS, last + NEIGHBOURS)
    known = {(one.arrival.request.agent, one.arrival.request.key): one.list_micro for one in _fullest(stored)}
    once = chosen(one.arrival for one in stored)
    metered = daily(telemetry.readings(session, person, first - KEPT, last), {session_of(one) for one in once}, first)
    for one in metered:
        asked = Request(one.model, None, one.at, one.tokens)
        known[one.agent, one.key] = prices.price(asked) if prices else None
    kept = tuple(one for one in (*once, *metered) if first <= one.at.date() <= last)
    return Counted(kept, known)


def _fullest(stored: Iterable[telemetry.Stored]) -> list[telemetry.Stored]:
    return sorted(stored, key=lambda one: one.arrival.request.tokens.total)


def _sum_up(session: Session, person: str, day: date, prices: Prices) -> None:
    found = counted(session, person, day, day, prices)
    prompts = telemetry.events(session, person, day, day, (Happening.PROMPT, Happening.HEADLESS))
    agent_days.write(session, person, day, _days(found, [event for _, event in prompts]))
    accounts = agent_days.accounts(session, [person], day, day).get((person, day), [])
    spend.replace_measured(session, person, day, _measured_only(person, found, accounts))


def _days(found: Counted, events: Iterable[AgentEvent]) -> list[agent_days.Day]:
    given = list(events)
    headless = {session_of(one) for one in given if one.happening is Happening.HEADLESS}
    sums = []
    for agent in sorted({one.agent for one in found.requests} | {one.agent for one in given}):
        own = [one for one in found.requests if one.agent == agent]
        prompts = [one for one in given if one.agent == agent and one.happening is Happening.PROMPT]
        amounts = [found.amount(one) for one in own]
        took = turns(own, prompts, headless)
        priced = [micro for micro in amounts if micro is not None]
        sums.append(agent_days.Day(agent, sum(priced), len(own), len(own) - len(priced), took.human, took.auto))
    return sums


def _measured_only(person: str, found: Counted, accounts: list[str]) -> dict[str, list[PersonSpend]]:
    """What no provider tells of that day, by the account it goes under, a model at a time."""
    parts: dict[tuple[str, str], list[AgentRequest]] = defaultdict(list)
    for one in found.requests:
        account = account_of(one.agent, one.model, accounts)
        if is_measured_only(account):
            parts[account, one.model].append(one)
    spent: dict[str, list[PersonSpend]] = defaultdict(list)
    for (account, model), own in parts.items():
        spent[account].append(_spent(person, model, own, found))
    return dict(spent)


def _spent(person: str, model: str, own: list[AgentRequest], found: Counted) -> PersonSpend:
    amounts = [found.amount(one) for one in own]
    priced = [micro for micro in amounts if micro is not None]
    tokens = sum((one.tokens for one in own), Tokens())
    without = sum(one.tokens.total for one, micro in zip(own, amounts, strict=True) if micro is None)
    return PersonSpend(person, model, tokens, len(own), sum(priced) if priced else None, None, without)
