"""The same dollar in several reports is counted once, whatever overlaps, is revised, or arrives first.

A day's truth is the bill of each provider, and of each gateway that no provider's bill is known for. These tests hold,
on both databases, that all that is counted comes to it to the micro-dollar.
"""

from dataclasses import replace
from datetime import date
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine, text

from bot.domain.model import AccountDay, Actor, ActorKind, SpendRow, Tokens
from bot.domain.split import split
from bot.store import spend
from bot.store.db import reading, transaction
from tests.company import DOLLAR, instant
from tests.people import dump

DAY, NOW = date(2026, 11, 2), instant("2026-11-04 06:00")
PEOPLE = ("ann", "bo", "cy")
CI = Actor(ActorKind.SERVICE_ACCOUNT, "svac_ci")


def told(account: str, bill: int, upstream: str | None = None, listed: int | None = None, **spent: int) -> AccountDay:
    """A day of an account in dollars; `ci` is a service account, everybody else a person."""
    rows = tuple(
        SpendRow(CI if name == "ci" else Actor(ActorKind.USER, name), "m", Tokens(fresh=1), 1, amount, amount)
        for name, amount in ((name, dollars * DOLLAR) for name, dollars in spent.items())
    )
    at_list = bill if listed is None else listed
    return AccountDay(account, DAY, bill * DOLLAR, at_list * DOLLAR, rows, upstream=upstream)


def store(engine: Engine, *days: AccountDay) -> None:
    for day in days:
        parted = split(day, lambda actor, _day: actor.id if actor.id in PEOPLE else None, {"svac_ci"})
        with transaction(engine) as session:
            spend.replace(session, parted, day, NOW)


