"""FOCUS: a bill as a file, from any provider that exports the FinOps Open Cost and Usage Specification.

Docs: focus.finops.org, versions 1.0, 1.1 and 1.2 (read 2026-11). Amounts are decimal numbers in the billing currency,
which has to be US dollars. Cloud bills name no people, so the days have no rows: all of a bill is remainder. Tags,
resources and sub-accounts are not read.

An import replaces each (account, day) that it gives, whole. So a file has to hold all rows of its billing periods up to
the day it was made: an export that comes in several parts is put together first. To keep one month's file from
replacing days of another month's, a charge never leaves its billing period: a correction of October on November's bill
counts on the first of November, and a year that is paid in advance is spread over the month that it is billed in.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bot.domain.model import AccountDay
from bot.domain.ports import SourceError
from integrations.days import today
from integrations.paging import advising
from integrations.spend.focus.book import Book
from integrations.spend.focus.charges import ACCOUNTS, Raw, is_ai
from integrations.spend.focus.files import rows

__all__ = ("ACCOUNTS", "Bill", "read")


@dataclass(frozen=True, slots=True)
class Bill:
    """What a file says of AI, oldest day first. `rows` is how many rows it has, `left_out` how many of them are not
    about AI. Rows that were refused are in the `rejected` of the days."""

    days: tuple[AccountDay, ...]
    rows: int
    left_out: int

    def __iter__(self) -> Iterator[AccountDay]:
        return iter(self.days)


def read(path: Path, now: datetime) -> Bill:
    """The whole file is read before the first day is given, since its rows come in any order; what is kept of it grows
    with the days and not with the rows.

    Days without a charge between two that have one are given as 0. Days to come are left out: a monthly fee counts up
    to today. Raises SourceError, which names the file, and the row and column where one is wrong.
    """
    with advising(path.name, refused="", missing=""):
        book, seen, left_out = Book(today(now)), 0, 0
        for number, values in rows(path):
            seen += 1
            raw = Raw(*values)
            if is_ai(raw.provider, raw.service_category, raw.service):
                book.add(number, raw)
            else:
                left_out += 1
        if not seen:
            raise SourceError("it has a header and no rows: nothing was billed, or the export is empty", permanent=True)
        return Bill(book.days(), seen, left_out)
