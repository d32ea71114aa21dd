"""`leverage serve`: the web edge, the jobs, or both in one process. It ends cleanly on SIGTERM."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from types import FrameType

import structlog
import uvicorn
from starlette.applications import Starlette

from bot import clock, jobs, telemetry
from bot.app import App
from bot.domain.team import Team
from bot.errors import UserError
from bot.github import webhooks
from bot.slack import app as slack
from bot.store import heartbeat
from bot.store.db import reading, transaction
from bot.store.errors import StoreError
from bot.usecases import intake
from bot.usecases.comment import work_comments
from bot.usecases.deliver import Worker, token_checked, work_off
from bot.usecases.digest import freeze_due
from bot.usecases.measure import measure
from bot.usecases.reference_card import ensure_cards
from bot.usecases.refresh import Failures, refresh_outcomes, refresh_spend
from bot.usecases.retention import forget_old
from bot.web import edge
from bot.web.pools import Face, Reply

GRACE_S = 22
WEB_GRACE_S = 10
"""A platform that stops a process waits 25 to 30 seconds before it kills it."""

FRESH = timedelta(seconds=jobs.WATCH_S * jobs.MISSED_ROUNDS)

log = structlog.get_logger(__name__)


def serve(app: App, host: str, port: int, *, web: bool, work: bool) -> None:
    """Serve until told to stop. Raises UserError if the port cannot be had."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: _end(stop))
    log.info("serving", host=host if web else None, port=port if web else None)
    with working(app, stop) if work else _idle():
        if web:
            with socket_mode(app):
                _run_web(web_app(app), host, port, stop)
        else:
            stop.wait()


def _end(stop: threading.Event) -> None:
    """Told to stop: in a thread, because a signal may come while the main thread holds the event's own lock."""
    threading.Thread(target=_end_in_time, args=(stop,), name="end", daemon=True).start()


def _end_in_time(stop: threading.Event) -> None:
    """What runs is waited for, but not for ever: each step that is cut off is found again by the next start."""
    stop.set()
    time.sleep(GRACE_S)
    log.warning("what still ran was cut off")
    os._exit(0)


class _Server(uvicorn.Server):
    """Tells the jobs to stop as soon as it is told itself, not when its last answer is out."""

    def __init__(self, config: uvicorn.Config, stop: threading.Event) -> None:
        super().__init__(config)
        self._stop = stop

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        _end(self._stop)
        super().handle_exit(sig, frame)


def _run_web(application: Starlette, host: str, port: int, stop: threading.Event) -> None:
    config = uvicorn.Config(
        application,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=WEB_GRACE_S,
    )
    server = _Server(config, stop)
    try:
        server.run()
    except SystemExit as error:
        raise UserError(CANNOT_LISTEN.format(host=host, port=port)) from error


CANNOT_LISTEN = (
    "Leverage cannot listen on {host}:{port}: another program may have the port; choose one with --port or PORT."
)


@contextmanager
def _idle() -> Iterator[None]:
    yield


@contextmanager
def working(app: App, stop: threading.Event) -> Iterator[None]:
    """The jobs and their watchdog, until the block is left; what runs then is waited for."""
    beat = Beat()
    scheduler = jobs.start(_jobs(app, beat, stop))
    guard = threading.Thread(target=jobs.watch, args=(lambda: beat.count, stop), name="watchdog", daemon=True)
    guard.start()
    try:
        yield
    finally:
        stop.set()
        scheduler.shutdown(wait=True)


class Beat:
    """Signs of life of this process's ticks. The database has the last whole tick too, for processes without jobs."""

    def __init__(self) -> None:
        self.count = 0

    def still_here(self) -> None:
        """A long tick gets on: so many writes to a slow neighbour take their time."""
        self.count += 1

    def strike(self, app: App) -> None:
        self.still_here()
        with transaction(app.engine) as session:
            heartbeat.beat(session, clock.now())


def _jobs(app: App, beat: Beat, stop: threading.Event) -> list[jobs.Job]:
    def going() -> bool:
        beat.still_here()
        return not stop.is_set()

    worker, failures = app.worker(going), Failures({})
    return [
        jobs.Job("tick", jobs.TICK_S, lambda: tick(app, worker, beat)),
        jobs.Job("read", jobs.READ_S, lambda: read_sources(app, failures)),
        jobs.Job("forget", jobs.FORGET_S, lambda: forget_old(app.engine, clock.now())),
    ]


def tick(app: App, worker: Worker, beat: Beat) -> None:
    """Sum up what agents told, freeze what is due, deliver what is queued, comment where it is due. One step that
    breaks stops no other."""
    steps: list[Callable[[], object]] = [partial(measure, app.engine, app.prices, worker.going)]
    steps += [partial(_freeze, app, team) for team in app.company.teams]
    if messenger := app.messenger():
        steps.append(partial(work_off, app.engine, messenger, app.owner_of, worker))
    if commenting := app.commenting():
        observed, going = app.company.repositories, worker.going
        steps.append(partial(intake.work_inbox, app.engine, observed, webhooks.parse, clock.now(), going))
        steps.append(partial(work_comments, app.engine, replace(commenting, going=going)))
    for step in steps:
        jobs.guarded("tick", step)
        beat.still_here()
    beat.strike(app)


def _freeze(app: App, team: Team) -> None:
    frozen = freeze_due(app.engine, team, app.publishing, clock.now())
    ensure_cards(app.engine, team, app.company.rule, clock.now())
    if frozen.blocks:
        log.info("frozen", team=team.name, frozen=len(frozen.blocks))


def read_sources(app: App, failures: Failures) -> None:
    """Read every source that is due, and see whether Slack takes our token. One that breaks stops no other."""
    now = clock.now()
    steps: list[Callable[[], object]] = [
        partial(refresh_spend, app.engine, [one], app.splitting, app.company, failures, now) for one in app.sources()
    ]
    if outcomes := app.outcomes_if_set():
        steps.append(partial(refresh_outcomes, app.engine, outcomes, app.company, failures, now))
    if messenger := app.messenger():
        steps.append(lambda: token_checked(app.engine, messenger.check()))
    for step in steps:
        jobs.guarded("read", step)


def web_app(app: App) -> Starlette:
    """The routes of the faces that are set up."""
    return edge.make(
        slack_face(app),
        github_face(app),
        partial(is_healthy, app),
        partial(is_ready, app),
        ingest=telemetry.doors(app),
        files={telemetry.HOOK: telemetry.hook_file()},
    )


def slack_face(app: App) -> Face | None:
    """Slack's commands and windows, if its token and signing secret are set."""
    place, signing = app.slack_place(), app.settings.slack_signing_secret
    if place is None or signing is None:
        return None
    answer = slack.build(place, signing.get_secret_value())
    return lambda headers, body: Reply(*answer(headers, body))


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


def github_face(app: App) -> Face | None:
    """GitHub's webhooks: stored, then acknowledged; worked off by a tick."""
    secrets = app.webhook_secrets()
    if not secrets or app.commenting() is None:
        return None  # without the App nobody would ever work off what arrives

    def face(headers: Mapping[str, str], body: bytes) -> Reply:
        try:
            delivery = webhooks.accept(secrets, headers, body)
        except webhooks.Forged:
            return Reply(401, "not signed by GitHub")
        except webhooks.TooLarge:
            return Reply(413, "too large")
        try:
            intake.store(app.engine, delivery, clock.now())
        except StoreError as error:
            log.error("a delivery could not be stored", error=error)
            return Reply(503, "try again later")
        return Reply(202, "stored")

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
