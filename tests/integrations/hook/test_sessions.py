"""The hook's document at the server's border: what is taken, what it becomes, and what is refused and counted."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.agents import AgentEvent, Evidence, Happening, Origin, Proof, Telemetry, request_key
from bot.domain.model import Tokens
from integrations.sessions import MOST_EVENTS, MOST_OF_A_KIND, Malformed, parse

AT = "2026-11-22T10:00:00Z"
LATER = "2026-11-22T10:05:00Z"
START = datetime(2026, 11, 22, 10, tzinfo=UTC)
END = START + timedelta(minutes=5)
SHA, OTHER_SHA = "a" * 40, "b" * 40


def request(key: str = "1" * 32, **more: Any) -> dict[str, Any]:
    return {"key": key, "at": AT, "model": "claude-opus-4-8", "fresh": 1, "output": 2, **more}


def turn(**more: Any) -> dict[str, Any]:
    return {"turn": "t1", "started": AT, "ended": LATER, **more}


def document(*turns: Any, **more: Any) -> dict[str, Any]:
    return {"version": 1, "agent": "claude_code", "sessions": [{"session": "s1", "turns": list(turns)}], **more}


def taken(*turns: Any) -> Telemetry:
    telemetry, rejected = parse(document(*turns))
    assert rejected == {}
    return telemetry


def events(*turns: Any) -> list[AgentEvent]:
    return [event for event in taken(*turns).events if event.happening is not Happening.PROMPT]


def refused(*turns: Any) -> dict[str, int]:
    return dict(parse(document(*turns))[1])


def test_a_request_keeps_its_numbers_in_their_kinds() -> None:
    numbers: dict[str, Any] = {
        "cache_write_5m": 3,
        "cache_write_1h": 4,
        "cache_read": 5,
        "reasoning": 6,
        "cost_micro": 7,
    }
    (one,) = taken(turn(requests=[request(origin="subagent", **numbers)])).requests

    assert one.tokens == Tokens(1, 3, 4, 5, 2, 6)
    assert (one.agent, one.session, one.turn, one.origin) == ("claude_code", "s1", "t1", Origin.SUBAGENT)
    assert (one.key, one.at, one.model, one.cost_micro) == ("1" * 32, START, "claude-opus-4-8", 7)


def test_what_a_source_does_not_tell_apart_stays_unknown() -> None:
    (one,) = taken(turn(requests=[request()])).requests

    assert (one.tokens.cache_write_1h, one.tokens.reasoning, one.cost_micro) == (None, None, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"fresh": -1},
        {"fresh": 1.5},
        {"fresh": "12"},
        {"fresh": True},
        {"fresh": 10**12 + 1},
        {"fresh": float("inf")},
        {"fresh": None},
        {"cost_micro": -1},
        {"key": "1" * 31},
        {"key": "Z" * 32},
        {"key": "1" * 32 + "\n"},
        {"model": ""},
        {"model": "m" * 201},
        {"model": "a\x00b"},
        {"model": "\ud800"},
        {"model": 7},
        {"origin": "elsewhere"},
        {"at": "yesterday"},
        {"at": 1_795_313_987},
        {"at": "1795313987"},
        {"at": "2026-11-22T10:00:00"},
        {"at": "2026-02-30T10:00:00Z"},
    ],
)
def test_an_impossible_request_is_refused_and_the_others_are_not(wrong: dict[str, Any]) -> None:
    telemetry, rejected = parse(document(turn(requests=[{**request(), **wrong}, request("2" * 32)])))

    assert rejected == {"bad_request": 1}
    assert [one.key for one in telemetry.requests] == ["2" * 32]


@pytest.mark.parametrize("number", [0, 10**12])
def test_the_smallest_and_the_largest_number_are_taken(number: int) -> None:
    (one,) = taken(turn(requests=[request(fresh=number)])).requests

    assert one.tokens.fresh == number


def test_the_same_key_twice_counts_once() -> None:
    telemetry, rejected = parse(document(turn(requests=[request()]), turn(turn="t2", requests=[request(fresh=9)])))

    assert rejected == {"duplicate": 1}
    assert [one.tokens.fresh for one in telemetry.requests] == [1]


@pytest.mark.parametrize(
    "wrong",
    [{"started": LATER, "ended": AT}, {"started": None}, {"ended": "x"}, {"turn": ""}, {"turn": 7}, {"requests": {}}],
)
def test_an_impossible_turn_is_refused(wrong: dict[str, Any]) -> None:
    assert refused({**turn(), **wrong}) == {"bad_turn": 1}


@pytest.mark.parametrize(
    "session", [None, 7, [], {}, {"session": "", "turns": []}, {"session": "s" * 201, "turns": []}]
)
def test_an_impossible_session_is_refused(session: Any) -> None:
    assert parse({**document(), "sessions": [session]})[1] == {"bad_session": 1}


@pytest.mark.parametrize(
    "body",
    [
        *(None, [], "text", 7, {}),
        *({**document(), "version": 2}, {**document(), "agent": None}, {**document(), "sessions": {}}),
        {**document(), "sessions": [{}] * 1001},
    ],
)
def test_a_document_that_is_none_is_malformed_and_the_message_says_nothing_of_it(body: Any) -> None:
    with pytest.raises(
        Malformed, match=r"^This is no document of the hook, version 1: install the hook of this server"
    ):
        parse(body)


def test_unknown_fields_are_ignored_at_every_level() -> None:
    odd = turn(requests=[request(prompt="secret")], prompt="secret", counters={"tool_ok": 0, "prompt": "secret"})
    telemetry, rejected = parse({**document(odd), "prompt": "secret"})

    assert rejected == {}
    assert "secret" not in repr(telemetry)


def test_an_agent_that_nobody_knows_is_other() -> None:
    telemetry, _ = parse({**document(turn(requests=[request()])), "agent": "'; DROP TABLE"})

    assert telemetry.requests[0].agent == "other"


def test_a_prompt_is_counted_under_its_own_id() -> None:
    (prompt,) = taken(turn()).events

    assert (prompt.happening, prompt.key, prompt.at) == (Happening.PROMPT, request_key("claude_code", "t1"), START)
    assert taken(turn(prompted=False)).events == ()
    assert taken(turn(turn=None)).events == ()


COUNTERS = {"tool_ok": 2, "tool_failed": 1, "rejected": 1, "interrupted": 1, "compactions": 1, "api_errors": 1}


def test_counters_become_as_many_events() -> None:
    edited = [{"file": "f" * 16, "edits": 2}, {"file": "e" * 16, "edits": 1}]
    found = events(turn(counters={**COUNTERS, "edited": edited}, commits=[SHA]))
    counted = {happening: sum(event.happening is happening for event in found) for happening in Happening}

    assert {happening.value: number for happening, number in counted.items() if number} == {
        "tool_ok": 2,
        "tool_failed": 1,
        "rejected": 1,
        "interrupted": 1,
        "compaction": 1,
        "api_error": 1,
        "edit": 3,
        "commit": 1,
    }
    assert [event.what for event in found if event.happening is Happening.EDIT] == ["f" * 16, "f" * 16, "e" * 16]


def test_an_interruption_is_the_last_thing_that_happens_in_a_turn() -> None:
    found = events(turn(counters=COUNTERS))

    assert max(found, key=lambda event: event.at).happening is Happening.INTERRUPTED
    assert all(START < event.at <= END for event in found)


def test_a_turn_that_is_told_again_with_more_adds_only_the_new_events() -> None:
    before = {event.key for event in taken(turn(counters={"tool_ok": 2})).events}
    after = {event.key for event in taken(turn(counters={"tool_ok": 3, "tool_failed": 1})).events}

    assert before < after
    assert len(after - before) == 2


def test_a_turn_that_a_fork_copied_has_the_same_events() -> None:
    body = document(turn(counters=COUNTERS))
    copy = {**body, "sessions": [{**body["sessions"][0], "session": "s2"}]}
    keys = [{event.key for event in parse(one)[0].events} for one in (body, copy)]

    assert keys[0] == keys[1]


def test_without_a_turn_the_session_tells_events_apart() -> None:
    body = document(turn(turn=None, counters={"tool_ok": 1}))
    other = {**body, "sessions": [{**body["sessions"][0], "session": "s2"}]}

    assert parse(body)[0].events[0].key != parse(other)[0].events[0].key


def runs(found: list[AgentEvent]) -> int:
    """Runs of three or more equal failures, by the method's own rule."""
    length, last, counted = 0, None, 0
    for event in sorted(found, key=lambda event: event.at):
        if event.happening is Happening.TOOL_FAILED:
            length = length + 1 if event.what == last else 1
            last = event.what
            counted += length == 3
        elif event.happening is Happening.TOOL_OK:
            length, last = 0, None
    return counted


