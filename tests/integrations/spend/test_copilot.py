"""Copilot's bills and people's reports become account-days. Sums are made by hand, in dollars:

Monday    1 at list price, 0 covered, 1 billed
Tuesday   4.125 + 0.9 = 5.025 at list price, 4.125 + 0.4 = 4.525 covered, 0 + 0.5 = 0.5 billed;
          people used 12.5 + 31 = 43.5 credits, which is 0.435
"""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from bot.domain.model import Activity, Actor, ActorKind
from tests.integrations.spend.contract import Answer, Case, changing, decode, everywhere, given, outcome, sample

MONDAY, TUESDAY, WEDNESDAY = date(2026, 11, 2), date(2026, 11, 3), date(2026, 11, 4)
LINK = "https://copilot-reports.github.com/users.ndjson?sig=1"
ANA, DEE = Actor(ActorKind.USER, "1001"), Actor(ActorKind.USER, "1004")
BILLING = "/organizations/acme/settings/billing"
OTHERS = {
    f"{BILLING}/premium_request/usage": b'{"usageItems": []}',
    "/orgs/acme/copilot/billing/seats": b'{"total_seats": 0, "seats": []}',
}


def recorded(request: httpx2.Request) -> httpx2.Response:
    path, params = request.url.path, request.url.params
    if path.endswith("users.ndjson"):
        assert "authorization" not in request.headers
        return httpx2.Response(200, content=sample("github_copilot/users_1_day.ndjson"))
    assert request.headers["authorization"] == "Bearer ghp_test"
    if path in OTHERS:
        return httpx2.Response(200, content=OTHERS[path])
    if path == f"{BILLING}/ai_credit/usage":
        name = "ai_credit_usage.day_user" if params["day"] == "3" else "ai_credit_usage"
        return httpx2.Response(200, content=sample(f"github_copilot/{name}.json"))
    if params["day"] != "2026-11-03":
        return httpx2.Response(204)
    own = request.url.copy_with(path="/users.ndjson", query=None) if request.url.host == "127.0.0.1" else LINK
    return httpx2.Response(200, json={"download_links": [str(own)], "report_day": "2026-11-03"})


CASE = Case(
    source="copilot",
    settings={"GITHUB_BILLING_TOKEN": "ghp_test", "GITHUB_BILLING_ORG": "acme"},
    since=MONDAY,
    until=WEDNESDAY,
    now=datetime(2026, 11, 6, 12, tzinfo=UTC),
    answer=recorded,
    billed={MONDAY: 1_000_000, TUESDAY: 500_000},
    listed={MONDAY: 0, TUESDAY: 435_000},
    money=frozenset({"netAmount", "grossAmount", "discountAmount"}),
    counts=frozenset({"ai_credits_used"}),
    labels=frozenset({"product", "sku", "model", "feature", "ide"}),
    nullable=frozenset({"ai_adoption_phase", "totals_by_ide", "timePeriod", "pricePerUnit"}),
    more=lambda body, _number: body | ({"total_seats": 10**9, "seats": [{}]} if "seats" in body else {}),
)


def with_answer(path: str, content: bytes) -> Answer:
    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, content=content) if request.url.path == path else recorded(request)

    return answer


def seats(request: httpx2.Request) -> httpx2.Response:
    """Three seats on two pages, as GitHub would give them a page of two at a time."""
    if request.url.path != "/orgs/acme/copilot/billing/seats":
        return recorded(request)
    rows = [row for page in (1, 2) for row in decode(sample(f"github_copilot/billing_seats.page{page}.json"))["seats"]]
    for row in rows:
        row["assignee"]["node_id"] = f"U_{row['assignee']['login']}"
    return httpx2.Response(200, json={"total_seats": 3, "seats": rows})


def test_the_bill_what_the_plan_covers_and_credits_are_kept_apart():
    monday, tuesday = given(CASE)
    assert (monday.list_micro, monday.covered_micro, monday.billed_micro) == (1_000_000, 0, 1_000_000)
    assert (tuesday.list_micro, tuesday.covered_micro, tuesday.billed_micro) == (5_025_000, 4_525_000, 500_000)
    assert tuesday.credits_milli == 502_500  # 412.5 + 90 credits
    assert {row.billed_micro for row in tuesday.rows} == {None}


def test_peoples_prompts_and_sessions_are_kept_and_no_tokens_of_the_command_line_alone():
    _, tuesday = given(CASE)
    assert tuesday.activity == (Activity(ANA, 2, 6, 12_500), Activity(DEE, None, None, 31_000))
    assert {row.tokens.total for row in tuesday.rows} == {0}


