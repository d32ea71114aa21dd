"""What is wrong with a `leverage.toml`, in words: for each problem the key, what was found there and what to do."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bot.config.amounts import shown
from bot.config.lines import KeyPath
from bot.config.schema import CompanyTable, FileTable, PlanTable, PriceTable, TeamTable
from bot.domain.team import Overlap, Team

TABLES: dict[str, type[BaseModel]] = {
    "company": CompanyTable,
    "team": TeamTable,
    "price": PriceTable,
    "plan": PlanTable,
}
LISTED = ("team", "price", "plan")
NAMED = ("name", "model", "source")
"""What tells a listed table apart from the others of its kind."""

SHAPES = {
    "string_type": "text in quotes",
    "int_type": "a whole number",
    "list_type": "a list in square brackets",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """Something to mend at a path such as ("team", 0, "timezone").

    A key that is `missing` may only be misspelled, so what is said of other keys helps more.
    """

    path: KeyPath
    text: str
    missing: bool = False


def of_validation(error: ValidationError) -> list[Problem]:
    found = error.errors(include_url=False)
    return [Problem(details["loc"], _text(details), details["type"] == "missing") for details in found]


def of_overlaps(overlaps: Sequence[Overlap], teams: Sequence[Team]) -> Iterator[Problem]:
    """What two teams both claim, told where the second one does."""
    for overlap in overlaps:
        advice = OVERLAPS[overlap.key].format(other=teams[overlap.earlier].name, number=overlap.earlier + 1)
        yield Problem(("team", overlap.index, overlap.key), f"{shown(overlap.value)} {advice}")


OVERLAPS = {
    "name": "is the name of team {number} of this file too; give each team a name of its own",
    "github_team": 'is the GitHub team of team "{other}" too; people count in one team only, so name it once',
    "members": 'is a member of team "{other}" too; people count in one team only, so take them out of one',
    "service_accounts": 'is a service account of team "{other}" too; its cost counts once, so take it out of one',
}


def in_words(path: KeyPath, document: dict[str, Any]) -> str:
    """A path as people read it: team "payments" → timezone."""
    words: list[str] = []
    inner: Any = document
    for step in path:
        inner = _inside(inner, step)
        if isinstance(step, str):
            words.append(shown(step).strip('"'))
        elif words in [[table] for table in LISTED]:
            name = next((inner[key] for key in NAMED if key in inner), None) if isinstance(inner, dict) else None
            words = [f"{words[0]} {shown(name) if isinstance(name, str) else step + 1}"]
        else:
            words.append(f"item {step + 1}")
    return " → ".join(words)


def _inside(value: Any, step: str | int) -> Any:
    try:
        return value[step]
    except (LookupError, TypeError):
        return None


def _text(details: ErrorDetails) -> str:
    match details["type"]:
        case "value_error":
            return str(details["ctx"]["error"])
        case "missing":
            return _missing(details["loc"])
        case "extra_forbidden":
            return _unknown(details["loc"])
        case "model_type":
            table = details["loc"][0]
            header = f"[[{table}]]" if table in LISTED else f"[{table}]"
            return f"{shown(details['input'])} stands where a table was expected; put its keys under {header}"
        case "list_type" if details["loc"] in [(table,) for table in LISTED]:
            (table,) = details["loc"]
            return f"each {table} is written under a header in double brackets, [[{table}]]"
        case "too_short":
            return _missing(details["loc"])
        case kind:
            shape = SHAPES.get(kind, "something else")
            return f"{shown(details['input'])} stands where {shape} was expected{_example(details['loc'])}"


def _missing(path: KeyPath) -> str:
    if path == ("team",):
        return "there is no team; add a table [[team]], as in leverage.example.toml"
    return f"the key is missing; add it{_example(path)}"


def _unknown(path: KeyPath) -> str:
    key = str(path[-1])
    fields = (FileTable if len(path) == 1 else TABLES[str(path[0])]).model_fields
    likely = get_close_matches(key, fields, 1)
    known = f"did you mean {likely[0]}?" if likely else f"the keys are {', '.join(fields)}"
    return f"there is no such key; {known}"


def _example(path: KeyPath) -> str:
    """How the key of a path is written; nothing for a path without a key that we know."""
    keys = [step for step in path[1:] if isinstance(step, str)]
    field = TABLES[str(path[0])].model_fields.get(keys[0]) if keys and path[0] in TABLES else None
    return f", like {keys[0]} = {json.dumps(field.examples[0])}" if field and field.examples else ""
