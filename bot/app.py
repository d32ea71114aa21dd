"""The composition root: the only file that knows every part, and the only one that picks integrations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import cast

from sqlalchemy import Engine

from bot import config
from bot.domain.ports import OutcomeSource, SpendSource
from bot.domain.team import Company, Team
from bot.errors import UsageError, UserError
from bot.settings import Settings, provider_secrets
from bot.store import secrets
from bot.store.db import connect, transaction
from bot.store.migrate import migrate
from bot.usecases.collect import Access, Splitting
from bot.usecases.digest import Publishing
from integrations._http import HttpClient
from integrations.outcomes.github import GitHubOutcomes
from integrations.spend import anthropic

SOURCES: Mapping[str, SpendSource] = MappingProxyType({"anthropic": cast(SpendSource, anthropic)})
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
        base = self.settings.leverage_base_url
        return Publishing(self.company.rule, self.secret, f"{base.rstrip('/')}/method" if base else METHOD_URL)

    @property
    def splitting(self) -> Splitting:
        return Splitting(self.secret, self.company.service_accounts)

    def team(self, name: str) -> Team:
        """The team of this name. Raises UsageError naming those there are."""
        for team in self.company.teams:
            if team.name == name:
                return team
        names = ", ".join(team.name for team in self.company.teams)
        raise UsageError(f"There is no team {name!r} in {self.settings.leverage_config}: it has {names}.")

    def access(self, source: SpendSource) -> Access:
        """How to reach a source. Raises UserError for a key that is not set."""
        keys = provider_secrets(self.settings, source.SECRETS)
        return Access(HttpClient(), keys, self.settings.base_url(source.NAME))

    def outcomes(self) -> OutcomeSource:
        """The GitHub App. Raises UserError for settings that are missing."""
        app_id, key = self.settings.github_app()
        return GitHubOutcomes(app_id, key, self.settings.github_api_url)

    def repositories(self, asked: Sequence[str]) -> list[str]:
        """The repositories asked for, or all that some team observes. Raises UsageError for a stranger."""
        observed = self.company.repositories
        for name in asked:
            if name not in observed:
                raise UsageError(
                    f"No team in {self.settings.leverage_config} observes {name!r}: {', '.join(observed)}."
                )
        return list(asked or observed)


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
    for name in asked:
        if name not in SOURCES:
            raise UsageError(f"There is no source {name!r}: Leverage knows {', '.join(SOURCES)}.")
    chosen = [SOURCES[name] for name in asked] or [one for one in SOURCES.values() if settings.has(one.SECRETS)]
    if not chosen:
        keys = ", ".join(key for one in SOURCES.values() for key in one.SECRETS)
        raise UserError(f"No source of spend is set up: set one of {keys}.")
    return chosen


def window(source: SpendSource, since: date | None, until: date | None, now: datetime) -> tuple[date, date]:
    """The UTC days to fetch: by default all that may still be revised, today included."""
    last = until or now.date() + timedelta(days=1)
    first = since or now.date() - timedelta(days=source.REFETCH_DAYS - 1)
    if first >= last:
        raise UsageError(f"There is no day from {first} up to {last}: --since is the first day, --until the day after.")
    return first, last