@pytest.mark.parametrize(
    ("failed", "told", "seen"),
    [(3, 1, 1), (7, 2, 2), (5, 0, 0), (9, 1, 1), (2, 1, 0), (0, 5, 0)],  # the last two: it began in a turn before
)
def test_runs_of_equal_failures_show_in_the_events(failed: int, told: int, seen: int) -> None:
    found = events(turn(counters={"tool_failed": failed, "error_runs": told, "tool_ok": 4}))

    assert sum(event.happening is Happening.TOOL_FAILED for event in found) == failed
    assert runs(found) == seen


@pytest.mark.parametrize(
    "counters",
    [
        {"tool_ok": -1},
        {"tool_ok": MOST_OF_A_KIND + 1},
        {"tool_ok": "1"},
        {"edited": [{"file": "/src/calc.py", "edits": 1}]},
    ],
)
def test_impossible_counters_are_refused_and_the_requests_are_not(counters: dict[str, Any]) -> None:
    telemetry, rejected = parse(document(turn(requests=[request()], counters=counters)))

    assert rejected == {"bad_counters": 1}
    assert len(telemetry.requests) == 1


def test_a_hostile_document_cannot_become_more_events_than_there_is_room_for() -> None:
    full = {name: MOST_OF_A_KIND for name in COUNTERS}
    telemetry, rejected = parse(document(*(turn(turn=f"t{number}", counters=full) for number in range(10))))

    # 10 turns of 6 kinds of 2,000, and 10 prompts: 120,010
    assert len(telemetry.events) == MOST_EVENTS
    assert rejected == {"too_many": 120_010 - MOST_EVENTS}


