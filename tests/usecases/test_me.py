"""A person's own numbers, read back from a real database and checked by hand. Week 21 of 2026 begins on 18 May."""

from datetime import timedelta

import pytest
from sqlalchemy import event

from bot.domain.block import Part
from bot.domain.me import Comments, Me
from bot.domain.model import AccountDay, Actor, ActorKind, PullState, SpendRow, Tokens
from bot.usecases.collect import Splitting, store_day
from bot.usecases.consent import Scope, switch_comments
from bot.usecases.me import me
from tests.company import DOLLAR, SECRET, SmallCompany, instant

EVERYBODY = "ann bo cy di ed"
NOW = "2026-05-20 10:00"


@pytest.fixture
def company(engine) -> SmallCompany:
    company = SmallCompany(engine, EVERYBODY)
    company.joins(EVERYBODY, at="2026-05-13")
    return company


def own(company: SmallCompany, name: str, now: str = NOW) -> Me:
    found = me(company.engine, SECRET, (company.team,), f"S_{name}", instant(now))
    assert found is not None
    return found


def test_the_last_four_full_weeks_and_the_running_one_are_told(company):
    """By hand: 19 April lies before week 17; 20 April and 17 May are the ends of the four weeks; 19 May is running."""
    for day, dollars in [
        ("2026-04-20", 2),
        ("2026-05-10", 4),
        ("2026-05-11", 8),
        ("2026-05-17", 16),
        ("2026-05-19", 32),
    ]:
        company.spends(day, ann=dollars, bo=1000)
    weeks = [(str(week.week), week.micro // DOLLAR, week.over) for week in own(company, "ann").weeks]
    assert weeks == [
        ("2026-W17", 2, True),
        ("2026-W18", 0, True),
        ("2026-W19", 4, True),
        ("2026-W20", 24, True),
        ("2026-W21", 32, False),
    ]


def test_tokens_are_added_up_by_kind_over_models_and_days(company):
    actor = Actor(ActorKind.USER, None, "ann@example.com")
    for day in ("2026-05-06", "2026-05-07"):
        tokens = Tokens(fresh=1, cache_write_5m=2, cache_write_1h=3, cache_read=4, output=5, reasoning=None)
        rows = tuple(SpendRow(actor, model, tokens, 1, DOLLAR, DOLLAR) for model in ("one", "two"))
        account_day = AccountDay("anthropic", instant(day).date(), 2 * DOLLAR, None, rows)
        store_day(company.engine, account_day, Splitting(SECRET, frozenset()), instant(day))
    assert own(company, "ann").tokens == Tokens(4, 8, 12, 16, 20, None)


def test_spend_is_sorted_as_the_digests_took_it_in(company):
    """By hand, as in the tests of the digest: of 28 days at 2 dollars, 2 days landed (4 dollars), the 14 days up to 3
    May are certain (28 dollars), the other 12 are open (24 dollars); 5 more were spent since."""
    company.quiet_days("2026-04-20", "2026-05-17", ann=2, bo=2, cy=2, di=2, ed=2)
    for number, name in enumerate(EVERYBODY.split(), start=1):
        company.pull(number, name, commits={name: "2026-05-11 2026-05-12"}, merged="2026-05-14")
    company.monday("2026-05-18")
    company.spends("2026-05-18", ann=5)
    found = own(company, "ann").sorted
    assert found.parts == {Part.DIRECT: 4 * DOLLAR, Part.UNATTRIBUTED: 28 * DOLLAR}
    assert found.open_micro == 29 * DOLLAR


def test_own_pull_requests_are_listed_newest_first_and_nobody_elses(company):
    company.pull(1, "ann", merged="2026-04-20")
    company.pull(2, "ann", merged="2026-05-07", opened="2026-01-01")
    company.pull(3, "bo", merged="2026-05-07", commits={"ann": "2026-05-06"})
    company.pull(4, "ann", merged="2026-04-19")
    company.pull(5, "ann", opened="2026-05-18")
    company.pull(6, "ann", opened="2026-04-01")
    company.pull(7, "ann", closed="2026-05-10")
    company.pull(8, "copilot[bot]", owner="ann", merged="2026-05-12")
    found = [(pull.number, pull.state) for pull in own(company, "ann").pulls]
    merged, closed = PullState.MERGED, PullState.CLOSED
    assert found == [(5, PullState.OPEN), (8, merged), (7, closed), (2, merged), (1, merged)]


def test_who_has_not_joined_has_nothing_to_see(company):
    assert me(company.engine, SECRET, (company.team,), "S_zoe", instant(NOW)) is None
    assert me(company.engine, SECRET, (company.team,), "", instant(NOW)) is None
    assert me(company.engine, b"another secret", (company.team,), "S_ann", instant(NOW)) is None


def test_another_kind_of_handle_opens_nothing(company):
    for name in ("U_ann", "ann@example.com", company.people["ann"]):
        assert me(company.engine, SECRET, (company.team,), name, instant(NOW)) is None


def test_who_is_on_no_roster_any_more_still_sees_the_own_spend(engine):
    company = SmallCompany(engine, "bo")
    company.joins("ann", at="2026-05-13")
    company.spends("2026-05-06", ann=3)
    company.pull(1, "ann", merged="2026-05-07")
    found = own(company, "ann")
    assert (found.linked, found.pulls) == (False, ())
    assert found.has_spend


def test_weeks_are_those_of_the_teams_own_zone(engine):
    """It is Monday already in Auckland."""
    company = SmallCompany(engine, "ann", zone="Pacific/Auckland")
    company.joins("ann", at="2026-05-13")
    assert str(own(company, "ann", "2026-05-17 22:00").weeks[-1].week) == "2026-W21"


def test_it_takes_a_handful_of_queries_whatever_there_is(company):
    company.quiet_days("2026-04-20", "2026-05-17", ann=2, bo=2)
    for number in range(1, 30):
        company.pull(number, "ann", merged="2026-05-07")
    asked: list[str] = []
    event.listen(company.engine, "before_cursor_execute", lambda _c, _k, statement, *_: asked.append(statement))
    own(company, "ann")
    assert len([one for one in asked if one.startswith("SELECT")]) <= 10
    assert not any(one.startswith(("INSERT", "UPDATE", "DELETE")) for one in asked)


def test_the_first_numbers_are_on_their_way_for_two_days(company):
    joined_at = instant("2026-05-13")
    for passed, new in [(timedelta(0), True), (timedelta(hours=47), True), (timedelta(hours=48), False)]:
        found = me(company.engine, SECRET, (company.team,), "S_ann", joined_at + passed)
        assert found is not None
        assert found.new is new


@pytest.mark.parametrize("comments", Comments)
def test_what_comments_show_is_told(company, comments):
    switch_comments(company.engine, company.people["ann"], comments, instant(NOW))
    assert own(company, "ann").switches.comments is comments
    assert own(company, "bo").switches.comments is Comments.NOTHING


def test_the_modes_of_comments_are_the_scopes_of_consent():
    assert {mode.value for mode in Comments} - {"nothing"} == {Scope.PR_BAND.value, Scope.PR_EXACT.value}
