"""One harmless call shows whether a key is good."""

from datetime import UTC, datetime

import httpx2
import pytest
import stamina

from bot.domain.ports import Access, NotFound, Refused, SourceError
from integrations._http import HttpClient
from integrations.spend import anthropic
from tests.fake_anthropic import ADMIN_KEY, BILL, COST, FakeAnthropic, user
from tests.fake_source import NoPrices

NOW = datetime(2026, 11, 4, 9, 30, tzinfo=UTC)


@pytest.fixture
def fake() -> FakeAnthropic:
    fake = FakeAnthropic(NOW)
    fake.add(NOW.date(), user("canary@example.com"), "claude-opus-5-5", "4711")
    return fake


def check(fake: FakeAnthropic, key: str = ADMIN_KEY) -> None:
    with stamina.set_testing(True, attempts=2):
        http = HttpClient(httpx2.MockTransport(fake))
        settings = {"ANTHROPIC_ADMIN_KEY": key, "ANTHROPIC_API_URL": "https://anthropic.example"}
        anthropic.check(Access(http, settings, NoPrices()), NOW)


def test_one_row_about_yesterday_is_all_that_is_asked_for(fake):
    check(fake)
    (request,) = fake.requests
    assert request.url.path == COST
    assert dict(request.url.params) == {
        "starting_at": "2026-11-03T00:00:00Z",
        "ending_at": "2026-11-04T00:00:00Z",
        "limit": "1",
    }


def test_an_organization_without_the_newer_reports_is_asked_for_the_older(fake):
    fake.analytics = False
    check(fake)
    assert [request.url.path for request in fake.requests] == [COST, BILL]


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_named_with_where_to_make_another(fake, status):
    fake.fail(status, message="canary@example.com may not")
    with pytest.raises(Refused, match="ANTHROPIC_ADMIN_KEY: it has to be an Admin API key") as caught:
        check(fake)
    assert "canary" not in str(caught.value)


def test_a_key_that_is_somebody_elses_is_refused_and_not_quoted(fake):
    with pytest.raises(Refused) as caught:
        check(fake, "sk-ant-admin01-canary")
    assert "canary" not in str(caught.value)


def test_a_service_without_any_of_the_reports_is_perhaps_the_wrong_address(fake):
    fake.fail(404, times=2)
    with pytest.raises(NotFound, match="Check ANTHROPIC_API_URL"):
        check(fake)


def test_a_service_that_is_down_is_no_verdict_about_the_key(fake):
    fake.fail(500, times=9)
    with pytest.raises(SourceError) as caught:
        check(fake)
    assert not caught.value.permanent
