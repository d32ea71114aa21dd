"""The ways in which binding work to pull requests goes wrong, one test each. What each request is bound to is asserted
for the whole session, so what is not bound shows as well."""

from dataclasses import replace

from bot.domain.agents import Proof, Via
from bot.domain.binding import Edits, Grade, Period, Place, bind, coverage, places, pull_cost
from bot.domain.sessions import Arrival, chosen
from tests.domain.test_binding import (
    INFERRED,
    ME,
    MEASURED,
    asked,
    bound,
    commit,
    hour,
    link,
    on,
    pull,
    sha,
    told,
)

HOSTILE = "'; DROP TABLE"


def test_session_starts_on_main_and_a_later_link_or_commit_or_branch_tells_where_it_went():
    main = [on("main", "t1@0"), on("main", "t2@1")]
    requests = asked("t1@0", "t2@1")
    one = pull(1, "feat", opened=1, commits=frozenset({sha("abc1234")}))
    assert bound(requests, [*main, link(1, "t2@1")], one) == {"t1@0": (1, MEASURED), "t2@1": (1, MEASURED)}
    assert bound(requests, [*main, commit("abc1234", "t2@1")], one) == {"t1@0": (1, INFERRED), "t2@1": (1, MEASURED)}
    assert bound(requests, [*main, on("feat", "t3@2")], one) == {"t1@0": (1, INFERRED), "t2@1": (1, INFERRED)}


def test_session_that_stays_on_main_is_never_guessed():
    main = [on("main", "t1@0"), on("main", "t2@1")]
    assert bound(asked("t1@0", "t2@1"), main, pull(1, "feat")) == {"t1@0": None, "t2@1": None}


def test_stale_branch_of_the_start_gives_way_to_git_asked_in_the_turn():
    evidence = [told(Proof.START, "@0", branch="old"), on("new", "t2@2")]
    assert bound(asked("t1@1", "t2@2", "t3@3"), evidence, pull(1, "old"), pull(2, "new")) == {
        "t1@1": (1, MEASURED),
        "t2@2": (2, MEASURED),
        "t3@3": (2, MEASURED),
    }


def test_stale_branch_gives_way_to_the_commits_and_links_of_the_turn():
    """A headless session goes on saying the branch that it was started on."""
    evidence = [*(on("fix/one", f"t{turn}@{turn}") for turn in (1, 2, 3)), link(44, "t2@2"), commit(sha("c"), "t3@3")]
    pulls = pull(43, "fix/one"), pull(44, "fix/two"), pull(45, "fix/three", commits=frozenset({sha("c")}))
    assert bound(asked("t1@1", "t2@2", "t3@3"), evidence, *pulls) == {
        "t1@1": (43, MEASURED),
        "t2@2": (44, MEASURED),
        "t3@3": (45, MEASURED),
    }


def test_several_pull_requests_in_one_session_are_cut_by_turn():
    evidence = [*(on("main", f"t{turn}@{turn}") for turn in range(1, 6)), link(43, "t2@2"), link(44, "t4@4")]
    requests = asked("t1@1", "t2@2", "t2@2.5", "t3@3", "t4@4", "t5@5")
    assert bound(requests, evidence, pull(43, "fix/one", opened=2), pull(44, "fix/two", opened=4)) == {
        "t1@1": (43, MEASURED),
        "t2@2": (43, MEASURED),
        "t2@2.5": (43, MEASURED),
        "t3@3": (44, MEASURED),
        "t4@4": (44, MEASURED),
        "t5@5": (44, MEASURED),
    }


def test_several_sessions_of_one_pull_request_add_up():
    requests = asked("t1@1") + asked("t2@2", session="s2") + asked("t3@3", session="s3", agent="codex")
    evidence = [on("feat", "t1@1"), link(1, "t2@2", "s2"), told(Proof.START, "@3", "s3", agent="codex", branch="feat")]
    bounds = bind(requests, evidence, [pull(1, "feat")], {})
    cost = pull_cost("PR_1", requests, bounds, places(requests, bounds, Edits()), dict.fromkeys(bounds, 10))
    assert (cost.measured, cost.requests, cost.remainder) == (30, 3, 0)


