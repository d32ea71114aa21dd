"""Who, where and what a request of LiteLLM's log was."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from bot.domain.model import AccountDay, Actor, ActorKind, Request, SpendRow, Tokens
from bot.domain.ports import SourceError
from integrations.prices import ListPrices
from tests.integrations.spend.litellm_proxy import (
    PEOPLE,
    TUESDAY,
    FakeProxy,
    anthropic_day,
    fetch,
    request,
)

ANN = Actor(ActorKind.USER, "u-ann", "ann@example.com")
THOUSAND = Tokens(300, 100, None, 600, 50)  # of one request: 1,000 - 600 - 100 are fresh


def only(proxy: FakeProxy, **options: Any) -> SpendRow:
    [row] = anthropic_day(proxy, **options).rows
    return row


def of(**changes: Any) -> SpendRow:
    """The row of one request with these differences."""
    return only(FakeProxy(request(**changes)))


def known(**metadata: Any) -> dict[str, Any]:
    return {"user_api_key_alias": "ci", **metadata}


def test_requests_of_an_actor_to_a_model_in_a_session_for_a_pull_request_are_one_row():
    rows = [
        request(1),
        request(2),
        request(3, session_id="s-2"),
        request(4, model="claude-haiku-5-5"),
        request(5, request_tags=["pr:acme/api#7"]),
        request(6, user="u-bo", metadata={}),
    ]
    day = anthropic_day(FakeProxy(*rows))
    assert [(row.actor.id, row.model, row.session, row.pull, row.requests) for row in day.rows] == [
        ("u-ann", "claude-haiku-5-5", "s-1", None, 1),
        ("u-ann", "claude-opus-5-5", "s-1", None, 2),
        ("u-ann", "claude-opus-5-5", "s-1", "acme/api#7", 1),
        ("u-ann", "claude-opus-5-5", "s-2", None, 1),
        ("u-bo", "claude-opus-5-5", "s-1", None, 1),
    ]
    assert day.rows[1] == SpendRow(ANN, "claude-opus-5-5", THOUSAND + THOUSAND, 2, 1_000_000, 1_000_000, "s-1")


def counted(proxy: FakeProxy) -> tuple[int | None, dict[str, int]]:
    """Requests that count, and refused ones by reason."""
    days = fetch(proxy)
    rows = days[TUESDAY, "litellm:anthropic"].rows
    return sum(row.requests or 0 for row in rows), dict(days[TUESDAY, "litellm"].rejected)


def spoiled(**changes: Any) -> FakeProxy:
    """A good request, and one with these differences."""
    return FakeProxy(request(1), request(2, **changes), sums={(TUESDAY, "anthropic"): "1"})


def test_a_request_that_two_pages_have_counts_once():
    proxy = FakeProxy(request(1), request(1))
    assert counted(proxy) == (1, {"duplicate": 1})


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"spend": "-0.01"}, "bad_cost"),
        ({"spend": "1e30"}, "bad_cost"),
        ({"prompt_tokens": -1}, "bad_usage"),
        ({"completion_tokens": 10**13}, "bad_usage"),
        ({"prompt_tokens": 699}, "bad_usage"),  # 600 cached and 100 written are more than all
        ({"metadata": {"additional_usage_values": {"cache_read_input_tokens": -5}}}, "bad_usage"),
        ({"metadata": {"additional_usage_values": [3]}}, "bad_usage"),
        ({"request_id": ""}, "unreadable"),
        ({"request_id": None}, "unreadable"),
        ({"user": ["u"]}, "unreadable"),
        ({"metadata": ["?"]}, "unreadable"),
    ],
)
def test_a_request_that_cannot_be_true_is_counted_and_its_money_stays_unexplained(changes, reason):
    assert counted(spoiled(**changes)) == (1, {reason: 1})


def test_a_request_of_another_time_than_asked_for_is_counted():
    proxy = spoiled()
    stray = request(3, at="2026-11-01T10:00:00+00:00")
    proxy.alter = lambda _path, body: body | {"data": [*body.get("data", []), stray]}
    assert counted(proxy) == (2, {"outside_window": 1})


def test_a_time_without_a_zone_is_utc():
    proxy = FakeProxy(request(1), request(2, at="2026-11-03T05:30:00-05:00"))
    bare = request(3, at="2026-11-03 10:00:00.5")
    proxy.sums[TUESDAY, "anthropic"] = Decimal("1.5")
    proxy.alter = lambda _path, body: body | {"data": [*body.get("data", []), bare]}
    assert counted(proxy) == (3, {})


def test_a_failed_request_counts_without_cost():
    row = only(FakeProxy(request(1, "0", status="failure", prompt_tokens=800)), prices=ListPrices())
    assert (row.requests, row.list_micro, row.billed_micro) == (1, 0, 0)


def test_json_that_comes_as_text_is_read():
    row = of(
        metadata=json.dumps({**PEOPLE, "additional_usage_values": {"cache_read_input_tokens": 600}}),
        request_tags='["pr:acme/api#7", "User-Agent: claude-cli"]',
    )
    assert (row.actor, row.pull, row.tokens) == (ANN, "acme/api#7", Tokens(400, 0, None, 600, 50))


@pytest.mark.parametrize("text", ["", "{", "3", "[" * 10_000, "null", '"{}"'])
def test_text_that_is_no_json_tells_nothing(text):
    try:
        row = of(request_tags=text, user="u-ann")
    except SourceError:
        pytest.fail("one tag must not fail a day")
    assert row.pull is None
    found = counted(spoiled(metadata=text))
    assert found in ((2, {}), (1, {"unreadable": 1}))


def test_openais_cached_tokens_are_a_part_of_the_prompt():
    details = {"prompt_tokens_details": {"cached_tokens": 900}, "completion_tokens_details": {"reasoning_tokens": 20}}
    row = of(metadata={**PEOPLE, "additional_usage_values": details})
    assert row.tokens == Tokens(100, 0, None, 900, 50, None)  # reasoning is not told apart


def test_cached_tokens_that_are_told_twice_count_once():
    details = {"prompt_tokens_details": {"cached_tokens": 600}, "cache_read_input_tokens": 600}
    assert of(metadata={**PEOPLE, "additional_usage_values": details}).tokens == Tokens(400, 0, None, 600, 50)


@pytest.mark.parametrize(
    ("user", "metadata", "actor"),
    [
        ("u-ann", PEOPLE, ANN),
        ("", PEOPLE, ANN),
        ("ann@example.com", {}, Actor(ActorKind.USER, None, "ann@example.com")),
        (
            "Ann@Example.com",
            known(user_api_key_user_email="ann@example.com"),
            Actor(ActorKind.USER, None, "ann@example.com"),
        ),
        ("ann", {}, Actor(ActorKind.USER, "ann")),
        ("@ann", known(), Actor(ActorKind.USER, "@ann")),
        ("", known(), Actor(ActorKind.KEY, "ci")),
        (None, known(user_api_key_user_id=None), Actor(ActorKind.KEY, "ci")),
        ("", {}, Actor(ActorKind.KEY, "88dc28")),
        ("", None, Actor(ActorKind.KEY, "88dc28")),
        ("default_user_id", known(), Actor(ActorKind.KEY, "ci", owned_by_user=True)),
        ("default_user_id", known(user_api_key_user_email="Ann@x.org"), Actor(ActorKind.USER, None, "ann@x.org")),
    ],
)
def test_whose_a_request_is(user, metadata, actor):
    assert of(user=user, metadata=metadata).actor == actor


def test_a_request_without_user_and_key_is_nobodys():
    assert of(user="", metadata=None, api_key="").actor == Actor(ActorKind.UNKNOWN)


@pytest.mark.parametrize(
    ("tags", "pull"),
    [
        (["pr:acme/api#412"], "acme/api#412"),
        (["pr:a_b-c/x.y_z-1#1", "pr:a_b-c/x.y_z-1#1"], "a_b-c/x.y_z-1#1"),
        (["team-a", "User-Agent: pr:acme/api#412", "pr:acme/api#412"], "acme/api#412"),
        (["pr:acme/api#1", "pr:acme/api#2"], None),
        (["pr:acme/api"], None),
        (["pr:acme/api#0"], None),
        (["pr:acme/api#01"], None),
        (["pr:acme/api#٣"], None),
        (["pr:acme/api#12 "], None),
        (["pr:acme/api#12\n"], None),
        (["PR:acme/api#12"], None),
        (["pr:acme/../api#12"], None),
        (["pr:acme/..#12"], None),
        (["pr:acme/<b>#12"], None),
        (["pr:-acme/api#12"], None),
        (["pr:acme/api#1234567890"], None),
        ([412, None, {"pr": "acme/api#1"}], None),
        ("pr:acme/api#412", None),
        ({"pr": "acme/api#412"}, None),
        (None, None),
    ],
)
def test_the_pull_request_of_a_tag(tags, pull):
    assert of(request_tags=tags).pull == pull


def test_a_request_with_many_tags_is_one_request():
    tags = ["pr:acme/api#7", "team-a", "nightly", "User-Agent: claude-cli/2.1"]
    row = of(request_tags=tags)
    assert (row.requests, row.billed_micro, row.pull) == (1, 500_000, "acme/api#7")


def test_a_session_of_any_length_does_no_harm():
    assert of(session_id="x" * 200).session == "x" * 200
    assert of(session_id="x" * 201).session is None
    assert of(session_id="").session is None


class Book:
    """A price book that notes what it was asked."""

    def __init__(self, answer: int | None) -> None:
        self.answer = answer
        self.asked: list[Request] = []

    def price(self, request: Request) -> int | None:
        self.asked.append(request)
        return self.answer


def test_a_request_without_cost_is_priced_by_itself_and_never_billed():
    # twice 300 is 600 at list price, and nothing on the bill; what had a cost of 0.5 keeps it
    book = Book(300)
    proxy = FakeProxy(request(1, "0"), request(2, "0"), request(3, "0.5", session_id="s-2"))
    day = anthropic_day(proxy, prices=book)
    assert [(row.list_micro, row.billed_micro, row.requests) for row in day.rows] == [
        (600, 0, 2),
        (500_000, 500_000, 1),
    ]
    assert (day.billed_micro, day.list_micro) == (500_000, 500_600)
    at = datetime(2026, 11, 3, 10, tzinfo=UTC)
    assert book.asked == [Request("claude-opus-5-5", "anthropic", at, THOUSAND)] * 2


def test_a_request_without_a_price_has_no_list_amount_and_takes_none_away():
    book = Book(None)
    proxy = FakeProxy(request(1, "0"), request(2, "0.5"))
    day = anthropic_day(proxy, prices=book)
    assert [(row.list_micro, row.billed_micro, row.tokens) for row in day.rows] == [
        (None, 0, THOUSAND),
        (500_000, 500_000, THOUSAND),
    ]
    assert (day.billed_micro, day.list_micro) == (500_000, 500_000)


def test_a_subscription_is_worth_what_its_provider_asks():
    row = {"custom_llm_provider": "chatgpt", "model": "chatgpt/gpt-5.4", "metadata": PEOPLE}
    day = fetch(FakeProxy(request(1, "0", **row)), prices=ListPrices())[TUESDAY, "litellm"]
    # 1,000 fresh tokens of 2.50 dollars a million are 2,500 micro-dollars; 50 out of 15 dollars are 750
    assert (day.billed_micro, day.list_micro, day.upstream) == (0, 3_250, None)
    assert [(one.model, one.list_micro, one.billed_micro) for one in day.rows] == [("chatgpt/gpt-5.4", 3_250, 0)]


def test_an_answer_from_the_proxys_own_cache_used_no_model():
    book = Book(300)
    [row] = anthropic_day(FakeProxy(request(1, "0", cache_hit="True")), prices=book).rows
    assert (row.requests, row.tokens, row.list_micro, row.billed_micro) == (1, Tokens(), 0, 0)
    assert book.asked == []


def test_a_request_of_an_unknown_provider_is_the_proxys_own():
    day = fetch(FakeProxy(request(custom_llm_provider="")))[TUESDAY, "litellm"]
    assert (day.billed_micro, day.rows[0].billed_micro) == (500_000, 500_000)


def test_what_was_said_and_by_whom_is_not_kept():
    private = {
        "end_user": "customer-7",
        "requester_ip_address": "10.1.2.3",
        "messages": [{"content": "SECRET"}],
        "response": {"text": "SECRET"},
        "metadata": {**PEOPLE, "user_api_key_user_alias": "Ann Lee", "error_information": {"traceback": "~ann/x"}},
    }
    day: AccountDay = anthropic_day(FakeProxy(request(**private)))
    text = repr(day)
    assert not any(word in text for word in ("customer-7", "10.1.2.3", "SECRET", "Ann Lee", "/home", "example.com"))
