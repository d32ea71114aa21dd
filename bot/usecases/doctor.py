"""`leverage doctor`: look at every part of a deployment once, and say what each that is wrong needs.

However little is set up, as much as possible is looked at. Nothing is written, and no finding holds an amount, a
person, or how many people did what (docs/privacy.md).
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from bot.domain import health
from bot.domain.delivery import State
from bot.domain.health import Finding, Reading, Roster, Schema, ok, problem, warning
from bot.domain.ports import Setting, SourceError
from bot.domain.team import Company, Team
from bot.domain.weeks import Week, epoch_start
from bot.errors import UserError
from bot.log import mask
from bot.settings import Settings
from bot.store import cursors, heartbeat, units
from bot.store import health as books
from bot.store.cursors import SourceKind
from bot.store.db import reading
from bot.store.errors import StoreError
from bot.usecases import deliver

ENV = "put what is missing into the environment or into .env"


@dataclass(frozen=True, slots=True)
class Source:
    """A source of spend: its name in our books, its title, its settings, and one call that raises SourceError."""

    name: str
    title: str
    settings: tuple[Setting, ...]
    check: Callable[[], None]

    @property
    def keys(self) -> tuple[str, ...]:
        """The variables it cannot do without."""
        return tuple(one.name for one in self.settings if one.required)


@dataclass(frozen=True, slots=True)
class Parts:
    """How each part is looked at; what raises says in UserError, StoreError or SourceError what is wrong."""

    company: Callable[[], Company]
    engine: Callable[[], Engine]
    sources: Sequence[Source]
    github: Callable[[Sequence[Team]], list[Finding]]
    slack: Callable[[Sequence[Team]], list[Finding]]
    slack_socket: Callable[[], Finding]


@dataclass(frozen=True, slots=True)
class Known:
    """The settings, and which variables hold something that cannot be used: the parts that need them are left out."""

    settings: Settings
    broken: frozenset[str] = frozenset()

    def has(self, *names: str) -> bool:
        return self.settings.has(names)

    def usable(self, *names: str) -> bool:
        return not self.broken & set(names)


def read_settings(read: Callable[..., Settings]) -> tuple[Known, list[Finding]]:
    """The settings as far as they can be used. One that cannot is a finding, and its default stands in for it."""
    standing_in: dict[str, Any] = {}
    findings: list[Finding] = []
    while True:
        try:
            return Known(read(**standing_in), frozenset(name.upper() for name in standing_in)), findings
        except UserError as error:
            findings.append(problem(f"Settings: {error}"))
            standing_in |= _stand_in(str(error).partition(" ")[0])


def _stand_in(blamed: str) -> dict[str, Any]:
    """What to read instead of what an error begins with: a variable, or a file."""
    if not re.fullmatch(r"[A-Z][A-Z0-9_]+", blamed):
        return {"_env_file": None}
    field = Settings.model_fields.get(blamed.lower())
    return {blamed.lower(): field.default if field else None}


def examine(known: Known, parts: Parts, now: datetime) -> list[Finding]:
    """Every check, in the order in which a newcomer sets things up."""
    company, findings = _company(parts.company)
    teams = company.teams if company else ()
    found = [
        *_secret(known),
        *findings,
        *_spend(known, parts.sources),
        *_github(known, parts, teams),
        *_slack(known, parts, teams),
        *_database(known, parts, company, now),
    ]
    return [replace(one, what=mask(one.what), advice=mask(one.advice)) for one in found]


def _secret(known: Known) -> Iterator[Finding]:
    if not known.usable("LEVERAGE_SECRET_KEY"):
        return
    try:
        known.settings.secret_key()
    except UserError as error:
        yield problem(f"Settings: {error}")
    else:
        yield ok("LEVERAGE_SECRET_KEY: set")


def _company(load: Callable[[], Company]) -> tuple[Company | None, list[Finding]]:
    try:
        company = load()
    except UserError as error:
        return None, [problem(f"Teams: {error}")]
    return company, [ok(f"Teams: {', '.join(team.name for team in company.teams)}")]


def _spend(known: Known, sources: Sequence[Source]) -> Iterator[Finding]:
    """Sources whose keys are not set are nobody's wish, unless there is none at all; half of them is none."""
    chosen = [source for source in sources if known.has(*source.keys)]
    half = [(source, missing) for source in sources if (missing := _half(known, source))]
    if not chosen and not half:
        keys = ", ".join(source.keys[0] for source in sources)
        yield problem(
            "Spend: no source is set up, so there are no compute numbers", f"set the key of what you use ({keys})"
        )
    for source, missing in half:
        yield problem(f"{source.title}: {_not_set(missing)}, so nothing is read from it", ENV)
    for source in chosen:
        if known.usable(*(one.name for one in source.settings)):
            yield _checked(source)


def _half(known: Known, source: Source) -> list[str]:
    """What is missing of a source of which something is set."""
    missing = [name for name in source.keys if not known.has(name)]
    return [name for name in missing if name not in known.broken] if len(missing) < len(source.keys) else []


def _checked(source: Source) -> Finding:
    try:
        source.check()
    except SourceError as error:
        text = str(error)
        return problem(text if text.startswith(source.title) else f"{source.title}: {text}")
    return ok(f"{source.title}: the key is accepted")


APP = ("GITHUB_APP_ID", "GITHUB_APP_PRIVATE_KEY")