def test_forks_copy_links_and_the_fork_does_not_own_them():
    """The fork copies the turn with its link, writes the link again, and works on another branch."""
    copied = [on("feat", "t1@1", "fork"), link(42, "t1@1", "fork")]
    again = [link(42, "t2@2", "fork"), link(42, "@3", "fork")]
    evidence = [on("feat", "t1@1"), link(42, "t1@1"), *copied, *again, on("other", "t2@2", "fork")]
    requests = asked("t1@1") + asked("t2@2", "t3@3.5", session="fork")
    assert bound(requests, evidence, pull(42, "feat")) == {
        "t1@1": (42, MEASURED),
        "fork t2@2": "other",
        "fork t3@3.5": "other",
    }


def test_forks_copy_links_and_a_fork_without_evidence_of_its_own_has_none():
    evidence = [link(42, "t1@1"), link(42, "t1@1", "fork")]
    assert bound(asked("t1@1") + asked("t2@2", session="fork"), evidence, pull(42, "feat")) == {
        "t1@1": (42, MEASURED),
        "fork t2@2": None,
    }


def test_forks_copy_requests_and_each_counts_for_the_first_session():
    copies = asked("t1@1") + asked("t1@1", session="zfork")
    counted = chosen(Arrival(Via.HOOK, replace(one, key="k")) for one in copies)
    assert [(one.session, one.key) for one in counted] == [(ME, "k")]
    evidence = [link(42, "t1@1"), link(42, "t1@1", "zfork")]
    assert bound(counted, evidence, pull(42, "feat")) == {"k": (42, MEASURED)}


def test_a_resumed_session_writes_its_last_link_again_and_that_takes_no_work_on_another_branch():
    evidence = [on("feat", "t1@1"), link(42, "t1@1"), on("next", "t2@2"), on("next", "t3@3"), link(42, "t3@3")]
    assert bound(asked("t1@1", "t2@2", "t3@3"), evidence, pull(42, "feat")) == {
        "t1@1": (42, MEASURED),
        "t2@2": "next",
        "t3@3": "next",
    }


def test_squash_merge_does_not_matter_because_the_pull_requests_own_commits_count():
    """In the second turn somebody pulls the default branch, whose head is now the squashed commit."""
    one = pull(1, "feat", closed=5, commits=frozenset({sha("aaaaaaa")}))
    evidence = [commit("aaaaaaa", "t1@1"), on("main", "t2@6"), commit(sha("5a"), "t2@6")]
    assert bound(asked("t1@1", "t2@6"), evidence, one) == {"t1@1": (1, MEASURED), "t2@6": None}


def test_rebase_amend_and_force_push_keep_the_old_commits_and_the_trailers():
    rewritten = pull(1, "feat", commits=frozenset({sha("new")}), replaced=frozenset({sha("01d")}))
    assert bound(asked("t1@1"), [commit(sha("01d"), "t1@1")], rewritten) == {"t1@1": (1, MEASURED)}
    assert bound(asked("t1@1"), [], rewritten, trailers={sha("new"): (ME,)}) == {"t1@1": (1, MEASURED)}
    forgotten = pull(1, "feat", commits=frozenset({sha("new")}))
    assert bound(asked("t1@1"), [commit(sha("01d"), "t1@1")], forgotten) == {"t1@1": None}


def test_branch_reuse_goes_to_the_pull_request_of_its_time():
    first, second = pull(1, "feat", opened=2, closed=10), pull(2, "feat", opened=20, closed=30)
    requests = asked("@1", "@9", "@10", "@15", "@29", "@53", "@54")
    evidence = [on("feat", "@0")]
    assert bound(requests, evidence, first, second) == {
        "@1": (1, MEASURED),  # before the first was opened
        "@9": (1, MEASURED),
        "@10": (2, MEASURED),  # after its close, although in its grace: the second begins later
        "@15": (2, MEASURED),
        "@29": (2, MEASURED),
        "@53": (2, MEASURED),  # 30 + 24 - 1
        "@54": "feat",
    }


