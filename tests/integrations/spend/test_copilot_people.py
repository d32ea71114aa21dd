"""What Copilot tells of people: credits, prompts and sessions, from files that only GitHub may have."""

from dataclasses import replace
from typing import Any

import httpx2
import pytest

from bot.domain.model import Activity
from tests.integrations.spend.contract import given, outcome
from tests.integrations.spend.copilot_org import (
    ANA,
    CASE,
    DEE,
    MONDAY,
    PEOPLE,
    body,
    changed,
    documented,
    lines,
    people,
    refusing,
)


def test_people_of_all_files_are_told_at_list_price_and_without_a_name():
    _, tuesday = given(CASE)
    assert [(row.actor, row.model, row.list_micro) for row in tuesday.rows] == [
        (ANA, None, 125_000),  # 12.5 credits of a cent
        (DEE, None, 310_000),  # 31; Ben used none
    ]
    assert all(login not in repr(tuesday) for login in ("ana-dev", "ben-okoye", "dee-novak", "fay-roy"))


def test_prompts_and_sessions_are_kept_and_no_tokens_of_the_command_line_alone():
    _, tuesday = given(CASE)
    assert tuesday.activity == (Activity(ANA, 2, 6, 12_500), Activity(DEE, None, None, 31_000))
    assert lines("users_1_day")[0]["totals_by_cli"]["token_usage"]["prompt_tokens_sum"] == 380_000
    assert {row.tokens.total for row in tuesday.rows} == {0}


def test_prompts_in_the_app_are_added_to_those_of_the_command_line():
    app = {"totals_by_copilot_app": {"session_count": 1, "prompt_count": 4}}
    _, tuesday = given(CASE, people(lambda row: row | app))
    assert [(one.threads, one.turns) for one in tuesday.activity] == [(3, 10), (1, 4), (1, 4)]  # 2 + 1, 6 + 4


def test_somebody_who_did_nothing_has_credits_but_no_sessions():
    idle = {"user_initiated_interaction_count": 0, "code_generation_activity_count": 0}
    _, tuesday = given(CASE, people(lambda row: row | idle | {"totals_by_cli": {"session_count": 2}}))
    assert tuesday.activity == (Activity(ANA, None, None, 12_500), Activity(DEE, None, None, 31_000))
    assert [row.list_micro for row in tuesday.rows] == [125_000, 310_000]


def test_prompts_are_activity_where_the_sum_leaves_the_command_line_out():
    idle = {"user_initiated_interaction_count": 0, "code_generation_activity_count": 0}
    _, tuesday = given(CASE, people(lambda row: row | idle))
    assert tuesday.activity[0] == Activity(ANA, 2, 6, 12_500)


def test_a_row_that_comes_twice_or_of_another_day_is_counted_and_not_added():
    _, tuesday = given(CASE, changed(PEOPLE, lambda told: {"download_links": told["download_links"] * 2}))
    assert tuesday.rejected == {"duplicate": 3}
    assert sum(row.list_micro or 0 for row in tuesday.rows) == 435_000
    _, tuesday = given(CASE, people(lambda row: row | {"day": "2026-11-02"}))
    assert (tuesday.rows, tuesday.activity, tuesday.rejected) == ((), (), {"outside_window": 3})


def test_people_above_the_bills_list_value_are_counted_and_nobodys():
    # three times 400 credits are 12 dollars, the bill tells of 5.025
    _, tuesday = given(CASE, people(lambda row: row | {"ai_credits_used": 400}))
    assert (tuesday.rows, tuesday.rejected) == ((), {"above_the_bill": 3})
    assert (tuesday.list_micro, tuesday.billed_micro) == (5_025_000, 500_000)
    assert {one.credits_milli for one in tuesday.activity} == {400_000}


REPORTS = "https://copilot-reports.github.com"


@pytest.mark.parametrize(
    "link",
    [
        documented(body("report_links_1_day.json"))[0],
        "http://copilot-reports.github.com/1.ndjson",
        f"{REPORTS}:8443/1.ndjson",
        f"{REPORTS}@evil.example/1.ndjson",
        f"{REPORTS}.evil.example/1.ndjson",
        f"{REPORTS}\\@evil.example/1.ndjson",
        "https://copilot-re\tports.github.com/1.ndjson",
        "https://copilot-reports-x.b01.azurefd.net/1.ndjson",
        "https://copilot-reports.acme.ghe.com/1.ndjson",
        "http://169.254.169.254/1.ndjson",
        "https://[/1.ndjson",
        "file:///etc/passwd",
        "1.ndjson",
        "",
    ],
)
def test_a_report_is_fetched_from_github_only(link):
    hosts = set()

    def answer(request: httpx2.Request) -> httpx2.Response:
        hosts.add(request.url.host)
        return changed(PEOPLE, lambda told: told | {"download_links": [link]})(request)

    days, error = outcome(CASE, answer)
    assert [day.day for day in days] == [MONDAY]  # which has no report
    assert error is not None
    assert not error.permanent
    assert "not GitHub's" in str(error)
    assert hosts == {"api.github.com"}


def test_on_ghe_com_reports_lie_beside_the_api():
    case = replace(CASE, settings={**CASE.settings, "GITHUB_API_URL": "https://api.acme.ghe.com"})

    def moved(told: Any) -> Any:
        return told | {"download_links": [one.replace("github.com", "acme.ghe.com") for one in told["download_links"]]}

    assert list(given(case, changed(PEOPLE, moved))) == list(given(CASE))


@pytest.mark.parametrize("status", [403, 404])
def test_a_link_that_ran_out_is_no_refused_token(status):
    days, error = outcome(CASE, refusing(status, "/copilot-usage-report-2.ndjson"))
    assert [day.day for day in days] == [MONDAY]  # Tuesday would be a half
    assert error is not None
    assert not error.permanent
    assert "copilot-reports.github.com" in str(error)