def counted(engine: Engine) -> dict[str, int]:
    return {row["account"]: row["billed_micro"] // DOLLAR for row in dump(engine, "account_days")}


def listed(engine: Engine) -> dict[tuple[str, str], int]:
    return {(row["account"], row["person_key"]): row["list_micro"] // DOLLAR for row in dump(engine, "person_days")}


def books(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    return {name: dump(engine, name) for name in ("account_days", "person_days", "service_spend", "remainders")}


def balanced(engine: Engine) -> None:
    with reading(engine) as session:
        for account, bill, parts in session.execute(text(IDENTITY)):
            assert bill == parts, account
        assert session.execute(text("SELECT count(*) FROM remainders WHERE billed_micro < 0")).scalar() == 0


IDENTITY = """
    SELECT a.account, a.billed_micro,
        (SELECT coalesce(sum(billed_micro), 0) FROM person_days p WHERE p.account = a.account AND p.day = a.day)
        + (SELECT coalesce(sum(billed_micro), 0) FROM service_spend s WHERE s.account = a.account AND s.day = a.day)
        + (SELECT coalesce(sum(billed_micro), 0) FROM remainders r WHERE r.account = a.account AND r.day = a.day)
    FROM account_days a
"""


def test_a_gateways_people_explain_the_key_that_it_runs_on(engine):
    # Anthropic bills 100: 30 are Ann's own, 70 the gateway's key, which is nobody's. The gateway knows whose they are.
    store(engine, told("anthropic", 100, ann=30), told("litellm:anthropic", 70, "anthropic", bo=50, stranger=20))
    assert counted(engine) == {"anthropic": 30, "litellm:anthropic": 70}
    assert listed(engine) == {("anthropic", "ann"): 30, ("litellm:anthropic", "bo"): 50}
    balanced(engine)


def test_what_a_gateway_says_beyond_the_bill_is_not_counted(engine):
    # Of the 100 only 40 are unexplained, and the gateway's price map comes to 80: Bo's 60 count for half
    store(engine, told("anthropic", 100, ann=60), told("litellm:anthropic", 80, "anthropic", bo=60, cy=20))
    assert counted(engine) == {"anthropic": 60, "litellm:anthropic": 40}
    assert listed(engine)["litellm:anthropic", "bo"] == 30
    balanced(engine)


def test_a_listed_service_key_is_not_the_gateways_people_again(engine):
    """Overlap: the team lists the gateway's key as its service account, so its people's spend is in it already."""
    store(engine, told("anthropic", 100, ci=100), told("litellm:anthropic", 70, "anthropic", bo=70))
    assert counted(engine) == {"anthropic": 100, "litellm:anthropic": 0}
    assert listed(engine)["litellm:anthropic", "bo"] == 0
    balanced(engine)


def test_a_gateway_whose_provider_is_not_read_is_a_truth_of_its_own(engine):
    store(engine, told("litellm:aws", 70, "aws", bo=50), told("litellm", 5))
    assert counted(engine) == {"litellm:aws": 70, "litellm": 5}
    assert listed(engine) == {("litellm:aws", "bo"): 50}
    balanced(engine)


def test_the_providers_bill_takes_over_when_it_arrives_and_gives_back_what_it_is_corrected_by(engine):
    gateway = told("litellm:aws", 70, "aws", bo=50)
    store(engine, gateway, told("aws", 35))
    assert counted(engine) == {"aws": 0, "litellm:aws": 35}
    assert listed(engine) == {("litellm:aws", "bo"): 25}
    store(engine, told("aws", 90))
    assert counted(engine) == {"aws": 20, "litellm:aws": 70}
    assert listed(engine) == {("litellm:aws", "bo"): 50}
    balanced(engine)


def test_list_amounts_are_fitted_to_the_list_price_and_bills_to_the_bill(engine):
    # 80 billed for 100 at list price: the gateway's estimate of 100 is a list amount, and 80 of the bill
    store(engine, told("anthropic", 80, listed=100), told("litellm:anthropic", 100, "anthropic", bo=100))
    (bo,) = dump(engine, "person_days")
    assert (bo["list_micro"], bo["billed_micro"]) == (100 * DOLLAR, 80 * DOLLAR)
    balanced(engine)


@pytest.mark.parametrize("seed", range(12))
def test_no_order_of_arrival_and_no_revision_changes_what_is_counted(engine, seed):
    chance = Random(seed)
    final = random_family(chance)
    drafts = [day for day in random_family(chance) if chance.random() < 0.6]
    arrivals = [*drafts, *final]
    chance.shuffle(arrivals)
    last = {day.account: day for day in final}
    arrivals += [last[name] for name in chance.sample(sorted(last), len(last))]
    store(engine, *arrivals)
    balanced(engine)
    seen = books(engine)
    truth = sum(day.billed_micro or 0 for day in final if day.upstream is None)
    assert sum(row["billed_micro"] for row in seen["account_days"]) == truth
    assert naively(final) != truth  # adding up what everybody says is wrong, and this test would see it
    with transaction(engine) as session:
        for name in seen:
            session.execute(text(f"DELETE FROM {name}"))
    store(engine, *final)
    assert books(engine) == seen


def naively(days: list[AccountDay]) -> int:
    return sum(day.billed_micro or 0 for day in days)


def random_family(chance: Random) -> list[AccountDay]:
    """A provider and its gateways, and another provider; nothing of it is a round number."""
    days = []
    for account, upstream in (
        ("anthropic", None), ("litellm:anthropic", "anthropic"), ("proxy:anthropic", "anthropic"), ("cursor", None),
    ):  # fmt: skip
        rows = [
            SpendRow(CI if name == "ci" else Actor(ActorKind.USER, name), "m", Tokens(fresh=1), 1, amount, amount)
            for name in ("ann", "bo", "cy", "ci", "stranger")
            if (amount := chance.randrange(1, 40 * DOLLAR))
        ]
        bill = sum(row.billed_micro or 0 for row in rows) + chance.randrange(60 * DOLLAR)
        days.append(AccountDay(account, DAY, bill, bill * 11 // 10, tuple(rows), upstream=upstream))
    return days


def test_the_same_day_again_changes_nothing(engine):
    days = (told("anthropic", 100, ann=60), told("litellm:anthropic", 80, "anthropic", bo=60, cy=20))
    store(engine, *days)
    before = books(engine)
    store(engine, *days, *reversed(days))
    assert books(engine) == before


def test_refunds_and_credits_stay_with_the_organisation(engine):
    store(engine, replace(told("aws", 50, ann=20), adjustment_micro=-30 * DOLLAR))
    (day,) = dump(engine, "account_days")
    assert (day["billed_micro"], day["adjustment_micro"]) == (50 * DOLLAR, -30 * DOLLAR)
    assert listed(engine) == {("aws", "ann"): 20}
    balanced(engine)
