"""Somebody at a keyboard in Slack: every command and every window is sent to the real handler, signed as Slack signs.

desk = Desk(company)
desk.command("ann", "me")
desk.join("ann", login="ann", switches="collect team", comments="nothing")
"""

import hashlib
import hmac
import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from bot.slack.app import build
from bot.slack.commands import WINDOW, Place
from bot.slack.profile import workspace_of
from tests.company import SECRET, SmallCompany, instant
from tests.fake_slack.people import WORKSPACE, People

SIGNING_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
METHOD = "https://example.com/method"
GITHUB = "https://github.com"
FORM, JSON = "application/x-www-form-urlencoded", "application/json"


def signed(body: bytes, at: datetime, content_type: str = FORM, secret: str = SIGNING_SECRET) -> dict[str, str]:
    """The headers of a request that Slack signed at this time."""
    stamp = str(int(at.timestamp()))
    digest = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {
        "Content-Type": content_type,
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": f"v0={digest}",
    }


@dataclass(frozen=True)
class Heard:
    """What Slack was answered."""

    status: int
    content: str

    @property
    def json(self) -> dict[str, Any]:
        return dict(json.loads(self.content)) if self.content else {}

    @property
    def text(self) -> str:
        return str(self.json["text"])

    @property
    def errors(self) -> dict[str, str]:
        assert self.json["response_action"] == "errors"
        return dict(self.json["errors"])


class Desk:
    """The handler of one deployment, at a time that a test sets."""

    def __init__(self, company: SmallCompany, people: People | None = None, at: str = "2026-05-20 10:00") -> None:
        self.company = company
        self.people = people or People("ann", "bo", "cy")
        self.at = instant(at)
        self._numbers = itertools.count(1)
        self.place = Place(
            engine=company.engine,
            secret=SECRET,
            teams=(company.team,),
            client=self.people,
            workspace=workspace_of(self.people),
            method_url=METHOD,
            github_url=GITHUB,
            now=lambda: self.at,
        )
        self.handler = build(self.place, SIGNING_SECRET)

    def send(self, body: bytes, headers: Mapping[str, str] | None = None) -> Heard:
        status, content, _ = self.handler(signed(body, self.at) if headers is None else headers, body)
        return Heard(status, content)

    def command(self, name: str, text: str, **more: str) -> Heard:
        return self.send(self.command_body(name, text, **more))

    def command_body(self, name: str, text: str, **more: str) -> bytes:
        fields = {
            "command": "/leverage",
            "text": text,
            "user_id": f"S_{name}",
            "user_name": name,
            "team_id": WORKSPACE,
            "channel_id": "C0123ABCD",
            "trigger_id": f"trigger.{next(self._numbers)}",
            "response_url": "https://hooks.slack.com/commands/T/1/secret",
        }
        return urlencode({**fields, **more}).encode()

    def join(
        self, name: str, *, login: str | None = None, switches: str = "", comments: str | None = "nothing", **more: Any
    ) -> Heard:
        """Send the window off; `more` changes the payload."""
        option = None if comments is None else {"value": comments}
        chosen = [{"value": value} for value in switches.split()]
        values: dict[str, Any] = {
            "switches": {"switches": {"type": "checkboxes", "selected_options": chosen}},
            "comments": {"comments": {"type": "radio_buttons", "selected_option": option}},
        }
        if login is not None:
            values["login"] = {"login": {"type": "plain_text_input", "value": login}}
        return self.submit(name, values, **more)

    def submit(self, name: str, values: dict[str, Any], view: dict[str, Any] | None = None, **more: Any) -> Heard:
        payload = {
            "type": "view_submission",
            "team": {"id": WORKSPACE},
            "user": {"id": f"S_{name}", "username": name, "team_id": WORKSPACE},
            "trigger_id": f"trigger.{next(self._numbers)}",
            "view": {"id": "V_1", "type": "modal", "callback_id": WINDOW, "state": {"values": values}, **(view or {})},
            **more,
        }
        return self.interaction(payload)

    def interaction(self, payload: Any) -> Heard:
        return self.send(urlencode({"payload": json.dumps(payload)}).encode())

    def event(self, kind: str, event_id: str = "Ev1", **more: Any) -> Heard:
        event = {"type": kind, **more}
        body: dict[str, Any] = {"type": "event_callback", "team_id": WORKSPACE, "event_id": event_id, "event": event}
        body["event_time"] = next(self._numbers)
        content = json.dumps(body).encode()
        return self.send(content, signed(content, self.at, JSON))
