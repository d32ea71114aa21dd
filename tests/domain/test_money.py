from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.money import (
    GRID,
    dollars,
    from_cents,
    from_dollars,
    log_grid,
    rounded_dollars,
    split_equally,
    two_digits,
)

micros = st.integers(-(10**15), 10**15)
positive = st.fractions(min_value=Fraction(1, 10**6), max_value=10**12, max_denominator=10**6)


@pytest.mark.parametrize(
    ("text", "micro"),
    [
        ("0", 0),
        ("12.5", 12_500_000),
        ("0.0000005", 1),
        ("0.00000049999999999999999999999999999999999", 0),
        ("-0.0000005", -1),
        ("1E+3", 1_000_000_000),
        ("1E-400", 0),
        ("999999999999.999999", 999_999_999_999_999_999),
    ],
)
def test_dollars_become_micro_dollars_rounded_once(text: str, micro: int) -> None:
    assert from_dollars(Decimal(text)) == micro
    with localcontext(prec=60):
        cents = Decimal(text).scaleb(2)
    assert from_cents(cents) == micro


def test_the_decimal_context_of_the_caller_changes_nothing() -> None:
    with localcontext(prec=2):
        assert from_dollars(Decimal("1234.567891")) == 1_234_567_891


@pytest.mark.parametrize("text", ["NaN", "sNaN", "Infinity", "-Infinity", "100000000000000", "1E+999999"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="money"):
        from_dollars(Decimal(text))
    with pytest.raises(ValueError, match="money"):
        from_cents(Decimal(text))


@pytest.mark.parametrize(
    ("micro", "parts", "shares"),
    [(10, 3, [4, 3, 3]), (-10, 3, [-4, -3, -3]), (2, 3, [2, 0, 0]), (0, 2, [0, 0]), (7, 1, [7])],
)
def test_the_first_share_has_what_cannot_be_shared_out(micro: int, parts: int, shares: list[int]) -> None:
    assert split_equally(micro, parts) == shares


@given(micros, st.integers(1, 100))
def test_shares_add_up_and_an_amount_taken_back_undoes_each_of_them(micro: int, parts: int) -> None:
    shares = split_equally(micro, parts)
    assert sum(shares) == micro
    assert len(shares) == parts
    assert len(set(shares[1:])) <= 1
    assert all(share * (1 if micro >= 0 else -1) >= 0 for share in shares)
    assert split_equally(-micro, parts) == [-share for share in shares]


def test_an_amount_is_not_split_into_nothing() -> None:
    with pytest.raises(ValueError, match="one part or more"):
        split_equally(1, 0)


@pytest.mark.parametrize(
    ("value", "rounded"),
    [
        (0, 0),
        (7, 7),
        (99, 99),
        (994, 990),
        (995, 1000),
        (1250, 1300),
        (1249, 1200),
        (-1250, -1300),
        (10**17 + 1, 10**17),
    ],
)
def test_two_digits_are_kept_of_an_integer(value: int, rounded: int) -> None:
    assert two_digits(value) == rounded
    assert type(two_digits(value)) is int


@pytest.mark.parametrize(
    ("value", "rounded"), [("1/3", "33/100"), ("2/3", "67/100"), ("0.0995", "0.1"), ("0.1", "0.1"), ("12.5", "13")]
)
def test_two_digits_are_kept_of_a_fraction(value: str, rounded: str) -> None:
    assert two_digits(Fraction(value)) == Fraction(rounded)
    assert type(two_digits(Fraction(value))) is Fraction


@given(positive)
def test_rounding_to_two_digits_moves_a_value_by_five_percent_at_most(value: Fraction) -> None:
    rounded = two_digits(value)
    assert abs(rounded - value) <= value / 20
    assert two_digits(rounded) == rounded
    assert two_digits(-value) == -rounded


@given(positive)
def test_no_mark_of_the_grid_is_nearer_by_ratio_than_the_chosen_one(value: Fraction) -> None:
    chosen = log_grid(value)
    scale = Fraction(10) ** (len(str(int(chosen))) - 1) if chosen >= 1 else Fraction(1)
    while chosen < scale:
        scale /= 10
    marks = [mark * scale * power for mark in GRID for power in (Fraction(1, 10), 1, 10)]
    assert chosen in marks
    assert max(chosen / value, value / chosen) == min(max(mark / value, value / mark) for mark in marks)


@given(st.integers(1, 10**15))
def test_the_grid_keeps_integers_whole(value: int) -> None:
    assert type(log_grid(value)) is int
    assert log_grid(value) == log_grid(Fraction(value))


def test_the_grid_keeps_zero_and_has_no_place_below_it() -> None:
    assert log_grid(0) == 0
    with pytest.raises(ValueError, match="below zero"):
        log_grid(-1)


@pytest.mark.parametrize(
    ("micro", "text"),
    [
        (0, "$0"),
        (3_200_000, "$3.20"),
        (1_200_000_000, "$1,200"),
        (40_000, "$0.04"),
        (4_200, "$0.0042"),
        (1, "$0.000001"),
        (3_000_000, "$3"),
        (500_000, "$0.50"),
        (-3_200_000, "-$3.20"),
        (1_300_000_000_000, "$1,300,000"),
        (Fraction(5, 2), "$0.000003"),
    ],
)
def test_a_rounded_amount_is_written_as_people_write_it(micro: int, text: str) -> None:
    assert dollars(micro) == text


@pytest.mark.parametrize(
    ("micro", "text"),
    [
        (3_249_999, "$3.20"),
        (Fraction(38_500_000, 3), "$13"),
        (1_249_999_600, "$1,200"),
        (Fraction("1249999.6"), "$1.20"),
        (995_000, "$1"),
        (0, "$0"),
    ],
)
def test_an_exact_amount_is_rounded_before_it_is_written(micro: int, text: str) -> None:
    assert rounded_dollars(micro) == text
