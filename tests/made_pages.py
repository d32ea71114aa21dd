"""The parts of pages that are made from the program itself: `make docs` writes them, a test holds them to it.

A source of spend describes itself (`bot.domain.ports.SpendSource`), so that adding one needs no second description.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from bot.domain.ports import SpendSource
from integrations.spend import sources

ROOT = Path(__file__).parents[1]
PART = re.compile(r"(<!-- made by `make docs`: ([a-z ]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def sources_table() -> Iterator[str]:
    yield "| source | what it gives | settings | the least it needs | how fresh |"
    yield "|---|---|---|---|---|"
    for name, source in sources().items():
        needed = ", ".join(f"`{one.name}`" for one in source.SETTINGS if one.required)
        page = f"[`{name}`](docs/sources.md#{_anchor(source)})"
        yield f"| {page} | {source.GIVES} | {needed} | {source.KEY} | {source.FRESH} |"


def settings_table() -> Iterator[str]:
    yield "| variable | default | what it is for |"
    yield "|---|---|---|"
    told: set[str] = {"GITHUB_API_URL"}
    for source in sources().values():
        for one in source.SETTINGS:
            if one.name not in told:
                told.add(one.name)
                default = f"none; needed for `{source.NAME}`" if one.required else f"{source.TITLE}'s own"
                yield f"| `{one.name}` | {default} | {one.about.rstrip('.')} |"


def _anchor(source: SpendSource) -> str:
    return re.sub(r"[^\w\- ]", "", source.TITLE.lower()).replace(" ", "-")


PARTS: Mapping[str, Callable[[], Iterator[str]]] = {"sources": sources_table, "settings of sources": settings_table}


def made(text: str) -> str:
    """The page with each of its made parts as the program has it now."""
    return PART.sub(lambda found: "\n".join([found[1].rstrip(), *PARTS[found[2]](), found[3]]), text)


if __name__ == "__main__":
    for page in (ROOT / "README.md",):
        page.write_text(made(page.read_text("utf-8")), "utf-8")
