"""What the invented company does all autumn: its pull requests, and the AI usage of its people and machines."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from random import Random
from zoneinfo import ZoneInfo

from bot.demo.company import CI, FIRST_DAY, HEAVY, HEAVY_WEEK, LAST_DAY, NIGHTLY, Group, Person

DAY = timedelta(days=1)
RHYTHM = (0.9, 1.1, 1.15, 1.0, 0.8, 0.3, 0.25)  # from Monday to Sunday
OPUS, SONNET = "claude-opus-5-5", "claude-sonnet-5"
HEAVY_TIMES = 40
REVERTED_AFTER = date(2026, 10, 26)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A review: who, what they said, and when."""

    login: str
    state: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """A pull request from its first commit to its end. It is a draft until `ready_at`; `merged` says how it ends."""

    repository: str
    number: int
    author: str
    title: str
    body: str
    lines: int
    commits: tuple[datetime, ...]
    opened_at: datetime
    ready_at: datetime
    reviews: tuple[Verdict, ...]
    ended_at: datetime
    merged: bool


@dataclass(frozen=True, slots=True)
class Usage:
    """How often somebody asked a model on a UTC day, once all of it is counted. `actor` is a login or a machine."""

    actor: str
    day: date
    model: str
    requests: int


# Pull requests


def changes(groups: Iterable[Group]) -> list[Change]:
    """All pull requests of the company, oldest first, numbered by repository in the order in which they were opened."""
    drafts = [change for group in groups for change in _changes_of(group)]
    counts: dict[str, int] = {}
    numbered: list[Change] = []
    for draft in sorted(drafts, key=lambda draft: draft.opened_at):
        counts[draft.repository] = counts.get(draft.repository, 400) + 1
        numbered.append(replace(draft, number=counts[draft.repository]))
    return [*numbered, _revert(numbered, counts)]


def _changes_of(group: Group) -> Iterator[Change]:
    for person in group.people:
        for change in _diary(person, group):
            if not (
                person.login == HEAVY
                and any(HEAVY_WEEK <= commit.date() < HEAVY_WEEK + 7 * DAY for commit in change.commits)
            ):
                yield change
        if person.login == HEAVY:
            yield _migration(person, group)


def _diary(person: Person, group: Group) -> Iterator[Change]:
    """One piece of work after the other, now and then with some days of something else in between."""
    chance = person.draws("pull requests")
    day = FIRST_DAY + chance.randrange(5) * DAY
    while day < LAST_DAY:
        days = list(islice(_workdays(day), chance.choices((1, 2, 3, 5), (45, 30, 17, 8))[0]))
        yield _change(person, group, days, chance)
        pause = chance.choices((0, 1, 2), (70, 20, 10))[0]
        day = list(islice(_workdays(days[-1] + DAY), pause + 1))[-1]


def _workdays(day: date) -> Iterator[date]:
    while True:
        if day.weekday() < 5:
            yield day
        day += DAY


def _change(person: Person, group: Group, days: list[date], chance: Random) -> Change:
    """Long work is opened as a draft on its first day, short work when it is done."""
    commits = tuple(group.at(day, time(chance.randrange(10, 18), chance.randrange(60))) for day in days)
    done = commits[-1] + timedelta(minutes=chance.randrange(5, 40))
    reviews = tuple(_reviews(person, group, done, chance))
    ended = _at_work(reviews[-1].at + timedelta(hours=chance.lognormvariate(0.8, 1)), group.zone)
    return Change(
        repository=chance.choice(group.repositories),
        number=0,
        author=person.login,
        title="A piece of work",
        body="",
        lines=round(chance.lognormvariate(3.2 + len(days) / 3, 0.9)),
        commits=commits,
        opened_at=commits[0] + timedelta(minutes=5) if len(days) > 2 else done,
        ready_at=done,
        reviews=reviews,
        ended_at=ended,
        merged=chance.random() > 0.08,
    )


