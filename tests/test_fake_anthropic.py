"""The fake is checked by the official SDK: it can ask it, and takes its answers for Anthropic's own."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import anthropic
import httpx2
import pytest

from tests.fake_anthropic import (
    ADMIN_KEY,
    BETA,
    BILL,
    CODE,
    COST,
    USAGE,
    FakeAnthropic,
    api_key,
    federated,
    service_account,
    user,
)
from tests.fake_http import serve

NOW = datetime(2026, 11, 4, 12, tzinfo=UTC)
MONDAY, TUESDAY = date(2026, 11, 2), date(2026, 11, 3)


@pytest.fixture
def fake() -> FakeAnthropic:
    fake = FakeAnthropic(NOW)
    fake.add(MONDAY, user("ann@example.com"), "claude-opus-5-5", "100.5", "120", requests=3, fresh=10, output=5)
    fake.add(MONDAY, user("ann@example.com"), "claude-opus-5-5", "0.5", terminal="tmux", cache_write_1h=7)
    fake.add(MONDAY, service_account("svac_01ci"), "claude-haiku-4-5", "9", product="messages_api", cache_read=100)
    fake.add(TUESDAY, federated("serviceAccount:ci@example.iam"), "claude-haiku-4-5", "8", product=None)
    fake.add(TUESDAY, api_key("apikey_01"), None, "7")
    fake.add(TUESDAY, None, "claude-haiku-4-5", "6", product="claude_tag")
    fake.add_key("apikey_01", "laptop", principal=user("ann@example.com"))
    fake.add_key("apikey_02", "ci", principal=service_account("svac_01ci"), created_by="user_01bo")
    fake.add_key("apikey_03", "old")
    return fake


@pytest.fixture
def sdk(fake: FakeAnthropic) -> Iterator[Any]:
    http = httpx2.Client(transport=httpx2.MockTransport(fake))
    with anthropic.Anthropic(
        api_key=ADMIN_KEY, http_client=http, max_retries=0, _strict_response_validation=True
    ) as client:
        yield client.beta.organization


ALL: dict[str, Any] = {
    "starting_at": "2026-11-02T00:00:00Z",
    "ending_at": "2026-11-04T00:00:00Z",
    "time_bucket_width": "1d",
    "group_by": ["actor", "model", "product", "actor_type"],
    "order_by": "time",
    "order": "asc",
    "limit": 2,
}


def test_the_sdk_reads_every_page_of_the_cost_report(sdk):
    rows = list(sdk.analytics.cost.list(**ALL))
    found = [(row.starting_at.date(), row.group.actor_type, row.group.model, row.cost.amount) for row in rows]
    assert found == [
        (MONDAY, "user_actor", "claude-opus-5-5", "101.000000"),
        (MONDAY, "service_account_actor", "claude-haiku-4-5", "9.000000"),
        (TUESDAY, "federated_actor", "claude-haiku-4-5", "8.000000"),
        (TUESDAY, "api_actor", None, "7.000000"),
        (TUESDAY, None, "claude-haiku-4-5", "6.000000"),
    ]
    assert rows[0].cost.list_amount == "120.500000"


def test_the_sdk_reads_the_usage_report(sdk):
    most, ann, *_ = sdk.analytics.usage.list(**ALL)  # of a day, most tokens first
    assert (most.group.actor.service_account_id, most.usage.cache_read_input_tokens) == ("svac_01ci", 100)
    assert ann.group.actor.email_address == "ann@example.com"
    assert ann.usage.cache_creation.ephemeral_1h_input_tokens == 7
    assert (ann.usage.total_tokens, ann.usage.requests) == (22, 4)


def test_without_bucket_and_groups_there_is_one_row_for_the_range(sdk):
    rows = list(sdk.analytics.cost.list(starting_at="2026-11-02T00:00:00Z"))
    assert [(row.cost.amount, row.ending_at) for row in rows] == [("131.000000", NOW)]


def test_the_sdk_reads_every_page_of_the_keys(sdk):
    keys = list(sdk.api_keys.list(limit=2))
    assert [key.name for key in keys] == ["laptop", "ci", "old"]
    assert keys[1].principal.service_account_id == "svac_01ci"


def test_the_bodies_have_every_field_that_the_sdk_knows_and_no_other(sdk):
    row = next(iter(sdk.analytics.cost.list(**ALL)))
    for part in (row, row.group, row.cost, next(iter(sdk.api_keys.list()))):
        assert set(part.model_fields_set) == set(type(part).model_fields)
        assert not part.model_extra


def ask(fake: FakeAnthropic, path: str, query: str, **headers: str) -> httpx2.Response:
    headers = {"x-api-key": ADMIN_KEY, "anthropic-version": "2023-06-01", "anthropic-beta": BETA} | headers
    return fake(httpx2.Request("GET", f"https://api.anthropic.com{path}?{query}", headers=headers))


DAYS = "starting_at=2026-11-02T00:00:00Z&ending_at=2026-11-04T00:00:00Z&time_bucket_width=1d"


@pytest.mark.parametrize(
    "query",
    [
        "",
        "starting_at=2026-11-02",
        "starting_at=2025-12-31T00:00:00Z",
        "starting_at=2026-11-02T00:00:00Z&time_bucket_width=1d",
        "starting_at=2026-10-01T00:00:00Z&ending_at=2026-11-02T00:00:00Z&time_bucket_width=1d",
        f"{DAYS}&limit=1001",
        f"{DAYS}&order_by=colour",
        f"{DAYS}&group_by[]=colour",
        f"{DAYS}&colour=red",
        f"{DAYS}&limit=1&limit=2",
        f"{DAYS}&page=page_x",
    ],
)
def test_it_refuses_what_the_sdk_could_not_have_sent(fake, query):
    assert ask(fake, COST, query).status_code == 400


def test_it_refuses_a_cursor_of_another_query(fake):
    cursor = ask(fake, COST, f"{DAYS}&limit=1").json()["next_page"]
    assert ask(fake, COST, f"{DAYS}&limit=1&page={cursor}").status_code == 200
    assert ask(fake, COST, f"{DAYS}&limit=1&group_by[]=actor&page={cursor}").status_code == 400


def test_bare_group_by_is_ignored_as_it_is_by_anthropic(fake):
    rows = ask(fake, USAGE, f"{DAYS}&group_by=actor").json()["data"]
    assert [row["group"]["actor"] for row in rows] == [None, None]


def test_it_wants_the_key_and_the_headers(fake):
    assert ask(fake, COST, DAYS, **{"x-api-key": "other"}).status_code == 401
    assert ask(fake, COST, DAYS, **{"anthropic-beta": ""}).status_code == 400
    assert ask(fake, COST, DAYS, **{"anthropic-version": ""}).status_code == 400


def test_the_older_reports(fake):
    fake.analytics = False
    assert ask(fake, COST, DAYS).status_code == 404
    bill = ask(fake, BILL, "starting_at=2026-11-01T00:00:00Z&ending_at=2026-11-04T00:00:00Z&bucket_width=1d").json()
    assert [[item["amount"] for item in day["results"]] for day in bill["data"]] == [[], ["110.000000"], ["21.000000"]]
    records = ask(fake, CODE, "starting_at=2026-11-02").json()["data"]
    assert [(one["terminal_type"], one["actor"]["email_address"]) for one in records] == [
        ("vscode", "ann@example.com"),
        ("tmux", "ann@example.com"),
    ]
    assert records[0]["model_breakdown"][0]["estimated_cost"] == {"currency": "USD", "amount": 120}


def test_it_misbehaves_as_told(fake):
    fake.fail(503, times=2, path="/cost")
    fake.truncate(path="/cost")
    statuses = [ask(fake, path, DAYS).status_code for path in (COST, USAGE, COST)]
    assert statuses == [503, 200, 503]
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        ask(fake, COST, DAYS).json()
    fake.after(5, fake.spent.clear)
    assert ask(fake, COST, DAYS).json()["data"]
    assert not ask(fake, COST, DAYS).json()["data"]


@pytest.mark.e2e
def test_it_is_a_server_too(fake):
    with serve(fake) as url, httpx2.Client() as client:
        headers = {"x-api-key": ADMIN_KEY, "anthropic-version": "2023-06-01", "anthropic-beta": BETA}
        answer = client.get(f"{url}{COST}?{DAYS}", headers=headers)
        assert answer.json() == ask(fake, COST, DAYS).json()
        assert client.get(f"{url}{COST}?{DAYS}").status_code == 401
