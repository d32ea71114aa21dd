"""What an admin is told when something is wrong, and what nobody may read."""

import json
import logging
from collections.abc import Callable

import pytest

from bot.domain.ports import Refused, SourceError
from tests.fake_anthropic import (
    ADMIN_KEY,
    COST,
    KEYS,
    USAGE,
    FakeAnthropic,
    api_key,
)
from tests.integrations.spend.anthropic_days import (
    ANN,
    BO,
    CI,
    MONDAY,
    NOW,
    OPUS,
    failing,
    fetch,
    given_days,
    spoil,
)


@pytest.fixture
def fake() -> FakeAnthropic:
    return FakeAnthropic(NOW)


PRIVATE = ("ann@", "Ann@", "bo@", "user_01", "apikey_", "svac_", "laptop", ADMIN_KEY, "sk-ant-admin01-")


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_told_with_what_to_do(fake, status):
    fake.fail(status, times=9, message=f"Ann@example.com may not use {ADMIN_KEY}")
    days, error = failing(fake)
    assert isinstance(error, Refused)
    assert error.permanent
    assert days == []
    assert str(error) == (
        f"Anthropic: api.anthropic.com refused the key ({status}). Check ANTHROPIC_ADMIN_KEY: it has to be an Admin "
        "API key of your organisation, made in the Claude Console under Settings, Admin keys."
    )


@pytest.mark.parametrize("key", ["", "  \n"])
def test_a_missing_key_is_told(fake, key):
    with pytest.raises(SourceError, match="ANTHROPIC_ADMIN_KEY is not set") as caught:
        list(given_days(fake, key=key))
    assert caught.value.permanent
    assert fake.requests == []


FAULTS: list[Callable[[FakeAnthropic], object]] = [
    lambda fake: fake.fail(500, times=99, message="for Ann@example.com"),
    lambda fake: fake.fail(400, path=COST, message="actor_ids: user_01annabelle0123456789 of bo@example.com"),
    lambda fake: fake.fail(403, times=99, message=f"user_01bo {ADMIN_KEY}"),
    lambda fake: fake.truncate(times=99),
    lambda fake: fake.endless(KEYS),
    lambda fake: fake.endless(KEYS, same_cursor=True),
    lambda fake: fake.after(2, lambda: fake.add(MONDAY, ANN, OPUS, "5")),
    lambda fake: setattr(fake, "alter", spoil(COST, lambda row: row.update(cost="bo@example.com"))),
    lambda fake: setattr(fake, "alter", spoil(USAGE, lambda row: row.update(group=["bo@example.com"]))),
    lambda fake: setattr(fake, "alter", lambda path, body: body.update(data="ann@example.com")),
]


@pytest.mark.parametrize("analytics", [True, False])
@pytest.mark.parametrize("fault", FAULTS)
def test_no_error_and_no_log_names_a_person_or_a_key(fake, fault, analytics, caplog, capsys):
    caplog.set_level(logging.DEBUG)
    fake.analytics = analytics
    fake.page_rows = 1
    fake.add_key("apikey_01laptop", "Ann's laptop", principal=ANN)
    fake.add_key("apikey_02laptop", "Bo's laptop", principal=BO)
    for who in (ANN, BO, CI, api_key("apikey_01laptop")):
        fake.add(MONDAY, who, OPUS, "1")
    fault(fake)
    said = ""
    try:
        said = repr(fetch(fake)[0].rejected)
    except SourceError as error:
        said = f"{error!r} {error} {error.__cause__} {error.__suppress_context__ or error.__context__}"
    printed = capsys.readouterr()
    logged = "".join(json.dumps(vars(record), default=repr) for record in caplog.records)
    for word in PRIVATE:
        assert word not in said
        assert word not in logged + printed.out + printed.err


def test_values_do_not_show_an_email_or_the_key_when_printed(fake):
    fake.add(MONDAY, ANN, OPUS, "1")
    assert "example.com" not in repr(fetch(fake))
