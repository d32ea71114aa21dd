"""What a FOCUS file may look like, and the one line that is said of one that is refused."""

import csv
import gzip
import sys
import tracemalloc
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib import import_module

import pytest

from integrations.spend.focus import read
from integrations.spend.focus.book import MOST_ACCOUNTS
from integrations.spend.focus.charges import COLUMNS, OPTIONAL
from tests.integrations.spend.focus_rows import MONDAY, NOW, ROW, SAMPLES, TUESDAY, billed, export, only, problem

pyarrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")  # they have no types


def as_parquet(folder, rows, name="bill.parquet", **types):
    table = pyarrow.Table.from_pylist(rows)
    for column, kind in types.items():
        place = table.schema.get_field_index(column)
        table = table.set_column(place, column, table.column(column).cast(kind))
    parquet.write_table(table, folder / name, row_group_size=2)
    return folder / name


def typed(name):
    """A sample as a provider writes it to Parquet: numbers as doubles, times as timestamps without a zone."""
    with (SAMPLES / name).open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        for column, text in row.items():
            if text in ("", "NULL"):
                row[column] = None
            elif column.endswith("Cost"):
                row[column] = float(text)
            elif "Period" in column:
                row[column] = datetime.fromisoformat(text).replace(tzinfo=None)
    return rows


@pytest.mark.parametrize("name", ["focus_1.0_aws.csv", "focus_1.1_azure.csv", "focus_1.2_saas.csv"])
def test_parquet_says_what_csv_says(tmp_path, name):
    assert read(as_parquet(tmp_path, typed(name)), NOW) == read(SAMPLES / name, NOW)


@pytest.mark.parametrize("name", ["bill.csv.gz", "BILL.CSV.GZ"])
def test_gzip_says_what_csv_says(tmp_path, name):
    sample = SAMPLES / "focus_1.0_aws.csv"
    (tmp_path / name).write_bytes(gzip.compress(sample.read_bytes(), mtime=0))
    assert read(tmp_path / name, NOW) == read(sample, NOW)


def test_parquet_of_decimals_and_times_of_all_kinds(tmp_path):
    row = ROW | {
        "BilledCost": Decimal("0.1"),
        "ListCost": 1,
        "ChargePeriodStart": datetime(2026, 11, 2, 10, tzinfo=UTC),
        "ChargePeriodEnd": datetime(2026, 11, 2, 11, tzinfo=UTC),
        "BillingPeriodStart": date(2026, 11, 1),
    }
    path = as_parquet(
        tmp_path,
        [row, row, row],
        BilledCost=pyarrow.decimal128(38, 18),
        ChargePeriodStart=pyarrow.timestamp("ns", tz="UTC"),
        ServiceName=pyarrow.dictionary(pyarrow.int32(), pyarrow.string()),
    )
    day = only(path)
    assert (day.day, day.billed_micro, day.list_micro) == (MONDAY, 300_000, 3_000_000)


def test_parquet_with_nanoseconds(tmp_path):
    row = ROW | {"ChargePeriodStart": 1_793_577_600_000_000_001}  # a nanosecond after Monday's midnight
    assert only(as_parquet(tmp_path, [row], ChargePeriodStart=pyarrow.timestamp("ns"))).day == MONDAY


def test_a_double_counts_as_the_digits_that_it_is_shown_as(tmp_path):
    # 0.1 + 0.2 as doubles would be 0.30000000000000004
    path = as_parquet(tmp_path, [ROW | {"BilledCost": 0.1}, ROW | {"BilledCost": 0.2}, ROW | {"BilledCost": 4e-07}])
    assert only(path).billed_micro == 300_000


def test_parquet_without_pyarrow_says_what_to_install(tmp_path, monkeypatch):
    path = as_parquet(tmp_path, [ROW])
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert problem(path) == "reading Parquet needs one more package: pip install 'leverage-bot[focus]'"
    assert only(export(tmp_path, {})).billed_micro == 1_000_000


