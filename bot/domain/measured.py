"""What telemetry measured of a person's days: how it fits under what providers say of the same days.

A provider's figure of a day is the truth, and what was measured says where it went. Only of a day of which no provider
tells is the measured sum itself counted, in an account of its own; as soon as a provider's figure is there, that is
nothing any more (docs/method.md, "Measured and billed").
"""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date

from bot.domain.agents import AgentRequest
from bot.domain.binding import Bound, Place
from bot.domain.binding.bound import Grade
from bot.domain.ledger import Slice
from bot.domain.targets import EXPLORATION, NOWHERE, Target, of_branch

MEASURED_ONLY = "agent:"
"""The accounts of agents of which no provider tells are called this and the agent."""
SEATS = {"cursor": "cursor", "copilot": "copilot"}
"""Agents that are paid for where they come from, and nowhere else."""
VENDORS = (
    (re.compile("claude"), ("anthropic",)),
    (re.compile(r"^(gpt|chatgpt|codex|o\d)"), ("codex", "openai")),
)
"""Whose models are called how, and which accounts tell of them."""
GATEWAYS = ("litellm", "openrouter")

Accounts = Mapping[tuple[str, date], Collection[str]]
"""The accounts that tell of a person's day."""


def is_measured_only(account: str) -> bool:
    return account.startswith(MEASURED_ONLY)


def account_of(agent: str, model: str, accounts: Collection[str]) -> str:
    """The account whose figure of a day holds a request, of those that tell of that day; else one of its own."""
    if agent in SEATS:
        homes: tuple[str, ...] = (SEATS[agent],)
    else:
        name = model.rpartition("/")[2].lower()
        homes = (*next((own for called, own in VENDORS if called.search(name)), ()), *GATEWAYS)
    found = (one for home in homes for one in sorted(accounts) if one == home or one.startswith(f"{home}:"))
    return next(found, f"{MEASURED_ONLY}{agent}")


def by_slice(
    person: str,
    requests: Iterable[AgentRequest],
    bounds: Mapping[str, Bound],
    places: Mapping[str, Place],
    amount: Callable[[AgentRequest], int | None],
    accounts: Accounts,
) -> dict[Slice, tuple[Target, ...]]:
    """Where each slice of a person went, in micro-USD at list price. Requests without a price weigh nothing."""
    sums: dict[Slice, dict[tuple[str, Grade], int]] = defaultdict(lambda: defaultdict(int))
    for request in requests:
        day = request.at.date()
        account = account_of(request.agent, request.model, accounts.get((person, day), ()))
        where = _target(bounds[request.key], places[request.key])
        sums[Slice(person, day, account)][where] += amount(request) or 0
    return {
        piece: tuple(Target(pull, grade, micro) for (pull, grade), micro in sorted(found.items()))
        for piece, found in sums.items()
    }


def _target(bound: Bound, place: Place) -> tuple[str, Grade]:
    if place is Place.PULL and bound.pull is not None:
        return bound.pull, bound.grade
    if place is Place.BRANCH and bound.thread is not None:
        return of_branch(bound.thread), Grade.UNATTRIBUTED
    return (EXPLORATION if place is Place.EXPLORATION else NOWHERE), Grade.UNATTRIBUTED
