"""Which pull request a request is bound to, and by what: the rules one at a time.

A small language for sessions: `asked` makes requests ("t1@2" is a request of turn t1 two hours in), `on`, `link` and
`commit` are evidence, `pull` a pull request. The other binding tests use it too.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from bot.domain.agents import AgentRequest, Evidence, Proof, request_key
from bot.domain.binding import GRACE, Bound, Candidate, Grade, Period, Thread, bind
from bot.domain.model import Tokens

START = datetime(2026, 5, 4, 9, tzinfo=UTC)
ME = "s1"
API = "acme/api"
VECTORS = json.loads((Path(__file__).parents[1] / "samples" / "metrics" / "vectors.json").read_text())["cases"]

MEASURED, INFERRED, UNATTRIBUTED = Grade.MEASURED, Grade.INFERRED, Grade.UNATTRIBUTED


def hour(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def asked(*texts: str, session: str = ME, agent: str = "claude_code") -> list[AgentRequest]:
    """Requests "turn@hours", or "@hours" without a turn; the text with its session is the key."""
    parts = [(text, *text.split("@")) for text in texts]
    return [
        AgentRequest(agent, session, key_of(text, session), hour(float(hours)), "m", Tokens(1), turn=turn or None)
        for text, turn, hours in parts
    ]


def key_of(text: str, session: str = ME) -> str:
    return text if session == ME else f"{session} {text}"


def told(proof: Proof, at: str, session: str = ME, agent: str = "claude_code", **what: Any) -> Evidence:
    turn, hours = at.split("@")
    return Evidence(agent, session, hour(float(hours)), proof, turn=turn or None, **({"repository": API} | what))


def on(branch: str | None, at: str, session: str = ME, **what: Any) -> Evidence:
    return told(Proof.BRANCH, at, session, branch=branch, **what)


def link(number: int, at: str, session: str = ME, **what: Any) -> Evidence:
    return told(Proof.PULL, at, session, pull=number, **what)


def commit(sha: str, at: str, session: str = ME, **what: Any) -> Evidence:
    return told(Proof.COMMIT, at, session, commit=sha, **what)


def sha(start: str) -> str:
    return start.ljust(40, "0")


def pull(number: int, branch: str, opened: float = 0, closed: float | None = None, **facts: Any) -> Candidate:
    period = Period(hour(opened), None if closed is None else hour(closed))
    ordinary: dict[str, Any] = {"repository": API, "head_repository": API, "periods": (period,)}
    return Candidate(id=f"PR_{number}", number=number, head_branch=branch, **(ordinary | facts))


def bound(
    requests: Iterable[AgentRequest],
    evidence: Iterable[Evidence],
    *pulls: Candidate,
    trailers: Mapping[str, tuple[str, ...]] | None = None,
) -> dict[str, Any]:
    """By request: the number of its pull request and the grade, or the name of its branch, or None."""
    return {key: short(one) for key, one in bind(requests, evidence, pulls, trailers or {}).items()}


def short(one: Bound) -> Any:
    if one.pull is not None:
        return int(one.pull.removeprefix("PR_")), one.grade
    return one.thread and one.thread.branch


@pytest.mark.parametrize(
    "case", [case for case in VECTORS if case["id"].startswith("bind")], ids=lambda case: case["id"]
)
def test_the_code_agrees_with_the_worked_example(case):
    unit: timedelta = GRACE / case["input"]["grace"]  # the example counts in units of which the grace has five

    def moment(units: float) -> datetime:
        return START + units * unit

    pulls = [
        Candidate(
            id=str(one["pr"]),
            repository=one["repo"],
            number=one["pr"],
            head_repository=one["repo"],
            head_branch=one["branch"],
            periods=(Period(moment(one["from"]), moment(one["closed_at"])),),
        )
        for one in case["input"]["prs"]
    ]
    requests, evidence = [], []
    for one in case["input"]["requests"]:
        requests.append(AgentRequest("codex", one["id"], one["id"], moment(one["t"]), "m", Tokens(1)))
        where = {"repository": one["repo"], "branch": one["branch"]}
        evidence.append(Evidence("codex", one["id"], moment(one["t"]), Proof.BRANCH, **where))
    found = bind(requests, evidence, pulls, {})
    assert {key: one.pull and int(one.pull) for key, one in found.items()} == case["expected"]
    assert {one.grade for one in found.values() if one.pull} == {MEASURED}


def test_every_binding_example_is_run():
    assert [case["id"] for case in VECTORS if "bind" in case["id"] or case["metric"] == "bind_requests"] == [
        "bind-requests"
    ]


def test_each_kind_of_evidence_binds_and_is_told_as_the_proof():
    one = pull(1, "feat", commits=frozenset({sha("abc1234")}))
    for evidence, trailers, proof in (
        ([link(1, "t1@1")], {}, Proof.PULL),
        ([commit("abc1234", "t1@1")], {}, Proof.COMMIT),
        ([], {sha("abc1234"): (ME,)}, Proof.TRAILER),
        ([told(Proof.TRAILER, "t1@1", commit=sha("abc1234"))], {}, Proof.TRAILER),
        ([on("feat", "t1@1")], {}, Proof.BRANCH),
        ([told(Proof.START, "@0", branch="feat")], {}, Proof.START),
        ([told(Proof.RESOURCE, "@2", branch="feat")], {}, Proof.RESOURCE),
    ):
        found = bind(asked("t1@1"), evidence, [one], trailers)["t1@1"]
        assert found == Bound("PR_1", Thread("acme/api", "feat"), MEASURED, proof)


def test_the_strongest_evidence_of_a_turn_decides():
    pulls = [
        pull(1, "one"),
        pull(2, "two", commits=frozenset({sha("222222")})),
        pull(3, "three"),
        pull(4, "four"),
        pull(5, "five"),
    ]
    evidence = [
        link(1, "t1@1"),
        commit(sha("222222"), "t1@1"),
        on("three", "t1@1"),
        told(Proof.START, "@0", branch="four"),
        told(Proof.RESOURCE, "@0", branch="five"),
    ]
    for expected in (1, 2, 3, 4, 5):
        assert bound(asked("t1@1"), evidence[expected - 1 :], *pulls) == {"t1@1": (expected, MEASURED)}


def test_time_alone_never_binds():
    one = pull(1, "feat", opened=0, closed=10, commits=frozenset({sha("aaaaaaa")}))
    assert bound(asked("t1@1", "@2"), [], one) == {"t1@1": None, "@2": None}
    assert bound(asked("t1@1"), [on(None, "t1@1", repository=None)], one) == {"t1@1": None}


def test_turns_up_to_and_including_the_link_belong_to_it():
    evidence = [on("main", "t1@0"), on("main", "t2@1"), link(1, "t2@1.5")]
    assert bound(asked("t1@0", "t2@1", "t2@2"), evidence, pull(1, "feat", opened=1.5)) == {
        "t1@0": (1, MEASURED),
        "t2@1": (1, MEASURED),
        "t2@2": (1, MEASURED),
    }


def test_a_turn_after_the_last_link_stays_only_while_the_branch_is_unchanged():
    one = pull(1, "feat")
    requests = asked("t2@2", "t3@3", "t4@4")
    stays = [on("main", "t1@1"), link(1, "t1@1"), on("main", "t2@2")]
    assert bound(requests, stays, one) == dict.fromkeys(("t2@2", "t3@3", "t4@4"), (1, MEASURED))
    leaves = [*stays, on("other", "t3@3"), on("main", "t4@4")]  # back on main is not unchanged
    assert bound(requests, leaves, one) == {"t2@2": (1, MEASURED), "t3@3": "other", "t4@4": None}


def test_a_turn_on_another_pull_requests_branch_is_not_taken_by_a_later_link():
    evidence = [on("one", "t1@1"), on("two", "t2@2"), link(2, "t2@2")]
    assert bound(asked("t1@1", "t2@2"), evidence, pull(1, "one"), pull(2, "two")) == {
        "t1@1": (1, MEASURED),
        "t2@2": (2, MEASURED),
    }


def test_a_turn_in_another_repository_is_not_taken_by_a_later_link():
    evidence = [on("main", "t1@1", repository="acme/web"), link(2, "t2@2")]
    assert bound(asked("t1@1", "t2@2"), evidence, pull(2, "two")) == {"t1@1": None, "t2@2": (2, MEASURED)}


def test_work_on_a_left_over_branch_without_a_pull_request_belongs_to_the_link_that_follows():
    evidence = [on("old", "t1@1"), on("new", "t2@2"), link(2, "t2@2")]
    assert bound(asked("t1@1"), evidence, pull(2, "new", opened=2)) == {"t1@1": (2, MEASURED)}


def test_a_link_to_an_unknown_pull_request_still_ends_what_came_before():
    evidence = [link(99, "t1@1"), link(2, "t3@3")]
    assert bound(asked("t0@0", "t1@1", "t2@2", "t3@3"), evidence, pull(2, "two")) == {
        "t0@0": None,
        "t1@1": None,
        "t2@2": (2, MEASURED),
        "t3@3": (2, MEASURED),
    }


def test_a_link_without_a_turn_belongs_to_the_turn_that_was_going_on():
    evidence = [link(1, "@1.5"), link(2, "@3.5")]
    assert bound(asked("t1@1", "t1@2", "t2@3", "t2@4"), evidence, pull(1, "one"), pull(2, "two")) == {
        "t1@1": (1, MEASURED),
        "t1@2": (1, MEASURED),
        "t2@3": (2, MEASURED),
        "t2@4": (2, MEASURED),
    }


def test_a_link_without_a_turn_is_stronger_than_the_branch_of_the_turn_that_was_going_on():
    evidence = [on("two", "t1@1"), link(1, "@1.5")]
    found = bound(asked("t1@1", "t1@2"), evidence, pull(1, "one"), pull(2, "two"))
    assert set(found.values()) == {(1, MEASURED)}


def test_a_branch_told_before_the_last_link_knows_no_better():
    evidence = [on("one", "t1@1"), link(2, "t2@2")]
    assert bound(asked("t3@3"), evidence, pull(1, "one"), pull(2, "two")) == {"t3@3": (2, MEASURED)}


def test_unchanged_is_what_the_turn_of_the_link_ended_on():
    """A turn that went from main over another branch to the one of its pull request, whose fork is gone by now."""
    evidence = [on("main", "t1@1"), on("other", "t1@1.5"), on("feat", "t1@2"), link(1, "t1@1.2")]
    gone = pull(1, "feat", head_repository=None)
    assert bound(asked("t2@3"), evidence, gone) == {"t2@3": (1, MEASURED)}
    assert bound(asked("t2@3"), [*evidence, on("feat", "t2@3")], gone) == {"t2@3": (1, MEASURED)}
    assert bound(asked("t2@3"), [*evidence, on("other", "t2@3")], gone) == {"t2@3": "other"}


def test_a_mark_that_is_told_when_its_turn_had_ended_does_not_reach_into_the_next_one():
    """The hook tells of a turn's commits and link when it has ended; by then the next prompt may have been there."""
    evidence = [on("feat", "t1@1"), link(1, "t1@3"), on("other", "t2@2")]
    assert bound(asked("t1@1", "t2@2.5"), evidence, pull(1, "feat")) == {"t1@1": (1, MEASURED), "t2@2.5": "other"}


