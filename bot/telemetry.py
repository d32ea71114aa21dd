"""Receiving telemetry: a composition root of its own, which knows what agents send and how it is answered.

OTLP on /v1/logs, /v1/metrics and /v1/traces; what the hook sends on /v1/sessions; the hook itself on /hook.py. An
answer of 2xx is given when everything is committed, and never before.
"""

import json
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from importlib.resources import files
from pathlib import Path

import structlog

from bot import clock
from bot.app import App
from bot.domain.agents import Via
from bot.domain.tokens import Token
from bot.store.errors import StoreError
from bot.usecases.receive import Receiving, Told, receive, sender
from bot.web.ingest import CLOSED, PAUSE_S, Guard, Limiter
from bot.web.pools import Door, Dress, Headers, Reply
from integrations import agents, sessions
from integrations.otlp import BadBody, Media, Signal, answer, decode, load_json, media, status, unpack

MOST_PLAIN = 4 << 20
LEAST_FREE, LEAST_SHARE = 2 << 30, 10
"""A disk is nearly full when less than this is free, and less than one part in so many."""
SESSIONS = "/v1/sessions"
PATHS = (*(f"/v1/{signal}" for signal in Signal), SESSIONS)
HOOK = "/hook.py"
NO_HOOK_DOCUMENT = "The body is no JSON document of the hook's."

Keep = Callable[[Token, Sequence[Told], Via], Counter[str]]

log = structlog.get_logger(__name__)


def doors(app: App, now: Callable[[], datetime] = clock.now) -> dict[str, tuple[Door, Dress]]:
    """The doors by path, and how the edge's own refusals look there."""
    guard = Guard(
        lambda authorization: sender(app.engine, authorization, now()),
        partial(has_room, app.engine.url.database if app.engine.dialect.name == "sqlite" else None),
        Limiter(now),
        StoreError,
    )
    keep = partial(_keep, app, now)
    otlp = {f"/v1/{signal}": (guard.door(partial(_otlp, keep, signal), refuse_otlp), dress_otlp) for signal in Signal}
    return {**otlp, SESSIONS: (guard.door(partial(_sessions, keep), refuse_plain), dress_plain)}


def hook_file() -> Reply:
    """The hook, as people fetch it."""
    return Reply(200, files("integrations").joinpath("hook.py").read_bytes(), "text/x-python; charset=utf-8")


def _keep(app: App, now: Callable[[], datetime], token: Token, batch: Sequence[Told], via: Via) -> Counter[str]:
    """Keep what was told. Raises StoreError, after a line in the log."""
    by = Receiving(app.secret, frozenset(app.company.repositories), app.prices)
    try:
        return receive(app.engine, token, batch, via, by, now())
    except StoreError as error:
        log.error("telemetry could not be stored", error=error)
        raise


def has_room(database: str | None) -> bool:
    """Whether the disk of the database has room for more. Of a PostgreSQL's disk we know nothing."""
    if not database:
        return True
    disk = shutil.disk_usage(Path(database).absolute().parent)
    return disk.free >= LEAST_FREE or disk.free * LEAST_SHARE >= disk.total


def _otlp(keep: Keep, signal: Signal, token: Token, headers: Headers, body: bytes) -> Reply:
    try:
        form = media(headers.get("content-type"))
        batch = decode(signal, form, unpack(body, headers.get("content-encoding"), MOST_PLAIN), agents.ALLOWED)
    except BadBody as bad:
        return refuse_otlp(headers, bad.status, str(bad), None)
    told, refused = agents.read(batch.records)
    given = [Told(one.telemetry, one.readings) for one in told]
    try:
        rejected = batch.rejected + refused + keep(token, given, Via.OTLP)
    except StoreError:
        return refuse_otlp(headers, 503, CLOSED, PAUSE_S)
    return Reply(200, answer(signal, form, sum(rejected.values()), _reasons(rejected)), form)


def _sessions(keep: Keep, token: Token, headers: Headers, body: bytes) -> Reply:
    try:
        plain = unpack(body, headers.get("content-encoding"), MOST_PLAIN)
        told, refused = sessions.parse(load_json(plain, NO_HOOK_DOCUMENT))
    except BadBody as bad:
        return refuse_plain(headers, bad.status, str(bad), None)
    except sessions.Malformed as malformed:
        return refuse_plain(headers, 400, str(malformed), None)
    try:
        rejected = Counter(refused) + keep(token, [Told(told)], Via.HOOK)
    except StoreError:
        return refuse_plain(headers, 503, CLOSED, PAUSE_S)
    return _json(200, {"rejected": dict(sorted(rejected.items()))})


def _reasons(rejected: Mapping[str, int]) -> str:
    return ", ".join(f"{reason}: {count}" for reason, count in sorted(rejected.items()))


def refuse_otlp(headers: Headers, code: int, words: str, retry_s: int | None) -> Reply:
    """A google.rpc.Status in the sender's own encoding; JSON for one that nobody reads."""
    try:
        form = media(headers.get("content-type"))
    except BadBody:
        form = Media.JSON
    return Reply(code, status(code, words, form), form, retry_s)


def dress_otlp(headers: Headers, reply: Reply) -> Reply:
    return refuse_otlp(headers, reply.status, str(reply.text), reply.retry_s)


def refuse_plain(_headers: Headers, code: int, words: str, retry_s: int | None) -> Reply:
    return _json(code, {"error": words}, retry_s)


def dress_plain(headers: Headers, reply: Reply) -> Reply:
    return refuse_plain(headers, reply.status, str(reply.text), reply.retry_s)


def _json(code: int, document: Mapping[str, object], retry_s: int | None = None) -> Reply:
    return Reply(code, json.dumps(document), Media.JSON, retry_s)
