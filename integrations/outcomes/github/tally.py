"""What could not be used."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Tally:
    """What could not be used, by reason: whole pull requests, and smaller parts of them."""

    rejected: Counter[str] = field(default_factory=Counter)
    ignored: Counter[str] = field(default_factory=Counter)

    def stranger(self, count: int) -> None:
        if count:
            self.ignored["commit author without a user account"] += count