def test_branch_reuse_after_a_squash_where_the_second_list_has_the_first_commits_too():
    first = pull(1, "feat", opened=0, closed=10, commits=frozenset({sha("a")}))
    second = pull(2, "feat", opened=20, commits=frozenset({sha("a"), sha("b")}))
    evidence = [commit(sha("a"), "t1@5"), on("feat", "t1@5"), commit(sha("b"), "t2@21"), on("feat", "t2@21")]
    assert bound(asked("t1@5", "t2@21"), evidence, first, second) == {"t1@5": (1, MEASURED), "t2@21": (2, MEASURED)}


def test_forks_and_remotes_match_by_the_head_repository():
    fork = pull(1, "feat", head_repository="ann/api", commits=frozenset({sha("aaaaaaa")}))
    mine, base = on("feat", "t1@1", repository="ann/api"), on("feat", "t1@1")
    assert bound(asked("t1@1"), [mine], fork) == {"t1@1": (1, MEASURED)}
    assert bound(asked("t1@1"), [base], fork) == {"t1@1": "feat"}  # a branch of the same name in the base repository
    assert bound(asked("t1@1"), [base, commit("aaaaaaa", "t1@1")], fork) == {"t1@1": (1, MEASURED)}
    assert bound(asked("t1@1"), [link(1, "t1@1", repository="ann/api")], fork) == {"t1@1": (1, MEASURED)}


def test_forks_and_remotes_prefer_the_forks_own_pull_request_of_that_number():
    fork = pull(1, "feat", head_repository="ann/api")
    own = replace(pull(1, "x", repository="ann/api", head_repository="ann/api"), id="PR_7")
    assert bound(asked("t1@1"), [link(1, "t1@1", repository="ann/api")], fork, own) == {"t1@1": (7, MEASURED)}


def test_a_fork_that_is_gone_binds_by_link_and_commit_only():
    gone = pull(1, "feat", head_repository=None, commits=frozenset({sha("a")}))
    assert bound(asked("t1@1"), [on("feat", "t1@1")], gone) == {"t1@1": "feat"}
    assert bound(asked("t1@1"), [on("feat", "t1@1"), link(1, "t1@1")], gone) == {"t1@1": (1, MEASURED)}


def test_the_default_branch_of_a_fork_is_no_branch():
    evidence = [on("main", "t1@1", repository="ann/api")]
    assert bound(asked("t1@1"), evidence, pull(1, "main", head_repository="ann/api")) == {"t1@1": None}


def test_review_and_fix_up_after_opening_count_until_the_merge():
    evidence = [on("feat", f"t{turn}@{turn}") for turn in (1, 5, 9)] + [link(1, "t1@1")]
    assert set(bound(asked("t1@1", "t5@5", "t9@9"), evidence, pull(1, "feat", opened=1, closed=9)).values()) == {
        (1, MEASURED)
    }


def test_work_after_merge_in_the_same_session_is_not_part_of_it():
    evidence = [on("feat", "t1@1"), link(1, "t1@1"), on("main", "t2@4"), on("next", "t3@5"), on("feat", "t4@40")]
    requests = asked("t1@1", "t2@4", "t3@5", "t4@40", "t5@41")
    assert bound(requests, [*evidence, link(1, "t5@41")], pull(1, "feat", opened=1, closed=3)) == {
        "t1@1": (1, MEASURED),
        "t2@4": None,
        "t3@5": "next",
        "t4@40": "feat",  # the grace ended at 27
        "t5@41": "feat",  # even with the link written again
    }


def test_work_after_merge_is_not_part_of_it_whatever_says_so():
    one = pull(1, "feat", closed=3, commits=frozenset({sha("a")}))
    assert bound(asked("t9@40"), [link(1, "t9@40")], one) == {"t9@40": None}
    assert bound(asked("t2@40"), [link(1, "t1@1")], one) == {"t2@40": None}
    assert bound(asked("t2@40"), [], one, trailers={sha("a"): (ME,)}) == {"t2@40": None}
    assert bound(asked("t2@26"), [link(1, "t1@1")], one) == {"t2@26": (1, MEASURED)}  # in the grace


