"""The two events we hear of: our app was taken out of the workspace, or its token was revoked."""

import re
from collections.abc import Callable
from typing import Any

import structlog
from pydantic import BaseModel, Field
from slack_bolt import Ack, App

from bot.slack.commands import Place
from bot.usecases import uninstalled

ANYTHING = re.compile("")
CUT_OFF = ("app_uninstalled", "tokens_revoked")

log = structlog.get_logger(__name__)


class Happened(BaseModel):
    type: str


class Event(BaseModel):
    """An event as Slack sends it; who was behind it is not read. Slack's own repeats have the same id."""

    event_id: str = Field(min_length=1, max_length=100)
    event: Happened


def register(app: App, place: Place) -> None:
    def store(body: dict[str, Any], next: Callable[[], None]) -> None:
        """Before the acknowledgement: Bolt runs the listener of an event after it."""
        told = Event.model_validate(body)
        if uninstalled.note(place.engine, told.event_id, f"slack.{told.event.type}", place.now()):
            log.warning("slack has cut us off", kind=told.event.type)
        next()

    for kind in CUT_OFF:
        app.event(kind, middleware=[store])(_nothing_more)
    app.event(ANYTHING)(_nothing_more)
    app.action(ANYTHING)(_nothing_to_do)


def _nothing_more() -> None:
    """What there was to do is done; an event we did not ask for is acknowledged, so that Slack does not repeat it."""


def _nothing_to_do(ack: Ack) -> None:
    """Links and fields tell us that they were used; what counts is the window that is sent off."""
    ack()
