"""A stand-in for GitHub: an invented organization's captured bills, reports and seats. Sums by hand, in dollars:

Monday    1 at list price, 0 covered, 1 billed; 100 credits; there is no report of people
Tuesday   4.125 + 0.9 = 5.025 at list price, 4.125 + 0.4 = 4.525 covered, 0 + 0.5 = 0.5 billed; 412.5 + 90 credits;
          people used 12.5 + 0 + 31 = 43.5 credits, which is 0.435
Both days Ana, Ben and Fay have a seat; Dee has none any more
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import httpx2

from bot.domain.model import Actor, ActorKind
from tests.integrations.spend.contract import Answer, Case, decode, encode, sample

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
