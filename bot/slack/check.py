"""Whether Slack takes our tokens and each team's channel can be posted in: a harmless call for each."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.domain.health import Finding, ok, problem, warning
from bot.domain.team import Team

SCOPES = frozenset(
    {"channels:read", "chat:write", "commands", "groups:read", "im:write", "users:read", "users:read.email"}
)
"""All that is asked for, and each is needed (docs/slack-manifest.yaml)."""

CODE = re.compile(r"[a-z][a-z0-9_]{0,60}")
NO_ANSWER = "no_answer"
ADD_SCOPES = "add what is missing on the app's page at api.slack.com (OAuth & Permissions) and install the app again"
ANOTHER = "name another channel in leverage.toml"
TOKENS = ("account_inactive", "invalid_auth", "not_allowed_token_type", "not_authed", "token_expired", "token_revoked")


@dataclass(frozen=True, slots=True)
class Reply:
    """What Slack said: `error` is its code, or that there was no answer. Header names are lower case."""

    error: str | None = None
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


class Channel(BaseModel):
    """What decides whether a channel can be posted in. `is_org_shared`: with workspaces of the same company."""

    model_config = ConfigDict(hide_input_in_errors=True, frozen=True)

    is_archived: bool = False
    is_member: bool = False
    is_shared: bool = False
    is_ext_shared: bool = False
    is_org_shared: bool = False
    is_pending_ext_shared: bool = False

    @property
    def leaves_the_company(self) -> bool:
        return self.is_ext_shared or self.is_pending_ext_shared or (self.is_shared and not self.is_org_shared)


class SlackChecks:
    """Each request is made once. `timeout` is in seconds."""

    def __init__(self, api_url: str, timeout: int = 10) -> None:
        self._base_url = f"{api_url.rstrip('/')}/"
        self._timeout = timeout

    def bot(self, token: str, teams: Sequence[Team]) -> list[Finding]:
        """The bot token, its scopes, and each team's channel and owner."""
        client = self._client(token)
        reply = _ask(client, "auth.test")
        if reply.error:
            return [_refused(reply.error, "SLACK_BOT_TOKEN", "the Bot User OAuth Token (OAuth & Permissions)")]
        channels = [channel(team, _ask(client, "conversations.info", channel=team.slack_channel)) for team in teams]
        return [
            ok("Slack: the bot token is accepted"),
            scopes(reply.headers.get("x-oauth-scopes")),
            *channels,
            *map(owner, teams),
        ]

    def socket(self, token: str) -> Finding:
        """The app-level token: asks for an address to connect to, and does not connect."""
        reply = _ask(self._client(token), "apps.connections.open")
        if reply.error:
            return _refused(
                reply.error, "SLACK_APP_TOKEN", "an app-level token with connections:write (Basic Information)"
            )
        return ok("Slack requests: they come over Socket Mode, and the app-level token is accepted")

    def _client(self, token: str) -> WebClient:
        return WebClient(token, self._base_url, self._timeout, retry_handlers=[])


def _ask(client: WebClient, method: str, **values: str) -> Reply:
    try:
        response = client.api_call(method, data=values)
    except SlackApiError as error:
        data = error.response.data if isinstance(error.response.data, dict) else {}
        code = str(data.get("error") or "")
        return Reply(code if CODE.fullmatch(code) else f"http_{error.response.status_code}", data)
    except (SlackClientError, OSError, HTTPException, ValueError, LookupError, AttributeError):
        return Reply(NO_ANSWER)  # the last ones are what slack_sdk raises for an answer that is none
    headers = {str(name).lower(): str(value) for name, value in response.headers.items()}
    return Reply(None, response.data if isinstance(response.data, dict) else {}, headers)


def _refused(code: str, name: str, which: str) -> Finding:
    if code in TOKENS:
        return problem(f"Slack: {name} is not accepted ({code})", f"copy {which} from the app's page at api.slack.com")
    if code == "missing_scope":
        return problem(f"Slack: {name} lacks a scope", ADD_SCOPES)
    return problem(f"Slack: no useful answer ({code})", "check the network and SLACK_API_URL, then try again")


def scopes(header: str | None) -> Finding:
    """`header` is what Slack says the token may do."""
    if header is None:
        return warning("Slack scopes: not checked, because Slack's answer does not name them")
    if missing := sorted(SCOPES - {scope.strip() for scope in header.split(",")}):
        return problem(f"Slack scopes: missing {', '.join(missing)}", ADD_SCOPES)
    return ok("Slack scopes: all that are needed")


def channel(team: Team, reply: Reply) -> Finding:
    """Whether a team's digest could be posted; the first thing that is in the way."""
    what = f"Slack channel of {team.name}"
    if reply.error:
        return problem(
            f"{what}: {REFUSALS.get(reply.error, (reply.error, ''))[0]}", REFUSALS.get(reply.error, ("", ""))[1]
        )
    try:
        found = Channel.model_validate(reply.body.get("channel"))
    except ValidationError:
        return problem(f"{what}: Slack's answer describes no channel", "check SLACK_API_URL")
    if found.is_archived:
        return problem(f"{what}: it is archived", f"unarchive it, or {ANOTHER}")
    if found.leaves_the_company:
        return problem(f"{what}: it is shared with another organization, where digests are not posted", ANOTHER)
    if not found.is_member:
        return problem(f"{what}: the bot is not a member", "/invite @Leverage in that channel")
    return ok(f"{what}: the bot is a member (whether there are guests was not checked)")


REFUSALS = {
    "channel_not_found": (
        "not found",
        f"/invite @Leverage there if it is private (before, it is invisible), or {ANOTHER}",
    ),
    "missing_scope": ("the bot may not look at it", ADD_SCOPES),
    "not_in_channel": ("the bot is not a member", "/invite @Leverage in that channel"),
    NO_ANSWER: ("Slack did not answer", "try again"),
}


def owner(team: Team) -> Finding:
    if team.owner:
        return ok(f"Owner of {team.name}: set")
    return warning(
        f"Owner of {team.name}: not set, so nobody is told when a digest needs a person",
        'add owner = "U0123ABCD" (a member ID) to the team in leverage.toml',
    )
