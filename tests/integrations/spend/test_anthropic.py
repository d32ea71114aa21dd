"""Anthropic's reports become account-days: the answers that were recorded, and a server over a real connection.

Sums are made by hand: an amount on the wire is in cents, so 805.212 is 8,052,120 micro-dollars.
"""

from datetime import UTC, date, datetime
from pathlib import Path

import httpx2
import pytest
import stamina

from bot.domain.model import AccountDay, Actor, ActorKind, SpendRow, Tokens
from bot.domain.ports import Access
from integrations._http import HttpClient
from integrations.prices import ListPrices
from integrations.spend import anthropic
from tests.fake_anthropic import ADMIN_KEY, BILL, USAGE, FakeAnthropic
from tests.fake_http import serve
from tests.integrations.spend.anthropic_days import (
    ANN,
    BO,
    HAIKU,
    MONDAY,
    NOW,
    OPUS,
    SONNET,
    TUESDAY,
    WEDNESDAY,
    Answer,
    failing,
    fetch,
)
from tests.integrations.spend.contract import Case

SAMPLES = Path(__file__).parents[2] / "samples" / "providers" / "anthropic"


@pytest.fixture
def fake() -> FakeAnthropic:
    return FakeAnthropic(NOW)


def recorded(**files: str) -> Answer:
    """Serves samples by the last part of the path; `{}` in a name is the number of the page."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        name = request.url.path.rpartition("/")[2]
        if name == "cost" and "group_by[]" not in request.url.params:
            name = "total"
        if name not in files:
            return httpx2.Response(404, json={})
        page = 2 if "page" in request.url.params else 1
        return httpx2.Response(200, content=(SAMPLES / f"{files[name].format(page)}.json").read_bytes())

    return answer


CASE = Case(
    source="anthropic",
    settings={"ANTHROPIC_ADMIN_KEY": ADMIN_KEY},
    since=MONDAY,
    until=WEDNESDAY,
    now=NOW,
    answer=recorded(
        api_keys="organizations_api_keys",
        total="analytics_cost.daily",
        cost="analytics_cost.page{}",
        usage="analytics_usage.page{}",
    ),
    billed={MONDAY: 12_391_380, TUESDAY: 9_713_880},
    listed={MONDAY: 13_768_200, TUESDAY: 10_793_200},
    money=frozenset({"amount", "list_amount"}),
    counts=frozenset({"uncached_input_tokens", "output_tokens", "ephemeral_5m_input_tokens"}),
    labels=frozenset({"product", "service_tier", "context_window"}),
    nullable=frozenset({"server_tool_use", "name", "product"}),
    more=lambda body, number: body | {"has_more": True, "next_page": f"page_{number}"},
)


def test_the_recorded_analytics_reports():
    days = fetch(
        recorded(
            api_keys="organizations_api_keys",
            total="analytics_cost.daily",
            cost="analytics_cost.page{}",
            usage="analytics_usage.page{}",
        ),
        until=WEDNESDAY,
    )
    refreshed = datetime(2026, 11, 4, 6, 12, tzinfo=UTC)
    ana = Actor(ActorKind.USER, "user_01AnaQ8bKxN4pVtR2mWc7Yd", "ana@example.com")
    ben = Actor(ActorKind.USER, "user_01BenT3fHsL9kQwE5nZx1Gj", "ben@example.com")
    chi = Actor(ActorKind.USER, "user_01ChiV6dJrM2hPyU8oAb4Sk", "chi@example.com")
    dee = Actor(ActorKind.USER, "user_01DeeX1gKuN7jRzI3pBc9Vl", "dee@example.com")
    ci = Actor(ActorKind.SERVICE_ACCOUNT, "svac_01CiBotK5nQ8mUcQ2sEf1Yp")
    assert days == [
        # billed 805.212 + 223.740 + 210.186 = 1239.138 cents; list 894.68 + 248.60 + 233.54 = 1376.82 cents
        AccountDay(
            "anthropic",
            MONDAY,
            12_391_380,
            13_768_200,
            (
                SpendRow(ana, OPUS, Tokens(61_200, 180_000, 520_000, 9_800_000, 84_100), 212, 8_946_800, 8_052_120),
                SpendRow(ben, SONNET, Tokens(118_000, 240_000, 0, 5_200_000, 61_000), 175, 2_486_000, 2_237_400),
                SpendRow(chi, OPUS, Tokens(20_100, 95_000, 110_000, 2_100_000, 24_000), 58, 2_335_400, 2_101_860),
            ),
            refreshed,
        ),
        # billed 786.888 + 29.520 + 138.600 + 16.380 = 971.388 cents; list 874.32 + 32.80 + 154.00 + 18.20 = 1079.32
        AccountDay(
            "anthropic",
            TUESDAY,
            9_713_880,
            10_793_200,
            (
                SpendRow(ci, HAIKU, Tokens(940_000, 0, 0, 0, 120_000), 1900, 1_540_000, 1_386_000),
                SpendRow(
                    Actor(ActorKind.UNKNOWN), SONNET, Tokens(31_000, 12_000, 0, 90_000, 7_200), 24, 182_000, 163_800
                ),
                SpendRow(ana, OPUS, Tokens(44_800, 210_000, 400_000, 12_400_000, 91_700), 263, 8_743_200, 7_868_880),
                SpendRow(dee, SONNET, Tokens(9_000, 40_000, 0, 610_000, 8_800), 31, 328_000, 295_200),
            ),
            refreshed,
        ),
    ]


def test_the_recorded_older_reports():
    answer = recorded(
        api_keys="organizations_api_keys",
        cost_report="cost_report.page{}",
        claude_code="usage_report_claude_code.page{}",
    )
    now = datetime(2025, 9, 1, 12, tzinfo=UTC)
    first, second = fetch(answer, date(2025, 8, 1), date(2025, 8, 4), now)
    # "123.78912" cents are 1.2378912 dollars; the second day is 603 + 30 + 5 = 638 cents
    assert (first.day, first.billed_micro, first.list_micro) == (date(2025, 8, 1), 1_237_891, None)
    assert (second.day, second.billed_micro) == (date(2025, 8, 2), 6_380_000)
    # The recorded Claude Code report is of another day, 2025-09-01: one record on page 1 and three on page 2.
    assert (first.rows, first.rejected) == ((), {"outside_window": 4})


def test_the_recorded_claude_code_report():
    others = recorded(api_keys="organizations_api_keys", claude_code="usage_report_claude_code.page{}")

    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == BILL:
            bucket = {"starting_at": "2025-09-01T00:00:00Z", "ending_at": "2025-09-02T00:00:00Z", "results": []}
            return httpx2.Response(200, json={"data": [bucket], "has_more": False})
        return others(request)

    [day] = fetch(answer, date(2025, 9, 1), date(2025, 9, 2))
    ci = Actor(ActorKind.KEY, "ci-claude-code", owned_by_user=True)  # a person made it
    ana, dev = (Actor(ActorKind.USER, None, email) for email in ("ana@example.com", "developer@company.com"))
    assert day == AccountDay(
        "anthropic",
        date(2025, 9, 1),
        0,
        None,
        (
            # 159, 530, 5 and 1025 cents, all of them estimates
            SpendRow(ci, SONNET, Tokens(180_000, 140_000, None, 2_200_000, 44_000), None, 1_590_000, None),
            SpendRow(ana, HAIKU, Tokens(21_000, 0, None, 180_000, 3_000), None, 50_000, None),
            SpendRow(ana, OPUS, Tokens(52_000, 610_000, None, 4_100_000, 61_000), None, 5_300_000, None),
            SpendRow(
                dev,
                "claude-sonnet-4-20250514",
                Tokens(100_000, 5_000, None, 10_000, 35_000),
                None,
                10_250_000,
                None,
            ),
        ),
        datetime(2026, 11, 4, 11, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("name", "status", "permanent", "words"),
    [
        ("error_401", 401, True, "refused the key (401). Check ANTHROPIC_ADMIN_KEY"),
        ("error_429", 429, False, "asks for fewer requests (429)"),
        ("error_400_too_recent", 400, True, "the most recent available day is 2026-11-20"),
    ],
)
def test_the_recorded_errors(name, status, permanent, words):
    body = (SAMPLES / f"{name}.json").read_bytes()
    _, error = failing(lambda _: httpx2.Response(status, content=body))
    assert words in str(error)
    assert error.permanent is permanent


@pytest.mark.e2e
def test_over_a_real_connection(fake):
    fake.page_rows = 1
    fake.add(MONDAY, ANN, OPUS, "1")
    fake.add(MONDAY, BO, HAIKU, "2")
    fake.fail(503, path=USAGE)
    with serve(fake) as url, stamina.set_testing(True, attempts=2):
        http = HttpClient()
        settings = {"ANTHROPIC_ADMIN_KEY": ADMIN_KEY, "ANTHROPIC_API_URL": f"{url}/"}
        [day] = anthropic.fetch(Access(http, settings, ListPrices()), MONDAY, TUESDAY, NOW)
        http.close()
    assert (day.billed_micro, len(day.rows)) == (30_000, 2)
