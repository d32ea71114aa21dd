"""Copilot's bills and people's reports become account-days. Sums are made by hand, in dollars:

Monday    1 at list price, 0 covered, 1 billed; 100 credits; there is no report of people
Tuesday   4.125 + 0.9 = 5.025 at list price, 4.125 + 0.4 = 4.525 covered, 0 + 0.5 = 0.5 billed; 412.5 + 90 credits;
          people used 12.5 + 0 + 31 = 43.5 credits, which is 0.435
Both days Ana, Ben and Fay have a seat; Dee has none any more
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from bot.domain.model import Activity, Actor, ActorKind
from integrations.days import DAY
from tests.integrations.spend.contract import Answer, Case, billed, decode, encode, given, outcome, sample

MONDAY, TUESDAY, WEDNESDAY = date(2026, 11, 2), date(2026, 11, 3), date(2026, 11, 4)
ANA, DEE = Actor(ActorKind.USER, "1001"), Actor(ActorKind.USER, "1004")
BILLING = "/organizations/acme/settings/billing"
CREDITS, PREMIUM = f"{BILLING}/ai_credit/usage", f"{BILLING}/premium_request/usage"
PEOPLE, SEATS = "/orgs/acme/copilot/metrics/reports/users-1-day", "/orgs/acme/copilot/billing/seats"

Change = Callable[[Any], Any]


def body(name: str) -> Any:
    return decode(sample(f"github_copilot/{name}"))


def lines(name: str) -> list[Any]:
    return [decode(line) for line in sample(f"github_copilot/{name}.ndjson").splitlines()]


def recorded(request: httpx2.Request) -> httpx2.Response:
    if request.url.path.endswith(".ndjson"):
        return file(request)
    assert request.headers["authorization"] == "Bearer ghp_test"
    answer = ANSWERS[request.url.path](request)
    return httpx2.Response(204) if answer is None else httpx2.Response(200, content=encode(answer))


def file(request: httpx2.Request) -> httpx2.Response:
    """Ana is in the first file, Ben and Dee are in the second."""
    assert "authorization" not in request.headers
    rows = sample("github_copilot/users_1_day.ndjson").splitlines()
    part = rows[:1] if "report-1" in request.url.path else rows[1:]
    return httpx2.Response(200, content=b"\n".join(part))


def credits(request: httpx2.Request) -> Any:
    name = "ai_credit_usage.day_user" if request.url.params["day"] == "3" else "ai_credit_usage"
    return of_the_day(body(f"{name}.json"), request)


def of_the_day(answer: Any, request: httpx2.Request) -> Any:
    """A captured bill, as if it had been asked for that day and everybody."""
    period = {name: int(request.url.params[name]) for name in ("year", "month", "day")}
    return {key: value for key, value in answer.items() if key != "user"} | {"timePeriod": period}


def links(request: httpx2.Request) -> Any:
    """The documented answer, with links to where reports lie (to a test's own server, if it has one)."""
    if request.url.params["day"] != "2026-11-03":
        return None
    own = request.url.host == "127.0.0.1"
    where = str(request.url.copy_with(path="/", query=None)) if own else "https://copilot-reports.github.com/"
    answer = body("report_links_1_day.json")
    return answer | {"download_links": [link.replace("https://example.com/", where) for link in documented(answer)]}


def documented(answer: Any) -> list[str]:
    found: list[str] = answer["download_links"]
    assert found == [f"https://example.com/copilot-usage-report-{number}.ndjson" for number in (1, 2)]
    return found


ANSWERS: dict[str, Callable[[httpx2.Request], Any]] = {
    CREDITS: credits,
    PREMIUM: lambda request: of_the_day({"organization": "acme", "usageItems": []}, request),
    PEOPLE: links,
    SEATS: lambda request: body(f"billing_seats.page{min(int(request.url.params['page']), 2)}.json"),
}

CASE = Case(
    source="copilot",
    settings={"GITHUB_BILLING_TOKEN": "ghp_test", "GITHUB_BILLING_ORG": "acme"},
    since=MONDAY,
    until=WEDNESDAY,
    now=datetime(2026, 11, 6, 12, tzinfo=UTC),
    answer=recorded,
    billed={MONDAY: 1_000_000, TUESDAY: 500_000},
    listed={MONDAY: 0, TUESDAY: 435_000},
    money=frozenset({"netAmount", "grossAmount", "discountAmount", "grossQuantity"}),
    counts=frozenset({"ai_credits_used", "user_initiated_interaction_count", "session_count", "prompt_count"}),
    labels=frozenset({"product", "sku", "model", "feature", "ide", "plan_type"}),
    nullable=frozenset({"ai_adoption_phase", "totals_by_ide", "timePeriod", "pricePerUnit", "assigning_team"}),
    more=lambda body, _number: body | ({"total_seats": 10**9, "seats": [{}]} if "seats" in body else {}),
)


def changed(path: str, change: Change) -> Answer:
    """The recorded answers, the JSON of one path changed."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        response = recorded(request)
        if request.url.path != path or not response.content:
            return response
        return httpx2.Response(200, content=encode(change(decode(response.content))))

    return answer


def people(change: Change) -> Answer:
    """The recorded answers, each person's row changed."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        response = recorded(request)
        if not request.url.path.endswith(".ndjson"):
            return response
        rows = [encode(change(decode(line))) for line in response.content.splitlines()]
        return httpx2.Response(200, content=b"\n".join(rows))

    return answer


def refusing(status: int, *paths: str) -> Answer:
    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path in paths:
            return httpx2.Response(status, content=sample(f"github_copilot/error_{status}.json"))
        return recorded(request)

    return answer


def with_seats(seats: list[Any], total: int) -> Answer:
    """The seats a hundred a page, as they are asked for."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path != SEATS:
            return recorded(request)
        number, size = (int(request.url.params[name]) for name in ("page", "per_page"))
        page = seats[(number - 1) * size : number * size]
        return httpx2.Response(200, json={"total_seats": total, "seats": page})

    return answer


def seat(number: int, **other: Any) -> dict[str, Any]:
    assignee = {"login": f"somebody-{number}", "id": number, "node_id": f"U_{number}"}
    return {"assignee": assignee, "created_at": "2026-02-03T18:00:00Z", "pending_cancellation_date": None} | other


def test_the_bill_what_the_plan_covers_and_credits_are_kept_apart():
    monday, tuesday = given(CASE)
    assert (monday.list_micro, monday.covered_micro, monday.billed_micro) == (1_000_000, 0, 1_000_000)
    assert (tuesday.list_micro, tuesday.covered_micro, tuesday.billed_micro) == (5_025_000, 4_525_000, 500_000)
    assert (monday.credits_milli, tuesday.credits_milli) == (100_000, 502_500)
    assert {row.billed_micro for row in tuesday.rows} == {None}


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


def test_a_day_without_a_bill_is_a_day_of_nothing():
    days, error = outcome(CASE, changed(CREDITS, lambda told: told | {"usageItems": []}))
    assert error is None
    assert [(day.billed_micro, day.list_micro, day.credits_milli, day.rows) for day in days] == [(0, 0, 0, ())] * 2
    assert days[1].rejected == {"above_the_bill": 2}


def test_premium_requests_are_billed_beside_credits_and_are_no_credits():
    # the documented 100 requests at 0.04 are 4 dollars
    items = body("premium_request_usage.json")["usageItems"]
    monday, tuesday = given(CASE, changed(PREMIUM, lambda told: told | {"usageItems": items}))
    assert (monday.billed_micro, tuesday.billed_micro) == (5_000_000, 4_500_000)
    assert (monday.credits_milli, tuesday.credits_milli) == (100_000, 502_500)


def test_a_sum_of_a_whole_year_is_not_taken_for_a_day():
    days, error = outcome(CASE, changed(CREDITS, lambda _told: body("ai_credit_usage.json")))  # of 2025
    assert days == []
    assert str(error) == "GitHub Copilot: ai_credit/usage was asked for 2026-11-02 and answered for another time"


def test_a_day_with_an_amount_that_cannot_be_true_is_left_out_and_named():
    def spoiled(told: Any) -> Any:
        first = told["usageItems"][0] | {"netAmount": -1 if told["timePeriod"]["day"] == 2 else 0}
        return told | {"usageItems": [first, *told["usageItems"][1:]]}

    days, error = outcome(CASE, changed(CREDITS, spoiled))
    assert billed(days) == {TUESDAY: 500_000}
    assert str(error) == "GitHub Copilot: amounts of 2026-11-02 cannot be true, so these days were left out"


@pytest.mark.parametrize("status", [403, 404])
def test_without_peoples_reports_and_seats_the_bill_is_still_told(status):
    days, error = outcome(CASE, refusing(status, PREMIUM, PEOPLE, SEATS))
    assert error is None
    assert [(day.billed_micro, day.rows, day.seats) for day in days] == [(1_000_000, (), None), (500_000, (), None)]


def test_a_refused_token_is_told_what_it_lacks():
    days, error = outcome(CASE, refusing(403, CREDITS))
    assert (days, error and error.permanent) == ([], True)
    for needed in ("GITHUB_BILLING_TOKEN", "billing manager", "Administration: read", "manage_billing:copilot"):
        assert needed in str(error)


def test_an_organization_without_enhanced_billing_is_told_so():
    days, error = outcome(CASE, refusing(404, CREDITS))
    assert (days, error and error.permanent) == ([], True)
    assert "GITHUB_BILLING_ORG" in str(error)
    assert "enhanced billing" in str(error)


def test_an_organization_that_is_no_name_is_not_asked_for():
    _, error = outcome(replace(CASE, settings={**CASE.settings, "GITHUB_BILLING_ORG": "acme/../x"}))
    assert "GITHUB_BILLING_ORG is no name" in str(error)


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


def test_seats_are_counted_over_all_pages():
    assert [day.seats for day in given(CASE)] == [3, 3]  # Ana and Ben, and Fay on the second page


def test_a_full_page_of_seats_is_followed_by_another():
    monday, tuesday = given(CASE, with_seats([seat(number) for number in range(900, 1002)], 102))
    assert (monday.seats, tuesday.seats) == (102, 102)
    assert [row.actor.github for row in tuesday.rows] == ["U_1001", None]  # Ana's is the last


def test_a_seat_counts_from_the_day_it_was_given_to_the_day_before_it_ends():
    seats = [
        seat(1),
        seat(2, created_at="2026-11-02T23:30:00-02:00"),  # 01:30 on Tuesday in UTC
        seat(3, pending_cancellation_date="2026-11-03"),
        seat(4, created_at="2026-11-04T00:00:00Z"),
        seat(5, assignee=None),
    ]
    assert [day.seats for day in given(CASE, with_seats(seats, 5))] == [3, 3]  # 1, 3 and 5; 1, 2 and 5


def test_somebody_with_a_seat_by_two_teams_pays_for_one():
    assert [day.seats for day in given(CASE, with_seats([seat(1), seat(2), seat(1)], 2))] == [2, 2]


def test_an_organization_without_seats_has_none_and_not_an_unknown_number():
    assert [day.seats for day in given(CASE, with_seats([], 0))] == [0, 0]


@pytest.mark.parametrize("seats", [[seat(1), seat(2)], [seat(1), seat(2), seat(3, created_at=None)]])
def test_a_list_of_seats_that_is_not_whole_tells_no_number(seats):
    assert [day.seats for day in given(CASE, with_seats(seats, 3))] == [None, None]


def test_a_refusal_amid_the_seats_leaves_no_half_of_them():
    def answer(request: httpx2.Request) -> httpx2.Response:
        second = request.url.path == SEATS and request.url.params["page"] == "2"
        return httpx2.Response(403) if second else recorded(request)

    assert list(given(CASE, answer)) == [replace(day, seats=None) for day in given(CASE)]


def test_seats_tell_whose_account_a_number_is():
    _, tuesday = given(CASE, with_seats([seat(1001), seat(1002)], 2))
    assert [row.actor.github for row in tuesday.rows] == ["U_1001", None]  # Dee has no seat any more
    assert tuesday.activity[0].actor.github == "U_1001"


def test_an_id_that_several_people_have_is_nobodys():
    seats = [one for page in (1, 2) for one in body(f"billing_seats.page{page}.json")["seats"]]
    assert {one["assignee"]["node_id"] for one in seats} == {"MDQ6VXNlcjE="}
    _, tuesday = given(CASE)
    assert {row.actor.github for row in tuesday.rows} == {None}


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
