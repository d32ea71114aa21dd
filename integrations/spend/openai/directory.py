"""Who a user is and whose an API key is. Docs: the API reference's `organization/users`, `organization/projects` and
`organization/projects/{id}/api_keys`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.domain.model import Actor, ActorKind
from bot.domain.ports import SourceError
from integrations.parse import lower_email, parsed
from integrations.spend.openai.models import ApiKey, Person, Project, User
from integrations.spend.openai.reports import Reports

USERS = "/organization/users"
PROJECTS = "/organization/projects"
LIMIT = 100  # rows of a page: the most there may be


@dataclass(frozen=True, slots=True)
class Directory:
    """Actors by the id of a user, and by the id of an API key whose owner is known."""

    users: Mapping[str, Actor] = field(default_factory=dict)
    owners: Mapping[str, Actor] = field(default_factory=dict)

    def user(self, user_id: str) -> Actor:
        return self.users.get(user_id) or Actor(ActorKind.USER, user_id)

    def actor(self, user_id: str | None, key_id: str | None) -> Actor:
        """A person before the key they used, and a key's owner before the key. A service account goes by the id that
        keys give it, as users are not told for its keys. A key that nobody told us about is taken for a person's."""
        user = self.user(user_id) if user_id else None
        if user and user.kind is ActorKind.USER:
            return user
        if owner := self.owners.get(key_id or ""):
            return owner
        return user or (Actor(ActorKind.KEY, key_id, owned_by_user=True) if key_id else Actor(ActorKind.UNKNOWN))


def read_directory(reports: Reports) -> Directory:
    """The organisation's users and keys, as far as the key may list them."""
    users = {}
    for row in _told(reports, USERS):
        if user := parsed(User, row):
            users[user.id] = _user(user)
    owners: dict[str, Actor] = {}
    for row in _told(reports, PROJECTS, include_archived="true"):
        if project := parsed(Project, row):
            owners.update(_owners(reports, project.id, users))
    return Directory(users, owners)


def _user(user: User) -> Actor:
    if user.is_service_account:
        return Actor(ActorKind.SERVICE_ACCOUNT, user.id)
    inner = parsed(Person, user.user)
    return Actor(ActorKind.USER, user.id, lower_email(user.email or (inner.email if inner else None)))


def _owners(reports: Reports, project: str, users: dict[str, Actor]) -> Iterator[tuple[str, Actor]]:
    """The owners of a project's keys. One who has left the organisation is told here alone, and becomes known."""
    for row in _told(reports, f"{PROJECTS}/{project}/api_keys", owner_project_access="any"):
        key = parsed(ApiKey, row)
        owner = key.owner if key else None
        if key and owner and owner.user:
            person = Actor(ActorKind.USER, owner.user.id, lower_email(owner.user.email))
            yield key.id, users.setdefault(person.id or "", person)
        elif key and owner and owner.service_account:
            yield key.id, Actor(ActorKind.SERVICE_ACCOUNT, owner.service_account.id)


def _told(reports: Reports, path: str, **params: str) -> Iterator[Any]:
    """The rows of a directory; none of one that is refused for good, which leaves its ids without a name."""
    try:
        yield from reports.rows(path, {"limit": LIMIT, **params})
    except SourceError as error:
        if not error.permanent:
            raise
