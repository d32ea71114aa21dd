"""The demo is the whole product at work: these are also tests of the way from a provider's report to a digest."""

import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from bot.demo import anthropic, play
from bot.demo.changes import Change
from bot.demo.company import HEAVY_WEEK, MONDAYS, Group, Person
from bot.domain.block import Held, HeldReason, Published
from bot.domain.weeks import Week
from bot.store import blocks
from bot.store.db import reading

ROOT = Path(__file__).parents[2]
CENT = 10_000


@dataclass(frozen=True)
class Played:
    """A demo that is over, with its database still open."""

    engine: Engine
    company: play.Company
    output: str
    progress: list[tuple[int, int]]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]

    def blocks(self, unit: str) -> list[Published | Held]:
        with reading(self.engine) as session:
            return list(blocks.every(session, unit))


@pytest.fixture(scope="module")
def played() -> Iterator[Played]:
    with play.database() as engine:
        out, progress = io.StringIO(), []
        company = play.company()
        play.play(engine, company, out, lambda done, total: progress.append((done, total)))
        yield Played(engine, company, out.getvalue(), progress)


def post(output: str, monday: str, channel: str) -> str:
    """A digest that the demo shows in full."""
    (found,) = re.findall(rf"^{monday}, 09:00 — #{channel}\n((?:│.*\n)+)", output, re.MULTILINE)
    return str(found)


def test_the_demo_reads_as_approved(played, snapshot):
    assert played.output == snapshot


def test_it_fits_a_terminal(played):
    assert max(map(len, played.output.splitlines())) <= 80


def test_it_says_how_far_it_is(played):
    assert played.progress == [(number, 8) for number in range(1, 9)]


def test_each_team_has_its_digest_on_each_monday(played):
    for channel in ("payments", "search", "tools"):
        assert len(re.findall(rf"^  #{channel} ", played.output, re.MULTILINE)) == len(MONDAYS)
        assert [block.last for block in played.blocks(channel)] == [Week(monday).plus(-1) for monday in MONDAYS]


def test_the_held_week_is_shown_without_any_amount(played):
    held = post(played.output, "Monday 19 October 2026", "search")
    assert "Held for the next digest." in held
    assert "$" not in held
    assert "%" not in held


def test_exactly_the_heavy_week_is_held(played):
    held = [block for block in played.blocks("search") if isinstance(block, Held)]
    assert [(block.last, block.reason) for block in held] == [(Week(HEAVY_WEEK), HeldReason.HELD)]
    assert all(isinstance(block, Published) for block in played.blocks("payments"))


def test_a_team_of_four_reads_its_sentence_and_no_amount(played):
    sentence = "Compute numbers start when five have joined; for most weeks it takes eight."
    entries = re.findall(r"^  #tools +(.*\n(?:   .*\n)*)", played.output, re.MULTILINE)
    assert [" ".join(entry.split()) for entry in entries] == [sentence] * len(MONDAYS)
    digest = post(played.output, "Monday 9 November 2026", "tools")
    assert sentence in digest
    assert "$" not in digest
    assert not any(isinstance(block, Published) for block in played.blocks("tools"))


def test_nobody_is_named(played):
    digests = "".join(line for line in played.output.splitlines(keepends=True) if line.startswith(("│", "  #")))
    words = set(re.findall(r"\w+", digests.lower()))
    assert words.isdisjoint(person.login for group in played.company.groups for person in group.people)


# The data went through the real code


def test_every_account_day_balances(played):
    days = played.rows(
        "SELECT day, billed_micro,"
        " (SELECT coalesce(sum(billed_micro), 0) FROM person_days p WHERE p.account = a.account AND p.day = a.day),"
        " (SELECT coalesce(sum(billed_micro), 0) FROM service_spend s WHERE s.account = a.account AND s.day = a.day),"
        " (SELECT sum(billed_micro) FROM remainders r WHERE r.account = a.account AND r.day = a.day)"
        " FROM account_days a ORDER BY day"
    )
    assert len(days) == 80
    assert [day for day, billed, people, services, rest in days if billed != people + services + rest] == []
    assert all(sum(column) > 0 for column in list(zip(*days, strict=True))[1:])


def test_the_bill_is_what_the_company_used(played):
    billed = dict(played.rows("SELECT day, billed_micro FROM account_days"))
    used: dict[str, int] = {}
    for one in played.company.usage:
        used[str(one.day)] = used.get(str(one.day), 0) + anthropic.price(one, one.requests) * 9 // 10
    assert {day for day in billed if billed[day] != used[day]} <= {f"2026-11-{day:02}" for day in range(5, 10)}


def test_what_was_entered_is_booked_or_open_for_each_person(played):
    assert (
        played.rows(
            "SELECT person_key FROM person_days p GROUP BY person_key HAVING sum(entered_micro) <>"
            " (SELECT coalesce(sum(micro), 0) FROM bookings b WHERE b.person_key = p.person_key) +"
            " (SELECT coalesce(sum(micro), 0) FROM open_work o WHERE o.person_key = p.person_key)"
        )
        == []
    )