def test_requests_without_turns_are_cut_by_time():
    evidence = [link(1, "@2"), link(2, "@4")]
    assert bound(asked("@1", "@3", "@5"), evidence, pull(1, "one"), pull(2, "two")) == {
        "@1": (1, MEASURED),
        "@3": (2, MEASURED),
        "@5": (2, MEASURED),
    }


def test_two_links_in_one_turn_cut_it_in_time():
    evidence = [link(1, "t1@2"), link(2, "t1@4")]
    assert bound(asked("t1@1", "t1@3", "t1@5"), evidence, pull(1, "one"), pull(2, "two")) == {
        "t1@1": (1, MEASURED),
        "t1@3": (2, MEASURED),
        "t1@5": (2, MEASURED),
    }


def test_a_turn_that_committed_to_two_pull_requests_at_once_goes_by_its_branch():
    one, two = pull(1, "one", commits=frozenset({sha("1")})), pull(2, "two", commits=frozenset({sha("2")}))
    evidence = [commit(sha("1"), "t1@1"), commit(sha("2"), "t1@1")]
    assert bound(asked("t1@1"), evidence, one, two) == {"t1@1": None}
    assert bound(asked("t1@1"), [*evidence, on("two", "t1@1")], one, two) == {"t1@1": (2, MEASURED)}


