"""The values that travel through Leverage, from a provider's report to a person's ledger.

Money is integer micro-USD, tokens are integers, times are aware UTC, days are UTC dates.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from enum import StrEnum
from typing import Any


@dataclass(frozen=True, slots=True)
class Tokens:
    """Disjoint token counters. `None` means the source does not tell this kind apart (it is inside a neighbour)."""

    fresh: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int | None = None
    cache_read: int = 0
    output: int = 0
    reasoning: int | None = None

    @property
    def total(self) -> int:
        return sum(getattr(self, kind.name) or 0 for kind in fields(self))

    def __add__(self, other: "Tokens") -> "Tokens":
        return Tokens(
            **{kind.name: _plus(getattr(self, kind.name), getattr(other, kind.name)) for kind in fields(self)}
        )

    def __sub__(self, other: "Tokens") -> "Tokens":
        """What a counter has grown by since it stood at the other; below 0 where it has fallen."""
        return Tokens(
            **{kind.name: _minus(getattr(self, kind.name), getattr(other, kind.name)) for kind in fields(self)}
        )


def _plus(one: int | None, other: int | None) -> Any:
    """Add two counters; unknown plus unknown stays unknown."""
    return None if one is None and other is None else (one or 0) + (other or 0)


def _minus(one: int | None, other: int | None) -> Any:
    """Take a counter from a later one; what is not told apart now has not grown."""
    return None if one is None else one - (other or 0)


class ActorKind(StrEnum):
    """Who a provider says has spent."""

    USER = "user"
    SERVICE_ACCOUNT = "service_account"
    KEY = "key"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Actor:
    """An identity as a provider reports it. `id` is the provider's own id (or key name), `email` is lower case.

    `owned_by_user` is true for a key whose principal or creator is a person: such spend is never service spend.
    `github` is the GraphQL node id of their account on GitHub, where the source tells it.
    """

    kind: ActorKind
    id: str | None = None
    email: str | None = field(default=None, repr=False)
    owned_by_user: bool = False
    github: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class SpendRow:
    """What one actor spent on one model on one day, as one report says it. Amounts may be unknown, never negative.

    `list_micro` is None where the source has no list figure (never 0 for "unknown"); `billed_micro`, where its bill
    does not name people. `session` is the agent's own conversation id and `pull` a pull request ("acme/api#412") that
    the requests were tagged with, where the source tells.
    """

    actor: Actor
    model: str | None
    tokens: Tokens
    requests: int | None
    list_micro: int | None
    billed_micro: int | None
    session: str | None = None
    pull: str | None = None


@dataclass(frozen=True, slots=True)
class Activity:
    """What one actor did on one day, apart from money: conversations, prompts, and thousandths of a provider's own
    credits. None where the source does not tell."""

    actor: Actor
    threads: int | None = None
    turns: int | None = None
    credits_milli: int | None = None


@dataclass(frozen=True, slots=True)
class SessionCommit:
    """A commit that an agent's conversations went into, as the provider saw it: joins sessions to pull requests."""

    actor: Actor
    sha: str
    sessions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AccountDay:
    """All that a provider account reports of one UTC day: the billing truth and the rows that explain it.

    `billed_micro` is the bill and the control sum; rows may explain less of it, never more. It is None where the source
    tells of no money (credits only). `rejected` counts rows that were refused, by reason.

    Apart from the bill, and never in it: `covered_micro` is what a plan covered, at list price; `adjustment_micro` are
    refunds and credits, which are the organisation's and nobody's share; `credits_milli` are thousandths of the
    provider's own credits; `seats` is how many seats were paid for.

    `upstream` names the account whose provider bills this traffic too (a gateway on the company's own keys): where that
    account has a bill for the day, this one explains it and adds nothing.
    """

    account: str
    day: date
    billed_micro: int | None
    list_micro: int | None
    rows: tuple[SpendRow, ...]
    refreshed_at: datetime | None = None
    rejected: Mapping[str, int] = field(default_factory=dict)
    covered_micro: int | None = None
    adjustment_micro: int = 0
    credits_milli: int | None = None
    seats: int | None = None
    upstream: str | None = None
    activity: tuple[Activity, ...] = ()
    commits: tuple[SessionCommit, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """One call of a model, to be priced. `provider` is who serves it, as far as known ("anthropic", "bedrock"); `tier`
    is "batch", "flex", "priority" or "fast" where the source tells."""

    model: str
    provider: str | None
    at: datetime
    tokens: Tokens
    tier: str | None = None


@dataclass(frozen=True, slots=True)
class GitHubUser:
    """An account on GitHub; `id` is its GraphQL node id, `login` its name of today."""

    id: str
    login: str
    is_bot: bool = False


class PullState(StrEnum):
    OPEN = "open"
    MERGED = "merged"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Review:
    """One submitted review, by a human or a bot. `state` is approved, changes_requested or commented."""

    author: GitHubUser
    state: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CommitDay:
    """Somebody authored at least one commit of a pull request on this UTC day."""

    author_id: str
    day: date


def fingerprint(session: str) -> str:
    """What is kept of an agent's session id that a commit names: enough to know it again, not to read it."""
    return hashlib.sha256(session.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class HeadCommit:
    """A commit of a pull request's branch, by its full SHA: in its list today, or `replaced` by a force-push.

    `sessions` are fingerprints of the agents' sessions that its message names.
    """

    sha: str
    replaced: bool = False
    sessions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PullRequest:
    """The public facts of one pull request. No title, body or file name is kept.

    `id` is the node id. `lines` and `files` leave out generated, vendored and lock files. `owner` is the human behind a
    coding agent's pull request (requester, else assignee). `reverts` is the number of the pull request it takes back,
    in the same repository; 0 means it is a revert of something unknown; None means it is no revert.

    `head_repository` is where its branch lives, None where that is gone or not shown. `default_branch` is the
    repository's, None where it is not shown. `periods` are the times it was open, each from its opening to its close or
    merge, None while it still is. `heads` leave out merge commits. All four are empty where nobody asked for them.
    """

    id: str
    repository: str
    repository_id: str
    number: int
    author: GitHubUser | None
    owner: GitHubUser | None
    state: PullState
    draft: bool
    created_at: datetime
    ready_at: datetime | None
    merged_at: datetime | None
    closed_at: datetime | None
    updated_at: datetime
    base_branch: str
    head_branch: str
    lines: int
    files: int
    reverts: int | None
    commits: tuple[CommitDay, ...]
    reviews: tuple[Review, ...]
    head_repository: str | None = None
    default_branch: str | None = None
    periods: tuple[tuple[datetime, datetime | None], ...] = ()
    heads: tuple[HeadCommit, ...] = ()