def test_names_of_columns_in_lower_case(tmp_path):
    path = export(tmp_path, {})
    head, _, rest = path.read_text().partition("\n")
    path.write_text(f"{head.lower()}\n{rest}")
    assert only(path).billed_micro == 1_000_000


def test_the_name_that_later_versions_have_for_the_provider(tmp_path):
    path = export(tmp_path, {"ServiceProviderName": "Microsoft"}, without="ProviderName")
    assert only(path).account == "azure"
    both = export(tmp_path, {"ProviderName": "AWS", "ServiceProviderName": "Microsoft"})
    assert only(both).account == "aws"


def test_blank_lines_and_line_ends_of_windows_do_not_matter(tmp_path):
    path = export(tmp_path, {}, {})
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n\r\n"))
    assert only(path).billed_micro == 2_000_000


@pytest.mark.parametrize("column", [column for column in COLUMNS if column not in OPTIONAL])
def test_a_missing_column_is_named(tmp_path, column):
    said = problem(export(tmp_path, {}, without=column))
    assert said == f"it has no column {column}; export it as FOCUS 1.0, 1.1 or 1.2, with all columns"


def test_an_export_of_a_version_before_1_0_is_told_apart(tmp_path):
    path = export(tmp_path, {})
    path.write_text(path.read_text().replace("ChargeCategory", "ChargeType").replace("ChargeClass", "Region"))
    assert "it has no columns ChargeCategory, ChargeClass; export it as FOCUS 1.0" in problem(path)


def test_a_column_that_is_there_twice_is_refused(tmp_path):
    path = export(tmp_path, {"billedcost": "7"})
    assert problem(path) == "it has the column BilledCost twice"


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("BilledCost", "12,50", "is no number"),
        ("BilledCost", "$3", "is no number"),
        ("BilledCost", "", "is empty"),
        ("BilledCost", "NULL", "is empty"),
        ("ListCost", "free", "is no number"),
        ("BillingCurrency", "EUR", "is not USD; only bills in US dollars are understood"),
        ("BillingCurrency", "", "is not USD; only bills in US dollars are understood"),
        ("ProviderName", "", "is empty"),
        ("ChargePeriodStart", "11/02/2026", "is no date and time like 2026-11-02T00:00:00Z"),
        ("ChargePeriodStart", "1900-01-00T00:00:00Z", "is no date and time like 2026-11-02T00:00:00Z"),
        ("ChargePeriodStart", "1900-01-01T00:00:00Z", "is no date and time like 2026-11-02T00:00:00Z"),
        ("ChargePeriodStart", "", "is empty"),
        ("ChargePeriodEnd", "2026-02-30T00:00:00Z", "is no date and time like 2026-11-02T00:00:00Z"),
        ("BillingPeriodStart", "0001-01-01T00:00:00+14:00", "is no date and time like 2026-11-02T00:00:00Z"),
        ("BillingPeriodEnd", "9999-12-31T23:00:00-05:00", "is no date and time like 2026-11-02T00:00:00Z"),
        ("ChargePeriodEnd", "2026-11-02T09:00:00Z", "is before ChargePeriodStart"),
        ("BillingPeriodEnd", "2026-10-01T00:00:00Z", "is before BillingPeriodStart"),
        ("BillingPeriodEnd", "2036-11-01T00:00:00Z", "is more than a year after BillingPeriodStart"),
        ("BillingPeriodEnd", "2026-11-01T00:00:00Z", "is BillingPeriodStart; it has to be the moment after the period"),
    ],
)
def test_a_value_that_is_not_of_its_kind_is_named_by_row_and_column(tmp_path, column, value, said):
    assert problem(export(tmp_path, {}, {column: value})) == f"row 3: {column} {said}"


def test_rows_of_parquet_are_numbered_from_1(tmp_path):
    assert problem(as_parquet(tmp_path, [ROW, ROW, ROW | {"BilledCost": "x"}])) == "row 3: BilledCost is no number"


