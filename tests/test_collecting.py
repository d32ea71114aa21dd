"""The words that `leverage collect` ends with, and which days it asks for."""

from datetime import UTC, date, datetime

import pytest

from bot.collecting import asked, organisation, warnings
from bot.domain.money import cents
from bot.domain.prices import Reconciliation
from bot.errors import UsageError
from bot.usecases.collect import Collected
from integrations.spend import sources

NOW = datetime(2026, 11, 28, 9, tzinfo=UTC)
FIRST, LAST = date(2026, 10, 31), date(2026, 11, 27)
DOLLAR = 1_000_000


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
