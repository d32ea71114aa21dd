"""`leverage doctor` on deployments from nothing to all of it. What it says in each is in `doctor_says/`, to be read."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx2
import pytest
import stamina
from sqlalchemy import Engine, text

from bot import config
from bot.app import DeploymentSettings
from bot.domain import health
from bot.domain.delivery import Kind, State
from bot.domain.health import Finding, Level
from bot.domain.model import GitHubUser
from bot.domain.ports import Access
from bot.domain.weeks import Week, epoch_start
from bot.errors import UserError
from bot.settings import Settings
from bot.slack.check import SCOPES, SlackChecks
from bot.store import cursors, heartbeat, outbox, secrets, units
from bot.store.cursors import SourceKind
from bot.store.db import connect, transaction
from bot.store.tables import CommentRow, InboxRow
from bot.usecases.consent import Handles, join
from bot.usecases.doctor import Known, Parts, Source, examine, read_settings
from integrations._http import HttpClient
from integrations.outcomes.github.check import check
from integrations.spend import anthropic, sources
from tests.company import SmallCompany
from tests.fake_anthropic import ADMIN_KEY, FakeAnthropic
from tests.fake_github import FakeGitHub
from tests.fake_slack import FakeSlack, Fault, refusing, serve
from tests.fake_source import NoPrices

pytestmark = pytest.mark.e2e  # the fake of Slack is a server

NOW = datetime(2026, 5, 20, 15, tzinfo=UTC)
SAYS = Path(__file__).parent / "doctor_says"
SECRET = "a secret of at least thirty-two characters"
CHANNEL = "C0123ABCD"
TOML = """
[[team]]
name = "payments"
slack_channel = "C0123ABCD"
github_team = "acme/payments"
repositories = ["acme/api"]
timezone = "UTC"
digest = "Mon 09:00"
owner = "U0CANARY"
service_accounts = ["svac_canary"]
credit = 4711
"""
WITHOUT_OWNER = TOML.replace('owner = "U0CANARY"', "")
EVERYTHING = {
    "leverage_secret_key": SECRET,
    "anthropic_admin_key": ADMIN_KEY,
    "github_app_id": "1",
    "github_app_private_key": "-----BEGIN PRIVATE KEY-----\nY2FuYXJ5\n-----END PRIVATE KEY-----\n",
    "github_webhook_secret": "canary-webhook-secret",
    "slack_bot_token": "xoxb-canary",
    "slack_signing_secret": "canary-signing-secret",
}


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch):
    for name in os.environ.keys() & {name.upper() for name in Settings.model_fields}:
        monkeypatch.delenv(name)


@pytest.fixture
def slack():
    with serve() as fake:
        fake.shared[CHANNEL] = {"is_member": True}
        yield fake


def settings(**values: object) -> Settings:
    return DeploymentSettings(_env_file=None, **values)


@dataclass
class Deployment:
    """A machine with services around it, all of them well unless a test says otherwise."""

    folder: Path
    engine: Engine
    slack: FakeSlack
    github: FakeGitHub = field(default_factory=FakeGitHub)
    anthropic: FakeAnthropic = field(default_factory=lambda: FakeAnthropic(NOW))
    toml: str | None = TOML
    settings: Settings = field(default_factory=partial(settings, **EVERYTHING))
    broken: frozenset[str] = frozenset()
    others: tuple[Source, ...] = ()

    def installed(self) -> "Deployment":
        self.github.repository("acme/api")
        self.github.team("acme/payments", "canary-ann")
        self.github.install("acme", {"metadata": "read", "pull_requests": "write", "members": "read"})
        self.granted(*SCOPES)
        return self

    def granted(self, *scopes: str) -> None:
        self.slack.next(Fault(stored=True, headers={"X-OAuth-Scopes": ",".join(sorted(scopes))}), method="auth.test")

    def says(self) -> str:
        return "".join(f"{health.line(finding)}\n" for finding in self.findings())

    def findings(self) -> list[Finding]:
        path = self.folder / "leverage.toml"
        if self.toml:
            path.write_text(self.toml)
        with stamina.set_testing(True, attempts=1):
            return examine(Known(self.settings, self.broken), self._parts(), NOW)

    def _parts(self) -> Parts:
        slack = SlackChecks(self.slack.url, timeout=1)
        return Parts(
            company=lambda: config.load(Path("leverage.toml")),  # the tests are in its folder
            engine=lambda: self.engine,
            sources=[Source("anthropic", "Anthropic", anthropic.SETTINGS, self._anthropic), *self.others],
            github=lambda teams: check(self.github.connect("1", "", ""), "1", teams, comments=True),
            slack=lambda teams: slack.bot(self.settings.required("SLACK_BOT_TOKEN"), teams),
            slack_socket=lambda: slack.socket(self.settings.required("SLACK_APP_TOKEN")),
        )

    def _anthropic(self) -> None:
        keys = {"ANTHROPIC_ADMIN_KEY": self.settings.required("ANTHROPIC_ADMIN_KEY")}
        anthropic.check(Access(HttpClient(httpx2.MockTransport(self.anthropic)), keys, NoPrices()), NOW)

    # --- what is in the books

    def made_with(self, secret: str) -> None:
        with transaction(self.engine) as session:
            secrets.check(session, secret.encode())

    def read(self, ago: timedelta = timedelta(hours=2)) -> None:
        with transaction(self.engine) as session:
            cursors.succeeded(session, SourceKind.SPEND, "anthropic", date(2026, 4, 1), NOW - ago)
            cursors.succeeded(session, SourceKind.OUTCOME, "acme/api", date(2026, 4, 1), NOW - ago)

    def failed_to_read(self, error: str) -> None:
        with transaction(self.engine) as session:
            cursors.failed(session, SourceKind.SPEND, "anthropic", date(2026, 4, 1), error, permanent=True)
            cursors.failed(session, SourceKind.OUTCOME, "acme/api", date(2026, 4, 1), error, permanent=False)

    def rostered(self, epochs_ago: int = 0) -> None:
        epoch = epoch_start(Week.of(NOW, UTC)).plus(-4 * epochs_ago)
        with transaction(self.engine) as session:
            units.take_roster(session, "payments", epoch, [GitHubUser("U_1", "canary-ann")])

    def delivery(self, key: str, state: State, reason: str | None, kind: Kind = Kind.DIGEST) -> None:
        with transaction(self.engine) as session:
            outbox.put_once(session, key, kind, CHANNEL, {"text": "canary $4711"}, NOW - timedelta(hours=3))
            session.flush()
            session.connection().execute(
                text("UPDATE outbox SET state = :state, last_error = :reason WHERE key = :key"),
                {"state": state, "reason": reason, "key": key},
            )

    def works(self, ago: timedelta = timedelta(seconds=20)) -> None:
        with transaction(self.engine) as session:
            heartbeat.beat(session, NOW - ago)


@pytest.fixture
def deployment(tmp_path, monkeypatch, engine, slack) -> Deployment:
    monkeypatch.chdir(tmp_path)
    return Deployment(tmp_path, engine, slack)


def golden(name: str) -> str:
    return (SAYS / f"{name}.txt").read_text()


# --- from nothing to everything


def test_nothing_configured(deployment, tmp_path):
    (folder := tmp_path / "new").mkdir()
    engine = connect(f"sqlite:///{folder}/leverage.db")
    newcomer = replace(deployment, folder=folder, settings=settings(), toml=None, engine=engine)
    assert newcomer.says() == golden("nothing")
    assert list(folder.iterdir()) == []
    assert deployment.slack.requests == deployment.github.calls == deployment.anthropic.requests == []


def test_half_configured(deployment):
    """Anthropic and Slack's token, one of GitHub's two settings, and teams without an owner; nothing read yet."""
    names = ("anthropic_admin_key", "github_app_id", "slack_bot_token")
    half = settings(**{name: EVERYTHING[name] for name in names})
    deployment.granted(*SCOPES)
    assert replace(deployment, settings=half, toml=WITHOUT_OWNER).says() == golden("half")


def all_good(deployment: Deployment) -> Deployment:
    deployment.installed()
    deployment.made_with(SECRET)
    deployment.read()
    deployment.rostered()
    deployment.delivery("digest/payments/2026-W19", State.SENT, None)
    deployment.works()
    return deployment


def test_all_good(deployment):
    assert all_good(deployment).says() == golden("all_good")
    assert health.problems(deployment.installed().findings()) == 0


def everything_wrong(deployment: Deployment) -> Deployment:
    deployment.github.install("acme", {"metadata": "read"})
    deployment.granted("chat:write")
    deployment.slack.shared[CHANNEL] = {"is_member": False}
    deployment.anthropic.fail(401, message="canary@example.com")
    deployment.made_with(SECRET[::-1])
    deployment.read(timedelta(days=4))
    deployment.failed_to_read("Acme: canary@example.com may not, with sk-ant-canary0815")
    deployment.rostered(epochs_ago=1)
    deployment.delivery("digest/payments/2026-W18", State.SKIPPED, "more than 72 hours late")
    deployment.delivery("digest/payments/2026-W19", State.UNKNOWN, "http_502")
    deployment.delivery("digest/payments/2026-W20", State.FAILED, "not_in_channel")
    deployment.works(timedelta(hours=5))
    with transaction(deployment.engine) as session:
        outbox.switch_off(session, "token_revoked")
        session.add(
            CommentRow(pull_id="PR_1", repository="acme/canary", number=1, state="none", last_error="SourceError")
        )
        session.add(
            InboxRow(id="github/canary", kind="github/pull_request", state="failed", received_at=NOW, not_before=NOW)
        )
    return deployment


def test_everything_wrong(deployment):
    assert everything_wrong(deployment).says() == golden("everything_wrong")


@pytest.mark.parametrize("state", [all_good, everything_wrong])
def test_it_names_no_amount_no_person_and_no_secret(deployment: Deployment, state: Callable[[Deployment], Deployment]):
    """Whatever is in the books: spend, people who joined, what was posted."""
    company = SmallCompany(deployment.engine, "ann bo", name="web")
    company.joins("ann bo", at="2026-05-06")
    company.spends("2026-05-04", ann=4711, unnamed=4711)
    company.pull(1, "ann", merged="2026-05-06")
    handles = Handles(github="U_canary", slack="U0CANARY", email="canary@example.com")
    join(deployment.engine, SECRET.encode(), handles, company.team.zone, NOW, team=True, proved=True)
    said = state(deployment).says()
    hidden = [value for name, value in EVERYTHING.items() if name != "github_app_id"]
    for canary in ("canary", "4711", "$", "@example", "svac_", *hidden):
        assert canary.lower() not in said.lower()


def test_who_joined_changes_not_a_word(deployment):
    before = all_good(deployment).says()
    for number in range(6):
        handles = Handles(github=f"U_{number}", slack=f"S_{number}", email=f"{number}@example.com")
        join(deployment.engine, SECRET.encode(), handles, ZoneInfo("UTC"), NOW, team=True, proved=True)
    deployment.granted(*SCOPES)
    assert deployment.says() == before


# --- one thing at a time


def levels(deployment: Deployment, about: str) -> list[Level]:
    return [one.level for one in deployment.findings() if one.what.startswith(about)]


@pytest.mark.parametrize(
    ("missing", "about", "level"),
    [
        ("slack_bot_token", "Slack: SLACK_BOT_TOKEN is not set", Level.PROBLEM),
        ("slack_signing_secret", "Slack requests: SLACK_SIGNING_SECRET is not set", Level.PROBLEM),
        ("github_app_private_key", "GitHub App: GITHUB_APP_PRIVATE_KEY is not set", Level.PROBLEM),
        ("github_webhook_secret", "GitHub webhooks: off", Level.WARNING),
        ("anthropic_admin_key", "Spend: no source is set up", Level.PROBLEM),
        ("leverage_secret_key", "Settings: LEVERAGE_SECRET_KEY is not set", Level.PROBLEM),
    ],
)
def test_a_setting_that_is_missing_is_told_with_what_is_off_without_it(deployment, missing, about, level):
    left = settings(**{name: value for name, value in EVERYTHING.items() if name != missing})
    assert levels(replace(all_good(deployment), settings=left), about) == [level]


@pytest.mark.parametrize(
    ("named", "given", "said"),
    [
        ("litellm", "litellm_master_key", "LiteLLM: LITELLM_API_URL is not set, so nothing is read from it"),
        ("litellm", "litellm_api_url", "LiteLLM: LITELLM_MASTER_KEY is not set, so nothing is read from it"),
        ("copilot", "github_billing_token", "GitHub Copilot: GITHUB_BILLING_ORG is not set, so nothing is read"),
        ("codex", "codex_analytics_key", "Codex: CODEX_WORKSPACE_ID is not set, so nothing is read from it"),
    ],
)
@pytest.mark.parametrize("others", [[], ["anthropic_admin_key"]])
def test_half_of_what_a_source_needs_is_told_whether_or_not_another_is_set_up(deployment, named, given, said, others):
    deployment.others = (reading_well(named),)
    deployment.settings = settings(**{given: "https://llm.acme.test"}, **{name: EVERYTHING[name] for name in others})
    assert levels(deployment, said) == [Level.PROBLEM]
    assert levels(deployment, "Spend: no source is set up") == []
    assert levels(deployment, "Anthropic: the key is accepted") == [Level.OK] * len(others)


def test_a_setting_that_is_broken_is_not_called_missing(deployment):
    deployment.others, deployment.broken = (reading_well("litellm"),), frozenset({"LITELLM_API_URL"})
    deployment.settings = settings(**EVERYTHING, litellm_master_key="sk-x")
    assert "LITELLM_API_URL" not in deployment.says()


def reading_well(name: str) -> Source:
    source = sources()[name]
    return Source(name, source.TITLE, source.SETTINGS, lambda: None)


def test_socket_mode_is_checked_if_that_is_how_slack_reaches_us(deployment):
    values = {**EVERYTHING, "slack_app_token": "xapp-canary"}
    deployment.installed().findings()
    assert deployment.slack.calls("apps.connections.open") == []
    del values["slack_signing_secret"]
    deployment.slack.next(refusing("invalid_auth"), method="apps.connections.open")
    trial = replace(deployment, settings=settings(**values))
    assert levels(trial, "Slack: SLACK_APP_TOKEN is not accepted") == [Level.PROBLEM]


def test_a_setting_that_cannot_be_used_keeps_its_part_from_being_asked(deployment):
    broken = frozenset({"ANTHROPIC_API_URL", "GITHUB_API_URL", "SLACK_API_URL", "DATABASE_URL"})
    found = replace(all_good(deployment), broken=broken).says()
    assert deployment.slack.requests == deployment.github.calls == deployment.anthropic.requests == []
    assert "Database" not in found
    assert "is not set" not in found


def test_a_database_that_does_not_answer_is_one_of_the_findings(deployment, tmp_path):
    (tmp_path / "notes.txt").write_text("this is no database, but long enough to be looked at" * 40)
    deployment.installed()
    found = replace(deployment, engine=connect(f"sqlite:///{tmp_path}/notes.txt")).findings()
    assert found[-1].level is Level.PROBLEM
    assert "not a SQLite database" in found[-1].what
    assert any(one.what.startswith("Slack channel") for one in found)


def test_an_older_schema_is_left_as_it_is(deployment):
    with transaction(deployment.engine) as session:
        session.connection().execute(text("UPDATE alembic_version SET version_num = '0001'"))
    found = deployment.installed().findings()
    assert found[-1] == Finding(Level.WARNING, "Database: its tables are an older version's", "run `leverage migrate`")


def test_a_repository_that_no_team_observes_any_more_is_not_told(deployment):
    with transaction(deployment.engine) as session:
        cursors.failed(session, SourceKind.OUTCOME, "acme/old", date(2026, 4, 1), "gone", permanent=True)
    assert "acme/old" not in all_good(deployment).says()


# --- settings that cannot be used


class Reader:
    """The settings of an environment in which these are wrong."""

    def __init__(self, **wrong: str) -> None:
        self.wrong = wrong

    def __call__(self, **values: object) -> Settings:
        for name, message in self.wrong.items():
            if name not in values:
                raise UserError(message)
        return settings(**{name: value for name, value in values.items() if name != "_env_file"})


def test_all_settings_that_are_wrong_are_told_and_the_rest_is_used():
    reader = Reader(
        leverage_secret_key="LEVERAGE_SECRET_KEY is shorter than 32 characters: make one.",
        slack_api_url="SLACK_API_URL is no address Leverage may use.",
        _env_file=".env cannot be read: check its permissions.",
    )
    known, findings = read_settings(reader)
    assert [one.level for one in findings] == [Level.PROBLEM] * 3
    assert not known.usable("SLACK_API_URL")
    assert not known.usable("LEVERAGE_SECRET_KEY")
    assert known.usable("GITHUB_API_URL")
    assert known.settings.slack_api_url == "https://slack.com/api"


def test_real_settings_that_are_wrong_are_told_one_by_one(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LEVERAGE_SECRET_KEY", "canary")
    monkeypatch.setenv("DATABASE_URL", "mysql://canary")
    monkeypatch.setenv("GITHUB_APP_PRIVATE_KEY", "canary.pem")
    monkeypatch.setenv("ANTHROPIC_ADMIN_KEY", ADMIN_KEY)
    known, findings = read_settings(DeploymentSettings)
    assert sorted(one.what.split()[1] for one in findings) == [
        "DATABASE_URL",
        "GITHUB_APP_PRIVATE_KEY",
        "LEVERAGE_SECRET_KEY",
    ]
    assert "canary" not in str(findings)
    assert known.broken == {"DATABASE_URL", "GITHUB_APP_PRIVATE_KEY", "LEVERAGE_SECRET_KEY"}
    assert known.settings.required("ANTHROPIC_ADMIN_KEY") == ADMIN_KEY
