"""The gate: whether a sum over people may be published (docs/privacy.md, "The gate").

With y the people's undisclosed amounts in descending order, a sum passes if

    at least k of them are above 0, and 100 * (sum(y) - y1 - y2) >= p * y1.

Then a colleague who takes the own amount from the sum still overestimates anybody else's by p percent or more. The
comparison is done in integers, so nothing depends on how a computer rounds.
"""

from collections.abc import Mapping
from dataclasses import dataclass

LEAST_K = 5
LEAST_P = 20


@dataclass(frozen=True, slots=True)
class Rule:
    """How many people a sum needs, and by how many percent a colleague must miss. A deployment may only raise them."""

    k: int = LEAST_K
    p: int = LEAST_P

    def __post_init__(self) -> None:
        if self.k < LEAST_K:
            raise ValueError(f"The privacy rule needs k of {LEAST_K} people or more, not {self.k}.")
        if self.p < LEAST_P:
            raise ValueError(f"The privacy rule needs p of {LEAST_P} percent or more, not {self.p}.")


def passes(amounts: Mapping[str, int], rule: Rule, disclosed: Mapping[str, int]) -> bool:
    """Whether the sum of these amounts, by person, may be published.

    Amounts are integers of one magnitude, none below 0. `disclosed` is the part of them that the person made public:
    it is no cover for anybody else.
    """
    if any(amount < 0 for amount in amounts.values()):
        raise ValueError("An amount below zero would hide how much one person's is.")
    hidden = sorted((amount - disclosed.get(person, 0) for person, amount in amounts.items()), reverse=True)
    kept = [amount for amount in hidden if amount > 0]
    return len(kept) >= rule.k and 100 * sum(kept[2:]) >= rule.p * kept[0]
