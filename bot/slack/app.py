"""The Slack app: requests that Slack signed go through Bolt to the commands; everything else stops here.

The work of a request is done inside its acknowledgement, from our own database: nothing is left for later that could
get lost. Bolt runs it in threads of its own.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import structlog
from pydantic import ValidationError
from slack_bolt import App, BoltRequest, BoltResponse
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.middleware import RequestVerification
from slack_sdk import WebClient
from slack_sdk.signature import Clock, SignatureVerifier
from sqlalchemy import Engine

from bot import render_me
from bot.domain.team import Team
from bot.slack import commands, events, guard
from bot.slack.commands import Place
from bot.slack.profile import workspace_of

THREADS = 32
TIMEOUT_S = 2
LIMIT = 1 << 20
TEXT = "text/plain; charset=utf-8"
KEPT_HEADERS = ("content-type", guard.TIMESTAMP, guard.SIGNATURE)
SORRY = "Something went wrong on our side; nothing was changed half-way. Please try again in a minute."

UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, RecursionError)
"""What Bolt raises for a body that is no UTF-8, no JSON, or JSON of another shape than Slack sends."""

Answer = tuple[int, str, str]
"""Status, text and content type of what we answer."""

Handler = Callable[[Mapping[str, str], bytes], Answer]

log = structlog.get_logger(__name__)


def make_place(
    engine: Engine,
    secret: bytes,
    teams: Sequence[Team],
    token: str,
    api_url: str,
    method_url: str,
    github_url: str,
    now: Callable[[], datetime],
) -> Place:
    """What the Slack face works with, for a bot token."""
    client = make_client(token, api_url)
    return Place(engine, secret, teams, client, workspace_of(client), method_url, github_url, now)


def make_client(token: str, api_url: str) -> WebClient:
    """A client that gives up in time for an acknowledgement, and never tries again by itself."""
    return WebClient(token, f"{api_url.rstrip('/')}/", TIMEOUT_S, retry_handlers=[])


def build(place: Place, signing_secret: str) -> Handler:
    """The handler of `POST /slack/events`: from headers, named in any case, and the raw body to what we answer."""
    may_pass = guard.make(signing_secret)
    app = make_app(place, signing_secret)

    def answer(headers: Mapping[str, str], body: bytes) -> Answer:
        named = {name.lower(): value for name, value in headers.items()}
        if len(body) > LIMIT:
            return 400, "", TEXT
        if not may_pass(named, body, place.now()):
            return 401, "", TEXT
        try:
            kept = {name: named[name] for name in KEPT_HEADERS if name in named}
            request = BoltRequest(body=body.decode(), headers=dict(kept))
            return _plain(app.dispatch(request))
        except UNREADABLE as error:
            log.warning("a slack request made no sense", error=error)
            return 400, "", TEXT

    return answer


def make_app(place: Place, signing_secret: str | None) -> App:
    """The Bolt app with all its listeners; without a signing secret it takes nothing over HTTP."""
    token = place.client.token

    def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        """One company, one token: Slack is not asked who we are."""
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token=token)

    app = App(
        name="leverage",
        client=WebClient(None, place.client.base_url, TIMEOUT_S, retry_handlers=[]),
        authorize=authorize,
        before_authorize=_Verification(signing_secret or secrets.token_hex(), place.now),
        request_verification_enabled=False,  # ours stands in its place, and goes by the deployment's clock
        ssl_check_enabled=False,
        listener_executor=ThreadPoolExecutor(THREADS, thread_name_prefix="bolt"),
    )
    commands.register(app, place)
    events.register(app, place)
    app.error(_sorry)
    return app


def socket_mode(app: App, app_token: str) -> SocketModeHandler:
    """For trying Leverage out without a public address: `connect()` it, and `close()` it at the end."""
    return SocketModeHandler(app, app_token)


class _Verification(RequestVerification):
    """Bolt's check of the signature, by the deployment's clock."""

    def __init__(self, signing_secret: str, now: Callable[[], datetime]) -> None:
        super().__init__(signing_secret)
        self._by_the_clock = SignatureVerifier(signing_secret, _Clock(now))

    @property
    def verifier(self) -> SignatureVerifier:
        return self._by_the_clock


class _Clock(Clock):
    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now

    def now(self) -> float:
        return self._now().timestamp()


def _sorry(error: Exception, body: dict[str, Any]) -> BoltResponse:
    """The one handler of whatever a listener did not expect. People are told; the log gets class and place only."""
    if isinstance(error, ValidationError):
        return BoltResponse(status=400, body="")
    log.error("a slack request failed", error=error)
    if body.get("type") == "event_callback":
        return BoltResponse(status=503, body="")  # nothing is stored yet: Slack shall send it again
    if body.get("type") == "view_submission":
        return BoltResponse(status=200, body={"response_action": "update", "view": render_me.closing_window(SORRY)})
    return BoltResponse(status=200, body={"response_type": "ephemeral", "text": SORRY})


def _plain(response: BoltResponse) -> Answer:
    kind = response.first_headers().get("content-type", TEXT)
    return response.status, response.body, kind
