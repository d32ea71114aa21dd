"""The worked examples of `samples/metrics/vectors.json`, each run through the code or listed as not yet possible.

Numbers with a point are read as exact fractions. Where an example wants money or gate values as integers, they are
scaled to millionths. `None` in an example means undefined: here that is a reason, never a number.
"""

import importlib
import json
import pkgutil
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import bot.domain
from bot.domain.block import Part
from bot.domain.ledger import Known, Share, Slice, close
from bot.domain.metrics.cost import Links, bound_share, cost_per_merged_pr
from bot.domain.metrics.included import PullFacts, exclusion
from bot.domain.metrics.measure import defined
from bot.domain.metrics.median import interval_rank, median, shown_interval, shown_rank
from bot.domain.metrics.size import size_class
from bot.domain.model import PullRequest, Tokens
from bot.domain.money import log_grid, two_digits
from bot.domain.prices import UnitPrices, seat_fee
from bot.domain.privacy.bands import adoption_band, participation_band
from bot.domain.privacy.gate import Rule, passes
from bot.domain.privacy.parts import publish_parts
from bot.domain.summary import Members, landing, merged_pulls, recognised
from bot.domain.targets import equally
from bot.domain.weeks import Week
from tests.domain.metrics.pulls import ANN, closed, merged, pull

Json = dict[str, Any]

VECTORS = Path(__file__).parents[1] / "samples" / "metrics" / "vectors.json"
CASES: dict[str, Json] = {case["id"]: case for case in json.loads(VECTORS.read_text(), parse_float=Fraction)["cases"]}

DEFERRED = {
    "bind-requests": "is run by tests/domain/test_binding.py",
    "geo-mean": "belongs to the turn index",
    "hl-ratio": "belongs to change labels",
    "mw-exact": "belongs to change labels",
    "change-up": "change labels need four published weeks; a later part",
    "change-few": "change labels need four published weeks; a later part",
    "change-small": "change labels need four published weeks; a later part",
    "holm": "belongs to change labels",
    "baseline-shrink": "baselines need twelve weeks of history; a later part",
    "baseline-empty": "baselines need twelve weeks of history; a later part",
    "turn-index": "no source reports turns yet",
    "turn-calibration": "no source reports turns yet",
    "lmdi-chain": "the decomposition needs turns and labels; a later part",
    "lmdi-single": "the decomposition needs turns and labels; a later part",
    "lmdi-same": "the decomposition needs turns and labels; a later part",
    "lmdi-aggregates": "the decomposition needs turns and labels; a later part",
    "lmdi-token-mix": "the decomposition needs turns and labels; a later part",
    "lmdi-price-and-mix": "the decomposition needs turns and labels; a later part",
    "lmdi-new-model": "the decomposition needs turns and labels; a later part",
    "waste-precedence": "avoidable classes need single requests",
    "reload-rule": "avoidable classes need single requests",
    "loop-signatures": "loops need the events of a session",
    "cost-standardised": "expected costs come with baselines",
    "split-proof": "expected costs come with baselines",
    "token-efficiency": "efficiency needs tokens per pull request",
    "tcr": "thread compression needs the hook",
    "clr-hours": "compute leverage is a later part",
    "clr-box": "compute leverage is a later part",
    "leverage-index": "compute leverage is a later part",
    "token-budget": "needs a configured salary; a later part",
    "gini-0": "concentration is a later part",
    "gini-1": "concentration is a later part",
    "gini-2": "concentration is a later part",
    "gini-zero": "concentration is a later part",
    "top-share": "concentration is a later part",
    "median-ci-10-80": "a card shows the surest interval, of ten values the one with 95 %; no other can be asked for",
    "survival": "no digest shows survival yet",
    "blocks-fold": "folding weeks into blocks is a later part",
    "blocks-drop": "folding weeks into blocks is a later part",
}