def test_premium_requests_are_billed_beside_credits():
    # the documented 100 requests at 0.04 are 4 dollars
    answer = with_answer(f"{BILLING}/premium_request/usage", sample("github_copilot/premium_request_usage.json"))
    monday, tuesday = given(CASE, answer)
    assert (monday.billed_micro, tuesday.billed_micro) == (5_000_000, 4_500_000)


def test_seats_tell_who_a_number_is_and_are_counted_by_day():
    _, tuesday = given(CASE, seats)
    assert {row.actor.github for row in tuesday.rows} == {"U_ana-dev", None}  # Dee has no seat any more
    assert tuesday.seats == 3


def test_an_id_that_several_people_have_is_nobodys():
    rows = [row for page in (1, 2) for row in decode(sample(f"github_copilot/billing_seats.page{page}.json"))["seats"]]
    assert {row["assignee"]["node_id"] for row in rows} == {"MDQ6VXNlcjE="}
    body = json.dumps({"total_seats": 3, "seats": rows}).encode()
    _, tuesday = given(CASE, with_answer("/orgs/acme/copilot/billing/seats", body))
    assert {row.actor.github for row in tuesday.rows} == {None}


def test_people_above_the_bills_list_value_are_counted_and_nobodys():
    change = everywhere(lambda body: body | {"ai_credits_used": 400} if "ai_credits_used" in body else body)
    _, tuesday = given(CASE, changing(CASE, lambda body, _number: change(body)))
    assert (tuesday.rows, tuesday.rejected) == ((), {"above_the_bill": 3})
    assert tuesday.billed_micro == 500_000


@pytest.mark.parametrize("status", [403, 404])
def test_without_peoples_reports_and_seats_the_bill_is_still_told(status):
    def answer(request: httpx2.Request) -> httpx2.Response:
        known = request.url.path.startswith(f"{BILLING}/ai_credit")
        content = sample(f"github_copilot/error_{status}.json")
        return recorded(request) if known else httpx2.Response(status, content=content)

    days, error = outcome(CASE, answer)
    assert error is None
    assert [(day.billed_micro, day.rows, day.seats) for day in days] == [(1_000_000, (), None), (500_000, (), None)]


@pytest.mark.parametrize(
    "link", ["https://evil.example/users.ndjson", "http://copilot-reports.github.com/x", "file:///etc/passwd", "x"]
)
def test_a_report_is_fetched_from_github_only(link):
    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("users-1-day"):
            return httpx2.Response(200, json={"download_links": [link]})
        return recorded(request)

    days, error = outcome(CASE, answer)
    assert days == []
    assert "not GitHub's" in str(error)


def test_an_organization_that_is_no_name_is_not_asked_for():
    _, error = outcome(Case(**{**vars(CASE), "settings": CASE.settings | {"GITHUB_BILLING_ORG": "acme/../x"}}))
    assert "GITHUB_BILLING_ORG is no name" in str(error)


def lines(name: str) -> list[dict[str, Any]]:
    return [decode(line) for line in sample(f"github_copilot/{name}.ndjson").splitlines()]


def test_all_products_together_would_count_copilot_again_and_others_too():
    (item,) = decode(sample("github_copilot/billing_usage.json"))["usageItems"]
    assert (item["product"], item["netAmount"]) == ("Actions", Decimal("0.8"))
    (item,) = decode(sample("github_copilot/billing_usage_summary.json"))["usageItems"]
    assert (item["product"], item["netAmount"]) == ("Actions", 8)
    assert decode(sample("github_copilot/billing.json"))["seat_breakdown"]["total"] == 12


def test_teams_overlap_so_a_sum_by_team_would_count_people_twice():
    rows = lines("user_teams_1_day")
    assert len(rows) == 4
    assert len({row["user_id"] for row in rows}) == 3  # Dee is on two teams


def test_reports_by_organization_and_repository_count_pull_requests_without_money():
    (organization,), (repository,) = lines("organization_1_day"), lines("repos_1_day")
    assert organization["pull_requests"]["total_merged"] == 7
    assert repository["pull_requests"]["total_merged"] == 4
    (month,) = decode(sample("github_copilot/organization_28_day.documented.json"))
    assert sum(day["pull_requests"]["total_merged"] for day in month["day_totals"]) == 2
    for name in ("report_links_1_day", "report_links_28_day"):
        assert len(decode(sample(f"github_copilot/{name}.json"))["download_links"]) == 2
