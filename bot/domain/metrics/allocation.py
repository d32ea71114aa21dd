"""Allocating a person's day of spend to pull requests, where a source knows days but no branches.

The grade of such a link is `allocated`: it counts in sums and is never shown per pull request
(docs/method.md, "From request to pull request").
"""

from collections.abc import Mapping

from bot.domain.money import split_equally


def allocate_person_day(micro: int, numbers: Mapping[str, int]) -> dict[str, int]:
    """Micro-USD of each pull request the person committed to on that UTC day; all of it is given out.

    `numbers` are the pull requests' numbers by id. Shares are equal; what cannot be shared goes to the lowest number,
    in case of a tie to the lowest id. Without pull requests nothing is allocated.
    """
    if not numbers:
        return {}
    order = sorted(numbers, key=lambda pull: (numbers[pull], pull))
    return dict(zip(order, split_equally(micro, len(order)), strict=True))
