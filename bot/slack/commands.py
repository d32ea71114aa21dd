"""What people ask for: `/leverage me`, `join`, `token`, `leave`, `help`, and the window behind `join`.

Who asks is read in one place, from the request that Slack signed; every answer is for that person's eyes only.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field
from slack_bolt import Ack, App
from slack_sdk import WebClient
from sqlalchemy import Engine

from bot import render_me, render_token
from bot.domain.team import Team
from bot.render import Message
from bot.slack import join_window, profile
from bot.slack.join_window import Filled, Wrong
from bot.slack.profile import NotAMember, Unanswered, Workspace
from bot.usecases import joining, tokens
from bot.usecases.consent import TEXT_VERSION, NotJoined
from bot.usecases.joining import NotFree
from bot.usecases.me import me

COMMAND = "/leverage"
WINDOW = f"leverage_join_{TEXT_VERSION}"
OLDER_WINDOW = re.compile("leverage_join_")

NO_WINDOW = "Slack did not let the window open just now. Nothing was changed; please run `/leverage join` again."
NOTHING_TO_LEAVE = "You have not joined, so nothing about your use of AI is kept, and there is nothing to withdraw."
LEFT = (
    "Done: every switch of yours is off. Your links to GitHub, Slack and e-mail, your spend, what your agents told, "
    "your tokens and your open work are deleted. Kept are the note that you withdrew (3 years) and keyed hashes of "
    "your account names, so that nothing of before can come back. What a digest has published stays as it is; no "
    "number in it is yours alone. You can join again at any time."
)


@dataclass(frozen=True, slots=True)
class Place:
    """What the Slack face works with. `github_url` is GitHub's web address, for links to pull requests; `base_url` is
    where people's machines reach Leverage, None where nobody has said."""

    engine: Engine
    secret: bytes
    teams: Sequence[Team]
    client: WebClient
    workspace: Workspace
    method_url: str
    github_url: str
    now: Callable[[], datetime]
    base_url: str | None = None


class Command(BaseModel):
    """A slash command as Slack sends it. What is not named here is not read."""

    user_id: str = Field(min_length=1)
    trigger_id: str = ""
    text: str = ""


class Account(BaseModel):
    id: str = Field(min_length=1)


class Submission(BaseModel):
    """A window that was sent off."""

    user: Account
    view: dict[str, Any]


def register(app: App, place: Place) -> None:
    def command(ack: Ack, body: dict[str, Any]) -> None:
        _answer(place, ack, Command.model_validate(body))

    def submission(ack: Ack, body: dict[str, Any]) -> None:
        _submitted(place, ack, Submission.model_validate(body))

    app.command(COMMAND)(command)
    app.view(WINDOW)(submission)
    app.view(OLDER_WINDOW)(_outdated)


def _outdated(ack: Ack) -> None:
    """Somebody agreed to another text than the one of today."""
    ack(response_action="errors", errors={join_window.COMMENTS: join_window.OUTDATED})


def _answer(place: Place, ack: Ack, asked: Command) -> None:
    match asked.text.lower().split():
        case ["me", *_]:
            own = me(place.engine, place.secret, place.teams, asked.user_id, place.now())
            _whisper(ack, render_me.slack_message(own, place.github_url))
        case ["join", *_]:
            _open_window(place, ack, asked)
        case ["token", "end", *_]:
            _whisper(ack, _end_tokens(place, asked.user_id))
        case ["token"]:
            _whisper(ack, _new_token(place, asked.user_id))
        case ["leave", *_]:
            left = joining.leave(place.engine, place.secret, asked.user_id, place.now())
            _whisper(ack, render_me.note(LEFT if left else NOTHING_TO_LEAVE))
        case _:
            _whisper(ack, render_me.help_message(place.method_url))


def _new_token(place: Place, user: str) -> Message:
    switches = joining.current(place.engine, place.secret, user)
    if switches is None:
        return render_me.note(render_token.NOT_JOINED)
    made = tokens.for_person(place.engine, switches.person, place.now())
    return render_token.made(made.token, made.ended, place.base_url)


def _end_tokens(place: Place, user: str) -> Message:
    switches = joining.current(place.engine, place.secret, user)
    return render_token.ended(tokens.revoke_person(place.engine, switches.person, place.now()) if switches else 0)


def _whisper(ack: Ack, message: Message) -> None:
    ack(text=message.text, blocks=message.blocks, response_type="ephemeral")


def _open_window(place: Place, ack: Ack, asked: Command) -> None:
    switches = joining.current(place.engine, place.secret, asked.user_id)
    view = render_me.join_window(switches, WINDOW, place.method_url)
    try:
        place.client.views_open(trigger_id=asked.trigger_id, view=view)
    except profile.UNANSWERED:
        _whisper(ack, render_me.note(NO_WINDOW))
    else:
        ack()


def _submitted(place: Place, ack: Ack, sent: Submission) -> None:
    fields: frozenset[str] = frozenset()
    try:
        filled = join_window.read(sent.view)
        fields = filled.fields
        _take(place, sent.user.id, filled)
    except Wrong as wrong:
        field = wrong.field if wrong.field in fields else join_window.COMMENTS  # of the fields this window has
        ack(response_action="errors", errors={field: wrong.words})
    else:
        switches = joining.current(place.engine, place.secret, sent.user.id)
        ack(response_action="update", view=render_me.joined_window(switches))


def _take(place: Place, user: str, filled: Filled) -> None:
    """Join, or change what is switched on. Raises Wrong."""
    switches = joining.current(place.engine, place.secret, user)
    join_window.check(filled, switches)
    try:
        if switches:
            joining.change(place.engine, place.secret, place.teams, switches.person, filled.wish, place.now())
        else:
            email = profile.email(place.client, place.workspace, user)
            now, login = place.now(), filled.login
            joining.join(place.engine, place.secret, place.teams, user, email, login, filled.wish, now)
    except NotFree:
        raise Wrong(join_window.LOGIN, join_window.NOT_FREE) from None
    except NotJoined:
        raise Wrong(join_window.COMMENTS, join_window.LEFT) from None
    except NotAMember as error:
        raise Wrong(join_window.LOGIN, str(error)) from None
    except Unanswered:
        raise Wrong(join_window.LOGIN, join_window.UNANSWERED) from None
