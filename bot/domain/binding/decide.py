"""The decision: one place for each request, by the strongest evidence there is (docs/method.md, "Binding")."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.domain.agents import AgentRequest, Proof
from bot.domain.agents import Evidence as Told
from bot.domain.binding.bound import GRACE, NOWHERE, Bound, Candidate, Grade
from bot.domain.binding.pulls import Pulls
from bot.domain.binding.story import Mark, Story, stories
from bot.domain.binding.whereabouts import Spot
from bot.domain.sessions import session_of


@dataclass(frozen=True, slots=True)
class _Case:
    """A request to be bound. `spot` is where its session was, `pull` whose that branch was then; `named` is the one
    pull request that trailers of commits name for the whole session."""

    request: AgentRequest
    story: Story
    pulls: Pulls
    spot: Spot | None
    pull: Candidate | None
    named: Candidate | None

    @property
    def has_no_branch(self) -> bool:
        """It was in a repository, on the default branch or a detached head."""
        return self.spot is not None and self.spot.repository is not None and self.spot.thread is None

    def to(self, pull: Candidate, grade: Grade, proof: Proof) -> Bound:
        return Bound(pull.id, self.pulls.head(pull), grade, proof)


def bind(
    requests: Iterable[AgentRequest],
    evidence: Iterable[Told],
    candidates: Iterable[Candidate],
    trailers: Mapping[str, Collection[str]],
) -> dict[str, Bound]:
    """Where each request belongs, by its key.

    `requests` are those that count (`bot.domain.sessions.chosen`). `trailers` are commits (full SHA) with the sessions
    that went into them, from commit messages, git-ai notes or a provider. Evidence of a link or a commit that names no
    turn is taken to belong to the turn that was going on, so its time must not be after that turn's last request.
    """
    asked = list(requests)
    pulls = Pulls(candidates)
    told = stories(asked, evidence, pulls)
    named = _named(trailers, pulls)
    return {request.key: _bound(_case(request, told[session_of(request)], pulls, named)) for request in asked}


def _case(request: AgentRequest, story: Story, pulls: Pulls, named: Mapping[str, frozenset[Candidate]]) -> _Case:
    spot = story.spot(request)
    pull = pulls.on(spot.thread, request.at) if spot and spot.thread else None
    by_name = named[request.session] | story.pulls if request.session in named else ()
    return _Case(request, story, pulls, spot, pull, next(iter(by_name)) if len(by_name) == 1 else None)


def _named(trailers: Mapping[str, Collection[str]], pulls: Pulls) -> dict[str, frozenset[Candidate]]:
    """The pull requests that trailers name for a session."""
    named: dict[str, set[Candidate]] = defaultdict(set)
    for sha, sessions in trailers.items():
        pull = pulls.holding(sha, None)
        if pull:
            for session in sessions:
                named[session].add(pull)
    return {session: frozenset(found) for session, found in named.items()}


def _bound(case: _Case) -> Bound:
    return (
        _by_own_marks(case)
        or _by_reach(case)
        or _by_name(case)
        or _by_branch(case)
        or _by_later_branch(case)
        or NOWHERE
    )


def _by_own_marks(case: _Case) -> Bound | None:
    """A turn that linked a pull request or made a commit of it. Where it did so for two at once, its branch decides."""
    marks = case.story.in_turn(case.request)
    pulls = {mark.pull for mark in marks}
    pull = marks[0].pull if len(pulls) == 1 else None
    if pull is None or pull.had_ended(case.request.at):
        return None
    return case.to(pull, Grade.MEASURED, marks[0].proof)


def _by_reach(case: _Case) -> Bound | None:
    """A turn without a mark belongs to the next one; after the last link, to that, while the branch is the same. Its
    own branch knows better, where that is another pull request's."""
    reach = None if case.story.in_turn(case.request) else case.story.reach(case.request)
    pull = reach.marks[0].pull if reach else None
    if reach is None or pull is None or pull.had_ended(case.request.at) or _knows_better(case, pull, reach.since):
        return None
    for mark in reach.marks:
        grade = _grade_ahead(case, mark, pull) if reach.ahead else _grade_behind(case, mark)
        if grade:
            return case.to(pull, grade, mark.proof)
    return None


def _knows_better(case: _Case, pull: Candidate, since: datetime | None) -> bool:
    """Whether the request is known to be on another pull request's branch, or in another repository. Older knowledge
    than the last mark is none."""
    spot = case.spot
    if spot is None or spot.proof is not Proof.BRANCH:
        return False
    is_own = spot.turn is not None and spot.turn == case.request.turn
    if not is_own and since is not None and spot.at <= since:
        return False
    elsewhere = spot.repository is not None and spot.repository not in case.pulls.homes(pull)
    return elsewhere or (case.pull is not None and case.pull != pull)


def _grade_ahead(case: _Case, mark: Mark, pull: Candidate) -> Grade | None:
    """A link holds for all turns up to it. A commit holds for those on its branch or on an unknown one; for work that
    had no branch it is a good guess for a day."""
    if mark.proof is Proof.PULL:
        return Grade.MEASURED
    if case.has_no_branch:
        return Grade.INFERRED if mark.at - case.request.at <= GRACE else None
    thread = case.spot.thread if case.spot else None
    return Grade.MEASURED if thread is None or thread.branch == pull.head_branch else None


def _grade_behind(case: _Case, mark: Mark) -> Grade | None:
    stays = mark.proof is Proof.PULL and not case.story.has_left(mark, case.request)
    return Grade.MEASURED if stays else None


def _by_name(case: _Case) -> Bound | None:
    """A session whose commits all say that it went into one pull request, where nothing says otherwise."""
    pull, thread = case.named, case.spot.thread if case.spot else None
    if pull is None or case.has_no_branch or pull.had_ended(case.request.at):
        return None
    is_elsewhere = thread is not None and thread.branch != pull.head_branch
    return None if is_elsewhere else case.to(pull, Grade.MEASURED, Proof.TRAILER)


def _by_branch(case: _Case) -> Bound | None:
    """The branch at that time: its pull request, or, while it has none, work in progress."""
    if case.spot is None or case.spot.thread is None:
        return None
    if case.pull:
        return case.to(case.pull, Grade.MEASURED, case.spot.proof)
    return Bound(None, case.spot.thread, Grade.UNATTRIBUTED, case.spot.proof)


def _by_later_branch(case: _Case) -> Bound | None:
    """Work without a branch, of a session that within a day began a branch with a pull request."""
    if not case.has_no_branch or case.spot is None:
        return None
    moment, seen = case.request.at, set()
    for spot in case.story.where.branches:
        if spot.at <= moment:
            seen.add(spot.thread)
        elif spot.thread and spot.thread not in seen and spot.at <= moment + GRACE:
            pull = case.pulls.on(spot.thread, spot.at)
            if pull and spot.repository == case.spot.repository:
                return case.to(pull, Grade.INFERRED, spot.proof)
    return None
