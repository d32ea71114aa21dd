"""What a gateway's bill of a day is, by upstream provider, and when it cannot be true."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from bot.domain.model import AccountDay
from bot.domain.ports import Access, SourceError
from integrations._http import HttpClient
from integrations.spend import litellm
from integrations.spend.litellm.proxy import upstream_of
from tests.integrations.spend.litellm_proxy import (
    AGGREGATED,
    LOGS,
    MONDAY,
    NOW,
    PAGED,
    SETTINGS,
    THURSDAY,
    TUESDAY,
    WEDNESDAY,
    FakeProxy,
    NoPrices,
    anthropic_day,
    fetch,
    given_days,
    request,
    result,
)

OPENAI = {"openai": {"metrics": {"spend": Decimal(1)}}}


@pytest.mark.parametrize(
    ("provider", "upstream"),
    [
        ("anthropic", "anthropic"),
        ("openai", "openai"),
        ("azure", "azure"),
        ("azure_ai", "azure"),
        ("bedrock", "aws"),
        ("bedrock_converse", "aws"),
        ("sagemaker_chat", "aws"),
        ("vertex_ai", "gcp"),
        ("vertex_ai-anthropic_models", "gcp"),
        ("gemini", "gcp"),
        ("openrouter", "openrouter"),
        ("github_copilot", "copilot"),
        ("hosted_vllm", None),
        ("chatgpt", None),
        ("unknown", None),
        ("", None),
        (None, None),
    ],
)
def test_the_upstream_of_a_provider(provider, upstream):
    assert upstream_of(provider) == upstream


def test_providers_of_one_upstream_are_one_account_and_self_hosted_ones_are_the_proxys_own():
    sums = {
        (TUESDAY, "bedrock"): "1",
        (TUESDAY, "bedrock_converse"): "0.25",
        (TUESDAY, "ollama"): "0.5",
        (TUESDAY, "groq"): "0.125",
    }
    days = fetch(FakeProxy(sums=sums))
    assert {(key[1], day.billed_micro, day.upstream) for key, day in days.items()} == {
        ("litellm", 625_000, None),
        ("litellm:aws", 1_250_000, "aws"),
    }


def test_a_day_of_nothing_is_a_day_without_asking_for_its_requests():
    proxy = FakeProxy()
    assert list(given_days(proxy)) == [AccountDay("litellm", TUESDAY, 0, 0, (), NOW)]
    assert proxy.log_requests() == []


def test_money_of_no_provider_is_the_proxys_own():
    body = {"results": [result(TUESDAY, {"openai": {"metrics": {"spend": Decimal("0.25")}}}, Decimal("1.5"))]}
    days = fetch(of_activity(body))
    # 1.5 - 0.25
    assert (days[TUESDAY, "litellm"].billed_micro, days[TUESDAY, "litellm:openai"].billed_micro) == (1_250_000, 250_000)


@pytest.mark.parametrize("other", [{}, {"metrics": None}, 3, None])
def test_what_has_no_sums_is_no_provider(other):
    body = {"results": [result(TUESDAY, OPENAI | {"new": other}, Decimal(1))]}
    assert fetch(of_activity(body))[TUESDAY, "litellm:openai"].billed_micro == 1_000_000


def of_activity(body: dict[str, Any]) -> FakeProxy:
    """A proxy that answers each question for sums with this."""
    proxy = FakeProxy()
    proxy.alter = lambda path, answer: answer if path == LOGS else body
    return proxy


def failing(proxy: FakeProxy, **options: Any) -> tuple[list[AccountDay], SourceError]:
    days: list[AccountDay] = []
    with pytest.raises(SourceError) as caught:
        days.extend(given_days(proxy, **options))
    assert not caught.value.permanent
    return days, caught.value


@pytest.mark.parametrize(
    "results",
    [
        [result(TUESDAY, OPENAI, Decimal("0.5"))],  # its parts are more than the whole
        [result(TUESDAY, OPENAI), result(TUESDAY, OPENAI)],
        [result(TUESDAY, OPENAI, Decimal("-1"))],
        [result(TUESDAY, OPENAI | {"azure": {"metrics": {"spend": Decimal("-0.5")}}}, Decimal(2))],
        [result(TUESDAY, OPENAI | {"azure": {"metrics": {}}}, Decimal(2))],
        [{"date": "2026-11-03", "metrics": {}}],
    ],
)
def test_a_day_whose_sums_cannot_be_true_is_left_out_and_named(results):
    proxy = of_activity({"results": [*results, result(MONDAY, OPENAI)]})
    days, error = failing(proxy, since=MONDAY, until=WEDNESDAY)
    assert [(day.day, day.account, day.billed_micro) for day in days] == [
        (MONDAY, "litellm", 0),
        (MONDAY, "litellm:openai", 1_000_000),
    ]
    assert str(error) == ("LiteLLM: the numbers of 2026-11-03 contradict each other, so these days were left out")


def test_sums_without_a_date_leave_no_day_for_free():
    days, error = failing(of_activity({"results": [result(TUESDAY, OPENAI) | {"date": "yesterday"}]}))
    assert days == []
    assert str(error) == "LiteLLM: the daily activity has sums without a date"


def test_sums_of_a_day_that_was_not_asked_for_are_counted():
    days = fetch(of_activity({"results": [result(MONDAY, OPENAI), result(TUESDAY, OPENAI)]}))
    assert days[TUESDAY, "litellm"].rejected == {"outside_window": 1}
    assert {key[0] for key in days} == {TUESDAY}


def test_a_log_that_is_off_leaves_the_bill_unexplained():
    day = anthropic_day(FakeProxy(sums={(TUESDAY, "anthropic"): "4.1204"}))
    assert (day.billed_micro, day.list_micro, day.rows) == (4_120_400, 4_120_400, ())


@pytest.mark.parametrize("how", ["missing", "refused"])
def test_a_log_that_cannot_be_read_is_asked_for_once(how):
    proxy = FakeProxy(request(1), request(2, at="2026-11-02T10:00:00+00:00"))
    getattr(proxy, how).add(LOGS)
    days = fetch(proxy, since=MONDAY)
    assert [day.billed_micro for day in days.values() if day.upstream] == [500_000, 500_000]
    assert not any(day.rows for day in days.values())
    assert len(proxy.log_requests()) == 1


def test_a_log_that_tells_less_than_the_bill_leaves_the_rest_unexplained():
    day = anthropic_day(FakeProxy(request(), sums={(TUESDAY, "anthropic"): "0.75"}))
    assert (day.billed_micro, sum(row.billed_micro or 0 for row in day.rows)) == (750_000, 500_000)


def test_a_log_that_comes_to_more_than_a_settled_bill_contradicts_it():
    proxy = FakeProxy(request(), sums={(TUESDAY, "anthropic"): "0.49"})
    assert failing(proxy)[0] == []
    elsewhere = FakeProxy(request(), sums={(TUESDAY, "openai"): "0.5"})  # another provider's bill
    assert failing(elsewhere)[0] == []


def test_binary_fractions_contradict_nothing():
    # three times 0.1 as a float is 0.30000000000000004 in one report and 0.3 in the other
    rows = [request(number, "0.1") for number in range(3)]
    for amount in ("0.3", "0.30000000000000004", "0.2999999999"):
        day = anthropic_day(FakeProxy(*rows, sums={(TUESDAY, "anthropic"): amount}))
        assert (day.billed_micro, day.rows[0].billed_micro) == (300_000, 300_000)


@pytest.mark.parametrize(
    ("now", "kept"),
    [
        (datetime(2026, 11, 3, 10, 1, tzinfo=UTC), True),
        (datetime(2026, 11, 4, 0, 59, tzinfo=UTC), True),
        (datetime(2026, 11, 4, 1, 0, tzinfo=UTC), False),
    ],
)
def test_until_an_hour_after_a_day_its_log_may_be_ahead_of_its_bill(now, kept):
    proxy = FakeProxy(request(), sums={(TUESDAY, "anthropic"): "0.49"})
    if kept:
        day = anthropic_day(proxy, now=now)
        assert (day.billed_micro, day.list_micro, day.rows[0].billed_micro) == (500_000, 500_000, 500_000)
    else:
        failing(proxy, now=now)


def test_the_running_day_is_given_as_far_as_it_is_known():
    days = fetch(FakeProxy(request(at="2026-11-04T11:00:00+00:00")), until=THURSDAY)
    assert days[WEDNESDAY, "litellm:anthropic"].billed_micro == 500_000


def test_a_million_small_amounts_are_rounded_once():
    # three rows of 0.0000004 and 0.0000004 of nobody: 1.6 millionths are 2; each row is rounded down to nothing
    rows = [request(number, "0.0000004", session_id=f"s-{number}") for number in range(3)]
    day = anthropic_day(FakeProxy(*rows, sums={(TUESDAY, "anthropic"): "0.0000016"}))
    assert (day.billed_micro, [row.billed_micro for row in day.rows]) == (2, [0, 0, 0])


def paged(places: Callable[[int], dict[str, Any] | None]) -> FakeProxy:
    """A proxy without the aggregated report, whose every page has a dollar, and says this of its place."""
    proxy, numbers = FakeProxy(), iter(range(1, 10**6))
    proxy.missing.add(AGGREGATED)

    def alter(path: str, body: dict[str, Any]) -> dict[str, Any]:
        number = next(numbers) if path == PAGED else 0
        results = [result(TUESDAY, OPENAI)] if number < 4 else []
        return {"results": results, "metadata": places(number)} if number else body

    proxy.alter = alter
    return proxy


@pytest.mark.parametrize(
    "places",
    [
        lambda number: {"page": number, "total_pages": 3},
        lambda number: {"total_pages": 3},
        lambda number: {"page": number, "has_more": number < 3},
        lambda number: {"page": number, "total_pages": 1, "has_more": number < 3},
        lambda _number: {},
        lambda _number: None,
    ],
)
def test_pages_end_where_the_proxy_says_so_or_with_an_empty_one(places):
    assert fetch(paged(places))[TUESDAY, "litellm:openai"].billed_micro == 3_000_000


def test_pages_without_an_end_are_an_error():
    assert "did not end after 500 pages" in str(failing(paged(lambda number: {"page": number, "has_more": True}))[1])


def test_a_proxy_that_gives_the_first_page_again_is_not_added_up():
    assert "go in a circle" in str(failing(paged(lambda _number: {"page": 1, "total_pages": 9}))[1])


def test_it_reaches_back_as_far_as_the_report_does():
    # 400 days and no more: 2026-11-04 is the last of them
    assert (NOW.date() - litellm.oldest(NOW)).days + 1 == 400


def test_the_check_asks_for_the_sums_of_yesterday_only():
    proxy = FakeProxy()
    litellm.check(Access(HttpClient(httpx2.MockTransport(proxy)), SETTINGS, NoPrices()), NOW)
    assert [(one.url.path, one.url.params["start_date"], one.url.params["end_date"]) for one in proxy.asked] == [
        (AGGREGATED, "2026-11-03", "2026-11-03")
    ]
