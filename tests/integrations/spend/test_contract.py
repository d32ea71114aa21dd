"""What every source of spend keeps, run over the registry (docs/sources.md, "Add a provider")."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from bot.domain.ports import SourceError
from integrations.spend import sources
from tests.integrations.spend.contract import (
    MOST_REQUESTS,
    Answer,
    Case,
    billed,
    cases,
    changing,
    everywhere,
    given,
    listed,
    outcome,
    setting,
)

CASES = cases()
HTML = b"<html>busy</html>"


@pytest.fixture(params=sorted(CASES))
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


def counted(answer: Answer, asked: list[httpx2.Request]) -> Answer:
    def count(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        assert len(asked) <= MOST_REQUESTS, "this does not end"
        return answer(request)

    return count


def test_it_says_what_it_is(case: Case):
    source = sources()[case.source]
    assert case.source == source.NAME
    assert source.SETTINGS[0].required
    assert all((one.about.endswith("."), one.name.isupper()) == (True, True) for one in source.SETTINGS)
    assert source.LAG_DAYS >= 0 < source.REFETCH_DAYS
    assert timedelta(hours=1) <= source.EVERY <= timedelta(days=1)
    assert all((source.TITLE, source.GIVES, source.KEY, source.FRESH))
    assert source.oldest(case.now) < case.since


def test_the_captured_answers_come_to_what_was_added_up_by_hand(case: Case):
    days = list(given(case))
    assert billed(days) == case.billed
    assert listed(days) == case.listed
    assert [day.day for day in days] == sorted(day.day for day in days)
    assert all(day.account == case.source for day in days if day.upstream is None)


def test_the_same_answers_give_the_same_days(case: Case):
    assert list(given(case)) == list(given(case))


def test_rows_never_come_to_more_than_the_bill(case: Case):
    for day in given(case):
        billed = [row.billed_micro for row in day.rows if row.billed_micro is not None]
        assert day.billed_micro is None or sum(billed) <= day.billed_micro


def test_no_day_outside_of_what_was_asked_for(case: Case):
    days, error = outcome(Case(**{**vars(case), "until": case.since + timedelta(days=1)}))
    assert error is None
    assert {day.day for day in days} <= {case.since}


def test_no_day_that_has_not_begun(case: Case):
    later = Case(**{**vars(case), "until": case.until + timedelta(days=60)})
    days, _ = outcome(later)
    assert all(day.day <= case.now.date() for day in days)


def test_a_request_that_fails_half_way_gives_no_day_that_is_not_whole(case: Case):
    whole, asked = list(given(case)), list[httpx2.Request]()
    list(given(case, counted(case.answer, asked)))
    for broken in range(len(asked)):
        numbers = iter(range(MOST_REQUESTS))

        def answer(request: httpx2.Request, numbers=numbers, broken=broken) -> httpx2.Response:
            return case.answer(request) if next(numbers) < broken else httpx2.Response(500)

        days, error = outcome(case, answer)
        assert error is None or not error.permanent
        assert all(day in whole for day in days)
        assert error or days == whole  # what can be done without may be missing, but not silently a half


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_permanent_and_says_which(case: Case, status: int):
    days, error = outcome(case, lambda _request: httpx2.Response(status, content=b"{}"))
    source = sources()[case.source]
    assert days == []
    assert error is not None
    assert error.permanent
    assert str(error).startswith(source.TITLE)
    assert source.SETTINGS[0].name in str(error)
    with pytest.raises(SourceError) as caught:
        check(case, lambda _request: httpx2.Response(status, content=b"{}"))
    assert caught.value.permanent
    assert source.SETTINGS[0].name in str(caught.value)


def check(case: Case, answer: Answer) -> None:
    from bot.domain.ports import Access
    from integrations._http import HttpClient

    access = Access(HttpClient(httpx2.MockTransport(answer)), case.settings, case.prices)
    sources()[case.source].check(access, case.now)


def test_a_good_key_passes_the_check(case: Case):
    check(case, case.answer)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_passes_by_itself_is_waited_for(case: Case, status: int):
    seen: set[str] = set()

    def answer(request: httpx2.Request) -> httpx2.Response:
        key = f"{request.method} {request.url} {request.content!r}"
        if key in seen:
            return case.answer(request)
        seen.add(key)
        return httpx2.Response(status, headers={"retry-after": "0"})

    assert outcome(case, answer) == (list(given(case)), None)


@pytest.mark.parametrize("body", [HTML, b'{"data": [', b"[]", b"3", b'"no"'])
def test_an_answer_that_is_none_is_an_error_and_not_permanent(case: Case, body: bytes):
    days, error = outcome(case, lambda _request: httpx2.Response(200, content=body))
    assert all(day.billed_micro in (0, None) and not day.rows for day in days)
    assert error is None or not error.permanent
    if body == HTML:
        assert error is not None


def test_no_error_holds_a_key_or_a_person(case: Case):
    for status in (400, 401, 403, 404, 422, 429, 500):
        body = b'{"error": {"message": "no ana@example.com here"}, "message": "ana@example.com"}'
        _, error = outcome(case, always(status, body))
        said = str(error)
        assert "example.com" not in said
        secrets = [one.name for one in sources()[case.source].SETTINGS if one.secret]
        assert all(case.settings[name] not in said for name in secrets if name in case.settings)


def test_unknown_fields_are_tolerated(case: Case):
    def more(body: dict[str, Any]) -> dict[str, Any]:
        return {**body, "x_new": {"deep": [1, None]}, "x_number": 3}

    change = everywhere(more)
    assert outcome(case, changing(case, lambda body, _number: change(body))) == (list(given(case)), None)


def test_unknown_values_of_open_lists_are_tolerated(case: Case):
    change = setting(case.labels, lambda _old: "something-new")
    days, error = outcome(case, changing(case, lambda body, _number: change(body)))
    assert error is None
    assert billed(days) == case.billed


def test_nulls_are_tolerated(case: Case):
    def nothing(body: dict[str, Any]) -> dict[str, Any]:
        return {key: None if key in case.nullable else value for key, value in body.items()}

    change = everywhere(nothing)
    days, error = outcome(case, changing(case, lambda body, _number: change(body)))
    assert error is None
    assert billed(days) == case.billed


BAD = {
    "negative": -3,
    "absurd": 10**30,
    "absurd fraction": Decimal("1e400"),
    "text": "many",
    "not a number": "NaN",
    "infinite": "Infinity",
    "a list": [1],
    "true": True,
}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("kind", ["money", "counts"])
def test_a_number_that_cannot_be_true_is_counted_and_never_added(case: Case, kind: str, bad: str):
    """Either the day is left out, in an error, or the row is: then it is counted, and no sum grows by it."""
    for key in sorted(getattr(case, kind)):
        days, error = outcome(case, changing(case, spoiling(key, BAD[bad])))
        rejected = sum(sum(day.rejected.values()) for day in days)
        assert error or rejected, (key, bad)
        assert error is None or not error.permanent, (key, bad)
        for day, amount in billed(days).items():
            assert (amount or 0) <= (case.billed[day] or 0), (key, bad)
        for day, amount in listed(days).items():
            assert 0 <= amount <= case.listed[day] + (case.billed[day] or 0), (key, bad)
        for one in days:
            assert all(row.tokens.total >= 0 for row in one.rows)


def spoiling(key: str, value: Any) -> Callable[[Any, int], Any]:
    change = setting(frozenset([key]), lambda _old: value)
    return lambda body, _number: change(body)


def always(status: int, body: bytes) -> Answer:
    return lambda _request: httpx2.Response(status, content=body)


def test_pages_without_an_end_are_an_error(case: Case):
    if case.more is None:
        return
    asked: list[httpx2.Request] = []
    days, error = outcome(case, counted(changing(case, case.more), asked))
    assert error is not None
    assert not error.permanent
    whole = list(given(case))
    assert all(day in whole for day in days)


def test_a_circle_of_pages_is_an_error(case: Case):
    if case.more is None:
        return
    more = case.more
    asked: list[httpx2.Request] = []
    _, error = outcome(case, counted(changing(case, lambda body, _number: more(body, 0)), asked))
    assert error is not None