ELSEWHERE = {
    # a provider's dialect is read by its adapter, tests/integrations; no digest shows how the cache was used yet
    "normalise_tokens": {
        *("fresh", "cache_write_5m", "cache_write_1h", "cache_read", "output_visible", "reasoning"),
        *("cache_hit_ratio", "context_amplification"),
    },
    # cash per pull request is never computed, it would show open work; no digest shows the overhead factor yet
    "cost_per_merged_pr": {"cash_per_pr", "overhead_factor"},
    # a card tells which coverage its interval has at least, not how much more
    "median_interval": {"coverage"},
}

MONDAY = date(2026, 3, 2)
ENDED = datetime(2026, 3, 12, tzinfo=UTC)
CUTOFF = datetime(2026, 3, 30, tzinfo=UTC)
MEMBERS = Members({ANN.id: "ann"})


def millionths(value: Any) -> int:
    scaled = Fraction(value) * 1_000_000
    assert scaled.denominator == 1
    return int(scaled)


def tokens(case: Json) -> Json:
    names = ("fresh", "cache_write_5m", "cache_write_1h", "cache_read", "reasoning")
    kinds = {name: case["expected"][name] for name in names}
    return {"total": Tokens(output=case["expected"]["output_visible"], **kinds).total}


def cost(case: Json) -> Json:
    """Ann's books: each pull request has a day of opening work and a day of spend of its own."""
    opening, spend, state = case["input"]["opening_wip"], case["input"]["spend"], case["input"]["state"]
    others = {f"other {number}": "merged" for number in range(case["input"]["other_merged_prs_without_spend"])}
    pulls = {name: in_state(name, number, is_) for number, (name, is_) in enumerate((state | others).items(), start=1)}
    before = {name: slice_of(number) for number, name in enumerate(opening)}
    now = {name: slice_of(7 + number) for number, name in enumerate(spend)}
    open_work = [Share(before[name], name, millionths(amount)) for name, amount in opening.items()]
    settled = {(piece.person, piece.day): equally([name]) for name, piece in before.items()}
    touched = {(piece.person, piece.day): (name,) for name, piece in now.items() if name in pulls}
    changes = {now[name]: millionths(amount) for name, amount in spend.items()}
    closing = close(changes, open_work, Known(settled, touched), landing(pulls, MEMBERS, CUTOFF, {}))
    books = recognised(closing.bookings).get("ann", {})
    counted = merged_pulls(pulls.values(), MEMBERS, closing.bookings)
    parts = {part.value: dollars(books.get(part, 0)) for part in Part}
    linked = sum(micro for piece, micro in changes.items() if (piece.person, piece.day) in touched)
    total, left = sum(changes.values()), sum(share.micro for share in closing.open)
    return {
        "spend_total": dollars(total),
        **parts,
        "closing_wip": dollars(left),
        "identity_lhs": dollars(total + sum(share.micro for share in open_work)),
        "identity_rhs": sum(parts.values()) + dollars(left),
        "merged": len(counted),
        "ai_touched": sum(one.touched for one in counted),
        "direct_per_pr": per_pull(books.get(Part.DIRECT, 0), len(counted)),
        "loaded_per_pr": per_pull(sum(books.values()), len(counted)),
        "bound_share": defined(bound_share(Links(measured=linked, inferred=0, allocated=0, spend=total))),
    }


def allocation(case: Json) -> Json:
    """Ann's days, closed when all of her pull requests are merged and a day without one waits no longer."""
    touched = {("ann", date.fromisoformat(day)): tuple(names) for day, names in case["input"]["prs_touched"].items()}
    names = sorted({name for names in touched.values() for name in names})
    pulls = {name: in_state(name, number, "merged") for number, name in enumerate(names, start=1)}
    changes = {
        Slice("ann", date.fromisoformat(day), "anthropic"): millionths(amount)
        for day, amount in case["input"]["spend"].items()
    }
    closing = close(changes, (), Known({}, touched), landing(pulls, MEMBERS, CUTOFF, {}))
    shares = {one.share.pull: dollars(one.share.micro) for one in closing.bookings if one.part is Part.DIRECT}
    return {**shares, "unattributed": dollars(recognised(closing.bookings)["ann"][Part.UNATTRIBUTED])}


