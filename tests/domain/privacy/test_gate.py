"""The gate against a colleague who knows every published sum, every disclosed amount and their own."""

from collections.abc import Callable, Mapping
from itertools import permutations
from random import Random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.domain.privacy.gate import Rule, passes

Amounts = Mapping[str, int]
Gate = Callable[[Amounts, Amounts], bool]

RULE = Rule()
PEOPLE = "abcdefghij"

sizes = st.integers(0, 10) | st.integers(1, 100) | st.integers(0, 10**9)
cells = st.dictionaries(st.sampled_from(PEOPLE), sizes, min_size=1)


@st.composite
def disclosing(draw: st.DrawFn, cells: st.SearchStrategy[Amounts]) -> tuple[Amounts, Amounts]:
    """A cell of which some people made a part public, or all of theirs."""
    amounts = draw(cells)
    public = draw(st.sets(st.sampled_from(sorted(amounts)), max_size=3))
    return amounts, {person: draw(st.integers(0, amounts[person])) for person in sorted(public)}


@st.composite
def crowds(draw: st.DrawFn) -> Amounts:
    """Enough people for most of these cells to pass, two of them anywhere from ordinary to much too large."""
    amounts = {person: draw(st.integers(1, 100)) for person in PEOPLE}
    return amounts | {person: draw(st.integers(1, 3000)) for person in "ab"}


def most(amounts: Amounts, disclosed: Amounts, insider: str) -> int:
    """The most that any one other can have spent unseen, for all that the insider knows; nobody spends less than 0."""
    unseen = sum(amounts.values()) - sum(disclosed.get(person, 0) for person in amounts)
    own = amounts[insider] - disclosed.get(insider, 0)
    return unseen - own


def is_broken(amounts: Amounts, disclosed: Amounts) -> bool:
    """Whether some insider knows somebody's undisclosed amount to within 20 percent from above."""
    unseen = {person: amount - disclosed.get(person, 0) for person, amount in amounts.items()}
    return any(
        100 * most(amounts, disclosed, insider) < 120 * unseen[target] for insider, target in permutations(amounts, 2)
    )


def gate(amounts: Amounts, disclosed: Amounts) -> bool:
    return passes(amounts, RULE, disclosed)


def people_only(amounts: Amounts, _: Amounts) -> bool:
    return sum(amount > 0 for amount in amounts.values()) >= 5


def no_insider(amounts: Amounts, disclosed: Amounts) -> bool:
    top, *others = sorted(amounts.values(), reverse=True)
    return people_only(amounts, disclosed) and 100 * sum(others) >= 20 * top


def disclosures_ignored(amounts: Amounts, _: Amounts) -> bool:
    return passes(amounts, RULE, {})


@given(disclosing(crowds()))
def test_nobody_in_a_passing_sum_is_known_to_within_twenty_percent(cell: tuple[Amounts, Amounts]) -> None:
    amounts, disclosed = cell
    assume(gate(amounts, disclosed))
    assert not is_broken(amounts, disclosed)


@given(disclosing(cells))
def test_a_sum_with_fewer_than_five_undisclosed_amounts_never_passes(cell: tuple[Amounts, Amounts]) -> None:
    amounts, disclosed = cell
    unseen = [amount - disclosed.get(person, 0) for person, amount in amounts.items()]
    assume(sum(amount > 0 for amount in unseen) < 5)
    assert not gate(amounts, disclosed)


@given(disclosing(crowds()), st.integers(5, 8), st.integers(20, 60))
def test_a_stricter_rule_never_passes_more(cell: tuple[Amounts, Amounts], k: int, p: int) -> None:
    assert gate(*cell) or not passes(cell[0], Rule(k, p), cell[1])


@given(cells)
def test_names_and_their_order_play_no_part(amounts: Amounts) -> None:
    renamed = {f"person {person}": amount for person, amount in sorted(amounts.items(), reverse=True)}
    assert gate(amounts, {}) == gate(renamed, {})


def worlds() -> list[tuple[Amounts, Amounts]]:
    """Five to eight people with the skewed amounts of real life; some of them made all of theirs public."""
    rng = Random(11)
    found: list[tuple[Amounts, Amounts]] = []
    for _ in range(500):
        amounts = {person: int(1000 * rng.lognormvariate(0, 1)) for person in PEOPLE[: rng.randint(5, 8)]}
        public = rng.sample(sorted(amounts), rng.randint(0, len(amounts) - 1))
        found.append((amounts, {person: amounts[person] for person in public}))
    return found


@pytest.mark.parametrize("naive", [people_only, no_insider, disclosures_ignored])
def test_the_attack_breaks_a_naive_gate_and_never_this_one(naive: Gate) -> None:
    broken = {
        name: sum(test(*world) and is_broken(*world) for world in worlds())
        for name, test in (("naive", naive), ("gate", gate))
    }
    assert broken["naive"] > 25
    assert broken["gate"] == 0
    assert sum(gate(*world) for world in worlds()) > 100


def test_five_people_of_whom_one_can_be_guessed_are_enough_for_a_count_but_not_for_the_gate() -> None:
    amounts = {"a": 100, "b": 60, "c": 8, "d": 6, "e": 5}
    assert people_only(amounts, {})
    assert is_broken(amounts, {})
    assert not gate(amounts, {})


def test_a_disclosure_of_somebody_outside_the_sum_changes_nothing() -> None:
    even = dict.fromkeys("abcde", 10)
    assert gate(even, {"z": 1000})


def test_disclosing_more_than_the_sum_holds_leaves_no_cover() -> None:
    assert not gate(dict.fromkeys("abcde", 10), {"a": 11})
    assert gate(dict.fromkeys("abcdef", 10), {"a": 11})


def test_an_amount_below_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="below zero"):
        gate({**dict.fromkeys("abcde", 10), "f": -40}, {})


def test_nobody_at_all_is_no_sum() -> None:
    assert not gate({}, {})


def test_the_comparison_is_exact_however_large_the_amounts() -> None:
    top = 5 * 10**17
    edge = {"a": top, "b": top, "c": top // 5 - 2, "d": 1, "e": 1}
    assert gate(edge, {})
    assert not gate({**edge, "a": top + 1}, {})


@pytest.mark.parametrize(("k", "p"), [(4, 20), (5, 19), (0, 0), (-5, 20)])
def test_no_configuration_lowers_the_floors(k: int, p: int) -> None:
    with pytest.raises(ValueError, match="or more, not"):
        Rule(k, p)


def test_configuration_may_raise_the_floors() -> None:
    amounts = {"a": 10, "b": 8, "c": 6, "d": 4, "e": 2}
    assert passes(amounts, Rule(5, 100), {})
    assert not passes(amounts, Rule(6, 20), {})
    assert not passes(amounts, Rule(5, 121), {})
