"""The invented company's pull requests, all of one autumn."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from random import Random
from zoneinfo import ZoneInfo

from bot.demo.company import DAY, FIRST_DAY, HEAVY_DAYS, HEAVY_WEEK, LAST_DAY, Group, Person, is_heavy

FIRST_NUMBER = 400
REVERT_DAY = date(2026, 11, 2)
REVERTED, REVIEWER = "dev", "ada"


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


def changes(groups: Iterable[Group]) -> list[Change]:
    """All of them, numbered by repository in the order in which they were opened, and last the one that reverts."""
    drafts = [draft for group in groups for person in group.people for draft in _work_of(person, group)]
    numbers: dict[str, int] = {}
    numbered = [_numbered(draft, numbers) for draft in sorted(drafts, key=lambda draft: draft.opened_at)]
    return [*numbered, _numbered(_revert(numbered), numbers)]


def _numbered(draft: Change, numbers: dict[str, int]) -> Change:
    number = numbers[draft.repository] = numbers.get(draft.repository, FIRST_NUMBER) + 1
    return replace(draft, number=number)


def _work_of(person: Person, group: Group) -> Iterator[Change]:
    """A person's diary; the heavy week holds one thing only."""
    diary = list(_diary(person, group))
    heavy = [draft for draft in diary if any(is_heavy(person, commit.date()) for commit in draft.commits)]
    yield from (draft for draft in diary if draft not in heavy)
    if is_heavy(person, HEAVY_WEEK):
        yield _migration(person, group)


def _diary(person: Person, group: Group) -> Iterator[Change]:
    """One piece of work after the other, often with a day or two of something else in between."""
    chance = person.draws("pull requests")
    day = FIRST_DAY + chance.randrange(5) * DAY
    while day < LAST_DAY:
        days = list(islice(_workdays(day), chance.choices((1, 2, 3, 5), (45, 30, 17, 8))[0]))
        yield _change(person, group, days, chance)
        pause = chance.choices((0, 1, 2), (50, 30, 20))[0]
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
    ended_at = _at_work(reviews[-1].at + timedelta(hours=chance.lognormvariate(0.8, 1)), group.zone)
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
        ended_at=ended_at,
        merged=chance.random() > 0.12,
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
    """What the heavy week was about; it merges on the day after."""
    days = [HEAVY_WEEK + number * DAY for number in range(HEAVY_DAYS)]
    change = _change(person, group, days, person.draws("migration"))
    ended_at = group.at(days[-1] + DAY, time(15))
    return replace(
        change, reviews=(Verdict("mia", "APPROVED", ended_at - timedelta(hours=2)),), ended_at=ended_at, merged=True
    )


def _revert(numbered: Iterable[Change]) -> Change:
    """On a Monday morning, the last work of somebody is taken back."""
    merged = (one for one in numbered if one.author == REVERTED and one.merged and one.ended_at.date() < REVERT_DAY)
    last = max(merged, key=lambda one: one.ended_at)
    at = datetime.combine(REVERT_DAY, time(9, 40), UTC)
    return replace(
        last,
        title=f'Revert "{last.title}"',
        body=f"Reverts {last.repository}#{last.number}",
        commits=(at,),
        opened_at=at,
        ready_at=at,
        reviews=(Verdict(REVIEWER, "APPROVED", at + timedelta(minutes=12)),),
        ended_at=at + timedelta(minutes=15),
    )