def in_state(name: str, number: int, state: str) -> PullRequest:
    match state:
        case "merged":
            return merged(number, ENDED, id=name)
        case "closed":
            return closed(number, ENDED, id=name)
        case _:
            return pull(number, id=name)


def slice_of(day: int) -> Slice:
    return Slice("ann", MONDAY + timedelta(days=day), "anthropic")


def dollars(micro: int) -> Fraction:
    return Fraction(micro, 1_000_000)


def per_pull(micro: int, count: int) -> Fraction | None:
    cost = defined(cost_per_merged_pr(micro, count))
    return None if cost is None else cost / 1_000_000


def included(case: Json) -> Json:
    verdicts = {pull["n"]: exclusion(pull_facts(pull)) for pull in case["input"]["prs"]}
    return {
        "included": [number for number, verdict in verdicts.items() if verdict is None],
        "excluded": {str(number): verdict for number, verdict in verdicts.items() if verdict},
    }


def pull_facts(pull: Json) -> PullFacts:
    return PullFacts(
        merged=pull["merged"],
        is_bot=pull["author_type"] == "Bot" and "agent_owner_opted_in" not in pull,
        is_revert=pull["reverts"] is not None,
        is_ignored=False,
        opted_in=bool(pull["opted_in"] or pull.get("agent_owner_opted_in")),
    )


def listed(case: Json) -> Json:
    used, prices = (
        case["input"]["tokens"],
        {kind: millionths(usd) for kind, usd in case["input"]["usd_per_mtok"].items()},
    )
    output = prices["output_visible"]
    assert prices["reasoning"] == output
    unit = UnitPrices(prices["fresh"], output, *(prices[f"cache_{kind}"] for kind in ("read", "write_5m", "write_1h")))
    counts = {("output" if kind == "output_visible" else kind): count for kind, count in used.items()}
    return {"usd": dollars(unit.of(Tokens(**counts)))}


def seats(case: Json) -> Json:
    given = case["input"]
    month = date(2026, 11, 1)
    assert given["days_in_month"] == 30
    days = (month + timedelta(days=number) for number in range(given["days"]))
    return {"usd": dollars(sum(seat_fee(1, millionths(given["usd_per_month"]), day) for day in days))}


def interval(case: Json) -> Json:
    values = case["input"]["values"]
    found = shown_interval(values)
    percent, rank = shown_rank(len(values)) or (None, None)
    assert percent in (None, int(case["input"]["conf"] * 100))
    return {"median": median(values), "k": rank, "lo": found and found.low, "hi": found and found.high}


def ranks(case: Json) -> Json:
    return {"k": [interval_rank(count, int(case["input"]["conf"] * 100)) for count in case["input"]["n"]]}


def shown_ranks(case: Json) -> Json:
    found = [shown_rank(count) for count in case["input"]["n"]]
    return {
        "conf": [Fraction(percent_rank[0], 100) if percent_rank else None for percent_rank in found],
        "k": [percent_rank[1] if percent_rank else None for percent_rank in found],
    }


def week_bounds(case: Json) -> Json:
    window = Week.parse(case["input"]["iso_week"]).window(ZoneInfo(case["input"]["tz"]))
    return {
        "start": f"{window.start:%Y-%m-%dT%H:%M:%SZ}",
        "end": f"{window.end:%Y-%m-%dT%H:%M:%SZ}",
        "hours": (window.end - window.start) / timedelta(hours=1),
    }


def weeks_of_instants(case: Json) -> Json:
    zone = ZoneInfo(case["input"]["tz"])
    return {"weeks": [str(Week.of(datetime.fromisoformat(text), zone)) for text in case["input"]["t"]]}


