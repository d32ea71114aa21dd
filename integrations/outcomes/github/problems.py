"""What went wrong, in one line an admin can act on. The lines hold no secret, no person and nothing of a repository."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from bot.domain.ports import NotFound, SourceError
from integrations.outcomes.github.wire import Reply

KEY_REFUSED = (
    "GitHub does not accept this private key for App {app}: check GITHUB_APP_ID, GITHUB_APP_PRIVATE_KEY "
    "and the clock of this machine"
)
TOKEN_REFUSED = "GitHub does not accept the App's token for {account} any more: check that the App is still installed"
SUSPENDED = "The GitHub App is suspended on {account}: an owner of {account} can unsuspend it in its settings"
PERMISSION = (
    "The GitHub App may not read this on {account}: accept its permissions there "
    "(Metadata: read, Pull requests: read, organization Members: read)"
)
NO_ANSWER = "GitHub does not answer, or could not be reached ({kind}): check the network or proxy, and GITHUB_API_URL"
TOO_MUCH = frozenset({"RESOURCE_LIMITS_EXCEEDED", "MAX_NODE_LIMIT_EXCEEDED"})
RATE_LIMITED = frozenset({"RATE_LIMITED", "RATE_LIMIT"})
TRANSIENT = frozenset({"SERVICE_UNAVAILABLE", "INTERNAL"})


class TooMuch(SourceError):
    """GitHub gave up on a question; a smaller one may be answered."""


class Complaint(BaseModel):
    """One entry of `errors` in a GraphQL answer. Its message may quote what people wrote, so it is never shown."""

    model_config = ConfigDict(hide_input_in_errors=True)

    type: str | None = None
    path: tuple[str | int, ...] = ()
    message: str = Field(default="", repr=False)
    extensions: dict[str, Any] = Field(default_factory=dict, repr=False)


def check(reply: Reply, account: str) -> None:
    """Raise what a REST answer, or the envelope of a GraphQL answer, says."""
    if reply.status < 400:
        return
    message = message_of(reply)
    if is_rate_limit(reply):
        raise rate_limited(reply.headers)
    if reply.status >= 500:
        raise TooMuch(f"GitHub is not well: it answered with status {reply.status}")
    if reply.status in (404, 422):
        raise NotFound(f"GitHub has no such page (status {reply.status})", permanent=True)
    if reply.status == 401:
        raise SourceError(TOKEN_REFUSED.format(account=account), permanent=True)
    if reply.status == 403:
        text = SUSPENDED if "suspended" in message else PERMISSION
        raise SourceError(text.format(account=account), permanent=True)
    raise SourceError(f"GitHub refused the request with status {reply.status}", permanent=True)


def check_as_app(reply: Reply, app: str) -> None:
    """Raise what the answer to a request signed with the private key says; NotFound for 404."""
    unknown = reply.status == 404 and "integration not found" in message_of(reply)
    if reply.status == 401 or unknown:
        raise SourceError(KEY_REFUSED.format(app=app), permanent=True, whole=True)
    check(reply, "this account")


def check_token(reply: Reply, app: str, account: str) -> None:
    """Raise why GitHub gives no installation token."""
    if reply.status == 422:
        raise SourceError(PERMISSION.format(account=account), permanent=True)
    if reply.status == 404:
        raise SourceError(TOKEN_REFUSED.format(account=account), permanent=True)
    if reply.status == 403:
        check(reply, account)
    check_as_app(reply, app)


def check_complaints(complaints: Iterable[Complaint], headers: Mapping[str, str]) -> None:
    """Raise if GraphQL stopped for want of time or budget. What a query was refused is for its asker to judge."""
    for complaint in complaints:
        if complaint.type in RATE_LIMITED:
            raise rate_limited(headers)
        if complaint.type in TOO_MUCH or "while executing your query" in complaint.message:
            raise TooMuch("GitHub gave up on a query that takes too long")


def refused(complaint: Complaint, account: str) -> SourceError:
    """What a GraphQL complaint means that nobody expected."""
    if complaint.type == "FORBIDDEN":
        return SourceError(PERMISSION.format(account=account), permanent=True)
    reason = complaint.type or complaint.extensions.get("code")
    transient = reason is None or reason in TRANSIENT
    return SourceError(f"GitHub refused a query ({reason or 'no reason given'})", permanent=not transient)


def rate_limited(headers: Mapping[str, str]) -> SourceError:
    """With the time from which asking again makes sense, if GitHub tells it."""
    after, reset = headers.get("retry-after", ""), headers.get("x-ratelimit-reset", "")
    if after.isdigit():
        return SourceError(f"GitHub's rate limit is reached: it asks to wait {after} seconds", whole=True)
    if reset.isdigit():
        return SourceError(f"GitHub's rate limit is reached until {moment(int(reset))}", whole=True)
    return SourceError("GitHub's rate limit is reached: try again in some minutes", whole=True)


def no_user(logins: list[str]) -> SourceError:
    *others, last = logins
    named = f"users named {', '.join(others)} and {last}" if others else f"user named {last}"
    return SourceError(f"GitHub has no {named}: check `members` in leverage.toml", permanent=True)


def moment(epoch: int) -> str:
    return f"{datetime.fromtimestamp(epoch, UTC):%Y-%m-%d %H:%M} UTC"


def is_rate_limit(reply: Reply) -> bool:
    if reply.status == 429:
        return True
    empty = reply.headers.get("x-ratelimit-remaining") == "0" or "retry-after" in reply.headers
    return reply.status == 403 and (empty or "rate limit" in message_of(reply))


def message_of(reply: Reply) -> str:
    """What an error says, in lower case. It may quote what people wrote: never shown."""
    return str(reply.body.get("message", "")).lower() if isinstance(reply.body, dict) else ""
