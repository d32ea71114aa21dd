"""Who the ids of OpenAI's reports are: users by e-mail address, and whose an API key is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from bot.domain.model import Actor, ActorKind
from bot.domain.ports import NotFound, Refused
from integrations.parse import lower_email, parsed
from integrations.spend.openai.reports import Reports


class User(BaseModel):
    id: str
    email: str | None = None
    is_service_account: bool | None = None


class Project(BaseModel):
    id: str


class Named(BaseModel):
    id: str


class Owner(BaseModel):
    type: str
    user: Named | None = None
    service_account: Named | None = None


class ApiKey(BaseModel):
    id: str
    owner: Owner | None = None


@dataclass(frozen=True, slots=True)
class People:
    """Users by id, and the owner of each key. A key that nobody told us about is taken for a person's."""

    users: Mapping[str, Actor]
    keys: Mapping[str, Actor]

    def actor(self, user: str | None, key: str | None) -> Actor:
        """Our word for who a row is about: its user, else who owns its key."""
        if user:
            return self.user(user)
        if key:
            return self.keys.get(key, Actor(ActorKind.KEY, key, owned_by_user=True))
        return Actor(ActorKind.UNKNOWN)

    def user(self, id: str) -> Actor:
        return self.users.get(id, Actor(ActorKind.USER, id))


def read_people(reports: Reports) -> People:
    """The organization's users and keys. A key of ours that may not list them leaves everybody an id."""
    users = {}
    for raw in _listed(reports, "/organization/users"):
        if user := parsed(User, raw):
            kind = ActorKind.SERVICE_ACCOUNT if user.is_service_account else ActorKind.USER
            users[user.id] = Actor(kind, user.id, lower_email(user.email) if kind is ActorKind.USER else None)
    people = People(users, {})
    return People(users, _keys(reports, people))


def _keys(reports: Reports, people: People) -> dict[str, Actor]:
    keys: dict[str, Actor] = {}
    for raw in _listed(reports, "/organization/projects"):
        project = parsed(Project, raw)
        if project and project.id.replace("_", "").replace("-", "").isalnum():
            for one in _listed(reports, f"/organization/projects/{project.id}/api_keys"):
                key = parsed(ApiKey, one)
                if key and key.owner:
                    keys[key.id] = _owner(key.id, key.owner, people)
    return keys


def _owner(key: str, owner: Owner, people: People) -> Actor:
    if owner.type == "user" and owner.user:
        return people.user(owner.user.id)
    if owner.type == "service_account" and owner.service_account:
        return Actor(ActorKind.SERVICE_ACCOUNT, owner.service_account.id)
    return Actor(ActorKind.KEY, key, owned_by_user=True)


def _listed(reports: Reports, path: str) -> list[Any]:
    try:
        return list(reports.listed(path))
    except (Refused, NotFound):
        return []
