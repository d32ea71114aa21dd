"""Who somebody is, as Slack vouches for it: a full member of our workspace with a confirmed e-mail address."""

from collections.abc import Callable
from http.client import HTTPException

from pydantic import BaseModel, ValidationError
from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError

UNANSWERED = (SlackClientError, OSError, HTTPException, ValueError, LookupError, AttributeError)
"""What slack_sdk raises for a refusal, and for an answer that did not come, stopped, or is no JSON object."""


class NotAMember(Exception):
    """Joining is for full members of the company's own workspace; the message says what is missing."""


class Unanswered(Exception):
    """Slack did not say: try again."""


class Details(BaseModel):
    """The part of a profile we read."""

    email: str = ""


class Enterprise(BaseModel):
    """In which workspaces of an Enterprise organisation the person is."""

    teams: list[str] = []


class User(BaseModel):
    """A user as `users.info` tells it."""

    id: str
    team_id: str = ""
    deleted: bool = False
    is_bot: bool = False
    is_workflow_bot: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_stranger: bool = False
    is_invited_user: bool = False
    is_email_confirmed: bool = False
    profile: Details = Details()
    enterprise_user: Enterprise = Enterprise()


Workspace = Callable[[], str]
"""The id of the workspace that our token belongs to. Raises Unanswered."""


def workspace_of(client: WebClient) -> Workspace:
    """Asks Slack once, when first needed, and remembers the answer."""
    known: list[str] = []

    def workspace() -> str:
        if not known:
            try:
                known.append(str(client.auth_test()["team_id"]))
            except UNANSWERED as error:
                raise Unanswered from error
        return known[0]

    return workspace


def email(client: WebClient, workspace: Workspace, user: str) -> str:
    """The confirmed e-mail address of a full member. Raises NotAMember, Unanswered."""
    try:
        found = User.model_validate(client.users_info(user=user)["user"])
    except (*UNANSWERED, ValidationError) as error:
        raise Unanswered from error
    if found.id != user:
        raise Unanswered
    _require_member(found, workspace())
    if not found.is_email_confirmed or "@" not in found.profile.email:
        raise NotAMember("Confirm your e-mail address in Slack first: it is how your AI spend is recognised.")
    return found.profile.email


def _require_member(user: User, workspace: str) -> None:
    if user.deleted or user.is_bot or user.is_workflow_bot or user.is_invited_user:
        raise NotAMember("Only people with an active Slack account can join.")
    if user.is_restricted or user.is_ultra_restricted:
        raise NotAMember("Guests cannot join: Leverage counts full members of this workspace only.")
    if user.is_stranger or workspace not in (user.team_id, *user.enterprise_user.teams):
        raise NotAMember("People of another company cannot join: Leverage counts members of this workspace only.")
