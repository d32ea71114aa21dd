"""How much the invented company's people and machines ask AI models, all of one autumn."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from random import Random

from bot.demo.company import CI, DAY, FIRST_DAY, LAST_DAY, NIGHTLY, Group, Person, is_heavy

RHYTHM = (0.9, 1.1, 1.15, 1.0, 0.8, 0.3, 0.25)  # from Monday to Sunday
OPUS, SONNET = "claude-opus-5-5", "claude-sonnet-5"
HEAVY_TIMES = 40


@dataclass(frozen=True, slots=True)
class Usage:
    """How often somebody asked a model on a UTC day, once all of it is counted. `actor` is a login or a machine."""

    actor: str
    day: date
    model: str
    requests: int


def usage(groups: Iterable[Group]) -> list[Usage]:
    """All of it, by day."""
    people = [one for group in groups for person in group.people for one in _of_person(person)]
    machines = [*_of_machine(CI, 260), *_of_machine(NIGHTLY, 90)]
    return sorted([*people, *machines], key=lambda one: (one.day, one.actor, one.model))


def _days() -> Iterator[date]:
    return (FIRST_DAY + number * DAY for number in range((LAST_DAY - FIRST_DAY).days + 1))


def _of_person(person: Person) -> Iterator[Usage]:
    """Most use some and a few use much, hardly anybody at weekends; each has a favourite model."""
    chance = person.draws("usage")
    usual, opus = 320 * chance.lognormvariate(0, 0.5), chance.uniform(0.1, 0.8)
    for day in _days():
        active = chance.random() < (0.9 if day.weekday() < 5 else 0.07)
        requests = usual * RHYTHM[day.weekday()] * chance.lognormvariate(0, 0.45)
        if is_heavy(person, day):
            active, requests = True, usual * HEAVY_TIMES
        if active:
            yield from _by_model(person.login, day, requests, opus)


def _of_machine(name: str, usual: int) -> Iterator[Usage]:
    chance = Random(name)
    for day in _days():
        yield from _by_model(name, day, usual * RHYTHM[day.weekday()] * chance.lognormvariate(0, 0.2), 0)


def _by_model(actor: str, day: date, requests: float, opus: float) -> Iterator[Usage]:
    for model, share in ((OPUS, opus), (SONNET, 1 - opus)):
        count = round(requests * share)
        if count:
            yield Usage(actor, day, model, count)
