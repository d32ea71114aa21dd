"""The words that `leverage collect` ends with, and which days it asks for."""

from datetime import UTC, date, datetime

import pytest

from bot import config
from bot.app import App, DeploymentSettings
from bot.collecting import Asked, asked, organisation, run, run_focus, warnings
from bot.domain.money import cents
from bot.domain.ports import SourceError, SpendSource
from bot.domain.prices import Reconciliation
from bot.errors import UsageError
from bot.store import cursors
from bot.store.cursors import SourceKind
from bot.store.db import transaction
from bot.usecases.collect import Collected
from integrations.spend import sources
from tests.company import SECRET, instant
from tests.fake_source import FakeSource
from tests.integrations.spend.focus_rows import export
from tests.people import joined

NOW = datetime(2026, 11, 28, 9, tzinfo=UTC)
FIRST, LAST = date(2026, 10, 31), date(2026, 11, 27)
DOLLAR = 1_000_000
TEAM = """
[[team]]
name = "payments"
slack_channel = "C0123ABCD"
members = ["ann"]
repositories = ["acme/web"]
timezone = "UTC"
digest = "Mon 09:00"
"""


def test_the_organizations_line_names_each_amount_and_adds_up_what_was_billed():
    line = Reconciliation(1_000 * DOLLAR, 700 * DOLLAR, 120 * DOLLAR, -20 * DOLLAR)
    assert organisation(line, FIRST, LAST) == (
        "Organization, 2026-10-31 to 2026-11-27: $1,000.00 at list price, $800.00 billed "
        "($700.00 usage, $120.00 seats, -$20.00 refunds and credits); plan factor 0.80"
    )
    assert organisation(Reconciliation(0, 0, 0, 0), FIRST, LAST).endswith("unknown, as nothing has a list price")


@pytest.mark.parametrize(
    ("micro", "said"), [(0, "$0.00"), (5_000, "$0.01"), (4_999, "$0.00"), (-1, "$0.00"), (1_234_567_890, "$1,234.57")]
)
def test_amounts_of_a_bill_are_told_to_the_cent(micro, said):
    assert cents(micro) == said


def test_what_is_not_as_it_should_be_is_told_of_a_source_that_was_read():
    found = Collected(2, 9, {"bad_usage": 1, "bad_cost": 2}, (), DOLLAR, ("a", "b"))
    assert warnings(found) == ["2 rows refused (bad_cost)", "1 row refused (bad_usage)", "no price for a, b"]
    assert warnings(Collected(1, 1, {}, ())) == []


def test_of_several_sources_each_is_asked_for_what_it_can_tell_of():
    """OpenRouter tells of thirty days: that must not keep the others from telling more."""
    both = [sources()["openai"], sources()["openrouter"]]
    long, short = asked(both, date(2026, 3, 1), None, NOW)
    assert long.first == date(2026, 3, 1)
    assert short.first == sources()["openrouter"].oldest(NOW) > date(2026, 10, 1)
    with pytest.raises(UsageError, match="too long ago"):
        asked(both[1:], date(2026, 3, 1), None, NOW)


def named(*names: str) -> list[SpendSource]:
    return [sources()[name] for name in names]


def test_a_source_that_tells_of_none_of_the_days_is_left_out_and_the_others_are_read(capsys):
    """September is more than thirty days ago, and OpenRouter tells of no day before."""
    found = asked(named("openai", "openrouter"), date(2026, 9, 1), date(2026, 10, 1), NOW)
    assert [(one.source.NAME, one.first, one.until) for one in found] == [
        ("openai", date(2026, 9, 1), date(2026, 10, 1))
    ]
    oldest = sources()["openrouter"].oldest(NOW)
    assert capsys.readouterr().err == (
        f"openrouter is left out: it tells of days from {oldest} on, and --until is 2026-10-01.\n"
    )