def test_what_a_cell_says_is_not_quoted(tmp_path):
    said = problem(export(tmp_path, {"BilledCost": "ana@example.com", "Tags": "owner=ana"}))
    assert "ana" not in said


def refused(path, now=NOW):
    """Refused rows beside one that is not, and what is billed."""
    day = only(path, now)
    return day.billed_micro, day.rejected


@pytest.mark.parametrize("value", ["-1", "NaN", "-Infinity", "Infinity", "sNaN", "1000000001", "1e999999999"])
@pytest.mark.parametrize("column", ["BilledCost", "ListCost"])
def test_an_amount_that_cannot_be_true_is_refused_and_counted(tmp_path, column, value):
    assert refused(export(tmp_path, {}, {column: value})) == (1_000_000, {"bad_cost": 1})


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e10", "-1e10"])
def test_a_credit_that_cannot_be_true_is_refused_and_counted(tmp_path, value):
    day = only(export(tmp_path, {}, {"ChargeCategory": "Credit", "BilledCost": value}))
    assert (day.adjustment_micro, day.rejected) == (0, {"bad_cost": 1})


def test_an_amount_too_small_to_see_counts_as_nothing(tmp_path):
    assert refused(export(tmp_path, {}, {"BilledCost": "1e-999999999"})) == (1_000_000, {})


def test_a_double_that_is_no_number_is_refused_and_counted(tmp_path):
    rows = [ROW | {"BilledCost": 1.0}, ROW | {"BilledCost": float("nan")}, ROW | {"BilledCost": float("inf")}]
    assert refused(as_parquet(tmp_path, rows)) == (1_000_000, {"bad_cost": 2})


def test_a_day_in_the_future_is_refused_and_counted(tmp_path):
    future = {"ChargePeriodStart": "2026-11-05T00:00:00Z", "ChargePeriodEnd": "2026-11-05T01:00:00Z"}
    assert refused(export(tmp_path, {}, future)) == (1_000_000, {"outside_window": 1})


def test_a_kind_of_charge_that_nobody_knows_is_refused_and_counted(tmp_path):
    assert refused(export(tmp_path, {}, {"ChargeCategory": "Gift"}, {"ChargeCategory": ""})) == (
        1_000_000,
        {"unreadable": 2},
    )


def test_a_refused_row_gives_no_day_of_its_own(tmp_path):
    # A day whose only row is refused has an unknown bill: it must not replace one that is known.
    tuesday = {"ChargePeriodStart": "2026-11-03T00:00:00Z", "ChargePeriodEnd": "2026-11-03T01:00:00Z"}
    other = {"ProviderName": "GCP", "BilledCost": "NaN"}
    assert refused(export(tmp_path, {}, tuesday | {"BilledCost": "NaN"}, other)) == (1_000_000, {"bad_cost": 2})


def test_refused_rows_are_counted_on_their_day(tmp_path):
    tuesday = {"ChargePeriodStart": "2026-11-03T00:00:00Z", "ChargePeriodEnd": "2026-11-03T01:00:00Z"}
    bill = read(export(tmp_path, {}, tuesday, tuesday | {"BilledCost": "NaN"}), NOW)
    assert {day.day: dict(day.rejected) for day in bill} == {MONDAY: {}, TUESDAY: {"bad_cost": 1}}


def test_a_file_of_refused_rows_only_is_refused(tmp_path):
    said = problem(export(tmp_path, {"BilledCost": "NaN"}, {"BilledCost": "-1"}, {"ChargeCategory": "?"}))
    assert said == "not one row about AI makes sense (2 bad_cost, 1 unreadable)"


def test_more_money_than_there_is_is_refused(tmp_path):
    assert problem(export(tmp_path, *[{"BilledCost": "1000000000"}] * 1001)) == (
        "its amounts come to more than can be true"
    )