def weeks_of_days(case: Json) -> Json:
    zone = ZoneInfo(case["input"]["tz"])
    return {"weeks": [str(Week.of_day(date.fromisoformat(text), zone)) for text in case["input"]["days"]]}


def gate(case: Json) -> Json:
    given = case["input"]
    return {"publish": passes(scaled(given["values"]), rule(given), scaled(given.get("disclosed", {})))}


def parts(case: Json) -> Json:
    given = case["input"]
    shown = publish_parts({name: scaled(atom) for name, atom in given["atoms"].items()}, rule(given), {})
    return {"parts": None if shown is None else [list(part) for part in shown]}


def rule(given: Json) -> Rule:
    return Rule(given["k"], int(given["p"] * 100))


def scaled(values: Json) -> dict[str, int]:
    return {person: millionths(value) for person, value in values.items()}


ADAPTERS: dict[str, Callable[[Json], Json]] = {
    "normalise_tokens": tokens,
    "cost_per_merged_pr": cost,
    "allocate_person_day": allocation,
    "include_pr": included,
    "size_class": lambda case: {"classes": [size_class(lines) for lines in case["input"]["lines"]]},
    "median_interval": interval,
    "median_interval_k": ranks,
    "median_interval_display": shown_ranks,
    "week_bounds": week_bounds,
    "iso_week_of": weeks_of_instants,
    "utc_day_to_week": weeks_of_days,
    "gate": gate,
    "publish_parts": parts,
    "list_cost": listed,
    "seat_cost": seats,
    "round_money": lambda case: {"out": [two_digits(value) for value in case["input"]["items"]]},
    "round_log_grid": lambda case: {"out": [log_grid(Fraction(value)) for value in case["input"]["items"]]},
    "participation_band": lambda case: {"bands": [participation_band(n) for n in case["input"]["n"]]},
    "adoption_band": lambda case: {"bands": [adoption_band(Fraction(share)) for share in case["input"]["share"]]},
}
RUN = [name for name, case in CASES.items() if case["metric"] in ADAPTERS and name not in DEFERRED]


@pytest.mark.parametrize("name", RUN)
def test_the_code_agrees_with_the_worked_example(name: str) -> None:
    case = CASES[name]
    left_out = ELSEWHERE.get(case["metric"], set())
    expected = {key: value for key, value in case["expected"].items() if key not in left_out}
    assert is_same(ADAPTERS[case["metric"]](case), expected), case["how"]


def test_every_example_is_either_run_or_listed_with_a_reason() -> None:
    assert {*RUN, *DEFERRED} == set(CASES)
    assert {CASES[name]["metric"] for name in RUN} == set(ADAPTERS)


def test_no_example_waits_for_a_metric_that_exists() -> None:
    waiting = {CASES[name]["metric"] for name in DEFERRED}
    assert waiting.isdisjoint(public_names()), "run these examples"


def test_an_example_with_another_result_is_noticed() -> None:
    assert not is_same({"k": [2, None]}, {"k": [2, 3]})
    assert not is_same({"k": 0}, {"k": None})
    assert not is_same({"k": 2}, {"k": 2, "lo": 1})
    assert not is_same({"lo": Fraction(1)}, {"lo": Fraction("1.00001")})


def public_names() -> set[str]:
    modules = pkgutil.walk_packages(bot.domain.__path__, "bot.domain.")
    return {name for module in modules for name in vars(importlib.import_module(module.name))}


def is_same(actual: Any, expected: Any) -> bool:
    """Equal, or for numbers within one millionth of each other (near zero: one billionth)."""
    match expected:
        case dict():
            return actual.keys() == expected.keys() and all(is_same(actual[key], expected[key]) for key in expected)
        case list():
            return len(actual) == len(expected) and all(map(is_same, actual, expected))
        case bool() | None | str():
            return bool(actual == expected)
        case _:
            return actual is not None and abs(actual - expected) <= max(abs(expected) / 10**6, Fraction(1, 10**9))
