"""What plain facts mean to whoever runs `leverage doctor`."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain import health
from bot.domain.health import Level, Reading, Roster, Schema

NOW = datetime(2026, 5, 18, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_a_finding_is_one_line_whatever_it_quotes():
    assert health.line(health.problem("Slack: no\n answer", "try\tagain")) == "problem  Slack: no answer: try again"
    assert health.line(health.ok("Slack: fine")) == "ok       Slack: fine"


def test_only_problems_need_a_person():
    assert health.problems([health.ok("a"), health.warning("b"), health.problem("c"), health.problem("d")]) == 2


@pytest.mark.parametrize(
    ("reading", "level", "said"),
    [
        (Reading(), Level.WARNING, "Acme: never read"),
        (Reading(NOW - 2 * HOUR), Level.OK, "Acme: last read 2 hours ago"),
        (Reading(NOW - 26 * HOUR), Level.OK, "Acme: last read 26 hours ago"),
        (Reading(NOW - 27 * HOUR), Level.WARNING, "Acme: last read 27 hours ago"),
        (Reading(NOW - 73 * HOUR), Level.PROBLEM, "Acme: last read 3 days ago"),
        (Reading(NOW - HOUR, "no answer."), Level.WARNING, "Acme: last read 60 minutes ago; then: no answer"),
        (Reading(NOW - 27 * HOUR, "no answer"), Level.PROBLEM, "Acme: last read 27 hours ago; then: no answer"),
        (Reading(None, "no answer"), Level.PROBLEM, "Acme: never read; then: no answer"),
        (Reading(NOW - HOUR, "refused", off=True), Level.PROBLEM, "Acme: last read 60 minutes ago; then: refused"),
    ],
)
def test_a_source_is_judged_by_its_age_and_its_last_error(reading, level, said):
    found = health.freshness("Acme", reading, "leverage collect acme", NOW)
    assert (found.level, found.what) == (level, said)
    assert ("`leverage collect acme`" in found.advice) == (level is not Level.OK)


@pytest.mark.parametrize(
    ("last", "level"),
    [(None, Level.WARNING), (NOW - timedelta(seconds=150), Level.OK), (NOW - timedelta(minutes=4), Level.PROBLEM)],
)
def test_a_service_that_stopped_needs_a_person_and_one_that_never_ran_may_be_wanted_so(last, level):
    assert health.heartbeat(last, NOW).level is level


@pytest.mark.parametrize(
    ("found", "level"), [(Roster.TAKEN, Level.OK), (Roster.OLD, Level.WARNING), (Roster.NONE, Level.PROBLEM)]
)
def test_a_team_without_any_roster_needs_a_person(found, level):
    assert health.roster("payments", found).level is level


def test_every_state_of_a_schema_has_its_words():
    assert set(health.SCHEMAS) == set(Schema)


def test_reasons_of_comments_are_told_once_each_and_never_how_many():
    (found,) = health.comments(["NotFound", "SourceError", "NotFound"])
    assert found.what == "Pull request comments: some could not be written (NotFound, SourceError)"
    assert health.comments([])[0].level is Level.OK


@pytest.mark.parametrize(
    ("age", "said"),
    [
        (timedelta(seconds=-90), "just now"),
        (timedelta(seconds=119), "just now"),
        (timedelta(minutes=2), "2 minutes ago"),
        (timedelta(minutes=119), "119 minutes ago"),
        (timedelta(hours=2), "2 hours ago"),
        (timedelta(hours=71), "71 hours ago"),
        (timedelta(hours=72), "3 days ago"),
    ],
)
def test_an_age_is_said_in_the_unit_that_fits(age, said):
    assert health.ago(age) == said


def test_models_without_a_price_are_named_with_what_to_do():
    (found,) = health.unpriced("Spend from LiteLLM", ("acme-coder", "other"))
    assert health.line(found) == (
        "warning  Spend from LiteLLM: no price for acme-coder, other; what they cost is unknown and in no sum: "
        "give a price in a [[price]] of leverage.toml"
    )
    assert health.unpriced("Spend from LiteLLM", ()) == []


def test_rows_that_were_refused_are_counted_by_reason():
    (found,) = health.rejected("Spend from OpenAI", {"bad_usage": 2, "bad_cost": 1})
    assert "3 rows were refused when it was last read (bad_cost, bad_usage)" in health.line(found)
    assert health.rejected("Spend from OpenAI", {}) == []


def test_a_bill_from_a_file_is_late_after_eight_days():
    fresh, old = (health.imported("aws", timedelta(days=days)) for days in (8, 9))
    assert (fresh.level, old.level) == (Level.OK, Level.WARNING)
    assert "leverage collect focus --file" in health.line(old)


def test_an_agent_that_tells_is_fine_and_what_was_wrong_is_said_by_reason_only():
    fine = health.told("claude_code", timedelta(minutes=5), {}, ())
    assert [health.line(one) for one in fine] == ["ok       Telemetry of claude_code: last came 5 minutes ago"]
    found = health.told("codex", timedelta(hours=3), {"clock": 2, "bad_request": 1}, ("acme-1",))
    assert [one.level for one in found] == [health.Level.OK, health.Level.WARNING, health.Level.WARNING]
    assert "3 parts of a batch were refused (bad_request, clock)" in health.line(found[1])
    assert "no price for acme-1" in health.line(found[2])
