"""Which merged pull requests count (docs/method.md, "Included pull requests").

Each counts once, for the human it belongs to, when it merges into any branch of its repository.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from bot.domain.model import GitHubUser, PullRequest, PullState

PullKey = tuple[str, int]
"""(repository id, number) of a pull request: what a revert knows of its target."""


class Exclusion(StrEnum):
    """Why a pull request does not count; if several reasons hold, the first in this order is told."""

    NOT_MERGED = "not_merged"
    BOT = "bot"
    REVERT = "revert"
    IGNORED = "ignored"
    NOT_OPTED_IN = "not_opted_in"


@dataclass(frozen=True, slots=True)
class PullFacts:
    """All that decides whether a pull request counts.

    `is_bot`: written by a bot for which no human answers. `is_ignored`: on the team's list of imports and syncs.
    `opted_in`: the human it belongs to is counted in the team.
    """

    merged: bool
    is_bot: bool
    is_revert: bool
    is_ignored: bool
    opted_in: bool


def exclusion(pull: PullFacts) -> Exclusion | None:
    """Why it does not count, or None if it does."""
    rules = (
        (not pull.merged, Exclusion.NOT_MERGED),
        (pull.is_bot, Exclusion.BOT),
        (pull.is_revert, Exclusion.REVERT),
        (pull.is_ignored, Exclusion.IGNORED),
        (not pull.opted_in, Exclusion.NOT_OPTED_IN),
    )
    return next((reason for applies, reason in rules if applies), None)


def responsible(pull: PullRequest) -> GitHubUser | None:
    """The human a pull request belongs to: its author, or who stands behind a coding agent's; None for other bots."""
    return pull.owner if pull.author is not None and pull.author.is_bot else pull.author


def pull_key(pull: PullRequest) -> PullKey:
    return pull.repository_id, pull.number


def reverting(pulls: Iterable[PullRequest]) -> frozenset[PullKey]:
    """The merged pull requests that take something back. One that takes back a revert is ordinary work again."""
    found: set[PullKey] = set()
    merged = (pull for pull in pulls if pull.state is PullState.MERGED)
    for pull in sorted(merged, key=lambda pull: pull.number):
        if pull.reverts is not None and (pull.repository_id, pull.reverts) not in found:
            found.add(pull_key(pull))
    return frozenset(found)
