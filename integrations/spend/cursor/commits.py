"""The commits of a team with the conversations that went into them, where its plan has AI code tracking.

That is an alpha, and it answers few questions a minute: what it does not tell never keeps a bill back. Details that are
not answered for the moment are counted, a list that is not is an error after the days.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from bot.domain.model import Actor, ActorKind, SessionCommit
from bot.domain.ports import NotFound, SourceError
from integrations.parse import parsed
from integrations.spend.cursor.models import Commit
from integrations.spend.cursor.team import Team

MOST = 200  # newest commits whose conversations are asked for in one run; Cursor answers 20 such questions a minute
MISSES = 5  # commits in a row that Cursor does not know: then the plan has no details of any
LONGEST_ID = 100


@dataclass(frozen=True, slots=True)
class Found:
    """Commits by day, of how many of a day Cursor did not tell more, and what was wrong if it could not list them."""

    made: dict[date, list[SessionCommit]] = field(default_factory=lambda: defaultdict(list))
    unread: Counter[date] = field(default_factory=Counter)
    error: SourceError | None = None


@dataclass(frozen=True)
class Commits:
    """The commits of the days `[first, end)`, asked for when they are first looked at."""

    team: Team
    first: date
    end: date

    @cached_property
    def found(self) -> Found:
        """A permanent refusal means that the plan does not have them."""
        try:
            newest = sorted(self._listed(), key=lambda commit: commit.commit_ts, reverse=True)[:MOST]
        except SourceError as error:
            return Found(error=None if error.permanent else error)
        return self._detailed(_in_turns(newest))

    def _listed(self) -> Iterable[Commit]:
        """Each commit once, though it may be listed for every branch that has it."""
        commits = (parsed(Commit, raw) for raw in self.team.commits(self.first, self.end))
        return {one.commit_hash: one for one in commits if one and self.first <= one.day() < self.end}.values()

    def _detailed(self, commits: Sequence[Commit]) -> Found:
        found, misses = Found(), 0
        for number, commit in enumerate(commits):
            try:
                detail = self.team.commit(commit.commit_hash)
            except NotFound:
                misses += 1
                if misses == MISSES:
                    break
                continue
            except SourceError as error:
                found.unread.update(() if error.permanent else (one.day() for one in commits[number:]))
                break
            misses = 0
            if sessions := tuple(sorted(set(_conversations(detail)))):
                who = Actor(ActorKind.USER, email=commit.user_email)
                found.made[commit.day()].append(SessionCommit(who, commit.commit_hash, sessions))
        return found


def _in_turns(newest: Iterable[Commit]) -> Sequence[Commit]:
    """The newest of each day, then the second newest of each, and so on: a day is stored anew as it is told, so where
    asking ends early, today's commits must not take the place of all of yesterday's."""
    turns = Counter[date]()
    taken: list[tuple[int, Commit]] = []
    for commit in newest:
        turns[commit.day()] += 1
        taken.append((turns[commit.day()], commit))
    return [commit for _, commit in sorted(taken, key=lambda one: one[0])]


def _conversations(value: Any) -> Iterator[str]:
    """What is nested how in a commit's detail is not documented, so conversations are looked for everywhere."""
    if isinstance(value, dict):
        found = value.get("conversationId")
        if isinstance(found, str) and 0 < len(found) <= LONGEST_ID:
            yield found
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inner:
        yield from _conversations(one)
