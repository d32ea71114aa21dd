"""The composition root: the only file that knows every part, and the only one that picks integrations."""

import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from bot import clock, config
from bot.domain.health import Finding
from bot.domain.ports import Access, Messenger, OutcomeSource, SpendSource
from bot.domain.prices import NO_TERMS, Priced, Terms
from bot.domain.team import Company, Team
from bot.errors import UsageError, UserError
from bot.github import webhooks
from bot.settings import Settings, with_sources
from bot.slack.app import make_client
from bot.slack.check import SlackChecks
from bot.slack.commands import Place
from bot.slack.messenger import SlackMessenger
from bot.slack.profile import workspace_of
from bot.store import secrets
from bot.store.db import connect, transaction
from bot.store.migrate import migrate
from bot.usecases import doctor
from bot.usecases.collect import Splitting
from bot.usecases.comment import Commenting
from bot.usecases.deliver import Worker
from bot.usecases.digest import Publishing
from bot.usecases.doctor import Parts, Source
from integrations._http import HttpClient
from integrations.outcomes.github import GitHubOutcomes
from integrations.outcomes.github import check as github_check
from integrations.outcomes.github.comments import GitHubComments
from integrations.outcomes.github.pygithub import PyGithubApp
from integrations.prices import ListPrices
from integrations.spend import sources

if TYPE_CHECKING:
    from integrations.spend.focus import Bill

SOURCES = sources()
GITHUB_APP = ("GITHUB_APP_ID", "GITHUB_APP_PRIVATE_KEY")
DeploymentSettings = with_sources(setting for source in SOURCES.values() for setting in source.SETTINGS)
METHOD_URL = "https://github.com/leverage-bot/leverage/blob/main/docs/method.md"


@dataclass(frozen=True, slots=True)
class App:
    """A deployment: its settings, its company and its open, migrated database."""

    settings: Settings
    company: Company
    engine: Engine
    secret: bytes

    @property
    def publishing(self) -> Publishing:
        accounts = frozenset(name for name, one in SOURCES.items() if is_set_up(one, self.settings))
        return Publishing(self.company.rule, self.secret, METHOD_URL, accounts, self.prices)

    @property
    def prices(self) -> Priced:
        """The company's own prices, and the price book for the rest."""
        return Priced(self.company.terms, ListPrices())

    @property
    def splitting(self) -> Splitting:
        return Splitting(self.secret, self.company.service_accounts, self.company.terms)

    def team(self, name: str) -> Team:
        """The team of this name. Raises UsageError naming those there are."""
        for team in self.company.teams:
            if team.name == name:
                return team
        names = ", ".join(team.name for team in self.company.teams)
        raise UsageError(f"There is no team {name!r} in {self.settings.leverage_config}: it has {names}.")

    def access(self, source: SpendSource) -> Access:
        """How to reach a source. Raises UserError for a setting that is missing."""
        return access(source, self.settings, self.company.terms)

    @property
    def read_accounts(self) -> frozenset[str]:
        """The accounts that are read from their own API."""
        return frozenset(one.NAME for one, _ in self.sources())

    def bill(self, file: Path, now: datetime) -> "Bill":
        """A bill that a provider exported. Raises SourceError."""
        from integrations.spend.focus import read  # only who has such a bill needs what reads it

        return read(file, now)

    def outcomes(self) -> OutcomeSource:
        """The GitHub App. Raises UserError for settings that are missing."""
        app_id, key = self.settings.github_app()
        return GitHubOutcomes(app_id, key, self.settings.github_api_url)

    def sources(self) -> list[tuple[SpendSource, Access]]:
        """Every source whose key is set."""
        return [(one, self.access(one)) for one in SOURCES.values() if is_set_up(one, self.settings)]

    def outcomes_if_set(self) -> OutcomeSource | None:
        return self.outcomes() if self.settings.has(GITHUB_APP) else None

    def messenger(self) -> Messenger | None:
        """Slack, if a bot token is set."""
        token = self.settings.slack_bot_token
        return SlackMessenger(token.get_secret_value(), self.settings.slack_api_url) if token else None

    def commenting(self) -> Commenting | None:
        """What commenting on pull requests needs, if the GitHub App and its webhook secret are set."""
        if not self.settings.has((*GITHUB_APP, "GITHUB_WEBHOOK_SECRET")):
            return None
        app_id, key = self.settings.github_app()
        commenter = GitHubComments(app_id, key, self.settings.github_api_url)
        source = GitHubOutcomes(app_id, key, self.settings.github_api_url)
        method_url = self.publishing.method_url
        return Commenting(self.company.teams, self.company.rule, method_url, source, commenter, clock.now)

    def slack_place(self) -> Place | None:
        """What the Slack face works with, if a bot token is set."""
        token = self.settings.slack_bot_token
        if token is None:
            return None
        client = make_client(token.get_secret_value(), self.settings.slack_api_url)
        return Place(
            engine=self.engine,
            secret=self.secret,
            teams=self.company.teams,
            client=client,
            workspace=workspace_of(client),
            method_url=self.publishing.method_url,
            github_url=github_web(self.settings.github_api_url),
            now=clock.now,
            base_url=self.settings.leverage_base_url,
        )

    def webhook_secrets(self) -> tuple[bytes, ...]:
        """The webhook secrets that are valid now, none if none is set."""
        value = self.settings.github_webhook_secret
        parts = [part.strip() for part in value.get_secret_value().split(",")] if value else []
        valid = [part for part in parts if part]
        return webhooks.secrets(*valid) if valid else ()

    def owner_of(self, team: str) -> str | None:
        """The Slack user who gets a team's private notes."""
        return next((one.owner for one in self.company.teams if one.name == team), None)

    def worker(self, going: Callable[[], bool] = lambda: True) -> Worker:
        """Who delivers: this process, until `going` says no."""
        return Worker(f"{socket.gethostname()}-{os.getpid()}", clock.now, going=going)

    def repositories(self, asked: Sequence[str]) -> list[str]:
        """The repositories asked for, or all that some team observes. Raises UsageError for a stranger."""
        observed = {name.casefold(): name for name in self.company.repositories}
        for name in asked:
            if name.casefold() not in observed:
                names = ", ".join(observed.values())
                raise UsageError(f"No team in {self.settings.leverage_config} observes {name!r}: {names}.")
        return list(dict.fromkeys(observed[name.casefold()] for name in asked)) or list(observed.values())


