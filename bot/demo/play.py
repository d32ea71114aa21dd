"""The demo's play: eight Mondays of an invented company, through the code that real data goes through."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from sqlite3 import Connection
from typing import TextIO

from sqlalchemy import Engine, event

from bot.app import METHOD_URL, window
from bot.demo import faces, words
from bot.demo.anthropic import Reports
from bot.demo.changes import Change, changes
from bot.demo.company import DIGEST_AT, MONDAYS, Group, Person, groups
from bot.demo.github import DemoApp, node_id
from bot.demo.usage import Usage, usage
from bot.domain.digest import Digest
from bot.domain.ports import Access
from bot.domain.privacy.gate import Rule
from bot.domain.team import Team
from bot.domain.weeks import Schedule, Week
from bot.store.db import connect
from bot.store.migrate import migrate
from bot.usecases import digest as digests
from bot.usecases.collect import Splitting, collect
from bot.usecases.consent import Handles, join
from bot.usecases.digest import Publishing
from bot.usecases.observe import backfill, take_rosters
from bot.usecases.reference_card import ensure_cards
from integrations._http import HttpClient
from integrations.outcomes.github import GitHubOutcomes
from integrations.prices import ListPrices
from integrations.spend import sources

SECRET = b"a secret of the demo, which keeps nothing"
READ_AT = time(6)
LOOK_BACK = timedelta(days=90)
WEEK = timedelta(weeks=1)

Progress = Callable[[int, int], None]
"""Called with the number of Mondays that are over, and of all."""


@dataclass(frozen=True, slots=True)
class Company:
    """All that there is to know of the invented company."""

    groups: tuple[Group, ...]
    usage: tuple[Usage, ...]
    changes: tuple[Change, ...]

    @property
    def teams(self) -> dict[str, Team]:
        return {group.name: _team(group) for group in self.groups}


def run(out: TextIO, progress: Progress = lambda done, total: None) -> None:
    """Play the demo and print it. The same text each time; nothing of it is left behind."""
    with database() as engine:
        play(engine, company(), out, progress)


def company() -> Company:
    all_groups = groups()
    return Company(all_groups, tuple(usage(all_groups)), tuple(changes(all_groups)))


@contextmanager
def database() -> Iterator[Engine]:
    """A new database in a folder of its own, whatever DATABASE_URL says. It is gone at the end."""
    with tempfile.TemporaryDirectory(prefix="leverage-demo-", ignore_cleanup_errors=True) as folder:
        engine = connect(f"sqlite:///{Path(folder) / 'demo.db'}")
        event.listen(engine, "connect", _hurry)
        try:
            migrate(engine)
            yield engine
        finally:
            engine.dispose()


def _hurry(connection: Connection, _record: object) -> None:
    """What is thrown away in a moment need not survive a power cut."""
    connection.execute("PRAGMA synchronous=OFF")


def play(engine: Engine, company: Company, out: TextIO, progress: Progress) -> None:
    last: dict[str, Digest] = {}
    held: list[tuple[Group, date, Digest]] = []
    print(words.OPENING, file=out)
    for number, monday in enumerate(MONDAYS, start=1):
        print(f"\n{words.day(monday)}", file=out, flush=True)
        read(engine, company, datetime.combine(monday, READ_AT, UTC))
        for group, digest in _posted(engine, company, monday):
            print(words.headline(group, digest), file=out, flush=True)
            last[group.name] = digest
            held += [(group, monday, digest)] if words.is_held(digest) else []
        progress(number, len(MONDAYS))
    print(words.in_full([(group, MONDAYS[-1], last[group.name]) for group in company.groups], held), file=out)
    print(_faces(engine, company), file=out)
    print(words.CLOSING, file=out)


def _faces(engine: Engine, company: Company) -> str:
    """The other two things people see, on the last Monday, of the first team."""
    group = company.groups[0]
    team, now = company.teams[group.name], group.at(MONDAYS[-1], DIGEST_AT)
    person = next(person for person in group.people if person.joined_at is not None)
    own = faces.own_numbers(engine, SECRET, team, person.login, now)
    return words.faces(own, faces.comment(engine, team, now))


def read(engine: Engine, company: Company, now: datetime) -> None:
    """All that Leverage does between two digests: let people in, and read GitHub and the provider."""
    since = now - (WEEK if now.date() > MONDAYS[0] else LOOK_BACK)
    github = GitHubOutcomes("", "", connect=lambda *_: DemoApp(company.changes, now))
    take_rosters(engine, github, list(company.teams.values()), now)
    for group in company.groups:
        for person in group.people:
            _let_in(engine, person, group, now)
        for repository in group.repositories:
            backfill(engine, github, repository, since, now, _quiet)
    _collect(engine, company, now)


def _collect(engine: Engine, company: Company, now: datetime) -> None:
    source = sources()["anthropic"]
    listed = frozenset(service for group in company.groups for service in group.services)
    first, end = window(source, None, None, now)
    with closing(HttpClient(Reports(company.usage, now).transport())) as http:
        access = Access(http, {source.SETTINGS[0].name: "demo"}, ListPrices())
        collect(engine, source, access, Splitting(SECRET, listed), first, end, now, _quiet)


def _let_in(engine: Engine, person: Person, group: Group, now: datetime) -> None:
    """Let somebody in at the first reading after they decided to join."""
    if person.joined_at is not None and now - WEEK < person.joined_at <= now:
        handles = Handles(node_id(person.login), f"S_{person.login}", person.email)
        join(engine, SECRET, handles, group.zone, person.joined_at, team=True, proved=True)


def _posted(engine: Engine, company: Company, monday: date) -> Iterator[tuple[Group, Digest]]:
    """What the teams get to read on this Monday, in the order of their clocks."""
    publishing = Publishing(Rule(), SECRET, METHOD_URL)
    for group in sorted(company.groups, key=lambda group: group.at(monday, DIGEST_AT)):
        team = company.teams[group.name]
        digests.freeze_due(engine, team, publishing, group.at(monday, DIGEST_AT))
        ensure_cards(engine, team, publishing.rule, group.at(monday, DIGEST_AT))
        digest = digests.read(engine, team, Week(monday).plus(-1), METHOD_URL)
        if digest:
            yield group, digest


def _team(group: Group) -> Team:
    return Team(
        name=group.name,
        slack_channel=f"C_{group.name}",
        github_team=None,
        members=tuple(person.login for person in group.people),
        repositories=group.repositories,
        zone=group.zone,
        schedule=Schedule(0, DIGEST_AT.hour, DIGEST_AT.minute),
        owner=None,
        service_accounts=frozenset(group.services),
        credit_micro=None,
    )


def _quiet(*_: object) -> None:
    pass