def _reviews(person: Person, group: Group, ready_at: datetime, chance: Random) -> Iterator[Verdict]:
    """Sometimes one that asks for changes, then the one that approves."""
    reviewer = chance.choice([one.login for one in group.people if one is not person])
    at = _at_work(ready_at + timedelta(hours=chance.lognormvariate(1, 1)), group.zone)
    if chance.random() < 0.25:
        yield Verdict(reviewer, "CHANGES_REQUESTED", at)
        at = _at_work(at + timedelta(hours=chance.lognormvariate(1, 0.7)), group.zone)
    yield Verdict(reviewer, "APPROVED", at)


def _at_work(moment: datetime, zone: ZoneInfo) -> datetime:
    """The moment, or if nobody works then, the same minute of the next hour in which people do."""
    local = moment.astimezone(zone).replace(second=0, microsecond=0)
    if local.weekday() < 5 and 9 <= local.hour < 18:
        return local.astimezone(UTC)
    day = next(_workdays(local.date() + DAY if local.hour >= 18 else local.date()))
    return datetime.combine(day, time(9, local.minute), zone).astimezone(UTC)


def _migration(person: Person, group: Group) -> Change:
    """The week in which one person's work outweighs that of all colleagues together."""
    days = [HEAVY_WEEK + number * DAY for number in range(4)]
    change = _change(person, group, days, person.draws("migration"))
    ended_at = group.at(HEAVY_WEEK + 4 * DAY, time(15))
    return replace(change, reviews=change.reviews[-1:], ended_at=ended_at, merged=True)


def _revert(numbered: list[Change], counts: dict[str, int]) -> Change:
    """The last payments work that merged before a Monday is taken back on it."""
    taken_back = max(
        (one for one in numbered if one.merged and one.author == "dev" and one.ended_at.date() < REVERTED_AFTER),
        key=lambda one: one.ended_at,
    )
    at = datetime.combine(REVERTED_AFTER, time(9, 40), UTC)
    return replace(
        taken_back,
        number=counts[taken_back.repository] + 1,
        title=f'Revert "{taken_back.title}"',
        body=f"Reverts {taken_back.repository}#{taken_back.number}",
        commits=(at,),
        opened_at=at,
        ready_at=at,
        reviews=(Verdict("ada", "APPROVED", at + timedelta(minutes=12)),),
        ended_at=at + timedelta(minutes=15),
    )


# AI usage


def usage(groups: Iterable[Group]) -> list[Usage]:
    """All usage of the company, by day."""
    people = [one for group in groups for person in group.people for one in _usage_of(person)]
    machines = [*_machine(CI, 260), *_machine(NIGHTLY, 90)]
    return sorted([*people, *machines], key=lambda one: (one.day, one.actor, one.model))


def _days() -> Iterator[date]:
    return (FIRST_DAY + number * DAY for number in range((LAST_DAY - FIRST_DAY).days + 1))


def _usage_of(person: Person) -> Iterator[Usage]:
    """A few use much and most use some; each has a favourite model."""
    chance = person.draws("usage")
    usual, opus = 320 * chance.lognormvariate(0, 0.5), chance.uniform(0.1, 0.8)
    for day in _days():
        active = chance.random() < (0.9 if day.weekday() < 5 else 0.07)
        requests = usual * RHYTHM[day.weekday()] * chance.lognormvariate(0, 0.45)
        if person.login == HEAVY and HEAVY_WEEK <= day < HEAVY_WEEK + 4 * DAY:
            active, requests = True, usual * HEAVY_TIMES
        if active:
            yield from _split(person.login, day, requests, opus)


def _machine(name: str, usual: int) -> Iterator[Usage]:
    chance = Random(name)
    for day in _days():
        yield from _split(name, day, usual * RHYTHM[day.weekday()] * chance.lognormvariate(0, 0.2), 0)


def _split(actor: str, day: date, requests: float, opus: float) -> Iterator[Usage]:
    for model, share in ((OPUS, opus), (SONNET, 1 - opus)):
        count = round(requests * share)
        if count:
            yield Usage(actor, day, model, count)
