"""Whose an API key is, and who an actor of a report is. Docs: platform.claude.com/docs `api/admin/api_keys`."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from bot.domain.model import Actor, ActorKind
from bot.domain.ports import NotFound, Refused
from integrations.parse import lower_email, parsed
from integrations.spend.anthropic.models import ApiKey, Who
from integrations.spend.anthropic.reports import Reports

PATH = "/v1/organizations/api_keys"
PEOPLE = ("user", "user_actor")


@dataclass(frozen=True, slots=True)
class Keys:
    """By id or name, whether a key is a person's. One that nobody told us about is taken for a person's."""

    persons: Mapping[str, bool]

    def actor(self, who: Who | None) -> Actor:
        """Our word for an actor. An e-mail address is lower case; a deleted account has none."""
        match who:
            case Who(type="user_actor"):
                return Actor(ActorKind.USER, who.user_id, lower_email(who.email_address))
            case Who(type="service_account_actor"):
                return Actor(ActorKind.SERVICE_ACCOUNT, who.service_account_id)
            case Who(type="api_actor"):
                name = who.api_key_id or who.api_key_name
                return Actor(ActorKind.KEY, name, owned_by_user=self.persons.get(name or "", True))
            case Who(type="federated_actor", subject=str(subject)) if subject.startswith("user:"):
                return Actor(ActorKind.USER, email=lower_email(subject.removeprefix("user:")))
            case Who(type="federated_actor"):
                return Actor(ActorKind.UNKNOWN, who.subject)
        return Actor(ActorKind.UNKNOWN)


def read_keys(reports: Reports) -> Keys:
    """The organisation's keys. A reporting key may not list them: then each key counts as a person's."""
    try:
        rows = list(reports.rows(PATH, {"limit": 1000}))
    except (Refused, NotFound):
        return Keys({})
    persons: dict[str, bool] = defaultdict(bool)
    for row in rows:
        key = parsed(ApiKey, row)
        if key:
            for name in {key.id, key.name or key.id}:  # names are not unique: one person's key is enough
                persons[name] |= _is_persons(key)
    return Keys(dict(persons))


def _is_persons(key: ApiKey) -> bool:
    return any(who is not None and who.type in PEOPLE for who in (key.principal, key.created_by))
