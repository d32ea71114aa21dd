"""`leverage local`: Leverage for one person, without any account. It reads the transcripts of coding agents and the git
history on this machine, and prints what they come to. Nothing leaves the machine, and nothing is stored."""

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from io import StringIO
from typing import Any

from rich.console import Console
from rich.table import Table

from bot.domain.local import Call, Local, Place, Sums, Worked, WorkedTurn, report
from bot.domain.me import token_kinds
from bot.domain.model import Request, Tokens
from bot.domain.money import cents
from bot.domain.ports import Prices
from bot.errors import UserError
from bot.progress import Report, reporting
from integrations import hook
from integrations.prices import ListPrices

WIDTH = 110
US_ONLY = (11, 10)
"""Inference that is kept in the US costs a tenth more (platform.claude.com/docs, pricing)."""

Homes = Mapping[str, Sequence[str]]
"""The folders of each agent's transcripts."""


def run(homes: Homes, since: date | None, format: str) -> None:
    """Read and print. Raises UserError if there is no transcript at all."""
    turns, checkouts = read(homes, since, ListPrices())
    if not turns:
        looked = ", ".join(place for places in homes.values() for place in places) or "no folder of any agent"
        raise UserError(f"No work of a coding agent was found (looked at: {looked}). Name its folder, see --help.")
    known, shipped = ships({turn.place for turn in turns if turn.place}, checkouts)
    found = report(turns, shipped, known)
    print(json.dumps(document(found), indent=2) if format == "json" else text(found))


def usual_homes(named: Mapping[str, str | None]) -> Homes:
    """Where agents keep their transcripts; a folder that is named stands for that agent alone. Raises UserError."""
    for agent, folder in named.items():
        if folder is not None and not os.path.isdir(folder):
            raise UserError(f"{folder} is no folder: name where {agent} keeps its sessions.")
    chosen = {agent: [folder] for agent, folder in named.items() if folder is not None}
    return chosen or {agent: hook.homes(agent) for agent in hook.AGENTS}


# --- reading


def read(homes: Homes, since: date | None, prices: Prices) -> tuple[list[WorkedTurn], dict[str, hook.Checkout]]:
    """Every turn since a day, and the working folders they were in, by path."""
    files = [(agent, path) for agent, places in homes.items() for home in places for path in hook.files(agent, home)]
    with reporting("transcripts", sys.stderr) as progress:
        sessions = list(_sessions(files, progress))
    checkouts: dict[str, hook.Checkout] = {}
    turns: list[WorkedTurn] = []
    for session in sessions:
        for turn in session.turns:
            if turn.started and (since is None or hook.moment(turn.started).date() >= since):
                turns.append(_worked(session, turn, checkouts, prices))
    return turns, checkouts


def _sessions(files: Sequence[tuple[str, str]], progress: Report) -> Iterable[hook.Session]:
    key, scans = os.urandom(16), dict[str, list[hook.Scan]]()
    for number, (agent, path) in enumerate(files, start=1):
        scans.setdefault(agent, []).extend(hook.scan(agent, path, key))
        progress(number, len(files))
    for found in scans.values():
        yield from hook.merge(found)


def _worked(session: hook.Session, turn: hook.Turn, checkouts: dict[str, hook.Checkout], prices: Prices) -> WorkedTurn:
    counters = turn.counters
    return WorkedTurn(
        agent=session.agent,
        session=session.id,
        prompted=turn.prompted,
        started=hook.moment(turn.started),
        place=_place(turn, checkouts),
        calls=tuple(_call(request, prices) for request in turn.requests.values()),
        error_runs=turn.error_runs,
        edits=tuple((one["file"], one["edits"]) for one in counters["edited"]),
    )


def _place(turn: hook.Turn, checkouts: dict[str, hook.Checkout]) -> Place | None:
    """Where a turn was: the pull request that it opened or was on, else the repository and branch git remembers."""
    cwd = turn.cwd or ""
    if cwd not in checkouts:
        checkouts[cwd] = hook.Checkout(cwd)
    where = hook.where_was(turn, [], checkouts[cwd])
    pull = turn.pulls[-1] if turn.pulls else None
    repository = where.repository or (pull.repository if pull else None)
    if repository is None or (where.branch is None and pull is None):
        return None
    return Place(repository, where.branch or "", pull.number if pull else None)


def _call(request: hook.Request, prices: Prices) -> Call:
    tokens = Tokens(
        request.fresh,
        request.cache_write_5m,
        request.cache_write_1h,
        request.cache_read,
        request.output,
        request.reasoning,
    )
    at = hook.moment(request.at) if request.at else datetime.fromtimestamp(0, UTC)
    return Call(at, request.model, tokens, _cost(request, tokens, at, prices))


