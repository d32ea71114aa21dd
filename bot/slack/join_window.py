"""The window of `/leverage join`: what was chosen in it, and what happens then.

Whose choice it is says the signed request alone; nothing that travels inside the window can name anybody.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from bot.domain.me import Comments, Switches
from bot.usecases.joining import Wish

COLLECT, TEAM = "collect", "team"
SWITCHES, COMMENTS, LOGIN = "switches", "comments", "login"
GITHUB_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")

NEEDS_COLLECT = (
    "Switch on collect to join: the other switches need it. To stay out, close this window; nothing is stored."
)
CHOOSE = "Choose what comments on your pull requests may show."
NO_LOGIN = "Write your GitHub login, such as octocat, without spaces."
LEFT = "You have left in the meantime. Close this window and run /leverage join again."
OUTDATED = "The text of this window has changed since you opened it. Close it and run /leverage join again."
NOT_FREE = (
    "This login cannot be linked: it is on no team's list here, or it is linked already. Check the spelling; if it is "
    "right, ask whoever runs Leverage to look at the list."
)
UNANSWERED = "Slack did not tell us your e-mail address just now. Nothing was stored; press the button again."


class Option(BaseModel):
    value: str


class Field(BaseModel):
    """A field's state; which of the three is there depends on its kind."""

    value: str | None = None
    selected_option: Option | None = None
    selected_options: list[Option] = []


class State(BaseModel):
    values: dict[str, dict[str, Field]] = {}


class View(BaseModel):
    """A submitted window. Ids and metadata in it are not read."""

    callback_id: str
    state: State = State()


@dataclass(frozen=True, slots=True)
class Filled:
    """What somebody filled in. `fields` are those that the window had."""

    collect: bool
    wish: Wish
    login: str
    fields: frozenset[str]


class Wrong(Exception):
    """A field that has to be filled in otherwise, and why."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field
        self.words = words


def read(view: Mapping[str, Any]) -> Filled:
    """What was filled in. Raises Wrong, and pydantic's error for what is no window of ours."""
    values = View.model_validate(view).state.values
    switches = _field(values, SWITCHES).selected_options
    on = {option.value for option in switches}
    comments = _field(values, COMMENTS).selected_option
    if comments is None or comments.value not in set(Comments):
        raise Wrong(COMMENTS, CHOOSE)
    wish = Wish(team=TEAM in on, comments=Comments(comments.value))
    login = (_field(values, LOGIN).value or "").strip().removeprefix("@")
    return Filled(COLLECT in on, wish, login, frozenset(values))


def check(filled: Filled, switches: Switches | None) -> None:
    """What joining or changing needs to be filled in. Raises Wrong."""
    if switches:
        return
    if LOGIN not in filled.fields:
        raise Wrong(COMMENTS, LEFT)
    if not filled.collect:
        raise Wrong(SWITCHES, NEEDS_COLLECT)
    if not GITHUB_LOGIN.fullmatch(filled.login):
        raise Wrong(LOGIN, NO_LOGIN)


def _field(values: Mapping[str, Mapping[str, Field]], name: str) -> Field:
    """A block of the window holds one field of the same name."""
    return values.get(name, {}).get(name) or Field()
