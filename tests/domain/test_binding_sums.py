"""Where requests end up and what they come to: every request in one place, and all places together are the session."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from bot.domain.agents import AgentEvent, AgentRequest, Happening, Proof
from bot.domain.binding import (
    Bound,
    Candidate,
    Edits,
    Grade,
    Period,
    Place,
    Thread,
    bind,
    links,
    places,
    pull_cost,
    totals,
)
from bot.domain.metrics.cost import Links, bound_share, linked_share
from tests.domain.test_binding import (
    API,
    INFERRED,
    ME,
    MEASURED,
    asked,
    commit,
    hour,
    key_of,
    link,
    on,
    pull,
    sha,
    told,
)

SEEN = frozenset({("claude_code", ME)})


def edit(at: str, session: str = ME) -> AgentEvent:
    turn, hours = at.split("@")
    return AgentEvent("claude_code", session, f"edit {at}", hour(float(hours)), Happening.EDIT, turn=turn or None)


def placed(requests, evidence, *pulls: Candidate, edits=(), seen=SEEN) -> dict[str, Place]:
    return places(requests, bind(requests, evidence, pulls, {}), Edits(tuple(edits), seen))


def test_without_a_pull_request_and_without_an_edit_work_is_exploration():
    evidence = [on("feat", "t1@1"), on("main", "t2@2")]
    requests = asked("t1@1", "t2@2")
    assert placed(requests, evidence) == {"t1@1": Place.EXPLORATION, "t2@2": Place.EXPLORATION}
    assert placed(requests, evidence, edits=[edit("t1@1")]) == {"t1@1": Place.BRANCH, "t2@2": Place.EXPLORATION}
    assert placed(requests, evidence, edits=[edit("t2@2")]) == {"t1@1": Place.EXPLORATION, "t2@2": Place.UNATTRIBUTED}
    assert placed(requests, evidence, pull(1, "feat")) == {"t1@1": Place.PULL, "t2@2": Place.EXPLORATION}


def test_one_edit_makes_all_of_a_thread_work_whichever_session_made_it():
    requests = asked("t1@1") + asked("t2@2", session="s2")
    evidence = [on("feat", "t1@1"), on("feat", "t2@2", "s2")]
    seen = SEEN | {("claude_code", "s2")}
    found = placed(requests, evidence, edits=[edit("t2@2", "s2")], seen=seen)
    assert found == {"t1@1": Place.BRANCH, key_of("t2@2", "s2"): Place.BRANCH}


def test_an_edit_of_a_turn_without_requests_counts_for_the_whole_session():
    requests, evidence = asked("t1@1", "t2@2"), [on("feat", "t1@1"), on("main", "t2@2")]
    for unknown in ("t9@9", "@1"):
        found = placed(requests, evidence, edits=[edit(unknown)])
        assert found == {"t1@1": Place.BRANCH, "t2@2": Place.UNATTRIBUTED}
    assert placed(requests, evidence, edits=[edit("t1@1", "s9")])["t1@1"] is Place.EXPLORATION


def test_where_nobody_saw_edits_nothing_is_called_exploration():
    requests, evidence = asked("t1@1", "t2@2"), [on("feat", "t1@1"), on("main", "t2@2")]
    found = placed(requests, evidence, seen=frozenset())
    assert found == {"t1@1": Place.BRANCH, "t2@2": Place.UNATTRIBUTED}


def test_other_events_are_no_edits():
    other = AgentEvent("claude_code", ME, "e", hour(1), Happening.TOOL_OK, turn="t1")
    assert placed(asked("t1@1"), [on("feat", "t1@1")], edits=[other]) == {"t1@1": Place.EXPLORATION}


@pytest.mark.parametrize("branch", ["spike/new-db", "explore/new-db"])
def test_a_branch_declared_to_be_exploration_is_nothing_else_even_with_a_pull_request(branch):
    requests, evidence = asked("t1@1"), [on(branch, "t1@1")]
    one = pull(1, branch, closed=20)
    bounds = bind(requests, evidence, [one], {})
    found = places(requests, bounds, Edits((edit("t1@1"),), SEEN))
    assert found == {"t1@1": Place.EXPLORATION}
    assert totals(bounds, found, {"t1@1": 7}).exploration == 7
    assert links(bounds, found, {"t1@1": 7}) == Links(measured=0, inferred=0, allocated=0, spend=7)
    assert pull_cost("PR_1", requests, bounds, found, {"t1@1": 7}).requests == 0


def test_a_branch_that_only_has_the_word_in_it_is_ordinary():
    assert placed(asked("t1@1"), [on("fix/spike/x", "t1@1")], pull(1, "fix/spike/x")) == {"t1@1": Place.PULL}


def example():
    """Main 1 (inferred to 1), feat 2 + 4 (measured to 1), wip 8, unedited look 16, main 32 with an edit, other PR 64,
    a request without a price; the second session is all on pull request 2."""
    requests = asked("t1@0", "t2@1", "t3@2", "t4@3", "t5@4", "t6@30", "t7@31") + asked("u1@1", session="s2")
    evidence = [
        *(on("main", "t1@0"), on("feat", "t2@1"), on("wip", "t4@3"), on("look", "t5@4"), on("main", "t6@30")),
        *(on("feat", "t7@31"), on("two", "u1@1", "s2")),
    ]
    amounts = {"t1@0": 1, "t2@1": 2, "t3@2": 4, "t4@3": 8, "t5@4": 16, "t6@30": 32, "t7@31": None, "s2 u1@1": 64}
    bounds = bind(requests, evidence, [pull(1, "feat"), pull(2, "two")], {})
    edits = Edits((edit("t4@3"), edit("t6@30")), SEEN)
    return requests, bounds, places(requests, bounds, edits), amounts


def test_totals_are_every_amount_once():
    _, bounds, found, amounts = example()
    sums = totals(bounds, found, amounts)
    assert sums.pulls == {"PR_1": 1 + 2 + 4, "PR_2": 64}
    assert sums.branches == {Thread(API, "wip"): 8}
    assert (sums.exploration, sums.unattributed) == (16, 32)
    assert sums.spend == 127


def test_the_cost_of_a_pull_request_is_told_by_grade_with_the_remainder_of_its_sessions():
    requests, bounds, found, amounts = example()
    cost = pull_cost("PR_1", requests, bounds, found, amounts)
    assert (cost.measured, cost.inferred) == (2 + 4, 1)
    assert cost.remainder == 8 + 16 + 32  # of its own session; pull request 2 and the other session are not in it
    assert (cost.requests, cost.unpriced, cost.grade) == (4, 1, MEASURED)


def test_the_remainder_leaves_out_sessions_that_did_not_serve_the_pull_request():
    requests = asked("t1@1") + asked("u1@1", session="s2")
    bounds = bind(requests, [on("feat", "t1@1")], [pull(1, "feat")], {})
    cost = pull_cost("PR_1", requests, bounds, places(requests, bounds, Edits()), dict.fromkeys(bounds, 5))
    assert (cost.measured, cost.remainder) == (5, 0)


def test_a_pull_request_with_inferred_links_only_is_inferred_and_one_without_any_has_no_grade():
    requests = asked("t1@0")
    evidence = [on("main", "t1@0"), on("feat", "t2@1")]
    bounds = bind(requests, evidence, [pull(1, "feat")], {})
    found = places(requests, bounds, Edits())
    assert pull_cost("PR_1", requests, bounds, found, {"t1@0": 3}).grade is INFERRED
    assert pull_cost("PR_9", requests, bounds, found, {"t1@0": 3}).grade is Grade.UNATTRIBUTED


def test_a_pull_request_whose_only_request_has_no_price_is_linked_all_the_same():
    requests, evidence = asked("t1@1"), [on("feat", "t1@1")]
    bounds = bind(requests, evidence, [pull(1, "feat")], {})
    cost = pull_cost("PR_1", requests, bounds, places(requests, bounds, Edits()), {})
    assert (cost.measured, cost.requests, cost.unpriced, cost.grade) == (0, 1, 1, MEASURED)


def test_links_are_the_linked_and_the_bound_share():
    _, bounds, found, amounts = example()
    seen = links(bounds, found, amounts)
    assert seen == Links(measured=2 + 4 + 64, inferred=1, allocated=0, spend=127)
    assert bound_share(seen) == linked_share(seen) == Fraction(71, 127)


# --- random sessions ------------------------------------------------------------------------------------------------

TURNS = st.sampled_from(["", "t1", "t2", "t3"])
HOURS = st.integers(0, 60).map(lambda half: half / 2)
MOMENTS = st.builds(lambda turn, hours: f"{turn}@{hours}", TURNS, HOURS)
SESSIONS = st.sampled_from([ME, "s2"])
BRANCHES = st.sampled_from(["main", "HEAD", "a", "b", "spike/c", "'; DROP TABLE"])
SHAS = st.sampled_from([sha("aaaaaaa"), sha("aaaaaaab"), sha("b"), "aaaaaaa", "aaaaaaab", "b"])
REPOSITORIES = st.sampled_from([API, "ACME/api", "ann/api", None])
EVIDENCE = st.one_of(
    st.builds(
        lambda at, who, branch, name: on(branch, at, who, repository=name), MOMENTS, SESSIONS, BRANCHES, REPOSITORIES
    ),
    st.builds(
        lambda at, who, number, name: link(number, at, who, repository=name),
        MOMENTS,
        SESSIONS,
        st.integers(1, 4),
        REPOSITORIES,
    ),
    st.builds(
        lambda at, who, made, name: commit(made, at, who, repository=name), MOMENTS, SESSIONS, SHAS, REPOSITORIES
    ),
    st.builds(
        lambda proof, at, who, branch: told(proof, at, who, branch=branch),
        st.sampled_from([Proof.START, Proof.RESOURCE]),
        MOMENTS,
        SESSIONS,
        BRANCHES,
    ),
)


@st.composite
def candidates(draw) -> list[Candidate]:
    found = []
    for number in range(1, draw(st.integers(0, 3)) + 1):
        moments = sorted(draw(st.lists(st.integers(-20, 60), min_size=1, max_size=4, unique=True)))
        pairs = [(moments[place], moments[place + 1 : place + 2]) for place in range(0, len(moments), 2)]
        found.append(
            pull(
                number,
                draw(BRANCHES),
                periods=tuple(Period(hour(opened), hour(closed[0]) if closed else None) for opened, closed in pairs),
                head_repository=draw(st.sampled_from([API, "ann/api", None])),
                commits=frozenset(draw(st.lists(SHAS.filter(lambda made: len(made) == 40), max_size=2))),
            )
        )
    return found


WORLDS = st.tuples(
    st.lists(st.tuples(MOMENTS, SESSIONS), max_size=12, unique=True).map(
        lambda found: [one for text, who in found for one in asked(text, session=who)]
    ),
    st.lists(EVIDENCE, max_size=12),
    candidates(),
    st.dictionaries(SHAS, SESSIONS.map(lambda who: (who,)), max_size=2),
    st.lists(st.builds(edit, MOMENTS, SESSIONS), max_size=4),
)


World = Any
Costs = Callable[
    [Collection[AgentRequest], Mapping[str, Bound], Mapping[str, Place], Mapping[str, int]], Mapping[str, int]
]


def careful(requests, bounds, found, amounts) -> dict[str, int]:
    costs = {one: pull_cost(one, requests, bounds, found, amounts) for one in pulls_of(bounds)}
    return {one: cost.measured + cost.inferred for one, cost in costs.items()}


def by_session(requests, bounds, found, amounts) -> dict[str, int]:
    """As people write it first: a session's cost is the cost of each pull request that it touched."""
    sums: dict[str, int] = defaultdict(int)
    for session in {one.session for one in requests}:
        own = [one.key for one in requests if one.session == session]
        for touched in pulls_of({key: bounds[key] for key in own}):
            sums[touched] += sum(amounts[key] for key in own)
    return dict(sums)


