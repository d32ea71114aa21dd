"""Sending to Slack: one attempt a call, and every way it can end as an answer.

urllib, under slack_sdk, tells the two dangerous cases apart: `URLError` is raised only while the connection is made or
the request is written, so Slack has not got all of it; anything after that is uncertain.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from http.client import HTTPException
from typing import Any
from urllib.error import URLError

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web import SlackResponse

from bot.domain.delivery import Answer, BadMessage, NotSent, Refused, Revoked, Sent, Uncertain

TIMEOUT_S = 10
EVENT = "leverage_digest"
GONE = "message_not_found"

UNREADABLE = (OSError, HTTPException, ValueError, LookupError, AttributeError)
"""What slack_sdk raises for an answer that stops, is no text, or is JSON but no object (AttributeError)."""

UNCERTAIN = re.compile("fatal_error|internal_error|request_timeout|service_unavailable|duplicate_.+")
BUSY = ("rate_limited", "ratelimited")
BAD_MESSAGE = ("invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long")
REVOKED = ("account_inactive", "invalid_auth", "not_authed", "token_expired", "token_revoked")
REFUSED = re.compile(
    "is_archived|channel_not_found|not_in_channel|restricted_action.*|missing_scope|no_permission|access_denied"
    "|not_allowed_token_type|user_not_found|user_disabled|user_not_visible|cannot_dm_bot|messages_tab_disabled"
)
CODE = re.compile(r"[a-z][a-z0-9_]{0,60}")
SCOPES = re.compile(r"[a-z:.,_]{1,100}")


class SlackMessenger:
    """Posts, whispers and deletes with a bot token. `timeout` is a request's, in seconds; a call makes up to two."""

    def __init__(self, token: str, api_url: str, timeout: int = TIMEOUT_S) -> None:
        base_url = f"{api_url.rstrip('/')}/"
        self._client = WebClient(token, base_url, timeout, retry_handlers=[])

    def post(self, channel: str, text: str, blocks: list[dict[str, Any]] | None, key: str) -> Answer:
        """Refused("shared_with_another_company") without posting, if people of other companies could read it."""
        problem, info = _look(lambda: self._client.conversations_info(channel=channel))
        if info is None:
            return problem
        found = info.get("channel") or {}
        if found.get("is_ext_shared") or found.get("is_pending_ext_shared"):
            return Refused("shared_with_another_company")
        metadata = {"event_type": EVENT, "event_payload": {"key": key}}
        return self._write(channel, text, blocks=blocks, metadata=metadata)

    def whisper(self, user: str, text: str) -> Answer:
        problem, opened = _look(lambda: self._client.conversations_open(users=[user]))
        if opened is None:
            return problem
        channel = (opened.get("channel") or {}).get("id")
        return self._write(channel, text) if channel else NotSent("no_channel_in_answer")

    def delete(self, channel: str, remote_id: str) -> Answer:
        """Gone already counts as Sent."""
        answer, _ = _call(lambda: self._client.chat_delete(channel=channel, ts=remote_id))
        if isinstance(answer, NotSent) and answer.reason == GONE:
            return Sent(remote_id)
        return answer

    def check(self) -> Answer:
        """Whether the token is taken: asks who we are, which does nothing. The remote id is our user."""
        answer, found = _look(self._client.auth_test)
        return answer if found is None else Sent(str(found.get("user_id") or ""))

    def _write(self, channel: str, text: str, **more: Any) -> Answer:
        plain: dict[str, Any] = {"unfurl_links": False, "unfurl_media": False, "parse": "none", "link_names": False}
        answer, _ = _call(lambda: self._client.chat_postMessage(channel=channel, text=text, **plain, **more))
        return answer if not isinstance(answer, Sent) or answer.remote_id else Uncertain("no_ts_in_answer")


def _look(call: Callable[[], SlackResponse]) -> tuple[Answer, SlackResponse | None]:
    """A call that writes nothing: whatever became of it, the message is not sent yet."""
    answer, response = _call(call)
    return (NotSent(answer.reason, outage=True) if isinstance(answer, Uncertain) else answer), response


def _call(call: Callable[[], SlackResponse]) -> tuple[Answer, SlackResponse | None]:
    """What became of one request, and what Slack said if it said yes."""
    try:
        response = call()
    except SlackApiError as error:
        return _refusal(error.response), None
    except SlackClientError as error:
        return NotSent(type(error).__name__), None
    except URLError:
        return NotSent("no_connection", outage=True), None
    except UNREADABLE as error:
        return Uncertain(type(error).__name__), None
    return Sent(str(response.get("ts") or "")), response


def _refusal(response: SlackResponse) -> Answer:
    """An answer that is not yes: by its status, then by Slack's code."""
    status, body = response.status_code, response.data if isinstance(response.data, dict) else {}
    found = str(body.get("error") or "")
    code = found if CODE.fullmatch(found) else ""
    if status == 429 or (status == 200 and code in BUSY):
        return NotSent("rate_limited", _retry_after(response), outage=True)
    if status >= 500 or (status in (200, 408) and not code) or 300 <= status < 400:
        return Uncertain(f"http_{status}")
    return _by_code(code or f"http_{status}", body)


def _by_code(code: str, body: dict[str, Any]) -> Answer:
    if UNCERTAIN.fullmatch(code):
        return Uncertain(code)
    if code in BAD_MESSAGE:
        return BadMessage(code)
    if code in REVOKED:
        return Revoked(code)
    if REFUSED.fullmatch(code):
        needed = str(body.get("needed") or "")
        return Refused(f"{code} {needed}" if code == "missing_scope" and SCOPES.fullmatch(needed) else code)
    return NotSent(code)


def _retry_after(response: SlackResponse) -> timedelta | None:
    headers = {str(name).lower(): str(value) for name, value in response.headers.items()}
    seconds = headers.get("retry-after", "").strip()
    return timedelta(seconds=int(seconds)) if re.fullmatch("[0-9]{1,7}", seconds) else None
