"""The one comment on a pull request: when it is due, what to do with what is there, what an answer means.

Webhooks come late, twice and in any order, so none is believed: each only says that it is time to look. Everything is
then decided from what GitHub shows, and every round begins with a list of what is there (docs/privacy.md,
"Pull request comments").
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.delivery import Answer, BadMessage, NotSent, Refused, Revoked, Sent, Uncertain
from bot.domain.model import PullRequest, PullState
from bot.domain.ports import PullComment

FAMILY = "<!-- leverage:comment "
MARKER = f"{FAMILY}v1 -->"
"""How a comment of ours begins; a later version is still of the family."""

DEBOUNCE = timedelta(seconds=60)
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=1)
MOST_ATTEMPTS = 8

SPEAKING = frozenset({"opened", "ready_for_review", "reopened", "closed"})
REFRESHING = frozenset({"synchronize", "edited", "converted_to_draft"})
"""What changes a pull request without being an occasion to speak: only a comment that is there follows it."""


class CommentState(StrEnum):
    """GONE: a person took it away, and it is never made again."""

    NONE = "none"
    POSTED = "posted"
    GONE = "gone"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True)
class PullEvent:
    """Something happened to a pull request; `id` is its node id. Of a public repository nothing is said."""

    action: str
    id: str
    repository: str
    number: int
    private: bool


def look_at(action: str, state: CommentState, due_at: datetime | None, now: datetime) -> datetime | None:
    """When to look at the pull request after this event; None: there is no need to."""
    if state is CommentState.GONE or action not in SPEAKING | REFRESHING:
        return None
    if action in REFRESHING and state is not CommentState.POSTED:
        return None
    return due_at if due_at is not None and due_at > now else now + DEBOUNCE


def speaks(pull: PullRequest) -> bool:
    """Whether a pull request is in a state that is commented."""
    return pull.state is PullState.MERGED or (pull.state is PullState.OPEN and not pull.draft)


@dataclass(frozen=True, slots=True)
class Create:
    """There is none of ours."""


@dataclass(frozen=True, slots=True)
class Keep:
    """This one is ours; `extra` are further copies, to be deleted."""

    id: int
    rewrite: bool
    extra: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class GiveUp:
    """A person made something else of it."""


Step = Create | Keep | GiveUp


def plan(remembered: int | None, found: Sequence[PullComment], body: str) -> Step:
    """What to do so that exactly one comment of ours says `body`. Nobody else's is ever touched."""
    copies = [comment for comment in found if comment.ours and comment.body.startswith(FAMILY)]
    if copies:
        kept = min(copies, key=lambda comment: (comment.id != remembered, comment.id))
        extra = tuple(sorted(comment.id for comment in copies if comment is not kept))
        return Keep(kept.id, rewrite=_text(kept.body) != _text(body), extra=extra)
    if remembered is None:
        return Create()
    if any(comment.id == remembered for comment in found):
        return GiveUp()
    return Keep(remembered, rewrite=True)  # a list may lag behind: only the attempt tells whether it is gone


def _text(body: str) -> str:
    return body.replace("\r\n", "\n").strip()


@dataclass(frozen=True, slots=True)
class Posted:
    comment_id: int


@dataclass(frozen=True, slots=True)
class Ended:
    """Nothing more to do until the next event. `state` is the new one, None if it stays."""

    state: CommentState | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Again:
    """To be looked at again from this time on."""

    at: datetime
    reason: str


Result = Posted | Ended | Again


def after(answer: Answer, attempts: int, now: datetime) -> Result:
    """What an attempt to write came to. What may have arrived is looked for again, never just repeated."""
    match answer:
        case Sent(remote_id):
            return Posted(int(remote_id))
        case Refused("gone"):
            return Ended(CommentState.GONE)
        case Refused("locked"):
            return Ended(CommentState.LOCKED)
        case Refused(reason) | BadMessage(reason):
            return Ended(None, reason)
        case NotSent(reason, wait):
            return again(reason, attempts, now, wait)
        case Uncertain(reason) | Revoked(reason):
            return again(reason, attempts, now)


def again(reason: str, attempts: int, now: datetime, wait: timedelta | None = None) -> Again | Ended:
    """Later, each time after a longer wait; not for ever. `attempts` are those that failed before this one."""
    if attempts + 1 >= MOST_ATTEMPTS:
        return Ended(None, reason)
    return Again(now + max(wait or FIRST_WAIT, min(FIRST_WAIT * 2**attempts, LONGEST_WAIT)), reason)
