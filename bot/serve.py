"""`leverage serve`: the web edge, the jobs, or both in one process. It ends cleanly on SIGTERM."""

import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial

import structlog
import uvicorn
from starlette.applications import Starlette

from bot import clock, jobs
from bot.app import App
from bot.domain.team import Team
from bot.github import webhooks
from bot.slack import app as slack
from bot.store import heartbeat
from bot.store.db import reading, transaction
from bot.store.errors import StoreError
from bot.usecases import intake
from bot.usecases.comment import work_comments
from bot.usecases.deliver import Worker, work_off
from bot.usecases.digest import freeze_due
from bot.usecases.reference_card import ensure_cards
from bot.usecases.refresh import Failures, refresh_outcomes, refresh_spend
from bot.web import edge

GRACE_S = 25
FRESH = timedelta(seconds=jobs.TICK_S * jobs.MISSED_TICKS)

log = structlog.get_logger(__name__)


def serve(app: App, host: str, port: int, *, web: bool, work: bool) -> None:
    """Serve until told to stop."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())  # uvicorn raises it once more when it has shut down
    log.info("serving", host=host, port=port if web else None)
    with working(app, stop) if work else _idle():
        if web:
            with socket_mode(app):
                uvicorn.run(
                    web_app(app),
                    host=host,
                    port=port,
                    log_config=None,
                    access_log=False,
                    server_header=False,
                    timeout_graceful_shutdown=GRACE_S,
                )
        else:
            stop.wait()


@contextmanager
def _idle() -> Iterator[None]:
    yield


@contextmanager
def working(app: App, stop: threading.Event) -> Iterator[None]:
    """The jobs and their watchdog, until the block is left; what runs then is waited for."""
    beat = Beat()
    scheduler = jobs.start(_jobs(app, beat, stop), clock.now)
    guard = threading.Thread(target=jobs.watch, args=(beat.last, clock.now, stop), name="watchdog", daemon=True)
    guard.start()
    try:
        yield
    finally:
        stop.set()
        scheduler.shutdown(wait=True)


class Beat:
    """When the ticks of this process ran through last; the database has it too, for processes without jobs."""

    def __init__(self) -> None:
        self._last = clock.now()

    def strike(self, app: App) -> None:
        self._last = clock.now()
        with transaction(app.engine) as session:
            heartbeat.beat(session, self._last)

    def last(self) -> datetime:
        return self._last


def _jobs(app: App, beat: Beat, stop: threading.Event) -> list[jobs.Job]:
    worker = app.worker(lambda: not stop.is_set())
    failures = Failures({})
    return [
        jobs.Job("tick", jobs.TICK_S, lambda: tick(app, worker, beat)),
        jobs.Job("read", jobs.READ_S, lambda: read_sources(app, failures)),
    ]


def tick(app: App, worker: Worker, beat: Beat) -> None:
    """Freeze what is due, deliver what is queued, comment where it is due. One step that breaks stops no other."""
    steps: list[Callable[[], object]] = [partial(_freeze, app, team) for team in app.company.teams]
    if messenger := app.messenger():
        steps.append(partial(work_off, app.engine, messenger, app.owner_of, worker))
    if commenting := app.commenting():
        steps.append(partial(intake.work_inbox, app.engine, app.company.repositories, webhooks.parse, clock.now()))
        steps.append(partial(work_comments, app.engine, commenting))
    for step in steps:
        jobs.guarded("tick", step)
    beat.strike(app)


def _freeze(app: App, team: Team) -> None:
    frozen = freeze_due(app.engine, team, app.publishing, clock.now())
    ensure_cards(app.engine, team, app.company.rule, clock.now())
    if frozen.blocks:
        log.info("frozen", team=team.name, frozen=len(frozen.blocks))


def read_sources(app: App, failures: Failures) -> None:
    """Read every source that is due."""
    refresh_spend(app.engine, app.sources(), app.splitting, app.company, failures, clock.now())
    if outcomes := app.outcomes_if_set():
        refresh_outcomes(app.engine, outcomes, app.company, failures, clock.now())


def web_app(app: App) -> Starlette:
    """The routes of the faces that are set up."""
    return edge.make(slack_face(app), github_face(app), partial(is_healthy, app), partial(is_ready, app))


def slack_face(app: App) -> edge.Face | None:
    """Slack's commands and windows, if its token and signing secret are set."""
    place, signing = app.slack_place(), app.settings.slack_signing_secret
    if place is None or signing is None:
        return None
    answer = slack.build(place, signing.get_secret_value())
    return lambda headers, body: edge.Reply(*answer(headers, body))


@contextmanager
def socket_mode(app: App) -> Iterator[None]:
    """Slack over a connection of our own, where only an app-level token is set: for trying Leverage out."""
    place, token = app.slack_place(), app.settings.slack_app_token
    if place is None or token is None or app.settings.slack_signing_secret is not None:
        yield
        return
    handler = slack.socket_mode(slack.make_app(place, None), token.get_secret_value())
    handler.connect()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        handler.close()  # type: ignore[no-untyped-call]


def github_face(app: App) -> edge.Face | None:
    """GitHub's webhooks: stored, then acknowledged; worked off by a tick."""
    secrets = app.webhook_secrets()
    if not secrets:
        return None

    def face(headers: Mapping[str, str], body: bytes) -> edge.Reply:
        try:
            delivery = webhooks.accept(secrets, headers, body)
        except webhooks.Forged:
            return edge.Reply(401, "not signed by GitHub")
        except webhooks.TooLarge:
            return edge.Reply(413, "too large")
        try:
            intake.store(app.engine, delivery, clock.now())
        except StoreError as error:
            log.error("a delivery could not be stored", error=error)
            return edge.Reply(503, "try again later")
        return edge.Reply(202, "stored")

    return face


def is_ready(app: App) -> bool:
    """Whether the database answers and has this version's schema (it was migrated before we served)."""
    try:
        with reading(app.engine) as session:
            heartbeat.last(session)
    except StoreError:
        return False
    return True


def is_healthy(app: App) -> bool:
    """Whether the database answers and the jobs, here or in another process, tick; at the start they get a while."""
    try:
        with reading(app.engine) as session:
            last = heartbeat.last(session)
    except StoreError:
        return False
    return last is None or clock.now() - last < FRESH