def test_worktrees_of_one_clone_are_told_apart_by_session():
    requests = asked("t1@1", "t2@3") + asked("t1b@1.5", "t2b@2", session="s2")
    evidence = [on("one", "t1@1"), on("two", "t1b@1.5", "s2")]
    assert bound(requests, evidence, pull(1, "one"), pull(2, "two")) == {
        "t1@1": (1, MEASURED),
        "t2@3": (1, MEASURED),
        "s2 t1b@1.5": (2, MEASURED),
        "s2 t2b@2": (2, MEASURED),
    }


def test_short_sha_is_resolved_in_its_own_repository_only():
    api = pull(1, "one", commits=frozenset({sha("abc1234a")}))
    web = pull(2, "two", repository="acme/web", head_repository="acme/web", commits=frozenset({sha("abc1234b")}))
    assert bound(asked("t1@1"), [commit("ABC1234", "t1@1")], api, web) == {"t1@1": (1, MEASURED)}
    assert bound(asked("t1@1"), [commit("abc1234", "t1@1", repository="acme/web")], api, web) == {"t1@1": (2, MEASURED)}
    assert bound(asked("t1@1"), [commit("abc1234", "t1@1", repository=None)], api) == {"t1@1": None}
    assert bound(asked("t1@1"), [commit("abc123", "t1@1")], api) == {"t1@1": None}  # six digits are too few


def test_short_sha_without_a_repository_is_resolved_where_the_session_was():
    evidence = [commit("abc1234", "t1@1", repository=None), on("main", "t1@1")]
    assert bound(asked("t1@1"), evidence, pull(1, "one", commits=frozenset({sha("abc1234")}))) == {
        "t1@1": (1, MEASURED)
    }


def test_a_commit_that_a_fork_has_as_well_is_the_one_of_the_repository_it_was_made_in():
    api = pull(1, "one", commits=frozenset({sha("a")}))
    own = pull(2, "one", repository="ann/api", head_repository="ann/api", commits=frozenset({sha("a")}))
    assert bound(asked("t1@1"), [commit(sha("a"), "t1@1")], api, own) == {"t1@1": (1, MEASURED)}
    assert bound(asked("t1@1"), [commit(sha("a"), "t1@1", repository=None)], api, own) == {"t1@1": None}


def test_short_sha_that_two_pull_requests_have_binds_nothing():
    one, two = (
        pull(1, "one", commits=frozenset({sha("abc1234a")})),
        pull(2, "two", commits=frozenset({sha("abc1234b")})),
    )
    assert bound(asked("t1@1"), [commit("abc1234", "t1@1")], one, two) == {"t1@1": None}
    assert bound(asked("t1@1"), [commit("abc1234a", "t1@1")], one, two) == {"t1@1": (1, MEASURED)}


def test_telemetry_off_for_some_makes_the_cost_a_lower_bound_with_its_coverage():
    """Three commits; Ann's hook tells of one, a trailer of another, and of Bo's nothing is known."""
    one = pull(
        1, "feat", commits=frozenset({sha("a11ce"), sha("7ra11er"), sha("b0")}), replaced=frozenset({sha("01d")})
    )
    requests, evidence = asked("t1@1"), [on("feat", "t1@1"), commit(sha("a11ce")[:7], "t1@1")]
    trailers = {sha("7ra11er"): ("s2",)}
    found = coverage(one, [*evidence, commit(sha("01d"), "t1@1"), commit("b0", "t1@1")], trailers)
    assert (found.told, found.commits) == (2, 3)
    bounds = bind(requests, evidence, [one], trailers)
    cost = pull_cost("PR_1", requests, bounds, places(requests, bounds, Edits()), {"t1@1": 5})
    assert (cost.measured, cost.grade) == (5, Grade.MEASURED)


def test_stacked_pull_requests_keep_their_own_turns_and_the_base_is_an_ordinary_branch():
    lower = pull(1, "a", opened=1, commits=frozenset({sha("a")}))
    upper = pull(2, "b", opened=3, commits=frozenset({sha("a"), sha("b")}))  # GitHub shows the lower one's commit too
    evidence = [on("a", "t1@1"), commit(sha("a"), "t1@1"), on("b", "t2@3"), commit(sha("b"), "t2@3"), on("a", "t3@4")]
    assert bound(asked("t1@1", "t2@3", "t3@4"), evidence, lower, upper) == {
        "t1@1": (1, MEASURED),
        "t2@3": (2, MEASURED),
        "t3@4": (1, MEASURED),
    }


