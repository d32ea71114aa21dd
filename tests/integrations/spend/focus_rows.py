"""Small FOCUS exports for tests: one ordinary row, and what is different about this one."""

import csv
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from bot.domain.model import AccountDay
from bot.domain.ports import SourceError
from integrations.spend.focus import Bill, read

SAMPLES = Path(__file__).parents[2] / "samples" / "focus"
NOW = datetime(2026, 11, 4, 12, tzinfo=UTC)
SUNDAY, MONDAY, TUESDAY, WEDNESDAY = (date(2026, 11, day) for day in (1, 2, 3, 4))

ROW = {
    "ProviderName": "AWS",
    "ServiceCategory": "AI and Machine Learning",
    "ServiceName": "Amazon Bedrock",
    "ChargeCategory": "Usage",
    "ChargeClass": "",
    "BilledCost": "1",
    "ListCost": "2",
    "BillingCurrency": "USD",
    "BillingPeriodStart": "2026-11-01T00:00:00Z",
    "BillingPeriodEnd": "2026-12-01T00:00:00Z",
    "ChargePeriodStart": "2026-11-02T10:00:00Z",
    "ChargePeriodEnd": "2026-11-02T11:00:00Z",
}
"""One dollar of Monday; two at list price."""


def export(folder: Path, *rows: dict[str, str], without: str = "", name: str = "bill.csv") -> Path:
    """A CSV file of ordinary rows with these differences."""
    columns = [column for column in [*ROW, *{key: None for row in rows for key in row if key not in ROW}]]
    columns = [column for column in columns if column != without]
    with (folder / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore", restval="")
        writer.writeheader()
        writer.writerows(ROW | row for row in rows)
    return folder / name


def days(path: Path, now: datetime = NOW) -> dict[tuple[str, date], AccountDay]:
    return {(day.account, day.day): day for day in read(path, now)}


def only(path: Path, now: datetime = NOW) -> AccountDay:
    [day] = read(path, now)
    return day


def billed(bill: Bill) -> dict[date, int | None]:
    """The bill of each day, of a file with one account."""
    assert len({day.account for day in bill}) == 1
    return {day.day: day.billed_micro for day in bill}


def problem(path: Path, now: datetime = NOW) -> str:
    """What is said of a file that is refused."""
    with pytest.raises(SourceError) as caught:
        read(path, now)
    assert caught.value.permanent
    text = str(caught.value)
    assert "\n" not in text
    assert text.startswith(f"{path.name}: ")
    return text.removeprefix(f"{path.name}: ")