def pulls_of(bounds) -> set[str]:
    return {one.pull for one in bounds.values() if one.pull}


def balances(world: World, costs: Costs) -> bool:
    """Whether pull requests, branches, exploration and the rest add up to what was spent; each request costs a power of
    two, so that no other set of requests comes to the same."""
    requests, evidence, pulls, trailers, edits = world
    amounts: dict[str, int] = {one.key: 2**place for place, one in enumerate(requests)}
    bounds = bind(requests, evidence, pulls, trailers)
    found = places(requests, bounds, Edits(tuple(edits), SEEN))
    rest = totals(bounds, found, amounts)
    parts: list[int] = [*costs(requests, bounds, found, amounts).values(), *rest.branches.values()]
    return sum(parts) + rest.exploration + rest.unattributed == sum(amounts.values())


@settings(max_examples=300)
@given(WORLDS)
def test_nothing_is_bound_twice_and_all_places_together_are_the_sessions(world):
    assert balances(world, careful)


@settings(max_examples=200)
@given(WORLDS)
def test_each_session_by_itself_is_the_sum_of_its_places(world):
    requests, evidence, pulls, trailers, edits = world
    amounts = {one.key: 2**place for place, one in enumerate(requests)}
    bounds = bind(requests, evidence, pulls, trailers)
    found = places(requests, bounds, Edits(tuple(edits), SEEN))
    for session in {one.session for one in requests}:
        own = {one.key: bounds[one.key] for one in requests if one.session == session}
        assert totals(own, found, amounts).spend == links(own, found, amounts).spend == sum(amounts[key] for key in own)