def _cost(request: hook.Request, tokens: Tokens, at: datetime, prices: Prices) -> int | None:
    """The agent's own figure where it wrote one down, else the list price of that day; a tier that a model does not
    have costs what the model does."""
    if request.cost_micro is not None:
        return request.cost_micro
    asked = [Request(request.model, PROVIDERS.get(request.agent), at, tokens, tier) for tier in (request.tier, None)]
    micro = next((found for one in asked if (found := prices.price(one)) is not None), None)
    if micro is None or request.geo != "us":
        return micro
    return micro * US_ONLY[0] // US_ONLY[1]


PROVIDERS = {"claude_code": "anthropic", "codex": "openai", "gemini_cli": "google"}
"""Who serves an agent's models, where that is sure."""


# --- what shipped


def ships(places: Iterable[Place], checkouts: Mapping[str, hook.Checkout]) -> tuple[set[Place], set[Place]]:
    """Of which places anything is known, and which of them are on their repository's default branch by now.

    A merged branch is found by its commits, a squashed pull request by the number that GitHub writes behind its title.
    """
    known, shipped = set[Place](), set[Place]()
    folders = {checkout.repository: checkout for checkout in checkouts.values() if checkout.repository}
    for place in places:
        checkout = folders.get(place.repository)
        default = _default(checkout) if checkout else None
        if checkout and default and (place.branch or place.pull):
            known.add(place)
            if _is_on(checkout, default, place):
                shipped.add(place)
    return known, shipped


def _default(checkout: hook.Checkout) -> str | None:
    """The default branch as this machine knows it."""
    names = ("refs/remotes/origin/HEAD", "refs/remotes/origin/main", "refs/remotes/origin/master", "main", "master")
    return next((name for name in names if hook.git(checkout.cwd, "rev-parse", "--verify", "--quiet", name)), None)


def _is_on(checkout: hook.Checkout, default: str, place: Place) -> bool:
    if place.pull is not None:
        squashed, merged = rf"(#{place.pull})$", f"^Merge pull request #{place.pull} "
        return bool(
            hook.git(checkout.cwd, "log", "-1", "--format=%H", f"--grep={squashed}", f"--grep={merged}", default)
        )
    if place.branch in checkout.defaults:
        return True
    branch = f"refs/heads/{place.branch}"
    return hook.git(checkout.cwd, "merge-base", "--is-ancestor", branch, default) is not None


# --- printing


def text(found: Local) -> str:
    """The report to read."""
    table = Table("branch or pull request", "cost", "prompts", "requests", "shipped", "loops", box=None, pad_edge=False)
    for one in found.places:
        table.add_row(*_row(one))
    drawn = StringIO()
    Console(width=WIDTH, highlight=False, color_system=None, file=drawn).print(table)
    lines = [
        f"{cents(found.total.cost_micro)} at list price, in {found.total.requests:,} requests of "
        f"{found.total.turns:,} prompts and {len(found.sessions):,} sessions.",
        "",
        *(line.rstrip() for line in drawn.getvalue().splitlines()),
        "",
        "Tokens: " + ", ".join(f"{count:,} {kind}" for kind, count in token_kinds(found.total.tokens)) + ".",
        "Models: " + ", ".join(f"{model} {cents(one.cost_micro)}" for model, one in found.models) + ".",
        f"Not shipped: {cents(found.unshipped.cost_micro)} on branches that are not on their default branch here.",
    ]
    if found.unpriced:
        lines.append(f"No price for {', '.join(found.unpriced)}: what they cost is unknown and in no sum.")
    return "\n".join(lines)


def _row(one: Worked) -> Sequence[str]:
    shipped = "unknown" if one.shipped is None else "yes" if one.shipped else "no"
    loops = [f"{one.error_runs} runs of failing calls"] * bool(one.error_runs)
    loops += [f"{one.churned} files edited 5 times or more"] * bool(one.churned)
    return (
        named(one.place),
        cents(one.sums.cost_micro),
        f"{one.sums.turns:,}",
        f"{one.sums.requests:,}",
        shipped,
        "; ".join(loops) or "none",
    )


def named(place: Place | None) -> str:
    if place is None:
        return "no branch"
    return f"{place.repository}#{place.pull}" if place.pull is not None else f"{place.repository} {place.branch}"


def document(found: Local) -> dict[str, Any]:
    """The report as one JSON document; amounts are whole micro-dollars."""
    return {
        "total": _sums(found.total),
        "places": [_place_document(one) for one in found.places],
        "sessions": [{"agent": one.agent, "session": one.session, **_sums(one.sums)} for one in found.sessions],
        "models": [{"model": model, **_sums(one)} for model, one in found.models],
        "unshipped": _sums(found.unshipped),
        "unpriced_models": list(found.unpriced),
    }


def _place_document(one: Worked) -> dict[str, Any]:
    place = None if one.place is None else asdict(one.place)
    loops = {"error_runs": one.error_runs, "churned_files": one.churned}
    return {"place": place, "shipped": one.shipped, "last": one.last.isoformat(), **_sums(one.sums), **loops}


def _sums(one: Sums) -> dict[str, Any]:
    return asdict(one)
