"""Pull requests as evidence finds them: by number, by commit, and by branch at a moment (docs/method.md, "Binding")."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.domain.binding.bound import GRACE, Candidate, Thread

EVER = datetime.min.replace(tzinfo=UTC)
DETACHED = "HEAD"  # what git calls the branch of a detached head
USUAL_DEFAULTS = frozenset({"main", "master"})
FULL_SHA, SHORTEST_SHA = 40, 7


@dataclass(frozen=True, slots=True)
class _Claim:
    """When work on a branch was one pull request's: `[since, until)`."""

    since: datetime
    until: datetime | None
    pull: Candidate

    def holds(self, at: datetime) -> bool:
        return self.since <= at and (self.until is None or at < self.until)


class Pulls:
    """Candidates, indexed."""

    def __init__(self, candidates: Iterable[Candidate]) -> None:
        self._all = sorted(set(candidates), key=lambda pull: pull.rank)
        self._renamed = self._renames()
        self._defaults = self._default_branches()
        self._numbered: dict[int, list[Candidate]] = defaultdict(list)
        self._holders: dict[str, list[Candidate]] = defaultdict(list)
        for pull in self._all:
            self._numbered[pull.number].append(pull)
            for sha in {sha.lower() for sha in pull.commits | pull.replaced}:
                self._holders[sha].append(pull)
        self._shas = sorted(self._holders)
        self._claims = self._claims_on_branches()

    def canonical(self, repository: str) -> str:
        """The present name of a repository in lower case; GitHub's names do not differ by case."""
        name = repository.lower()
        return self._renamed.get(name, name)

    def thread(self, repository: str, branch: str | None) -> Thread | None:
        """None for a detached head and for the default branch: they are no branch of anybody's work."""
        name = self.canonical(repository)
        defaults = self._defaults.get(name, USUAL_DEFAULTS)
        return None if not branch or branch == DETACHED or branch in defaults else Thread(name, branch)

    def head(self, pull: Candidate) -> Thread:
        return Thread(self.canonical(pull.head_repository or pull.repository), pull.head_branch)

    def homes(self, pull: Candidate) -> set[str]:
        """The repositories in which people work on a pull request: its own and its fork."""
        return {self.canonical(name) for name in (pull.repository, pull.head_repository) if name}

    def numbered(self, number: int, repository: str | None) -> Candidate | None:
        """The pull request of that number in the repository, or in the one it was forked from."""
        if repository is None:
            return None
        name = self.canonical(repository)
        found = [pull for pull in self._numbered[number] if name in self.homes(pull)]
        own = [pull for pull in found if self.canonical(pull.repository) == name]
        return _only(own) or _only(found)

    def holding(self, sha: str, repository: str | None) -> Candidate | None:
        """The pull request with this commit. A short SHA is looked up within its repository only; nothing is bound by
        one that two pull requests have."""
        sha = sha.lower()
        if len(sha) < SHORTEST_SHA or (len(sha) < FULL_SHA and repository is None):
            return None
        found = self._with_prefix(sha)
        if repository is not None and (len(sha) < FULL_SHA or len(found) > 1):
            name = self.canonical(repository)
            found = [pull for pull in found if name in self.homes(pull)]
        return _only(found)

    def on(self, thread: Thread, at: datetime) -> Candidate | None:
        """The pull request that work on this branch at this moment belongs to."""
        found = [claim for claim in self._claims.get(thread, ()) if claim.holds(at)]
        best = max(found, key=lambda claim: (claim.since, claim.pull.rank), default=None)
        return best.pull if best else None

    def _renames(self) -> dict[str, str]:
        """Former names, unless another repository has taken the name since."""
        taken = {name.lower() for pull in self._all for name in (pull.repository, pull.head_repository) if name}
        former = {old.lower(): pull.repository.lower() for pull in self._all for old in pull.former}
        return {old: new for old, new in former.items() if old not in taken}

    def _default_branches(self) -> dict[str, frozenset[str]]:
        """By repository. A fork is taken to have the default branch of where it comes from."""
        found: dict[str, frozenset[str]] = {}
        for pull in self._all:
            if pull.default_branch:
                found |= {name: found.get(name, frozenset()) | {pull.default_branch} for name in self.homes(pull)}
        return found

    def _claims_on_branches(self) -> dict[Thread, list[_Claim]]:
        """A branch may serve one pull request after another, and one more than once: each goes on from the last close
        before it was opened; the first has all that came before."""
        on: dict[Thread, list[Candidate]] = defaultdict(list)
        for pull in self._all:
            if pull.head_repository:
                on[self.head(pull)].append(pull)
        return {thread: list(_claims(pulls)) for thread, pulls in on.items()}

    def _with_prefix(self, sha: str) -> list[Candidate]:
        found: list[Candidate] = []
        for place in range(bisect_left(self._shas, sha), len(self._shas)):
            if not self._shas[place].startswith(sha):
                break
            found += self._holders[self._shas[place]]
        return found


def _claims(pulls: Iterable[Candidate]) -> Iterable[_Claim]:
    periods = [(period, pull) for pull in pulls for period in pull.periods]
    closes = [period.closed for period, _ in periods if period.closed is not None]
    for period, pull in periods:
        since = max((close for close in closes if close <= period.opened), default=EVER)
        yield _Claim(since, period.closed and period.closed + GRACE, pull)


def _only(found: Iterable[Candidate]) -> Candidate | None:
    """The one of which there is exactly one."""
    different = {pull.id: pull for pull in found}
    return next(iter(different.values())) if len(different) == 1 else None
