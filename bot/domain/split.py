"""Splitting a fetched account-day, in memory, before anything of it is written.

    billed = people (with `collect` consent) + service spend (listed by a team) + remainder

Whoever has not joined is only inside the remainder, which is one number a day without model, key or name.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from bot.domain.model import AccountDay, Activity, Actor, ActorKind, SpendRow, Tokens
from bot.domain.privacy.bands import FEW


class Outside(StrEnum):
    """How many people of an account-day have not joined, as far as a surface must know: it is silent about a few."""

    NONE = "none"
    FEW = "few"
    MANY = "many"


@dataclass(frozen=True, slots=True)
class PersonSpend:
    """A person's spend on one model on one account-day. `list_micro` is None where nothing of it has a price,
    `billed_micro` where the bill does not name people; `unpriced` are the tokens without a price."""

    person: str
    model: str
    tokens: Tokens
    requests: int
    list_micro: int | None
    billed_micro: int | None
    unpriced: int = 0


@dataclass(frozen=True, slots=True)
class ServiceSpend:
    """What a listed service account or shared key spent on an account-day."""

    service_account: str
    tokens: Tokens
    requests: int
    list_micro: int | None
    billed_micro: int | None
    unpriced: int = 0


@dataclass(frozen=True, slots=True)
class PersonSession:
    """A person's spend in one conversation of an agent: a finer view of `PersonSpend`, in no sum beside it."""

    person: str
    session: str
    pull: str
    tokens: int
    requests: int
    list_micro: int | None


@dataclass(frozen=True, slots=True)
class PersonActivity:
    """What a person did on an account-day, apart from money."""

    person: str
    threads: int | None
    turns: int | None
    credits_milli: int | None


@dataclass(frozen=True, slots=True)
class PersonCommit:
    """A commit that a person's conversation went into."""

    person: str
    sha: str
    session: str


@dataclass(frozen=True, slots=True)
class Split:
    """An account-day as it may be stored. `refused` names listed service accounts that turned out to be people's."""

    account: str
    day: date
    billed_micro: int
    list_micro: int | None
    people: tuple[PersonSpend, ...]
    services: tuple[ServiceSpend, ...]
    remainder_micro: int
    outside: Outside
    refused: tuple[str, ...]
    sessions: tuple[PersonSession, ...] = ()
    activity: tuple[PersonActivity, ...] = ()
    commits: tuple[PersonCommit, ...] = ()


PersonOf = Callable[[Actor, date], str | None]


def split(day: AccountDay, person_of: PersonOf, listed: Set[str]) -> Split:
    """Split an account-day. `person_of` answers with a person key for consenting people only."""
    people: dict[tuple[str, str], list[SpendRow]] = defaultdict(list)
    services: dict[str, list[SpendRow]] = defaultdict(list)
    outsiders: set[Actor] = set()
    for row in day.rows:
        person = person_of(row.actor, day.day)
        if person is not None:
            people[person, row.model or ""].append(row)
        elif (service := _service(row.actor, listed)) is not None:
            services[service].append(row)
        else:
            outsiders.add(row.actor)
    spent = tuple(PersonSpend(person, model, *_sum(rows)) for (person, model), rows in sorted(people.items()))
    served = tuple(ServiceSpend(service, *_sum(rows)) for service, rows in sorted(services.items()))
    explained = sum(one.billed_micro or 0 for one in spent) + sum(one.billed_micro or 0 for one in served)
    return Split(
        day.account,
        day.day,
        day.billed_micro or 0,
        day.list_micro,
        spent,
        served,
        (day.billed_micro or 0) - explained,
        _band(_people(outsiders)),
        tuple(sorted(_refused(day.rows, listed))),
        tuple(_sessions(people)),
        tuple(_activity(day, person_of)),
        tuple(_commits(day, person_of)),
    )


def _sessions(people: Mapping[tuple[str, str], Iterable[SpendRow]]) -> Iterator[PersonSession]:
    rows: dict[tuple[str, str, str], list[SpendRow]] = defaultdict(list)
    for (person, _), spent in people.items():
        for row in spent:
            if row.session:
                rows[person, row.session, row.pull or ""].append(row)
    for (person, session, pull), of_session in sorted(rows.items()):
        tokens, requests, listed, _, _ = _sum(of_session)
        yield PersonSession(person, session, pull, tokens.total, requests, listed)


def _activity(day: AccountDay, person_of: PersonOf) -> Iterator[PersonActivity]:
    """A person may be several actors of a report: their counts add up."""
    found: dict[str, list[Activity]] = defaultdict(list)
    for one in day.activity:
        if person := person_of(one.actor, day.day):
            found[person].append(one)
    for person, ones in sorted(found.items()):
        yield PersonActivity(person, *(_known(getattr(one, name) for one in ones) for name in COUNTED))


COUNTED = ("threads", "turns", "credits_milli")


def _known(counts: Iterable[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _commits(day: AccountDay, person_of: PersonOf) -> Iterator[PersonCommit]:
    for commit in day.commits:
        if person := person_of(commit.actor, day.day):
            yield from (PersonCommit(person, commit.sha, session) for session in commit.sessions)


def _service(actor: Actor, listed: Set[str]) -> str | None:
    """The listed name of a service account or shared key; a person's key is never service spend."""
    return actor.id if _is_machine(actor) and actor.id in listed else None


def _refused(rows: Iterable[SpendRow], listed: Set[str]) -> set[str]:
    """Listed names that are people's. They are told whoever has joined: that must not show here."""
    return {row.actor.id for row in rows if row.actor.id and row.actor.id in listed and not _is_machine(row.actor)}


def _is_machine(actor: Actor) -> bool:
    return actor.kind in (ActorKind.SERVICE_ACCOUNT, ActorKind.KEY) and not actor.owned_by_user


def _people(actors: Set[Actor]) -> int:
    """How many people these are at the least: one may be named by id here and by e-mail there, and own many keys."""
    users = [actor for actor in actors if actor.kind is ActorKind.USER]
    emails, ids = {actor.email for actor in users} - {None}, {actor.id for actor in users} - {None}
    return max(len(emails), len(ids), int(any(actor.owned_by_user for actor in actors)), int(bool(users)))


def _band(people: int) -> Outside:
    if people == 0:
        return Outside.NONE
    return Outside.FEW if people <= FEW else Outside.MANY


def _sum(rows: list[SpendRow]) -> tuple[Tokens, int, int | None, int | None, int]:
    """Tokens, requests, list and billed amount of several rows, and tokens without a price. The bill is unknown if one
    row's is; the list amount is what is known of it."""
    tokens = rows[0].tokens
    for row in rows[1:]:
        tokens = tokens + row.tokens
    billed = [row.billed_micro for row in rows]
    known = None if any(amount is None for amount in billed) else sum(amount or 0 for amount in billed)
    at_list = _known(row.list_micro for row in rows)
    unpriced = sum(row.tokens.total for row in rows if row.list_micro is None)
    return tokens, sum(row.requests or 0 for row in rows), at_list, known, unpriced
