"""Which parts of a total may be shown side by side (docs/privacy.md, "Parts of a total").

Parts that fail the gate are merged into one. While that one fails, the smallest part that passes joins it. So the
parts always add up to the total, and no difference of two shown numbers is a part that fails.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TypeVar

from bot.domain.privacy.gate import Rule, passes

Name = TypeVar("Name", bound=str)
ByPerson = Mapping[str, int]


def publish_parts(
    atoms: Mapping[Name, ByPerson], rule: Rule, disclosed: Mapping[Name, ByPerson]
) -> list[tuple[Name, ...]] | None:
    """The parts to show, each the atoms it is made of, in the order of the input; None if even the total is held.

    `atoms` are people's amounts by part of the total, `disclosed` what they made public of each: what is
    public of one part hides nobody in another.
    """

    def may_show(names: Iterable[Name]) -> bool:
        chosen = list(names)
        return passes(_added(atoms, chosen), rule, _added(disclosed, chosen))

    if not may_show(atoms):
        return None
    apart = [name for name in atoms if may_show([name])]
    apart.sort(key=lambda name: (sum(atoms[name].values()), name), reverse=True)
    other = set(atoms) - set(apart)
    while other and not may_show(other):
        other.add(apart.pop())
    merged = tuple(name for name in atoms if name in other)
    parts = [*((name,) for name in apart), *([merged] if merged else [])]
    return sorted(parts, key=lambda part: list(atoms).index(part[0]))


def _added(atoms: Mapping[Name, ByPerson], names: Iterable[Name]) -> ByPerson:
    total: Counter[str] = Counter()
    for name in names:
        total.update(atoms.get(name, {}))
    return total