def test_a_binder_by_session_instead_of_by_request_does_not_balance():
    """The check bites."""
    world = find(
        WORLDS,
        lambda world: not balances(world, by_session),
        settings=settings(max_examples=1000, phases=[Phase.generate]),
    )
    assert balances(world, careful)


@settings(max_examples=300)
@given(WORLDS)
def test_a_pull_request_is_named_exactly_where_a_link_is_graded_and_only_one_that_was_given(world):
    requests, evidence, pulls, trailers, _ = world
    known = {one.id: one for one in pulls}
    for key, one in bind(requests, evidence, pulls, trailers).items():
        assert (one.pull is None) == (one.grade is Grade.UNATTRIBUTED)
        request = next(request for request in requests if request.key == key)
        if one.pull is not None:
            candidate = known[one.pull]
            assert not candidate.had_ended(request.at)
            assert one.thread is not None
            assert one.thread.branch == candidate.head_branch
        elif one.thread is not None:
            assert one.thread.branch not in ("main", "HEAD")


@settings(max_examples=200)
@given(WORLDS, st.randoms(use_true_random=False))
def test_the_order_and_repetition_of_what_is_told_change_nothing(world, chance):
    requests, evidence, pulls, trailers, _ = world
    mixed = [*evidence, *evidence[:4]]
    chance.shuffle(mixed)
    expected = bind(requests, evidence, pulls, trailers)
    assert bind(requests[::-1], mixed, pulls[::-1], dict(reversed(trailers.items()))) == expected