def test_late_data_is_booked_in_a_later_week(played):
    twice = "SELECT count(*) FROM bookings GROUP BY person_key, day, pull_id HAVING count(DISTINCT week) > 1"
    assert played.rows(twice)
    assert played.rows("SELECT 1 FROM bookings WHERE micro < 0")


def test_each_digest_waits_in_the_outbox_once(played):
    keys = [key for (key,) in played.rows("SELECT key FROM outbox")]
    assert sorted(keys) == sorted(
        f"digest/{group.name}/{Week(monday).plus(-1)}" for group in played.company.groups for monday in MONDAYS
    )


@pytest.mark.parametrize("unit", ["payments", "search"])
def test_every_week_comes_to_the_same_when_counted_by_hand(played, unit):
    group = next(group for group in played.company.groups if group.name == unit)
    counted = list(by_hand(played.company, group))
    found = played.blocks(unit)
    for block, (micro, merged) in zip(found, counted, strict=True):
        if isinstance(block, Published):
            assert abs(block.spend_micro - micro) < CENT
            assert block.merged == merged


def by_hand(company: play.Company, group: Group) -> Iterator[tuple[Fraction, int]]:
    """Each block's recognised micro-USD and merged pull requests, from the method's text and the company alone.

    A person-day is shared equally by the pull requests that the person committed to on it; a share counts when its
    pull request has ended, or without one after two weeks. A block has what it adds to the count of those before it.
    """
    shares: dict[tuple[str, date], list[Change | None]] = {}
    before: dict[str, Fraction] = {}
    for monday in MONDAYS:
        read, cut = datetime.combine(monday, play.READ_AT, UTC), group.at(monday, time())
        joined = {person: _counts_from(person, group) for person in group.people if person.joined_at}
        members = {person: first for person, first in joined.items() if first < monday}
        total = {}
        for person, first in members.items():
            days = [first + timedelta(days=number) for number in range((monday - first).days)]
            total[person.login] = sum(
                (_recognised(company, person, day, read, cut, shares) for day in days), Fraction(0)
            )
        start = group.at(
            MONDAYS[0] - timedelta(weeks=4) if monday == MONDAYS[0] else monday - timedelta(weeks=1), time()
        )
        merged = [
            change for change in company.changes
            if change.merged and start <= change.ended_at < cut and not change.title.startswith("Revert")
            and change.author in {person.login for person in members}
        ]  # fmt: skip
        yield sum((total[login] - before.get(login, 0) for login in total), Fraction(0)), len(merged)
        before.update(total)


def _counts_from(person: Person, group: Group) -> date:
    """From the first block on for whoever joined before it was posted, else from the Monday after joining."""
    assert person.joined_at is not None
    following = Week.of(person.joined_at, group.zone).next().monday
    return following if following > MONDAYS[0] else MONDAYS[0] - timedelta(weeks=4)


def _recognised(
    company: play.Company,
    person: Person,
    day: date,
    read: datetime,
    cut: datetime,
    shares: dict[tuple[str, date], list[Change | None]],
) -> Fraction:
    """How much of a person-day counts by a Monday, as far as the provider has reported it by then."""
    micro = sum(
        anthropic.price(one, anthropic.counted(one, read))
        for one in company.usage
        if (one.actor, one.day) == (person.login, day)
    )
    split = shares.get((person.login, day)) or _touched(company, person, day, read) or [None]
    ended = [_has_ended(change, day, cut) for change in split]
    if any(ended):
        shares[person.login, day] = split
    return Fraction(micro * sum(ended), len(split))


def _touched(company: play.Company, person: Person, day: date, read: datetime) -> list[Change | None]:
    return [
        change
        for change in company.changes
        if change.author == person.login
        and change.opened_at <= read
        and any(commit.date() == day and commit <= read for commit in change.commits)
    ]


def _has_ended(change: Change | None, day: date, cut: datetime) -> bool:
    if change is None:
        return datetime.combine(day + timedelta(days=15), time(), UTC) <= cut
    return change.ended_at < cut


# It leaves everything alone


def test_it_says_the_same_again_and_leaves_nothing_behind(played, tmp_path):
    """In a process of its own, with a DATABASE_URL that it must not touch."""
    (tmp_path / "tmp").mkdir()
    environment = {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{tmp_path / 'leverage.db'}",
        "PYTHONPATH": str(ROOT),
        "TMPDIR": str(tmp_path / "tmp"),
    }
    script = "import sys; from bot.demo.play import run; run(sys.stdout)"
    command = [sys.executable, "-X", "utf8", "-c", script]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=True)
    assert done.stdout.decode() == played.output
    assert done.stderr == b""
    assert list(tmp_path.rglob("*")) == [tmp_path / "tmp"]