def test_more_providers_than_a_bill_can_have_are_refused(tmp_path):
    rows = [{"ProviderName": f"Provider {number}"} for number in range(MOST_ACCOUNTS + 1)]
    assert problem(export(tmp_path, *rows)) == "row 102: no bill has more than 100 providers"


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("bill.csv", b"", "it is empty"),
        ("bill.csv", b"\n\n", "it is empty"),
        ("bill.csv.gz", gzip.compress(b"", mtime=0), "it is empty"),
        ("bill.csv", b"a,b\n1,2\n", "it is no FOCUS export: its columns are called otherwise"),
        ("bill.csv", b"\xff\xfeB\x00i\x00", "it is not text in UTF-8; export it again as CSV in UTF-8"),
        ("bill.csv.gz", b"a,b\n1,2\n", "it is no gzip file, or it is damaged; download it again"),
        ("bill.csv.gz", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xff\xff", "it is no gzip file, or it is damaged"),
        ("bill.parquet", b"a,b\n1,2\n", "it is no Parquet file, or it is damaged; download it again"),
        ("bill.parquet", b"", "it is no Parquet file, or it is damaged; download it again"),
        ("bill.xlsx", b"", "its name has to end with .csv, .csv.gz or .parquet"),
        ("bill.gz", b"", "its name has to end with .csv, .csv.gz or .parquet"),
    ],
)
def test_what_is_no_export_is_refused_in_one_line(tmp_path, name, body, said):
    (tmp_path / name).write_bytes(body)
    assert problem(tmp_path / name).startswith(said)


@pytest.mark.parametrize("name", ["bill.csv", "bill.csv.gz", "bill.parquet"])
def test_a_file_that_is_not_there_is_named(tmp_path, name):
    assert problem(tmp_path / name) == "there is no such file"
    (tmp_path / name).mkdir()
    assert "it cannot be read" in problem(tmp_path / name)


def test_an_export_without_a_row_is_told_apart(tmp_path):
    said = "it has a header and no rows: nothing was billed, or the export is empty"
    assert problem(export(tmp_path)) == said
    empty = pyarrow.Table.from_pylist([ROW]).slice(0, 0)
    parquet.write_table(empty, tmp_path / "bill.parquet")
    assert problem(tmp_path / "bill.parquet") == said


def test_a_file_that_is_cut_off_gives_nothing(tmp_path):
    whole = (SAMPLES / "focus_1.0_aws.csv").read_bytes()
    (tmp_path / "bill.csv").write_bytes(whole[:-40])
    assert problem(tmp_path / "bill.csv").startswith("row 13: it has ")
    (tmp_path / "bill.csv").write_bytes(whole[: whole.index(b"checkout")])
    assert problem(tmp_path / "bill.csv") == (
        "row 2: its quotes do not close, or it is no CSV; the file is damaged or cut off"
    )
    (tmp_path / "bill.csv.gz").write_bytes(gzip.compress(whole, mtime=0)[:-200])
    assert problem(tmp_path / "bill.csv.gz") == "it is cut off; download it again"
    table = as_parquet(tmp_path, [ROW] * 100)
    table.write_bytes(table.read_bytes()[:-50])
    assert problem(table) == "it is no Parquet file, or it is damaged; download it again"


def test_parquet_that_is_damaged_inside_is_refused(tmp_path):
    path = as_parquet(tmp_path, [ROW | {"BilledCost": str(number)} for number in range(1000)])
    body = bytearray(path.read_bytes())
    body[4 : len(body) // 2] = bytes(len(body) // 2 - 4)
    path.write_bytes(body)
    assert problem(path).startswith("it is no Parquet file, or it is damaged")


def test_memory_grows_with_days_and_not_with_rows(tmp_path):
    def peak(rows: int) -> int:
        path = export(tmp_path, *[{"ServiceName": f"Gemini {number % 2000}"} for number in range(rows)])
        tracemalloc.start()
        assert billed(read(path, NOW)) == {MONDAY: rows * 1_000_000}
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    assert peak(12_000) < peak(3_000) + 300_000  # bytes; the 9,000 rows more are 1,500,000