def _github(known: Known, parts: Parts, teams: Sequence[Team]) -> Iterator[Finding]:
    missing = [name for name in APP if name not in known.broken and not known.has(name)]
    if missing:
        lost = "so nothing is known of pull requests and of who is on a team"
        yield problem(f"GitHub App: {_not_set(missing)}, {lost}", f"make the App as the README says, then {ENV}")
    elif known.usable(*APP, "GITHUB_API_URL"):
        yield from parts.github(teams)
    if known.has("GITHUB_WEBHOOK_SECRET"):
        yield ok("GitHub webhooks: the secret is set")
    else:
        yield warning("GitHub webhooks: off without GITHUB_WEBHOOK_SECRET, so pull requests get no comment", ENV)


SLACK = ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "SLACK_APP_TOKEN")


def _slack(known: Known, parts: Parts, teams: Sequence[Team]) -> Iterator[Finding]:
    """Nothing set is a choice; half of it is none."""
    bot, signed, app = (known.has(name) for name in SLACK)
    if not (bot or signed or app):
        lost = "no digest is posted, and nobody can join or see their own numbers"
        yield warning(f"Slack: off without SLACK_BOT_TOKEN and SLACK_SIGNING_SECRET, so {lost}", ENV)
        return
    usable = known.usable("SLACK_API_URL")
    if not bot:
        yield problem("Slack: SLACK_BOT_TOKEN is not set, so no digest is posted and nobody can join", ENV)
    elif usable:
        yield from parts.slack(teams)
    if signed:
        yield ok("Slack requests: they are checked with SLACK_SIGNING_SECRET")
    elif not app:
        yield problem("Slack requests: SLACK_SIGNING_SECRET is not set, so `/leverage` answers nobody", ENV)
    elif usable:
        yield parts.slack_socket()


def _not_set(names: Sequence[str]) -> str:
    return f"{' and '.join(names)} {'are' if len(names) > 1 else 'is'} not set"


def _database(known: Known, parts: Parts, company: Company | None, now: datetime) -> Iterator[Finding]:
    if not known.usable("DATABASE_URL"):
        return
    try:
        engine = parts.engine()
        schema = books.schema(engine)
        yield health.SCHEMAS[schema]
        if schema is Schema.CURRENT:
            yield from _books(engine, known, parts.sources, company, now)
    except StoreError as error:
        yield problem(f"Database: {error}")


def _books(
    engine: Engine, known: Known, sources: Sequence[Source], company: Company | None, now: datetime
) -> list[Finding]:
    """What our own records say. Raises StoreError."""
    with reading(engine) as session:
        return [
            *_secret_of(session, known),
            *_sources(session, SourceKind.SPEND, _collected(known, sources), now),
            *_rows(session, _collected(known, sources)),
            *_imports(session, now),
            *_telemetry(session, now),
            *_sources(session, SourceKind.OUTCOME, _observed(company), now),
            *[_roster(session, team, now) for team in (company.teams if company else ())],
            *_deliveries(engine),
            *health.comments(books.given_up_comments(session)),
            *health.arrivals(books.has_failed_arrivals(session)),
            health.heartbeat(heartbeat.last(session), now),
        ]


def _secret_of(session: Session, known: Known) -> list[Finding]:
    secret = known.settings.leverage_secret_key
    return health.secret(books.is_secret(session, known.settings.secret_key())) if secret else []


@dataclass(frozen=True, slots=True)
class Wanted:
    """Something that is to be read: how it is called, and what reads it."""

    title: str
    command: str


def _collected(known: Known, sources: Sequence[Source]) -> Mapping[str, Wanted]:
    chosen = [source for source in sources if known.has(*source.keys)]
    return {one.name: Wanted(f"Spend from {one.title}", f"leverage collect {one.name}") for one in chosen}


def _observed(company: Company | None) -> Mapping[str, Wanted]:
    names: Collection[str] = company.repositories if company else ()
    return {name: Wanted(f"Pull requests of {name}", f"leverage backfill {name}") for name in names}


def _sources(session: Session, kind: SourceKind, wanted: Mapping[str, Wanted], now: datetime) -> list[Finding]:
    found = {one.source: Reading(one.fetched_at, one.error, one.disabled) for one in cursors.every(session, kind)}
    return [
        health.freshness(want.title, found.get(name, Reading()), want.command, now) for name, want in wanted.items()
    ]


def _rows(session: Session, wanted: Mapping[str, Wanted]) -> Iterator[Finding]:
    """What was wrong with the rows of the last run."""
    for cursor in cursors.every(session, SourceKind.SPEND):
        if want := wanted.get(cursor.source):
            yield from health.unpriced(want.title, cursor.unpriced)
            yield from health.rejected(want.title, cursor.rejected)


def _imports(session: Session, now: datetime) -> Iterator[Finding]:
    for cursor in cursors.every(session, SourceKind.IMPORT):
        if cursor.fetched_at is not None:
            yield health.imported(cursor.source, now - cursor.fetched_at)


def _telemetry(session: Session, now: datetime) -> Iterator[Finding]:
    for cursor in cursors.every(session, SourceKind.TELEMETRY):
        if cursor.fetched_at is not None:
            yield from health.told(cursor.source, now - cursor.fetched_at, cursor.rejected, cursor.unpriced)


def _roster(session: Session, team: Team, now: datetime) -> Finding:
    epoch = epoch_start(Week.of(now, team.zone))
    if units.has_roster(session, team.name, epoch):
        return health.roster(team.name, Roster.TAKEN)
    return health.roster(team.name, Roster.OLD if units.roster(session, team.name, epoch) else Roster.NONE)


def _deliveries(engine: Engine) -> list[Finding]:
    found = [
        (warning if one.state is State.SKIPPED else problem)(f"Delivery: {one.sentence}")
        for one in deliver.problems(engine)
    ]
    return found or [ok("Deliveries: none needs a person")]
