"""A fetched account-day becomes people who joined, listed service accounts, and one number for all the rest."""

from collections.abc import Iterable
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.model import AccountDay, Actor, ActorKind, SpendRow, Tokens
from bot.domain.split import Outside, PersonSpend, ServiceSpend, split
from tests.company import DOLLAR
from tests.people import MONDAY, parted, report


def people(day: AccountDay, joined: str = "ann") -> list[tuple[str, str, int]]:
    return [(one.person, one.model, (one.list_micro or 0) // DOLLAR) for one in parted(day, joined).people]


# Who is who


def test_a_person_who_joined_is_kept_by_model_and_everybody_else_is_in_the_remainder():
    day = report("ann opus 12/10, ann haiku 1, bo opus 7, cy haiku 3", bill="25")
    assert people(day, "ann cy") == [("ann", "haiku", 1), ("ann", "opus", 12), ("cy", "haiku", 3)]
    assert parted(day, "ann cy").remainder_micro == (25 - 10 - 1 - 3) * DOLLAR


def test_nothing_of_whoever_did_not_join_is_in_any_field():
    said = repr(parted(report("ann opus 12, bo unheard-of-model 7, key_b@bo opus 3"), "ann", "svac_ci"))
    assert "ann" in said
    assert "bo" not in said
    assert "unheard" not in said
    assert "key_b" not in said


def test_whoever_asks_is_told_the_actor_and_the_day():
    asked: list[tuple[Actor, date]] = []

    def person_of(actor: Actor, day: date) -> str | None:
        asked.append((actor, day))
        return None

    split(report("bo opus 7"), person_of, frozenset())
    assert asked == [(Actor(ActorKind.USER, "user_bo", "bo@example.com"), date.fromisoformat(MONDAY))]


@pytest.mark.parametrize(
    ("entry", "served"),
    [
        ("svac_ci opus 2", True),
        ("key_ci opus 2", True),
        ("svac_other opus 2", False),
        ("key_ci@bo opus 2", False),
        ("? opus 2", False),
    ],
)
def test_only_a_listed_machine_is_service_spend(entry, served):
    result = parted(report(entry, bill="5"), "ann", "svac_ci key_ci")
    assert bool(result.services) is served
    assert result.remainder_micro == (3 if served else 5) * DOLLAR


@pytest.mark.parametrize("entry", ["bo opus 2", "key_b@bo opus 2"])
def test_a_listed_account_that_is_a_persons_is_refused_by_its_name(entry):
    result = parted(report(f"{entry}, svac_ci opus 1"), "ann", "user_bo key_b svac_ci")
    assert result.refused == (("user_bo",) if entry.startswith("bo") else ("key_b",))
    assert [service.service_account for service in result.services] == ["svac_ci"]


def test_whether_a_listed_person_is_refused_does_not_tell_whether_they_joined():
    day = report("bo opus 2")
    assert parted(day, "bo", "user_bo").refused == parted(day, "ann", "user_bo").refused == ("user_bo",)


# How many have not joined


def crew(count: int, entry: str = "p{} opus 1") -> str:
    return ", ".join(entry.format(number) for number in range(count))


@pytest.mark.parametrize(
    ("entries", "band"),
    [
        ("ann opus 1, svac_ci opus 1, svac_x opus 1, key_x opus 1, ? opus 1", Outside.NONE),
        ("ann opus 1, bo opus 1", Outside.FEW),
        ("ann opus 1, key_b@bo opus 1", Outside.FEW),
        (crew(4), Outside.FEW),
        (crew(5), Outside.MANY),
        (f"{crew(4)}, p0 haiku 1, p1 haiku 1", Outside.FEW),
        ("", Outside.NONE),
    ],
)
def test_how_many_people_are_outside_is_none_a_few_or_many(entries, band):
    assert parted(report(entries), "ann", "svac_ci").outside is band


@pytest.mark.parametrize(
    "outsiders",
    [
        crew(5, "key_{}@bo opus 1"),
        f"{crew(3)}, {crew(3, 'key_{}@bo opus 1')}",
    ],
)
def test_keys_of_a_few_people_do_not_make_them_many(outsiders):
    """What is silent about a few people must not be talked out of it by the number of their keys."""
    assert parted(report(outsiders)).outside is Outside.FEW


def test_a_person_whom_reports_name_in_two_ways_is_one_person():
    by_both = [Actor(ActorKind.USER, f"user_{number}", f"p{number}@example.com") for number in range(3)]
    by_mail = [Actor(ActorKind.USER, None, who.email) for who in by_both]
    assert split(account_day(spent(who) for who in [*by_both, *by_mail]), nobody, frozenset()).outside is Outside.FEW


def nobody(_actor: Actor, _day: date) -> str | None:
    return None


def spent(actor: Actor, tokens: Tokens | None = None, billed: int | None = 1) -> SpendRow:
    return SpendRow(actor, "opus", tokens or Tokens(), None, None, billed)


def account_day(rows: Iterable[SpendRow], billed: int = 100) -> AccountDay:
    return AccountDay("anthropic", date.fromisoformat(MONDAY), billed, None, tuple(rows))


# Sums


def test_rows_of_the_same_person_and_model_are_added_up_kind_by_kind():
    ann = Actor(ActorKind.USER, "user_ann", "ann@example.com")
    day = account_day([spent(ann, Tokens(fresh=1, reasoning=5)), spent(ann, Tokens(fresh=2, cache_write_1h=3), 2)])
    (one,) = parted(day).people
    assert one == PersonSpend("ann", "opus", Tokens(fresh=3, cache_write_1h=3, reasoning=5), 0, None, 3, 11)


@pytest.mark.parametrize(("entries", "billed"), [("ann opus 4/3, ann opus 2/-", None), ("ann opus 4/3", 3 * DOLLAR)])
def test_a_sum_of_which_a_part_is_unknown_is_unknown_and_stays_in_the_remainder(entries, billed):
    result = parted(report(entries, bill="20"))
    assert result.people[0].billed_micro == billed
    assert result.remainder_micro == 20 * DOLLAR - (billed or 0)


def test_service_spend_is_one_sum_without_models():
    result = parted(report("svac_ci opus 2/1, svac_ci haiku 3"), "ann", "svac_ci")
    (one,) = result.services
    assert one == ServiceSpend("svac_ci", one.tokens, 2, 5 * DOLLAR, 4 * DOLLAR)


def test_a_bill_below_its_list_price_is_kept_as_it_is():
    result = parted(report("ann opus 12/0, bo opus 7/0", bill="-"))
    assert (result.billed_micro, result.remainder_micro) == (0, 0)


def test_spend_without_a_model_has_an_empty_one():
    assert people(report("ann - 3")) == [("ann", "", 3)]


WHO = st.sampled_from(["ann", "bo", "cy", "svac_ci", "svac_x", "key_a", "key_b@bo", "?"])
AMOUNT = st.integers(0, 10**8).map(lambda micro: f"{micro / DOLLAR:.6f}") | st.just("-")
MODEL = st.sampled_from(["opus", "haiku"])
ENTRIES = st.lists(st.builds("{} {} {}/{}".format, WHO, MODEL, AMOUNT, AMOUNT), max_size=12)


@given(ENTRIES, st.sets(st.sampled_from(["ann", "bo", "cy"])), st.sets(st.sampled_from(["svac_ci", "key_a", "key_b"])))
def test_any_bill_is_people_service_and_remainder_to_the_micro_dollar(entries, joined, listed):
    day = report(", ".join(entries), bill="90000")
    result = parted(day, " ".join(joined), " ".join(listed))
    known = [one.billed_micro for one in result.people] + [one.billed_micro for one in result.services]
    assert sum(billed or 0 for billed in known) + result.remainder_micro == day.billed_micro
    assert {one.person for one in result.people} <= joined
    assert {one.service_account for one in result.services} <= listed - {"key_b"}


@given(ENTRIES.flatmap(st.permutations))
def test_the_order_of_a_reports_rows_does_not_matter(shuffled):
    in_order = parted(report(", ".join(sorted(shuffled)), bill="90000"), "ann cy", "svac_ci")
    assert parted(report(", ".join(shuffled), bill="90000"), "ann cy", "svac_ci") == in_order
