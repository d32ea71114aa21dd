"""Binding: which pull request each request of a coding agent went into (docs/method.md, "Binding").

The strongest evidence decides, and time alone never does. Every request gets exactly one place, so sums over places are
sums over requests.
"""

from bot.domain.binding.bound import GRACE, Bound, Candidate, Grade, Period, Thread
from bot.domain.binding.decide import bind
from bot.domain.binding.places import Edits, Place, places
from bot.domain.binding.sums import Coverage, PullCost, Totals, coverage, links, pull_cost, totals

__all__ = [
    "GRACE",
    "Bound",
    "Candidate",
    "Coverage",
    "Edits",
    "Grade",
    "Period",
    "Place",
    "PullCost",
    "Thread",
    "Totals",
    "bind",
    "coverage",
    "links",
    "places",
    "pull_cost",
    "totals",
]
