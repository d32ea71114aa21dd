"""LiteLLM's request log, read whole: busy days, pages, and the ends of a day."""

from typing import Any

import httpx2
import pytest

from bot.domain.model import SpendRow
from bot.domain.ports import SourceError
from tests.integrations.spend.litellm_proxy import (
    LOGS,
    MONDAY,
    TUESDAY,
    WEDNESDAY,
    FakeProxy,
    anthropic_day,
    fetch,
    request,
)


def clock(seconds: int) -> str:
    return f"2026-11-03T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}+00:00"


def only(proxy: FakeProxy, **options: Any) -> SpendRow:
    [row] = anthropic_day(proxy, **options).rows
    return row


def test_a_busy_day_is_cut_in_halves_until_it_can_be_counted():
    # a request every 100 seconds: 864 of the day, more than 100 until an hour and a half
    proxy = FakeProxy(*(request(number, at=clock(number * 100)) for number in range(864)))
    proxy.cap = 100
    day = anthropic_day(proxy)
    assert (day.rows[0].requests, day.billed_micro) == (864, 432_000_000)
    assert day.rejected == {}
    assert {one["start_date"] for one in proxy.log_requests()} >= {"2026-11-03 00:00:00", "2026-11-03 12:00:00"}


def test_a_proxy_that_does_not_say_it_stopped_counting_is_cut_as_well():
    proxy = FakeProxy(*(request(number, "0.001", at=clock(number * 8)) for number in range(10_001)))
    proxy.alter = lambda _path, body: body | {"total_is_capped": None}
    day = anthropic_day(proxy)
    assert (day.rows[0].requests, day.billed_micro) == (10_001, 10_001_000)


def test_a_request_on_the_cut_counts_once_and_is_no_duplicate():
    # the second half begins with the request that is the last one of the first half
    times = ["11:00:00", "12:00:00", "13:00:00"]
    proxy = FakeProxy(*(request(number, at=f"2026-11-03T{time}+00:00") for number, time in enumerate(times)))
    proxy.cap = 2
    days = fetch(proxy)
    assert [one["start_date"][11:] for one in proxy.log_requests()] == ["00:00:00", "00:00:00", "12:00:00"]
    assert days[TUESDAY, "litellm:anthropic"].rows[0].requests == 3
    assert days[TUESDAY, "litellm"].rejected == {}


def test_more_requests_of_one_second_than_can_be_counted_are_an_error():
    proxy = FakeProxy(request(1), request(2))
    proxy.cap = 1
    with pytest.raises(SourceError, match="more requests of one second than it can count"):
        fetch(proxy)


def test_the_last_second_of_a_day_is_its_own_and_midnight_the_next_ones():
    proxy = FakeProxy(
        request(1, at="2026-11-02T23:59:59.999+00:00"),
        request(2, at="2026-11-03T00:00:00+00:00"),
        request(3, "0.25", at="2026-11-03T23:59:59.999999+00:00"),
        request(4, "0.125", at="2026-11-04T00:00:00+00:00"),
    )
    days = fetch(proxy, since=MONDAY, until=WEDNESDAY)
    assert days[MONDAY, "litellm:anthropic"].rows[0].billed_micro == 500_000
    assert days[TUESDAY, "litellm:anthropic"].rows[0].billed_micro == 750_000  # 0.5 + 0.25
    assert not any(day.rejected for day in days.values())


def test_the_log_is_asked_for_with_full_times_oldest_first():
    proxy = FakeProxy(request())
    anthropic_day(proxy)
    assert proxy.log_requests() == [
        {
            "start_date": "2026-11-03 00:00:00",
            "end_date": "2026-11-04 00:00:00",
            "sort_by": "startTime",
            "sort_order": "asc",
            "page": "1",
            "page_size": "500",
        }
    ]


def test_an_older_proxy_is_asked_for_smaller_pages():
    proxy = FakeProxy(*(request(number, at=clock(number)) for number in range(250)))
    proxy.largest = 100
    assert only(proxy).requests == 250
    assert [(one["page"], one["page_size"]) for one in proxy.log_requests()] == [
        ("1", "500"),
        ("1", "100"),
        ("2", "100"),
        ("3", "100"),
    ]


def test_pages_without_a_total_end_with_one_that_is_not_full():
    proxy = FakeProxy(*(request(number, at=clock(number)) for number in range(1000)))
    proxy.alter = lambda path, body: {"data": body["data"]} if path == LOGS else body
    assert only(proxy).requests == 1000
    assert [one["page"] for one in proxy.log_requests()] == ["1", "2", "3"]


def test_a_page_that_fails_gives_no_part_of_its_day():
    proxy = FakeProxy(*(request(number, at=clock(number)) for number in range(1500)))

    def answer(asked: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(500) if asked.url.params.get("page") == "2" else proxy(asked)

    with pytest.raises(SourceError, match=r"^LiteLLM: llm.acme.test has a failure of its own"):
        fetch(answer)
