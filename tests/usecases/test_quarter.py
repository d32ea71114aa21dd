"""A quarter in four zones, clock changes included, with two workers on one database: one digest per team and week."""

import threading
from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import text

from bot.domain.delivery import Answer, Pace, Sent
from bot.domain.weeks import Week, due_at
from bot.store import cursors, units
from bot.store.cursors import SourceKind
from bot.store.db import transaction
from bot.usecases.deliver import Worker, work_off
from bot.usecases.digest import freeze_due
from tests.company import ACCOUNT, REPOSITORY, SmallCompany, user

FIVE = ("ann", "bo", "cy", "di", "ed")
ZONES = ("Europe/Berlin", "America/Los_Angeles", "Asia/Tokyo", "Australia/Lord_Howe")
WEEKS = [Week(date(2026, 9, 14)).plus(number) for number in range(13)]
MINUTE = timedelta(minutes=1)


class Channels:
    """A Slack that keeps what is posted."""

    def __init__(self) -> None:
        self.posts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def post(self, channel: str, text: str, blocks: list[dict[str, Any]] | None, key: str) -> Answer:
        with self._lock:
            self.posts[text.splitlines()[0]] += 1
            return Sent(f"{sum(self.posts.values())}.0")

    def check(self) -> Answer:
        return Sent("U_LEVERAGE")

    def whisper(self, user: str, text: str) -> Answer:
        return Sent("1.0")

    def delete(self, channel: str, remote_id: str) -> Answer:
        return Sent(remote_id)


def test_a_quarter_in_four_zones_has_one_digest_per_team_and_week(engine):
    """Each team has five people who spend every day, so every week publishes. At each team's hour, a minute before and
    a minute after, both workers freeze and post at the same time."""
    companies = [a_team(engine, name, zone) for name, zone in zip("abcd", ZONES, strict=True)]
    everybody_spends(companies)
    slack = Channels()
    moments = sorted(due(one, week) + step for one in companies for week in WEEKS for step in (-MINUTE, MINUTE))
    for moment in moments:
        everything_was_read(engine, moment)
        at_once(engine, companies, slack, moment)
        late = [
            one.team.name for one in companies for week in WEEKS if due(one, week) < moment and not frozen(one, week)
        ]
        early = [one.team.name for one in companies for week in WEEKS if due(one, week) > moment and frozen(one, week)]
        assert (late, early) == ([], [])
    assert len(slack.posts) == len(companies) * len(WEEKS)
    assert set(slack.posts.values()) == {1}
    assert {due(companies[0], week).hour for week in WEEKS} == {7, 8}, "Berlin's clocks changed on the way"


def a_team(engine, name: str, zone: str) -> SmallCompany:
    people = [f"{name}-{person}" for person in FIVE]
    company = SmallCompany(engine, " ".join(people), name=name, zone=zone)
    with transaction(engine) as session:
        session.execute(
            text("UPDATE units SET created_at = :at, first_week = :week WHERE name = :name"),
            {"at": "2026-09-16 12:00:00", "week": "2026-09-14", "name": name},
        )
        units.take_roster(session, name, Week(date(2026, 8, 17)), [user(person) for person in people])
    company.joins(" ".join(people), at="2026-09-16")
    for number, person in enumerate(people * len(WEEKS), start=1 + 1000 * ord(name)):
        day = date(2026, 9, 15) + timedelta(weeks=(number - 1 - 1000 * ord(name)) // len(people))
        company.pull(number, person, commits={person: str(day)}, opened=str(day), merged=str(day))
    return company


def everybody_spends(companies: list[SmallCompany]) -> None:
    """Two dollars a day each, from four weeks before the first digest on."""
    dollars = {person: 2.0 for company in companies for person in company.people}
    for offset in range(7 * (len(WEEKS) + 5)):
        day = str(date(2026, 8, 23) + timedelta(days=offset))
        companies[0].spends_at(day, at=max(day, "2026-09-20"), **dollars)


def due(company: SmallCompany, week: Week) -> datetime:
    return due_at(week, company.team.schedule, company.team.zone)


def frozen(company: SmallCompany, week: Week) -> bool:
    return company.block(str(week)) is not None


def everything_was_read(engine, now: datetime) -> None:
    with transaction(engine) as session:
        cursors.succeeded(session, SourceKind.SPEND, ACCOUNT, date(2026, 1, 1), now, lag_days=1)
        cursors.succeeded(session, SourceKind.OUTCOME, REPOSITORY, date(2026, 1, 1), now)


def at_once(engine, companies: list[SmallCompany], slack: Channels, now: datetime) -> None:
    def tick(me: str) -> None:
        for company in companies:
            freeze_due(engine, company.team, company.publishing, now)
        pace = Pace(channel=timedelta(0))
        work_off(engine, slack, lambda _team: None, Worker(me, lambda: now, pace=pace, jitter=lambda: 0.0))

    workers = [threading.Thread(target=tick, args=(me,)) for me in ("one", "two")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