def load(settings: Settings) -> App:
    """The deployment that these settings describe, its database migrated. Raises UserError, StoreError."""
    company, secret = config.load(settings.leverage_config), settings.secret_key()
    engine = open_database(settings)
    with transaction(engine) as session:
        secrets.check(session, secret)
    return App(settings, company, engine, secret)


def open_database(settings: Settings) -> Engine:
    """The database, migrated over its direct address. Raises StoreError."""
    migrate(connect(settings.direct_database()))
    return connect(settings.database())


def choose_sources(settings: Settings, asked: Sequence[str]) -> list[SpendSource]:
    """The sources asked for, or all whose keys are set. Raises UsageError for an unknown one, UserError for none."""
    names = list(dict.fromkeys(name.casefold() for name in asked))
    if "github" in names:
        raise UsageError("GitHub is no source of spend: it is read by `leverage backfill`.")
    for name in names:
        if name not in SOURCES:
            raise UsageError(f"There is no source {name!r}: Leverage knows {', '.join(SOURCES)}.")
    chosen = [SOURCES[name] for name in names] or [one for one in SOURCES.values() if is_set_up(one, settings)]
    if not chosen:
        _refuse_half(settings)
        keys = ", ".join(one.SETTINGS[0].name for one in SOURCES.values())
        raise UserError(f"No source of spend is set up: set the key of what you use ({keys}).")
    return chosen


def _refuse_half(settings: Settings) -> None:
    """Raises UserError for what is missing of a source of which something is set."""
    for source in SOURCES.values():
        if any(settings.has([one.name]) for one in source.SETTINGS if one.required):
            settings.of_source(source.SETTINGS)


def github_web(api_url: str) -> str:
    """Where people read what the API at this address serves: github.com, or an Enterprise Server."""
    return "https://github.com" if api_url == "https://api.github.com" else api_url.removesuffix("/api/v3")


def is_set_up(source: SpendSource, settings: Settings) -> bool:
    """Whether all that a source cannot do without is set."""
    return settings.has(one.name for one in source.SETTINGS if one.required)


def access(source: SpendSource, settings: Settings, terms: Terms = NO_TERMS) -> Access:
    """How to reach a source. Raises UserError for a setting that is missing."""
    advice = next((one.name for one in source.SETTINGS if one.is_url), None)
    return Access(HttpClient(setting=advice), settings.of_source(source.SETTINGS), Priced(terms, ListPrices()))


def begins(source: SpendSource, since: date | None, now: datetime) -> date:
    """The first UTC day to fetch: by default of all that may still be revised, and never before the source can tell."""
    return max(source.oldest(now), since or now.date() - timedelta(days=source.REFETCH_DAYS - 1))


def window(source: SpendSource, since: date | None, until: date | None, now: datetime) -> tuple[date, date]:
    """The UTC days to fetch: by default all that may still be revised, today included. Raises UsageError."""
    tomorrow = now.date() + timedelta(days=1)
    first, last = since or begins(source, None, now), until or tomorrow
    if last > tomorrow:
        raise UsageError(f"--until {last} is in the future: {tomorrow} is the latest, so that today (UTC) is in.")
    if first < (oldest := source.oldest(now)):
        raise UsageError(f"--since {first} is too long ago: {source.NAME} tells of days from {oldest} on.")
    if first >= last:
        raise UsageError(_no_day(source, since, first, last))
    return first, last


def _no_day(source: SpendSource, since: date | None, first: date, last: date) -> str:
    if since:
        return f"There is no day from {first} up to {last}: --since is the first day, --until the day after the last."
    return f"Without --since, {source.NAME} is read from {first} on, which is not before --until {last}: add --since."


def examine(now: datetime) -> list[Finding]:
    """Look at everything there is of a deployment, however little. Asks each service that is set up."""
    known, findings = doctor.read_settings(DeploymentSettings)
    return findings + doctor.examine(known, _parts(known.settings, now), now)


def _parts(settings: Settings, now: datetime) -> Parts:
    slack = SlackChecks(settings.slack_api_url)
    return Parts(
        company=lambda: config.load(settings.leverage_config),
        engine=lambda: connect(settings.database()),
        sources=[_checked_source(settings, one, now) for one in SOURCES.values()],
        github=lambda teams: _check_github(settings, teams),
        slack=lambda teams: slack.bot(settings.required("SLACK_BOT_TOKEN"), teams),
        slack_socket=lambda: slack.socket(settings.required("SLACK_APP_TOKEN")),
    )


def _checked_source(settings: Settings, source: SpendSource, now: datetime) -> Source:
    return Source(source.NAME, source.TITLE, source.SETTINGS, lambda: source.check(access(source, settings), now))


def _check_github(settings: Settings, teams: Sequence[Team]) -> list[Finding]:
    app_id, key = settings.github_app()
    app = PyGithubApp(app_id, key, settings.github_api_url)
    return github_check.check(app, app_id, teams, comments=settings.has(["GITHUB_WEBHOOK_SECRET"]))
