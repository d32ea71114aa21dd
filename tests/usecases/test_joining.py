"""Joining with a typed login: it has to be on a roster of today and free, and the answer never says who has joined."""

from dataclasses import replace
from threading import Barrier, Thread

import pytest

from bot.domain.me import Comments
from bot.domain.weeks import Week, epoch_start
from bot.store import units
from bot.store.db import transaction
from bot.usecases import joining
from bot.usecases.consent import NotJoined
from bot.usecases.joining import NotFree, Wish
from tests.company import SECRET, SmallCompany, instant, user
from tests.people import dump

NOW = instant("2026-05-20 10:00")
ALL = Wish(team=True, comments=Comments.AMOUNT)
LEAST = Wish(team=False, comments=Comments.NOTHING)


@pytest.fixture
def company(engine) -> SmallCompany:
    return SmallCompany(engine, "ann bo cy")


def join(company: SmallCompany, name: str, login: str, wish: Wish = ALL) -> None:
    email = f"{name}@example.com"
    joining.join(company.engine, SECRET, (company.team,), f"S_{name}", email, login, wish, NOW)


def test_everything_is_switched_on_in_one_step(company):
    join(company, "ann", "ann")
    switches = joining.current(company.engine, SECRET, "S_ann")
    assert switches is not None
    assert str(switches.team_from) == "2026-05-25"
    assert switches.comments is Comments.AMOUNT


def test_a_login_is_found_whatever_its_case(company):
    join(company, "ann", "ANN")
    assert joining.current(company.engine, SECRET, "S_ann")


def test_a_login_of_an_earlier_roster_is_not_enough(company):
    with transaction(company.engine) as session:
        unit = replace(company.team, name="old")
        units.ensure(session, unit, instant("2026-01-07"))
        units.take_roster(session, "old", epoch_start(Week.parse("2026-W05")), [user("zoe")])
        units.take_roster(session, "old", epoch_start(Week.parse("2026-W20")), [user("yan")])
    company.team = unit
    with pytest.raises(NotFree):
        join(company, "zoe", "zoe")
    join(company, "yan", "yan")


def test_a_login_of_a_team_that_is_configured_no_more_is_not_enough(company):
    with pytest.raises(NotFree):
        joining.join(company.engine, SECRET, (), "S_ann", "ann@example.com", "ann", ALL, NOW)


@pytest.mark.parametrize(("name", "login"), [("bo", "ann"), ("zoe", "zoe"), ("ann", "bo")])
def test_who_is_not_free_to_join_leaves_no_trace(company, name, login):
    join(company, "ann", "ann")
    before = [dump(company.engine, table) for table in ("people", "handles", "consents")]
    with pytest.raises(NotFree, match=r"^$"):
        join(company, name, login)
    assert [dump(company.engine, table) for table in ("people", "handles", "consents")] == before


def test_of_two_who_type_the_same_login_at_once_one_joins(company):
    barrier, outcomes = Barrier(2), []

    def try_it(name: str) -> None:
        barrier.wait()
        try:
            join(company, name, "cy")
            outcomes.append("in")
        except NotFree:
            outcomes.append("out")

    threads = [Thread(target=try_it, args=(name,)) for name in ("ann", "bo")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["in", "out"]
    assert len(dump(company.engine, "people")) == 1


def test_changing_moves_only_what_is_different(company):
    join(company, "ann", "ann")
    ann = joining.current(company.engine, SECRET, "S_ann")
    assert ann is not None
    joining.change(company.engine, SECRET, (company.team,), ann.person, ALL, NOW)
    assert len(dump(company.engine, "consents")) == 3
    joining.change(company.engine, SECRET, (company.team,), ann.person, LEAST, NOW)
    changed = [row for row in dump(company.engine, "consents") if not row["granted"]]
    assert {row["scope"] for row in changed} == {"team", "pr_exact"}


def test_who_has_left_can_change_nothing(company):
    join(company, "ann", "ann")
    ann = joining.current(company.engine, SECRET, "S_ann")
    assert ann is not None
    assert joining.leave(company.engine, SECRET, "S_ann", NOW)
    for wish in (ALL, LEAST):
        with pytest.raises(NotJoined):
            joining.change(company.engine, SECRET, (company.team,), ann.person, wish, NOW)


def test_leaving_withdraws_all_that_was_on_and_only_once(company):
    join(company, "ann", "ann")
    assert joining.leave(company.engine, SECRET, "S_ann", NOW)
    assert not joining.leave(company.engine, SECRET, "S_ann", NOW)
    withdrawn = [row["scope"] for row in dump(company.engine, "consents") if not row["granted"]]
    assert sorted(withdrawn) == ["collect", "pr_exact", "team"]
    assert joining.current(company.engine, SECRET, "S_ann") is None
