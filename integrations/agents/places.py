"""Where work was: repositories, branches and pull requests in attributes, checked before they are believed.

Names of attributes: open-telemetry/semantic-conventions, `docs/registry/attributes/vcs`.
"""

import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, Field

from bot.domain.agents import AgentEvent, AgentRequest, Evidence, Proof
from integrations.agents.reading import Refused
from integrations.otlp import Record
from integrations.parse import parsed
from integrations.sessions import Branch, Repository, Sha

URL, NAME, OWNER = "vcs.repository.url.full", "vcs.repository.name", "vcs.owner.name"
HEAD, CHANGE = "vcs.ref.head.name", "vcs.change.id"
ATTRIBUTES = frozenset({URL, NAME, OWNER, HEAD, CHANGE})
REMOTE = re.compile(r"(?:[a-z+]+://)?[^\s/]+[/:](?:[^\s]*/)?([\w.-]+)/([\w.-]+?)(?:\.git)?/?", re.ASCII)
"""https://host/owner/name, git@host:owner/name.git, ssh://host/owner/name."""


class Place(BaseModel):
    """A place that can be true."""

    repository: Repository | None = None
    branch: Branch | None = None
    commit: Sha | None = None
    pull: int | None = Field(default=None, ge=1, lt=10**9, strict=True)


def checked(**told: Any) -> Place:
    """Raises Refused where a part cannot be true."""
    place = parsed(Place, told)
    if place is None:
        raise Refused("bad_place")
    return place


def repository_at(url: Any) -> str | None:
    """ "owner/name" of a remote's address."""
    found = REMOTE.fullmatch(url) if isinstance(url, str) else None
    return f"{found[1]}/{found[2]}" if found else None


def repository_of(record: Record) -> str | None:
    """The repository that a process says it was started in; its name may come with the owner or beside it."""
    name, owner = record.get(NAME), record.get(OWNER)
    if isinstance(name, str) and name.count("/") == 1:
        return name
    if isinstance(name, str) and isinstance(owner, str):
        return f"{owner}/{name}"
    return repository_at(record.get(URL))


def resource(record: Record, of: AgentRequest | AgentEvent) -> Iterator[Evidence]:
    """The fixed place of the process that sent a record; nothing where it is not said, or says nothing."""
    branch, change = record.get(HEAD), record.get(CHANGE)
    if branch is None and change is None:
        return
    pull = int(change) if isinstance(change, str) and re.fullmatch("[0-9]{1,9}", change, re.ASCII) else change
    place = checked(repository=repository_of(record), branch=branch, pull=pull)
    yield Evidence(of.agent, of.session, of.at, Proof.RESOURCE, place.repository, place.branch, pull=place.pull)