def test_a_commit_speaks_for_the_turns_that_led_to_it_but_not_for_another_branch():
    one = pull(1, "feat", commits=frozenset({sha("a")}))
    for branch, expected in (
        (None, (1, MEASURED)),
        ("feat", (1, MEASURED)),
        ("other", "other"),
        ("main", (1, INFERRED)),
    ):
        evidence = [*([on(branch, "t1@1")] if branch else []), commit(sha("a"), "t2@2")]
        assert bound(asked("t1@1"), evidence, one) == {"t1@1": expected}


def test_a_commit_speaks_for_work_without_a_branch_for_a_day_only():
    one = pull(1, "feat", commits=frozenset({sha("a")}))
    for hours, expected in ((24, (1, INFERRED)), (24.01, None)):
        evidence = [on("main", "t1@0"), commit(sha("a"), f"t2@{hours}")]
        assert bound(asked("t1@0"), evidence, one) == {"t1@0": expected}


def test_a_commit_does_not_speak_for_what_comes_after_it():
    one = pull(1, "feat", commits=frozenset({sha("a")}))
    assert bound(asked("t2@2"), [commit(sha("a"), "t1@1")], one) == {"t2@2": None}


def test_a_trailer_speaks_for_a_session_unless_its_commits_went_into_two_pull_requests():
    one, two = pull(1, "one", commits=frozenset({sha("a")})), pull(2, "two", commits=frozenset({sha("b")}))
    requests = asked("t1@1", "t2@2")
    assert set(bound(requests, [], one, two, trailers={sha("a"): (ME, "s9")}).values()) == {(1, MEASURED)}
    assert set(bound(requests, [], one, two, trailers={sha("a"): (ME,), sha("b"): (ME,)}).values()) == {None}
    assert set(bound(requests, [], one, two, trailers={sha("a"): ("s9",)}).values()) == {None}


