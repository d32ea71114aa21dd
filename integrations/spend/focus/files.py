"""Opening an export: CSV, CSV packed with gzip, or Parquet, a row at a time, only the columns that are needed."""

import csv
import gzip
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from operator import itemgetter
from pathlib import Path
from typing import IO, Any

from bot.domain.ports import SourceError
from integrations.spend.focus.charges import ALSO_CALLED, COLUMNS, OPTIONAL

Numbered = tuple[int, Sequence[Any]]
BATCH = 10_000  # rows of a Parquet file that are held at a time
INSTALL = "pip install 'leverage-bot[focus]'"
PROBLEMS: tuple[tuple[type[Exception], str], ...] = (
    (FileNotFoundError, "there is no such file"),
    (gzip.BadGzipFile, "it is no gzip file, or it is damaged; download it again"),
    (zlib.error, "it is no gzip file, or it is damaged; download it again"),
    (EOFError, "it is cut off; download it again"),
    (OSError, "it cannot be read; check that it is a file and that this user may read it"),
    (UnicodeDecodeError, "it is not text in UTF-8; export it again as CSV in UTF-8"),
)


def rows(path: Path) -> Iterator[Numbered]:
    """The values of COLUMNS of each row, with the number that a spreadsheet shows beside it (Parquet: from 1 on)."""
    name = path.name.lower()
    if name.endswith(".parquet"):
        return _parquet(path)
    if name.endswith((".csv", ".csv.gz")):
        return _csv(path)
    raise SourceError("its name has to end with .csv, .csv.gz or .parquet", permanent=True)


def _csv(path: Path) -> Iterator[Numbered]:
    with _explained(), _text(path) as text:
        records = _records(text)
        _, header = next(records, (0, None))
        if header is None:
            raise SourceError("it is empty", permanent=True)
        picked = itemgetter(*(len(header) if place is None else place for place in places(header)))
        for number, values in records:
            if len(values) != len(header):
                raise _broken(number, f"it has {len(values)} values where the header has {len(header)}")
            values.append("")  # the value of a column that the file does not have
            yield number, picked(values)


def _records(text: IO[str]) -> Iterator[tuple[int, list[str]]]:
    """Each record that is not blank, numbered from 1 on, as a spreadsheet does."""
    number = 0
    try:
        for number, values in enumerate(csv.reader(text, strict=True), 1):
            if values:
                yield number, values
    except csv.Error:
        raise _broken(number + 1, "its quotes do not close, or it is no CSV") from None


def _text(path: Path) -> IO[str]:
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _parquet(path: Path) -> Iterator[Numbered]:
    try:
        arrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        raise SourceError(f"reading Parquet needs one more package: {INSTALL}", permanent=True) from None
    number = 0
    with _explained():
        path.open("rb").close()
    try:
        with parquet.ParquetFile(path) as file:
            names = file.schema_arrow.names
            picked = [None if place is None else names[place] for place in places(names)]
            for batch in file.iter_batches(batch_size=BATCH, columns=[name for name in picked if name]):
                for values in zip(*(_values(arrow, batch, name) for name in picked), strict=True):
                    number += 1
                    yield number, values
    except (arrow.lib.ArrowException, OSError):
        raise SourceError("it is no Parquet file, or it is damaged; download it again", permanent=True) from None


def _values(arrow: Any, batch: Any, name: str | None) -> list[Any]:
    """A column of a batch. Python's times end at the microsecond, so nanoseconds are cut."""
    if name is None:
        return [None] * batch.num_rows
    column = batch.column(name)
    if arrow.types.is_timestamp(column.type):
        column = column.cast(arrow.timestamp("us", tz=column.type.tz), safe=False)
    return list(column.to_pylist())


def places(header: Sequence[str]) -> list[int | None]:
    """Where each of COLUMNS stands, None for an optional one that does not. Query engines write names in lower case."""
    names = [name.strip().casefold() for name in header]
    found = {column: _place(names, column) for column in COLUMNS}
    missing = [column for column, place in found.items() if place is None and column not in OPTIONAL]
    if {"BilledCost", "ChargePeriodStart"} <= set(missing):
        raise SourceError("it is no FOCUS export: its columns are called otherwise", permanent=True)
    if missing:
        which = f"column{'s' if len(missing) > 1 else ''} {', '.join(missing)}"
        raise SourceError(f"it has no {which}; export it as FOCUS 1.0, 1.1 or 1.2, with all columns", permanent=True)
    return list(found.values())


def _place(names: list[str], column: str) -> int | None:
    for name in (column, ALSO_CALLED.get(column, column)):
        if names.count(name.casefold()) > 1:
            raise SourceError(f"it has the column {name} twice", permanent=True)
        if name.casefold() in names:
            return names.index(name.casefold())
    return None


@contextmanager
def _explained() -> Iterator[None]:
    """What is wrong with a file as a whole, in one sentence; the system's own words quote paths and bytes."""
    try:
        yield
    except tuple(kind for kind, _ in PROBLEMS) as error:
        said = next(text for kind, text in PROBLEMS if isinstance(error, kind))
        raise SourceError(said, permanent=True) from None


def _broken(number: int, what: str) -> SourceError:
    return SourceError(f"row {number}: {what}; the file is damaged or cut off", permanent=True)