def evidence(**more: Any) -> list[Evidence]:
    return list(taken(turn(**more)).evidence)


def test_the_branch_at_the_time_of_the_turn_is_evidence_from_its_start() -> None:
    (one,) = evidence(repository="acme/widgets", branch="feature/a")

    assert (one.proof, one.repository, one.branch, one.at, one.turn) == (
        *(Proof.BRANCH, "acme/widgets", "feature/a", START, "t1"),
    )


def test_a_detached_head_is_told_as_a_place_without_a_branch() -> None:
    (one,) = evidence(repository="acme/widgets", branch=None)

    assert (one.proof, one.branch) == (Proof.BRANCH, None)


def test_a_turn_outside_of_any_repository_is_told_as_such() -> None:
    (one,) = evidence(repository=None, branch=None)

    assert (one.proof, one.repository, one.branch) == (Proof.BRANCH, None, None)


def test_commits_and_a_head_that_changed_are_evidence_once_each() -> None:
    found = evidence(repository="acme/widgets", commits=[SHA, "ee227e5"], head_before=OTHER_SHA, head_after=SHA)
    commits = [(one.commit, one.repository, one.at) for one in found if one.proof is Proof.COMMIT]

    assert commits == [(SHA, "acme/widgets", END), ("ee227e5", "acme/widgets", END)]


@pytest.mark.parametrize(("before", "after"), [(SHA, SHA), (None, SHA), (SHA, None)])
def test_a_head_that_did_not_change_or_is_not_known_is_none(before: str | None, after: str | None) -> None:
    assert [one.proof for one in evidence(repository="acme/widgets", head_before=before, head_after=after)] == [
        Proof.BRANCH
    ]


def test_a_head_that_changed_is_evidence_without_a_list_of_commits() -> None:
    found = evidence(head_before=OTHER_SHA, head_after=SHA)  # and without saying where: no place either

    assert [(one.proof, one.commit) for one in found] == [(Proof.COMMIT, SHA)]


def test_pull_requests_are_evidence_each_at_its_moment_and_in_its_repository() -> None:
    pulls = [
        {"at": "2026-11-22T10:01:00Z", "repository": "acme/widgets", "pull": 43},
        {"at": "2026-11-22T10:02:00Z", "repository": None, "pull": 44},
    ]
    found = [one for one in evidence(repository="me/widgets", pull=44, pulls=pulls) if one.proof is Proof.PULL]

    assert [(one.repository, one.pull, one.at - START) for one in found] == [
        ("acme/widgets", 43, timedelta(minutes=1)),
        ("me/widgets", 44, timedelta(minutes=2)),
    ]


def test_a_pull_request_alone_counts_at_the_end_of_the_turn() -> None:
    (one,) = [one for one in evidence(repository="acme/widgets", pull=42) if one.proof is Proof.PULL]

    assert (one.pull, one.repository, one.at) == (42, "acme/widgets", END)


@pytest.mark.parametrize(
    "wrong",
    [
        {"branch": "'; DROP"},
        {"branch": "a\x00b"},
        {"branch": "b" * 251},
        {"branch": "../x"},
        {"branch": ""},
        {"branch": 7},
        {"repository": "acme"},
        {"repository": "acme/widgets/x"},
        {"repository": "ac me/widgets"},
        {"commits": ["xyz"]},
        {"commits": "abc"},
        {"head_after": "A" * 40},
        {"pull": 0},
        {"pull": 10**9},
        {"pull": "42"},
        {"pull": True},
        {"pulls": [{"pull": 42}]},
        {"pulls": {"pull": 42}},
    ],
)
def test_an_impossible_place_is_refused_and_what_the_turn_took_stays(wrong: dict[str, Any]) -> None:
    telemetry, rejected = parse(document(turn(requests=[request()], **wrong)))

    assert rejected == {"bad_place": 1}
    assert (len(telemetry.requests), telemetry.evidence) == (1, ())


def test_a_branch_with_a_quote_is_a_branch() -> None:
    (one,) = evidence(branch='fix/it\'s-"quoted";--drop')

    assert one.branch == 'fix/it\'s-"quoted";--drop'


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("turn", "started", "repository", "branch", "commits", "pull", "pulls", "requests", "counters", "head_after")
turns = st.fixed_dictionaries({"ended": st.just(LATER)}, optional={name: anything for name in FIELDS})
good_times = st.builds(lambda odd: {**odd, "started": AT, "ended": LATER}, turns)


@given(st.lists(turns | good_times | anything, max_size=5))
def test_no_document_of_any_shape_is_an_error(strange: list[Any]) -> None:
    telemetry, _ = parse(document(*strange, turn(turn="last", requests=[request("f" * 32)])))

    assert "f" * 32 in [one.key for one in telemetry.requests]


def test_an_email_is_never_part_of_it() -> None:
    assert parse({**document(turn()), "email": "dev@example.com"})[0].email is None
