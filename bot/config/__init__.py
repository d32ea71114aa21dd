"""Reading `leverage.toml`: the company and its teams, or one line that says what to mend and where."""

import re
import tomllib
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from bot.config import problems
from bot.config.lines import find_lines, line_of
from bot.config.problems import Problem, in_words
from bot.config.schema import FileTable, PlanTable, PriceTable, TeamTable
from bot.domain.prices import Plan, Rate, Terms, UnitPrices
from bot.domain.privacy.gate import Rule
from bot.domain.team import Company, Team, overlaps
from bot.domain.weeks import Schedule
from bot.errors import UserError
from bot.log import mask


def load(path: Path) -> Company:
    """The company that a file describes. Raises UserError."""
    text = _read(path)
    document = _parse(path, text)
    try:
        table = FileTable.model_validate(document)
    except ValidationError as error:
        raise UserError(_say(path, text, document, problems.of_validation(error))) from None
    company = _company(table)
    found = list(problems.of_overlaps(list(overlaps(company.teams)), company.teams))
    if found:
        raise UserError(_say(path, text, document, found))
    return company


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except FileNotFoundError:
        raise UserError(f"{path} is missing: `cp leverage.example.toml {path}` and write your teams into it.") from None
    except UnicodeDecodeError:
        raise UserError(f"{path} is not UTF-8 text: save it as UTF-8.") from None
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}): name another file in LEVERAGE_CONFIG.") from None


def _parse(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text, parse_float=_number)
    except tomllib.TOMLDecodeError as error:
        raise UserError(_syntax(path, text, str(error))) from None
    except (RecursionError, ValueError):
        raise UserError(f"{path} holds a number that is too long, or brackets within too many brackets.") from None


def _number(text: str) -> Decimal:
    """The exact number; one beyond all bounds is infinite, which no key accepts."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("Infinity")


def _syntax(path: Path, text: str, message: str) -> str:
    """A parser's message with its place in front; without one it means the end of the text."""
    what, _, where = message.rpartition(" (at ")
    numbers = re.findall(r"\d+", where)
    last = text.rstrip().split("\n")
    line, column = numbers if len(numbers) == 2 else (len(last), len(last[-1]) + 1)
    said = " ".join(mask(what or message).split())
    hint = "; is a quote not closed?" if any(sign in said for sign in UNCLOSED) else ""
    return f"{path}:{line}:{column}: this is not TOML: {said}{hint}"


UNCLOSED = (
    r"Illegal character '\n'",
    r"Illegal character '\r'",
    "Unterminated string",
    'Expected "\'"',
    "Unclosed array",
)
"""The parser's words for text without its second quote; an array is unclosed where the next quote closes it."""


def _say(path: Path, text: str, document: dict[str, Any], found: Sequence[Problem]) -> str:
    """One line for the first problem in the file."""
    lines = find_lines(text)
    first = min(found, key=lambda problem: (problem.missing, line_of(problem.path, lines)))
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return f"{path}:{line_of(first.path, lines)}: {in_words(first.path, document)}: {first.text}{more}"


def _company(table: FileTable) -> Company:
    spellings: dict[str, str] = {}
    return Company(
        teams=tuple(_team(team, spellings) for team in table.team),
        rule=Rule(table.company.k, table.company.p),
        hourly_cost_micro=table.company.hourly_cost,
        currency_note=table.company.currency_note,
        terms=Terms(tuple(map(_rate, table.price)), tuple(map(_plan, table.plan))),
    )


def _rate(table: PriceTable) -> Rate:
    """A price; a kind of token that is not priced apart costs what fresh input does."""
    prices = None
    if table.input is not None and table.output is not None:
        cached = (table.cache_read, table.cache_write_5m, table.cache_write_1h)
        prices = UnitPrices(table.input, table.output, *(table.input if one is None else one for one in cached))
    return Rate(table.model, table.source, prices, table.discount or Fraction(0))


def _plan(table: PlanTable) -> Plan:
    return Plan(table.source, table.seat, table.seats, table.credit)


def _team(table: TeamTable, spellings: dict[str, str]) -> Team:
    """A team; a repository is spelled as the first team spelled it, so that it is observed once."""
    return Team(
        name=table.name,
        slack_channel=table.slack_channel,
        github_team=table.github_team,
        members=tuple(table.members or ()),
        repositories=tuple(spellings.setdefault(name.casefold(), name) for name in table.repositories),
        zone=ZoneInfo(table.timezone),
        schedule=Schedule.parse(table.digest),
        owner=table.owner,
        service_accounts=frozenset(table.service_accounts),
        credit_micro=table.credit,
    )
