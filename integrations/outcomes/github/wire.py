"""The seam between what we ask of GitHub and how it is asked: PyGithub in the product, a fake in tests.

A `Reply` is whatever GitHub answered, an error too; only what is no answer at all (no connection) is raised.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from bot.domain.ports import SourceError


class NotReached(SourceError):
    """There was no connection, so nothing can have happened over there."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. Header names are lower case."""

    status: int
    body: Any = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)


class Wire(Protocol):
    """GitHub as one installation of the App sees it; each method is one request."""

    def get(self, path: str) -> Reply:
        """REST, read only. Raises SourceError if there is no answer."""

    def graphql(self, query: str, variables: Mapping[str, Any]) -> Reply:
        """Raises SourceError if there is no answer."""


class App(Protocol):
    """GitHub as the App itself sees it, by its private key."""

    def get(self, path: str) -> Reply:
        """What the key alone may read: where the App is installed. Raises SourceError if there is no answer."""

    def installation(self, number: int, account: str, permissions: Mapping[str, str]) -> Wire:
        """A token for this account that can do this and no more. Raises SourceError if GitHub does not give it."""


class WritingWire(Wire, Protocol):
    """An installation that we may write to."""

    def send(self, method: str, path: str, body: Mapping[str, Any] | None) -> Reply:
        """One write, sent once. Raises NotReached, or SourceError if there is no answer."""


class WritingApp(App, Protocol):
    """An App whose installations can be written to."""

    def installation(self, number: int, account: str, permissions: Mapping[str, str]) -> WritingWire: ...
