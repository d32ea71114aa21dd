"""What Leverage asks of the outside: each port as a Protocol, with the one error its users must know."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from bot.domain.delivery import Answer
from bot.domain.model import AccountDay, GitHubUser, PullRequest, Request


class SourceError(Exception):
    """A source could not be read; the message is one clear line for an admin and holds no secret and no person.

    `permanent` means asking again will not help until a person changes something (a rejected key, a missing scope);
    `whole`, that it is about the whole source: no other question to it would be answered now.
    """

    def __init__(self, message: str, *, permanent: bool = False, whole: bool = False) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.whole = whole


class Http(Protocol):
    """The outgoing HTTP client, as a source sees it: reads only. Query values that are lists are sent as repeated keys.

    All raise NotFound for 404, Refused for 401 and 403, SourceError for everything else that did not work. A body is
    decoded with numbers with a point as Decimal; None is an answer without content (204).
    """

    def get_json(self, url: str, *, params: Mapping[str, Any], headers: Mapping[str, str]) -> Any:
        """The decoded body."""

    def post_json(self, url: str, *, body: Any, headers: Mapping[str, str]) -> Any:
        """A question that is asked with POST: the decoded answer."""

    def get_lines(self, url: str, *, headers: Mapping[str, str]) -> list[Any]:
        """The decoded lines of a file with one JSON document a line, or the items of one JSON list."""


class NotFound(SourceError):
    """The service answered that it has no such page (404): a report this organisation does not have."""


class Refused(SourceError):
    """The service refused the key (401: it does not know it, 403: it may not read this). Always permanent."""

    def __init__(self, message: str) -> None:
        super().__init__(message, permanent=True)


class Prices(Protocol):
    """List prices, a request at a time."""

    def price(self, request: Request) -> int | None:
        """Micro-USD at list price on that day; None for a model without a price (never 0, never a default)."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A variable of the environment that a source needs. `about` is one sentence for the README and for who forgot it.

    A secret is a key; anything else is plain text, or with `is_url` an address, which is checked.
    """

    name: str
    about: str
    secret: bool = False
    required: bool = True
    is_url: bool = False


@dataclass(frozen=True, slots=True)
class Access:
    """How a source is reached: the client, the values of its settings by variable (only those that are set), and prices
    for sources that report each request."""

    http: Http
    settings: Mapping[str, str] = field(repr=False)
    prices: Prices


class SpendSource(Protocol):
    """A module of `integrations/spend/`: one provider's reports of what was spent (docs/sources.md, "Add a provider").

    NAME is what commands and the books call it, TITLE what people do. LAG_DAYS is how many days after its end a day
    may still be missing, REFETCH_DAYS how many days back a run reads again while the provider corrects them, EVERY how
    often it is worth asking. GIVES, KEY and FRESH are its row in the README: what it tells, the least key that reads
    it, and how old its numbers are.
    """

    NAME: str
    TITLE: str
    SETTINGS: tuple[Setting, ...]
    LAG_DAYS: int
    REFETCH_DAYS: int
    EVERY: timedelta
    GIVES: str
    KEY: str
    FRESH: str

    def oldest(self, now: datetime) -> date:
        """The first UTC day that may be asked for at this moment."""

    def fetch(self, access: Access, since: date, until: date, now: datetime) -> Iterator[AccountDay]:
        """Each complete UTC day of `[since, until)` up to the running one, oldest first; a day that failed part-way is
        never given.

        Raises SourceError, which names the source and what to do.
        """

    def check(self, access: Access, now: datetime) -> None:
        """One harmless call that shows whether the key may read what `fetch` needs. Raises SourceError."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A pull request as GitHub shows it now; `private` unless everybody may read its repository."""

    pull: PullRequest
    private: bool


class PullSource(Protocol):
    """Where one pull request comes from."""

    def pull_request(self, repository: str, number: int) -> Sighting | None:
        """None if the repository has no such pull request, or one that makes no sense. Raises SourceError."""


class OutcomeSource(PullSource, Protocol):
    """Where pull requests and teams come from."""

    def pull_requests(
        self, repository: str, since: datetime, progress: Callable[[int, int], None]
    ) -> Iterator[list[PullRequest]]:
        """Pages of pull requests updated since then, newest first. `progress` gets (done, expected) counts."""

    def team_members(self, team: str) -> list[GitHubUser]:
        """Members of `organisation/team-slug`."""

    def users(self, logins: list[str]) -> list[GitHubUser]:
        """The accounts behind these logins; a login nobody has raises SourceError naming it."""


class Messenger(Protocol):
    """Slack, as the outbox sees it. Each call is one attempt; what became of it is the answer, never an exception."""

    def check(self) -> Answer:
        """Whether our token is taken; asks who we are, which does nothing."""

    def post(self, channel: str, text: str, blocks: list[dict[str, Any]] | None, key: str) -> Answer:
        """Post to a channel; `key` is an opaque id that travels as message metadata. The remote id is the `ts`."""

    def whisper(self, user: str, text: str) -> Answer:
        """A private message to one person (a team's owner)."""

    def delete(self, channel: str, remote_id: str) -> Answer:
        """Take back a message of ours."""


@dataclass(frozen=True, slots=True)
class PullComment:
    """A comment on a pull request; `ours` if our App wrote it (by the App's id, not by its name)."""

    id: int
    ours: bool
    body: str


class Commenter(Protocol):
    """GitHub's pull request comments, as the comment worker sees them. Each write is one attempt."""

    def comments(self, repository: str, number: int) -> list[PullComment]:
        """All comments, every page, oldest first. Raises SourceError."""

    def create(self, repository: str, number: int, body: str) -> Answer:
        """The remote id is the comment's id."""

    def update(self, repository: str, comment_id: int, body: str) -> Answer:
        """Refused("gone") if a person deleted it."""

    def delete(self, repository: str, comment_id: int) -> Answer:
        """Gone already counts as Sent."""
