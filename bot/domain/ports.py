"""What Leverage asks of the outside: each port as a Protocol, with the one error its users must know."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from typing import Any, Protocol

from bot.domain.model import AccountDay, GitHubUser, PullRequest


class SourceError(Exception):
    """A source could not be read; the message is one clear line for an admin and holds no secret and no person.

    `permanent` means asking again will not help until a person changes something (a rejected key, a missing scope).
    """

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        super().__init__(message)
        self.permanent = permanent


class Http(Protocol):
    """The outgoing HTTP client, as a source sees it. Query values that are lists are sent as repeated keys."""

    def get_json(self, url: str, *, params: Mapping[str, Any], headers: Mapping[str, str]) -> Any:
        """The decoded body, numbers with a point as Decimal.

        Raises NotFound for 404, Refused for 401 and 403, SourceError for everything else that did not work.
        """


class NotFound(SourceError):
    """The service answered that it has no such page (404): a report this organisation does not have."""


class Refused(SourceError):
    """The service refused the key (401: it does not know it, 403: it may not read this). Always permanent."""

    def __init__(self, message: str) -> None:
        super().__init__(message, permanent=True)


class SpendSource(Protocol):
    """A module of `integrations/spend/`: one provider's reports of what was spent."""

    NAME: str
    SECRETS: tuple[str, ...]
    LAG_DAYS: int
    REFETCH_DAYS: int

    def fetch(
        self, http: Http, secrets: Mapping[str, str], base_url: str | None, since: date, until: date, now: datetime
    ) -> Iterator[AccountDay]:
        """Each complete UTC day of `[since, until)`, oldest first; a day that failed part-way is never given.

        Raises SourceError.
        """


class OutcomeSource(Protocol):
    """Where pull requests and teams come from."""

    def pull_requests(
        self, repository: str, since: datetime, progress: Callable[[int, int], None]
    ) -> Iterator[list[PullRequest]]:
        """Pages of pull requests updated since then, newest first. `progress` gets (done, expected) counts."""

    def team_members(self, team: str) -> list[GitHubUser]:
        """Members of `organisation/team-slug`."""

    def users(self, logins: list[str]) -> list[GitHubUser]:
        """The accounts behind these logins; a login nobody has raises SourceError naming it."""
