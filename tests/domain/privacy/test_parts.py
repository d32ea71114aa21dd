from collections.abc import Mapping
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.privacy.gate import Rule, passes
from bot.domain.privacy.parts import publish_parts

Atoms = Mapping[str, Mapping[str, int]]

RULE = Rule()
EVEN = dict.fromkeys("abcde", 10)
LONE = {"a": 9}

amounts = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 30) | st.integers(1, 1000))
atom_maps = st.dictionaries(st.sampled_from(["direct", "abandoned", "unattributed", "late", "other"]), amounts)


@st.composite
def disclosed_atoms(draw: st.DrawFn) -> tuple[Atoms, Atoms]:
    atoms = draw(atom_maps)
    seen = {
        name: {person: draw(st.integers(0, amount)) for person, amount in atom.items() if draw(st.booleans())}
        for name, atom in atoms.items()
    }
    return atoms, seen


def added(atoms: Atoms, names: tuple[str, ...]) -> dict[str, int]:
    people = sorted({person for name in names for person in atoms.get(name, {})})
    return {person: sum(atoms.get(name, {}).get(person, 0) for name in names) for person in people}


def shows(atoms: Atoms) -> list[tuple[str, ...]] | None:
    return publish_parts(atoms, RULE, {})


@given(disclosed_atoms())
def test_every_shown_part_passes_and_together_they_are_the_total(case: tuple[Atoms, Atoms]) -> None:
    atoms, seen = case
    everything = tuple(atoms)
    parts = publish_parts(atoms, RULE, seen)
    if parts is None:
        assert not passes(added(atoms, everything), RULE, added(seen, everything))
    else:
        assert sorted(name for part in parts for name in part) == sorted(atoms)
        assert all(passes(added(atoms, part), RULE, added(seen, part)) for part in parts)


@given(atom_maps)
def test_parts_and_their_members_keep_the_order_of_the_input(atoms: Atoms) -> None:
    place = {name: number for number, name in enumerate(atoms)}
    parts = [[place[name] for name in part] for part in shows(atoms) or []]
    assert parts == sorted(sorted(part) for part in parts)


@given(atom_maps, st.randoms())
def test_the_order_of_the_input_decides_nothing_else(atoms: Atoms, shuffle: Random) -> None:
    names = list(atoms)
    shuffle.shuffle(names)
    again = shows({name: atoms[name] for name in names})
    assert {frozenset(part) for part in shows(atoms) or []} == {frozenset(part) for part in again or []}


def test_parts_that_fail_are_merged_and_take_the_smallest_part_that_passes() -> None:
    atoms = {"lone": LONE, "large": dict.fromkeys("abcde", 90), "small": EVEN, "empty": {}}
    assert shows(atoms) == [("lone", "small", "empty"), ("large",)]


def test_equally_small_parts_join_in_order_of_their_names() -> None:
    assert shows({"b": EVEN, "lone": LONE, "a": EVEN}) == [("b",), ("lone", "a")]


def test_a_second_part_joins_where_one_is_not_cover_enough() -> None:
    atoms = {
        "lone": {"a": 160},
        "small": EVEN,
        "middle": dict.fromkeys("abcde", 11),
        "large": dict.fromkeys("abcde", 90),
    }
    assert shows(atoms) == [("lone", "small", "middle"), ("large",)]


def test_a_part_without_anybody_is_not_shown_as_zero() -> None:
    assert shows({"direct": EVEN, "abandoned": {}}) == [("direct", "abandoned")]
    assert shows({"direct": EVEN, "abandoned": dict.fromkeys("abcde", 0)}) == [("direct", "abandoned")]


def test_a_naive_split_gives_away_by_subtraction_what_it_does_not_show() -> None:
    atoms = {"direct": EVEN, "abandoned": LONE}
    total, shown = sum(added(atoms, tuple(atoms)).values()), sum(EVEN.values())
    assert passes(added(atoms, tuple(atoms)), RULE, {})
    assert passes(EVEN, RULE, {})
    assert total - shown == LONE["a"]
    assert shows(atoms) == [("direct", "abandoned")]


def test_what_is_public_of_one_part_is_no_excuse_for_another() -> None:
    """Ann's merged work is public; what she abandoned is not, and nearly all that was abandoned is hers."""
    direct = {"ann": 100, **dict.fromkeys("bcdef", 100)}
    abandoned = {"ann": 50, **dict.fromkeys("bcdef", 1)}
    atoms, seen = {"direct": direct, "abandoned": abandoned}, {"direct": {"ann": 100}}
    assert passes(abandoned, RULE, {"ann": 100})
    assert publish_parts(atoms, RULE, seen) == [("direct", "abandoned")]


def test_nothing_at_all_is_held() -> None:
    assert shows({}) is None
    assert shows({"direct": {}}) is None