def test_a_binder_that_goes_by_branch_name_and_forgets_the_time_is_noticed():
    requests, evidence = asked("@1", "@15"), [on("feat", "@0")]
    pulls = [pull(1, "feat", closed=10), pull(2, "feat", opened=12)]
    bounds = bind(requests, evidence, pulls, {})
    found, amounts = places(requests, bounds, Edits()), {"@1": 1, "@15": 2}
    timeless = {one.id: sum(amounts.values()) for one in pulls if one.head_branch == "feat"}
    assert careful(requests, bounds, found, amounts) == {"PR_1": 1, "PR_2": 2}
    assert sum(timeless.values()) > sum(amounts.values())


def test_a_long_session_among_many_pull_requests_is_bound_whole():
    """4,000 requests and 1,200 pieces of evidence, among 300 pull requests on branches of their own."""
    requests = asked(*(f"t{turn // 10}@{turn / 100}" for turn in range(4000)))
    evidence = [on(f"b{turn % 300}", f"t{turn}@{turn / 10}") for turn in range(0, 400)]
    evidence += [link(turn % 300 + 1, f"t{turn}@{turn / 10}") for turn in range(400)]
    evidence += [commit(sha(f"c{turn:06}"), f"t{turn}@{turn / 10}") for turn in range(400)]
    pulls = [pull(1 + one, f"b{one}", commits=frozenset({sha(f"c{one:06}")})) for one in range(300)]
    found = bind(requests, evidence, pulls, {})
    assert len(found) == len({request.key for request in requests})
    assert {one.grade for one in found.values()} == {MEASURED}
