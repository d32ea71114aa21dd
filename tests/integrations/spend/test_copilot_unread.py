"""What GitHub also tells of Copilot and is not read, and what would go wrong if it were. Sums are made by hand."""

from datetime import date
from decimal import Decimal

import httpx2

from integrations.days import DAY
from tests.integrations.spend.contract import given
from tests.integrations.spend.copilot_org import (
    CASE,
    CREDITS,
    PEOPLE,
    PREMIUM,
    SEATS,
    body,
    documented,
    lines,
    recorded,
)


def test_nothing_else_is_asked_for():
    asked = set()

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.add(request.url.path)
        return recorded(request)

    list(given(CASE, answer))
    assert {path for path in asked if not path.endswith(".ndjson")} == {CREDITS, PREMIUM, PEOPLE, SEATS}


def test_all_products_together_would_count_copilot_again_and_others_too():
    # Tuesday's 0.5 dollars are in the report on all products again, and 0.8 of Actions beside them
    (actions,) = body("billing_usage.json")["usageItems"]
    assert (actions["product"], actions["netAmount"]) == ("Actions", Decimal("0.8"))
    copilot = body("ai_credit_usage.day_user.json")["usageItems"]
    everything = sum(item["netAmount"] for item in [*copilot, actions])
    assert sum(item["netAmount"] for item in copilot) + everything == Decimal("1.8")  # 0.5 + (0.5 + 0.8)
    assert [day.billed_micro for day in given(CASE)][1] == 500_000
    (summary,) = body("billing_usage_summary.json")["usageItems"]
    assert (summary["product"], summary["netAmount"]) == ("Actions", 8)


def test_the_overview_of_seats_tells_neither_days_nor_people():
    breakdown = body("billing.json")["seat_breakdown"]
    assert breakdown["total"] == 12
    assert breakdown["active_this_cycle"] + breakdown["inactive_this_cycle"] == 23  # no parts of the 12


def test_teams_overlap_so_a_sum_by_team_would_count_people_twice():
    rows, used = lines("user_teams_1_day"), {row["user_id"]: row["ai_credits_used"] for row in lines("users_1_day")}
    assert [row["user_id"] for row in rows] == [1001, 1002, 1004, 1004]  # Dee is on two teams
    assert sum(used.values()) == Decimal("43.5")
    assert sum(used[row["user_id"]] for row in rows) == Decimal("74.5")  # 12.5 + 0 + 31 + 31


def test_reports_by_organization_and_repository_count_pull_requests_without_money_or_people():
    (organization,), (repository,) = lines("organization_1_day"), lines("repos_1_day")
    assert organization["pull_requests"]["total_merged"] == 7
    assert repository["pull_requests"]["total_merged"] == 4
    (month,) = body("organization_28_day.documented.json")
    assert sum(day["pull_requests"]["total_merged"] for day in month["day_totals"]) == 2
    for text in map(str, (organization, repository, month)):
        assert "ai_credits_used" not in text
        assert "user_id" not in text


def test_a_report_of_28_days_is_no_report_of_a_day():
    told = body("report_links_28_day.json")
    assert len(documented(told)) == 2
    assert "report_day" not in told
    assert date.fromisoformat(told["report_end_day"]) - date.fromisoformat(told["report_start_day"]) == 27 * DAY