def test_a_trailer_does_not_speak_for_a_session_that_linked_another_pull_request():
    one, two = pull(1, "one", commits=frozenset({sha("a")})), pull(2, "two")
    evidence = [link(2, "t1@1"), on("main", "t1@1"), on(None, "t2@2", repository=None)]
    assert bound(asked("t2@2"), evidence, one, two, trailers={sha("a"): (ME,)}) == {"t2@2": None}


def test_a_trailer_does_not_speak_for_turns_that_were_elsewhere():
    one = pull(1, "one", commits=frozenset({sha("a")}))
    evidence = [on("one", "t1@1"), on("other", "t2@2"), on("main", "t3@3")]
    assert bound(asked("t1@1", "t2@2", "t3@3"), evidence, one, trailers={sha("a"): (ME,)}) == {
        "t1@1": (1, MEASURED),
        "t2@2": "other",
        "t3@3": None,
    }


def test_a_branch_told_within_a_turn_counts_from_then_on():
    evidence = [on("main", "t1@1"), on("feat", "t1@2")]
    requests = asked("t1@1", "t1@3", "t2@4")
    assert bound(requests, evidence, pull(1, "feat")) == {
        "t1@1": (1, INFERRED),
        "t1@3": (1, MEASURED),
        "t2@4": (1, MEASURED),
    }


def test_the_start_of_a_session_holds_until_a_branch_is_told():
    evidence = [told(Proof.START, "@2", branch="one"), on("two", "t2@4")]
    assert bound(asked("t1@1", "t2@4", "t3@5"), evidence, pull(1, "one"), pull(2, "two")) == {
        "t1@1": (1, MEASURED),
        "t2@4": (2, MEASURED),
        "t3@5": (2, MEASURED),
    }


def test_a_start_or_a_process_without_a_branch_says_nothing():
    evidence = [told(Proof.START, "@0"), told(Proof.RESOURCE, "@0", branch="feat")]
    assert bound(asked("t1@1"), evidence, pull(1, "feat")) == {"t1@1": (1, MEASURED)}


