"""Binding at closing: what telemetry says of where people's days went, and what became of branches since."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta

from sqlmodel import Session

from bot.domain.agents import AgentRequest, Happening, Via
from bot.domain.binding import Candidate, Edits, Grade, bind, places
from bot.domain.binding.pulls import Pulls
from bot.domain.ledger import Measured, Share, Slice, Splits
from bot.domain.measured import Accounts, by_slice
from bot.domain.model import fingerprint
from bot.domain.ports import Prices
from bot.domain.retention import RAW
from bot.domain.sessions import session_of
from bot.domain.targets import Target, is_branch, of_branch
from bot.store import agent_days, heads, telemetry
from bot.usecases.measure import Counted, counted

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Binding:
    """`measured` says where slices went, `last_work` the last day of work on each branch."""

    measured: Measured = field(default_factory=dict)
    last_work: Mapping[str, date] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Heads:
    """The pull requests that work may have gone into, and the sessions that commits name."""

    candidates: tuple[Candidate, ...] = ()
    sessions: Mapping[str, Collection[str]] = field(default_factory=dict)

    def trailers(self, requests: Iterable[AgentRequest]) -> dict[str, tuple[str, ...]]:
        """Commits by the sessions among these that they name; commits are stored with fingerprints of them only."""
        named = {fingerprint(one.session): one.session for one in requests}
        return {sha: tuple(named[one] for one in told if one in named) for sha, told in self.sessions.items()}


def read_heads(
    session: Session, people: Collection[str], days: Collection[date], open_work: Collection[Share]
) -> Heads:
    """What may have taken in these people's work; nothing is read where no telemetry has told of any."""
    told = agent_days.days(session, people, min(days), max(days)) if days and people else set()
    on_branches = {share.slice.day for share in open_work if is_branch(share.pull)}
    if not told and not on_branches:
        return Heads()
    start = datetime.combine(min(told | on_branches) - RAW, time(), UTC)
    return Heads(tuple(heads.candidates(session, start)), heads.sessions_by_commit(session, start))


def binding(
    session: Session, people: Collection[str], days: Collection[date], known: Heads, prices: Prices | None
) -> Binding:
    """Where these people's days went, as far as telemetry tells. Days without any are not in it."""
    if not days or not people or not agent_days.days(session, people, min(days), max(days)):
        return Binding()
    first, last = min(days), max(days)
    accounts = agent_days.accounts(session, people, first, last)
    measured: dict[Slice, tuple[Target, ...]] = {}
    for person in sorted(people):
        found = counted(session, person, first, last, prices)
        if found.requests:
            measured |= _of_person(session, person, found, known, accounts, first, last)
    return Binding(measured, _last_work(measured))


def _of_person(
    session: Session, person: str, found: Counted, known: Heads, accounts: Accounts, first: date, last: date
) -> dict[Slice, tuple[Target, ...]]:
    since = first - RAW  # a session may have begun before
    evidence = telemetry.places(session, person, since, last + DAY)
    bounds = bind(found.requests, evidence, known.candidates, known.trailers(found.requests))
    return by_slice(
        person,
        found.requests,
        bounds,
        places(found.requests, bounds, _edits(session, person, first, last)),
        found.amount,
        accounts,
    )


def _edits(session: Session, person: str, first: date, last: date) -> Edits:
    """The hook tells of every edit of its sessions; over OTLP nobody does, so that nothing was edited is not known."""
    told = telemetry.events(session, person, first - DAY, last + DAY, tuple(Happening))
    hooked = [event for via, event in told if via is Via.HOOK]
    edits = tuple(event for event in hooked if event.happening is Happening.EDIT)
    return Edits(edits, frozenset(session_of(event) for event in hooked))


def _last_work(measured: Measured) -> dict[str, date]:
    last: dict[str, date] = {}
    for piece, targets in measured.items():
        for target in targets:
            if is_branch(target.pull):
                last[target.pull] = max(piece.day, last.get(target.pull, piece.day))
    return last


class Branches:
    """What became of branches that had no pull request when work on them was entered."""

    def __init__(self, candidates: Collection[Candidate]) -> None:
        self._pulls = Pulls(candidates)
        self._threads = {of_branch(thread): thread for one in candidates if (thread := self._pulls.head(one))}

    def shares(self, found: Iterable[Share]) -> list[Share]:
        """Open work, with branches that have a pull request by now as that."""
        return [self._share(one) for one in found]

    def splits(self, settled: Splits) -> Splits:
        return {day: tuple(self._target(one, day[1]) for one in targets) for day, targets in settled.items()}

    def _share(self, share: Share) -> Share:
        pull = self._pull(share.pull, share.slice.day)
        return replace(share, pull=pull, grade=Grade.MEASURED) if pull else share

    def _target(self, target: Target, day: date) -> Target:
        pull = self._pull(target.pull, day)
        return replace(target, pull=pull, grade=Grade.MEASURED) if pull else target

    def _pull(self, name: str, day: date) -> str | None:
        thread = self._threads.get(name) if is_branch(name) else None
        found = self._pulls.on(thread, datetime.combine(day, time(12), UTC)) if thread else None
        return found.id if found else None