def test_several_people_on_a_branch_all_count():
    requests = asked("t1@1") + asked("t2@1", session="bo") + asked("t3@30", session="cy")
    evidence = [on("feat", "t1@1"), on("feat", "t2@1", "bo"), on("feat", "t3@30", "cy")]
    assert set(bound(requests, evidence, pull(1, "feat")).values()) == {(1, MEASURED)}


def test_late_opened_pull_request_takes_in_the_work_on_its_branch_before_it():
    requests, evidence = asked("t1@1"), [on("feat", "t1@1")]
    assert bound(requests, evidence) == {"t1@1": "feat"}
    assert bound(requests, evidence, pull(1, "feat", opened=24 * 30)) == {"t1@1": (1, MEASURED)}


def test_reopened_pull_request_goes_on_from_its_close():
    periods = (Period(hour(0), hour(10)), Period(hour(100), hour(110)))
    requests, evidence = asked("@5", "@50", "@105", "@134"), [on("feat", "@0")]
    assert bound(requests, evidence, pull(1, "feat", periods=periods)) == {
        "@5": (1, MEASURED),
        "@50": (1, MEASURED),  # known only once it was opened again
        "@105": (1, MEASURED),
        "@134": "feat",
    }
    assert bound(requests, evidence, pull(1, "feat", closed=10))["@50"] == "feat"


def test_reopened_pull_request_does_not_take_what_another_had_on_the_branch_in_between():
    one = pull(1, "feat", periods=(Period(hour(0), hour(10)), Period(hour(100))))
    requests, evidence = asked("@5", "@25", "@60", "@105"), [on("feat", "@0")]
    assert bound(requests, evidence, one, pull(2, "feat", opened=20, closed=50)) == {
        "@5": (1, MEASURED),
        "@25": (2, MEASURED),
        "@60": (1, MEASURED),
        "@105": (1, MEASURED),
    }


def test_a_reopened_pull_request_takes_links_until_its_last_close():
    one = pull(1, "feat", periods=(Period(hour(0), hour(10)), Period(hour(100))))
    assert bound(asked("t1@150"), [link(1, "t1@150")], one) == {"t1@150": (1, MEASURED)}


def test_renamed_repository_matches_whatever_the_case_and_by_its_former_name():
    one = pull(1, "feat", repository="Acme/New", head_repository="Acme/New", former=frozenset({"acme/OLD"}))
    for name in ("acme/new", "ACME/New", "Acme/Old", "acme/old"):
        assert bound(asked("t1@1"), [on("feat", "t1@1", repository=name)], one) == {"t1@1": (1, MEASURED)}
        assert bound(asked("t1@1"), [link(1, "t1@1", repository=name)], one) == {"t1@1": (1, MEASURED)}
    assert bound(asked("t1@1"), [on("FEAT", "t1@1", repository="acme/new")], one) == {"t1@1": "FEAT"}  # git tells case


def test_a_former_name_that_another_repository_took_is_that_ones():
    moved = pull(2, "feat", repository="acme/new", head_repository="acme/new", former=frozenset({"acme/api"}))
    assert bound(asked("t1@1"), [on("feat", "t1@1")], moved, pull(1, "feat")) == {"t1@1": (1, MEASURED)}


def test_a_branch_called_drop_table_is_a_branch():
    requests, evidence = asked("t1@1"), [on(HOSTILE, "t1@1")]
    assert bound(requests, evidence, pull(1, HOSTILE)) == {"t1@1": (1, MEASURED)}
    bounds = bind(requests, evidence, [], {})
    seen = Edits(seen=frozenset())
    assert places(requests, bounds, seen) == {"t1@1": Place.BRANCH}
    assert bounds["t1@1"].thread is not None
    assert bounds["t1@1"].thread.branch == HOSTILE