@pytest.mark.parametrize(
    ("hours", "number"),
    [(9.99, 1), (10, 1), (33.99, 1), (34, None)],  # closed at 10, and 24 hours of grace
)
def test_the_grace_after_a_close_ends_on_the_hour(hours, number):
    found = bound(asked(f"t1@{hours}"), [on("feat", f"t1@{hours}")], pull(1, "feat", closed=10))
    assert found[f"t1@{hours}"] == ((1, MEASURED) if number else "feat")


def test_of_two_open_pull_requests_on_one_branch_the_later_created_has_it_then_the_higher_number():
    evidence = [on("feat", "t1@5")]
    assert bound(asked("t1@5"), evidence, pull(9, "feat", opened=1), pull(2, "feat", opened=3)) == {
        "t1@5": (2, MEASURED)
    }
    assert bound(asked("t1@5"), evidence, pull(9, "feat", opened=1), pull(2, "feat", opened=1)) == {
        "t1@5": (9, MEASURED)
    }


@pytest.mark.parametrize("branch", ["main", "HEAD", None, ""])
@pytest.mark.parametrize(("hours", "expected"), [(24, (1, INFERRED)), (24.01, None)])
def test_work_without_a_branch_is_inferred_from_a_branch_begun_within_a_day(branch, hours, expected):
    evidence = [on(branch, "t1@0"), on("feat", f"t2@{hours}")]
    assert bound(asked("t1@0"), evidence, pull(1, "feat", opened=100)) == {"t1@0": expected}


def test_work_without_a_branch_is_not_inferred_from_a_branch_that_was_there_before():
    evidence = [on("feat", "t1@0"), on("main", "t2@1"), on("feat", "t3@2")]
    assert bound(asked("t2@1"), evidence, pull(1, "feat")) == {"t2@1": None}


def test_work_without_a_branch_is_not_inferred_across_repositories_or_sessions():
    other = on("feat", "t2@1", repository="acme/web")
    web = pull(1, "feat", repository="acme/web", head_repository="acme/web")
    assert bound(asked("t1@0"), [on("main", "t1@0"), other], web) == {"t1@0": None}
    assert bound(asked("t1@0"), [on("main", "t1@0"), on("feat", "t2@1", "s2")], pull(1, "feat")) == {"t1@0": None}


def test_a_branch_without_a_pull_request_is_work_in_progress_and_not_linked():
    found = bind(asked("t1@1"), [on("feat", "t1@1")], [], {})
    assert found == {"t1@1": Bound(None, Thread("acme/api", "feat"), UNATTRIBUTED, Proof.BRANCH)}


def test_the_default_branch_is_the_one_that_the_repository_names():
    evidence = [on("develop", "t1@1"), on("main", "t2@2")]
    release = pull(1, "develop", default_branch="develop")
    assert bound(asked("t1@1", "t2@2"), evidence, release) == {"t1@1": None, "t2@2": "main"}


def test_the_order_in_which_evidence_comes_does_not_matter():
    evidence = [
        *(on("main", "t1@0"), on("feat", "t2@1"), link(1, "t2@1"), link(1, "t3@3"), on("other", "t4@4")),
        *(commit(sha("b"), "t5@5"), on("main", "t6@6"), told(Proof.START, "@0", branch="main")),
    ]
    requests = asked(*(f"t{turn}@{turn - 1}" for turn in range(1, 8)))
    pulls = [pull(1, "feat"), pull(2, "two", commits=frozenset({sha("b")}))]
    expected = bind(requests, evidence, pulls, {})
    assert len({short(one) for one in expected.values()}) > 2
    for seed in range(20):
        mixed = [*evidence, *evidence[:3]]
        Random(seed).shuffle(mixed)
        assert bind(requests[::-1], mixed, pulls[::-1], {}) == expected


def test_two_agents_may_use_the_same_session_id():
    evidence = [on("one", "t1@1"), on("two", "t1@1", agent="codex")]
    requests = [*asked("t1@1"), *asked("t1@1.5", agent="codex")]
    assert bound(requests, evidence, pull(1, "one"), pull(2, "two")) == {"t1@1": (1, MEASURED), "t1@1.5": (2, MEASURED)}


def test_keys_are_those_of_the_requests():
    key = request_key("claude_code", "req_1")
    one = AgentRequest("claude_code", ME, key, START, "m", Tokens(1))
    assert bind([one], [], [], {}).keys() == {key}