def test_a_source_that_is_not_read_so_far_back_by_default_is_left_out_as_well(capsys):
    """OpenAI is read from 38 days back on, 22 October; Cursor from three, 26 November."""
    found = asked(named("openai", "cursor"), None, date(2026, 11, 10), NOW)
    assert [one.source.NAME for one in found] == ["openai"]
    assert capsys.readouterr().err == (
        "cursor is left out: without --since it is read from 2026-11-26 on, and --until is 2026-11-10.\n"
    )


@pytest.mark.parametrize("names", [("cursor",), ("cursor", "litellm")])
def test_days_that_no_source_is_read_for_are_refused_in_the_words_that_were_typed(names):
    with pytest.raises(UsageError, match=r"--until 2026-10-01: .*--since") as caught:
        asked(named(*names), None, date(2026, 10, 1), NOW)
    assert "There is no day" not in str(caught.value)


def test_days_in_the_wrong_order_are_said_to_be_so_however_many_sources_there_are():
    with pytest.raises(UsageError, match="There is no day from 2026-11-20 up to 2026-11-10"):
        asked(named("openai", "openrouter"), date(2026, 11, 20), date(2026, 11, 10), NOW)


def test_without_since_it_is_read_from_the_last_reading_on_or_longer(engine):
    """Cursor is read three days back, from 26 November on, unless the last reading was longer ago."""
    (cursor,) = asked(named("cursor"), None, None, NOW)
    assert cursor.since_last(engine, NOW).first == date(2026, 10, 24)  # never read: 35 days before the 28th
    for day, first in (("2026-11-03", "2026-11-03"), ("2026-11-27", "2026-11-26")):
        with transaction(engine) as session:
            cursors.succeeded(session, SourceKind.SPEND, "cursor", date(2026, 11, 1), instant(day))
        assert str(cursor.since_last(engine, NOW).first) == first


def test_without_since_it_is_read_from_where_those_count_who_joined(engine):
    """Ann joins on Friday 27 November: four complete weeks before Monday the 23rd is 26 October."""
    with transaction(engine) as session:
        cursors.succeeded(session, SourceKind.SPEND, "cursor", date(2026, 11, 1), instant("2026-11-27 08:00"))
    joined(engine, "ann", "2026-11-27 09:00")
    (cursor,) = asked(named("cursor"), None, None, NOW)
    assert cursor.since_last(engine, NOW).first == date(2026, 10, 26)


def test_the_first_day_that_somebody_typed_is_kept(engine):
    (cursor,) = asked(named("cursor"), date(2026, 11, 27), None, NOW)
    assert cursor.since_last(engine, NOW).first == date(2026, 11, 27)


# What a run says


@pytest.fixture
def app(engine, tmp_path, monkeypatch) -> App:
    monkeypatch.setenv("ANTHROPIC_ADMIN_KEY", "sk-ant-admin01-x")
    file = tmp_path / "leverage.toml"
    file.write_text(TEAM)
    return App(DeploymentSettings(_env_file=None, leverage_config=file), config.load(file), engine, SECRET)


def test_sources_that_failed_are_told_in_the_order_of_the_table(app, capsys):
    down = [FakeSource(NAME=name, script=[SourceError(f"{name} is down")]) for name in ("one", "two", "three")]
    with pytest.raises(SourceError, match="three is down"):
        run(app, [Asked(one, FIRST, LAST) for one in down], NOW)
    said = capsys.readouterr()
    assert [line.split()[0] for line in said.out.splitlines()[1:4]] == ["one", "two", "three"]
    assert [line for line in said.err.splitlines() if line.startswith("leverage:")] == [
        "leverage: one is down",
        "leverage: two is down",
    ]


def test_a_bill_of_one_row_is_told_of_in_the_singular(app, tmp_path, capsys):
    run_focus(app, export(tmp_path, {}), NOW)
    assert capsys.readouterr().out == "aws: 1 day, $1.00 billed\n1 row read, of which 0 not about AI\n"


def test_a_bill_without_ai_is_named(app, tmp_path):
    with pytest.raises(SourceError, match=r"^bill\.csv: it holds no charge for AI"):
        run_focus(app, export(tmp_path, {"ServiceCategory": "Compute", "ServiceName": "EC2"}), NOW)
