"""What a person is shown of themselves: taken by Slack, exact, and never a word about anybody else."""

from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import render_me
from bot.domain.block import Part
from bot.domain.me import Comments, DaySpend, Me, Own, OwnPull, Switches, Told, view
from bot.domain.model import PullState, Tokens
from bot.render import WIDTH
from tests import slack_rules
from tests.company import DOLLAR, instant
from tests.people import UTC_ZONE
from tests.test_render import HOSTILE

GITHUB = "https://github.com"
NOW = instant("2026-05-20 10:00")
JOINED = Switches("key", instant("2026-05-13"), date(2026, 4, 13), date(2026, 5, 18), Comments.BAND)
DAYS = [
    DaySpend(date(2026, 4, 21), 12_340_000, Tokens(120_000, 40_000, None, 900_000, 31_000, None)),
    DaySpend(date(2026, 5, 6), 1_204_995_001, Tokens(999, 0, 5_000, 12_345_678, 1_000_000, 250_000)),
    DaySpend(date(2026, 5, 19), 3_504_000, Tokens(1)),
]
PULLS = [
    OwnPull("acme/api", 12, PullState.MERGED, instant("2026-05-07")),
    OwnPull("acme/web", 7, PullState.CLOSED, instant("2026-04-30")),
    OwnPull("acme/api", 19, PullState.OPEN, instant("2026-05-18")),
]
BOOKED = {Part.DIRECT: 900 * DOLLAR, Part.ABANDONED: 12_340_000}


def me(now: datetime = NOW, **changes: Any) -> Me:
    ordinary: dict[str, Any] = {"switches": JOINED, "linked": True, "days": DAYS, "booked": BOOKED, "pulls": PULLS}
    return view(Own(**{**ordinary, **changes}), now, UTC_ZONE)


CASES = {
    "rich": me(),
    "measured": me(told=Told(310, 42, 3), pulls=[replace(PULLS[0], micro=3_204_999), *PULLS[1:]]),
    "not_joined": None,
    "joined_today": me(instant("2026-05-13 18:00"), days=[], booked={}, pulls=[]),
    "no_spend": me(days=[], booked={}),
    "on_no_roster": me(linked=False, pulls=[]),
    "not_in_a_team": me(switches=replace(JOINED, team_from=None, comments=Comments.NOTHING), booked={}),
}


@pytest.mark.parametrize("case", CASES)
def test_the_text_reads_as_approved(case, snapshot):
    assert render_me.text(CASES[case], GITHUB) == snapshot


@pytest.mark.parametrize("case", CASES)
def test_the_slack_message_is_as_approved(case, snapshot):
    message = render_me.slack_message(CASES[case], GITHUB)
    slack_rules.accept(message.text, message.blocks)
    assert (message.text, message.blocks) == snapshot


def test_lines_of_the_text_fit_a_terminal():
    assert max(len(line) for one in CASES.values() for line in render_me.text(one, GITHUB).splitlines()) <= WIDTH


@pytest.mark.parametrize("case", CASES)
def test_nobody_is_compared_or_ranked(case):
    told = render_me.text(CASES[case], GITHUB).lower()
    assert not any(word in told for word in ("average", "percent", "rank", "top ", "more than", "less than", "median"))


def test_what_a_pull_request_cost_is_said_to_be_missing_once_until_agents_tell_of_it():
    told = render_me.text(me(pulls=PULLS * 3), GITHUB)
    assert " ".join(told.split()).count(render_me.TELEMETRY) == 1
    assert render_me.TELEMETRY not in " ".join(render_me.text(CASES["measured"], GITHUB).split())


@pytest.mark.parametrize(
    ("micro", "text"),
    [(0, "$0.00"), (4_999, "$0.00"), (5_000, "$0.01"), (1_234_567_890, "$1,234.57"), (999_995_000, "$1,000.00")],
)
def test_own_amounts_are_told_to_the_cent(micro, text):
    assert render_me.dollars(micro) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (999, "999"), (1000, "1k"), (12_345, "12.3k"), (1_999_999, "2M"), (12_345_678_900, "12.3B")],
)
def test_tokens_are_counted_in_three_digits(number, text):
    assert render_me.count(number) == text


def test_a_correction_that_waits_is_not_told_as_less_than_nothing():
    (line,) = [one for one in render_me.tell(me(days=DAYS[:1], booked=BOOKED), GITHUB).where if "open" in one]
    assert line.startswith("$0.00")


@pytest.mark.parametrize("name", [*HOSTILE, "acme/api|x> <!channel>", "acme/../../evil", "a/b/c"])
def test_a_hostile_repository_mentions_nobody_and_breaks_nothing(name):
    message = render_me.slack_message(me(pulls=[OwnPull(name, 1, PullState.MERGED, NOW)]), GITHUB)
    slack_rules.accept(message.text, message.blocks)
    said = str(message.blocks) + message.text
    assert "<!" not in said
    assert "<@" not in said
    assert "<#" not in said
    assert "<http" not in said.replace(f"<{GITHUB}", "")
    assert f"<{GITHUB}" not in said or "acme/../../evil" in name or "a/b/c" in name


def test_only_what_looks_like_a_repository_is_linked():
    def linked(name: str) -> bool:
        return "<https" in str(render_me.slack_message(me(pulls=[replace(PULLS[0], repository=name)]), GITHUB).blocks)

    assert linked("acme/api")
    assert not any(linked(name) for name in ("a/b/c", "acme", "acme/api?x", "acme/a pi", "acme/<b>", ""))


names = st.text(max_size=300) | st.from_regex(render_me.REPOSITORY, fullmatch=True)
pulls = st.lists(
    st.builds(OwnPull, names, st.integers(1, 10**9), st.sampled_from(PullState), st.just(NOW)), max_size=30
)
amounts = st.integers(0, 10**15)
tokens = st.builds(Tokens, amounts, amounts, st.none() | amounts, amounts, amounts, st.none() | amounts)
days = st.lists(st.builds(DaySpend, st.dates(date(2026, 4, 1), date(2026, 5, 30)), amounts, tokens), max_size=60)


@given(days, pulls, st.dictionaries(st.sampled_from(Part), amounts))
def test_whatever_was_stored_slack_takes_the_message(days, pulls, booked):
    message = render_me.slack_message(me(days=days, pulls=pulls, booked=booked), GITHUB)
    slack_rules.accept(message.text, message.blocks)
