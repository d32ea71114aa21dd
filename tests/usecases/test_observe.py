"""Observing keeps every page it got, and takes each team's roster once an epoch.

Week 20 of 2026 (11 May) is in the epoch that starts on 27 April; the next one starts on 25 May.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from random import Random

import pytest
from sqlalchemy import Engine

from bot.domain.model import GitHubUser, PullRequest
from bot.domain.ports import SourceError
from bot.domain.team import Team
from bot.domain.weeks import Week
from bot.store import cursors, units
from bot.store.cursors import Cursor, SourceKind
from bot.store.db import reading, transaction
from bot.usecases.observe import Observed, RosterConflict, backfill, take_rosters
from tests.company import REPOSITORY, instant, user
from tests.domain.metrics.pulls import CY as REVIEWER
from tests.domain.metrics.pulls import at, merged, pull, review
from tests.people import dump, team_of

NOW = instant("2026-05-13")
SINCE = datetime(2026, 2, 1, 9, tzinfo=UTC)
EPOCH, NEXT_EPOCH = Week(date(2026, 4, 27)), Week(date(2026, 5, 25))


@dataclass
class FakeOutcomes:
    """Serves pages and members as it is told; a step of `script` that is an error is raised."""

    script: list[list[PullRequest] | Exception] = field(default_factory=list)
    members: str = ""
    asked: list[str] = field(default_factory=list)

    def pull_requests(
        self, repository: str, since: datetime, progress: Callable[[int, int], None]
    ) -> Iterator[list[PullRequest]]:
        self.asked.append(f"{repository} since {since:%Y-%m-%d}")
        for number, step in enumerate(self.script, start=1):
            if isinstance(step, Exception):
                raise step
            yield step
            progress(number, len(self.script))

    def pull_request(self, repository: str, number: int) -> None:
        raise AssertionError("nobody asks for one pull request here")

    def team_members(self, team: str) -> list[GitHubUser]:
        self.asked.append(team)
        return [user(login) for login in self.members.split()]

    def users(self, logins: list[str]) -> list[GitHubUser]:
        self.asked.append(" ".join(logins))
        if "nobody" in logins:
            raise SourceError("GitHub knows no login nobody", permanent=True)
        return [user(login) for login in logins]


# Back-filling


def fill(engine: Engine, *script: list[PullRequest] | Exception, now: datetime = NOW) -> Observed:
    return backfill(engine, FakeOutcomes(list(script)), REPOSITORY, SINCE, now, lambda _done, _expected: None)


def cursor(engine: Engine) -> Cursor:
    with reading(engine) as session:
        (found,) = cursors.every(session, SourceKind.OUTCOME)
        return found


def pages(engine: Engine) -> dict[str, object]:
    return {table: dump(engine, table) for table in ("pulls", "pull_reviews", "commit_days")}


PULLS = [
    pull(1),
    merged(2, at(3), updated_at=at(3), reviews=(review(REVIEWER, at(2)),)),
    pull(3, updated_at=at(4)),
    merged(4, at(5), updated_at=at(5)),
]


def test_every_page_is_counted_and_stored(engine):
    seen: list[tuple[int, int]] = []
    source = FakeOutcomes([PULLS[:2], PULLS[2:]])
    found = backfill(engine, source, REPOSITORY, SINCE, NOW, lambda done, expected: seen.append((done, expected)))
    assert found == Observed(seen=4, changed=4)
    assert seen == [(1, 2), (2, 2)]
    assert source.asked == [f"{REPOSITORY} since 2026-02-01"]
    assert len(dump(engine, "pulls")) == 4


def test_the_same_pages_again_change_nothing(engine):
    fill(engine, PULLS[:2], PULLS[2:])
    before = pages(engine)
    assert fill(engine, PULLS[2:], PULLS[:2]) == Observed(seen=4, changed=0)
    assert pages(engine) == before


def test_pages_in_any_order_with_old_states_among_them_give_the_same_result(engine):
    old = [replace(one, updated_at=at(1), lines=1, reviews=(), commits=()) for one in PULLS[1:]]
    fill(engine, PULLS)
    expected = pages(engine)
    for seed in range(4):
        mixed = [*PULLS, *old]
        Random(seed).shuffle(mixed)
        fill(engine, *([one] for one in mixed))
        assert pages(engine) == expected


def test_pages_before_an_error_stay_and_the_error_is_noted_until_it_is_over(engine):
    with pytest.raises(SourceError):
        fill(engine, PULLS[:2], SourceError("GitHub does not answer"), PULLS[2:])
    assert len(dump(engine, "pulls")) == 2
    failed = cursor(engine)
    assert (failed.source, failed.error, failed.fetched_at) == (REPOSITORY, "GitHub does not answer", None)
    assert fill(engine, PULLS[:2], PULLS[2:]) == Observed(seen=4, changed=2)
    read = cursor(engine)
    assert (read.error, read.fetched_at, read.first_day) == (None, NOW, date(2026, 2, 1))


def test_a_repository_that_was_taken_from_us_is_switched_off(engine):
    with pytest.raises(SourceError):
        fill(engine, SourceError("The App may not read acme/api", permanent=True))
    assert cursor(engine).disabled


def test_an_empty_repository_was_read_all_the_same(engine):
    assert fill(engine) == Observed(seen=0, changed=0)
    assert cursor(engine).fetched_at == NOW


# Rosters


def take(engine: Engine, team: Team, at: str = "2026-05-13", *, members: str = "") -> bool:
    return take_all(engine, team, at=at, members=members) == [team.name]


def take_all(engine: Engine, *teams: Team, at: str = "2026-05-13", members: str = "") -> list[str]:
    return take_rosters(engine, FakeOutcomes(members=members), teams, instant(at))


def publish_first_block(engine: Engine, unit: str = "payments") -> None:
    with transaction(engine) as session:
        units.opened(session, unit, EPOCH)


def roster(engine: Engine, epoch: Week = EPOCH, unit: str = "payments") -> str:
    with reading(engine) as session:
        return " ".join(one.login for one in units.roster(session, unit, epoch))


def test_once_a_block_is_published_edits_wait_for_the_next_epoch(engine):
    assert take(engine, team_of("ann bo"))
    publish_first_block(engine)
    assert not take(engine, team_of("ann bo di"), "2026-05-24")
    assert roster(engine) == "ann bo"
    assert take(engine, team_of("ann di"), "2026-05-25")
    assert roster(engine, NEXT_EPOCH) == "ann di"
    assert roster(engine) == "ann bo"


def test_a_roster_that_is_taken_is_not_asked_for_again(engine):
    source = FakeOutcomes(members="ann bo")
    team = team_of("", github_team="acme/payments")
    assert take_rosters(engine, source, [team], NOW) == ["payments"]
    publish_first_block(engine)
    assert take_rosters(engine, source, [team], NOW) == []
    assert source.asked == ["acme/payments"]
    assert roster(engine) == "ann bo"


def test_before_the_first_block_a_wrong_roster_can_be_put_right(engine):
    take(engine, team_of("ann finn"))
    assert take(engine, team_of("ann bo"), "2026-05-14")
    assert roster(engine) == "ann bo"


def test_who_was_taken_out_of_one_of_two_teams_is_no_conflict_any_more(engine):
    take(engine, team_of("ann finn", name="search"))
    fixed = [team_of("ann bo"), team_of("finn", name="search")]
    assert sorted(take_all(engine, *fixed)) == ["payments", "search"]
    assert roster(engine) == "ann bo"
    assert roster(engine, unit="search") == "finn"


def test_a_team_that_leverage_toml_has_no_more_is_no_rival(engine):
    take(engine, team_of("ann bo", name="old"))
    assert take(engine, team_of("ann bo"))


def test_one_team_that_cannot_be_read_stops_no_other(engine):
    with pytest.raises(SourceError, match="nobody"):
        take_all(engine, team_of("nobody"), team_of("ann", name="search"))
    assert roster(engine, unit="search") == "ann"


def test_the_epoch_is_one_of_the_teams_own_clock(engine):
    """At 11:00 UTC on Sunday 24 May it is 23:00 in Auckland, an hour later it is Monday there."""
    auckland = team_of("ann", zone="Pacific/Auckland")
    assert take(engine, auckland, "2026-05-24 11:00")
    assert take(engine, team_of("bo", zone="Pacific/Auckland"), "2026-05-24 12:00")
    assert (roster(engine), roster(engine, NEXT_EPOCH)) == ("ann", "bo")


def test_bots_are_nobody_and_a_login_that_is_listed_twice_is_one_person(engine):
    assert take(engine, team_of("ann renovate[bot] bo ann"))
    assert roster(engine) == "ann bo"


def test_a_new_team_gets_its_first_week_when_its_roster_is_taken(engine):
    take(engine, team_of("ann"))
    (unit,) = dump(engine, "units")
    assert (unit["name"], str(unit["first_week"]), unit["opened"]) == ("payments", "2026-05-04", None)


def test_a_login_that_nobody_has_stops_the_whole_roster(engine):
    with pytest.raises(SourceError, match="nobody"):
        take(engine, team_of("ann nobody"))
    assert dump(engine, "rosters") == []


def test_who_is_in_two_teams_is_named_with_both_and_nothing_is_written(engine):
    take(engine, team_of("ann cy", name="search"))
    with pytest.raises(RosterConflict, match=r"cy is in team payments and in team search.*leverage\.toml"):
        take_all(engine, team_of("bo cy"), team_of("ann cy", name="search"))
    assert roster(engine) == ""
    assert roster(engine, unit="search") == "ann cy"
    assert [row["name"] for row in dump(engine, "units")] == ["search"]


def test_a_move_in_the_middle_of_an_epoch_is_no_conflict_and_takes_effect_with_the_next(engine):
    take(engine, team_of("ann bo"))
    take(engine, team_of("cy di", name="search"))
    publish_first_block(engine)
    publish_first_block(engine, "search")
    assert not take(engine, team_of("ann bo cy"), "2026-05-20")
    assert not take(engine, team_of("di", name="search"), "2026-05-20")
    assert take(engine, team_of("ann bo cy"), "2026-05-25")
    assert take(engine, team_of("di", name="search"), "2026-05-25")
    assert roster(engine, NEXT_EPOCH) == "ann bo cy"


def test_weeks_before_the_first_roster_use_it_and_weeks_without_one_the_last(engine):
    take(engine, team_of("ann bo"))
    assert roster(engine, Week(date(2026, 3, 30))) == "ann bo"
    assert roster(engine, Week(date(2026, 6, 22))) == "ann bo"
    assert roster(engine, unit="search") == ""
