"""Where in a TOML text each table and key stands.

The text is known to be valid, so the standard library's parser serves as the scanner: lines are gathered until they
parse, and are then one header, one key with its value, or nothing.
"""

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

KeyPath = tuple[str | int, ...]


def line_of(path: KeyPath, lines: Mapping[KeyPath, int]) -> int:
    """The line of a key, or of the nearest thing around it that has a line."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


def find_lines(text: str) -> dict[KeyPath, int]:
    """The line of every table and key; a table that is listed ([[…]]) has its number in the path."""
    found: dict[KeyPath, int] = {}
    listed: dict[KeyPath, int] = {}
    table: KeyPath = ()
    for line, statement, content in _statements(text):
        if statement.lstrip().startswith("["):
            table = _table(content, listed)
            for length in range(1, len(table) + 1):
                found.setdefault(table[:length], line)
        else:
            for path in _paths(content, table):
                found.setdefault(path, line)
    return found


def _statements(text: str) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Each statement with its first line and what it means by itself."""
    gathered, first = "", 1
    for line, part in enumerate(text.split("\n"), start=1):
        gathered = f"{gathered}\n{part}" if gathered else part
        try:
            content = tomllib.loads(gathered, parse_float=str)
        except tomllib.TOMLDecodeError:
            continue
        if content:
            yield first, gathered, content
        gathered, first = "", line + 1


def _table(header: Mapping[str, Any], listed: dict[KeyPath, int]) -> KeyPath:
    """The path of a header such as {"team": [{}]}; `listed` counts the listed tables so far."""
    path: KeyPath = ()
    inner: Any = header
    while inner:
        (key, inner) = next(iter(inner.items()))
        path = (*path, key)
        if isinstance(inner, list):
            inner = None
            listed[path] = listed.get(path, -1) + 1
        if path in listed:
            path = (*path, listed[path])
    return path


def _paths(content: Any, prefix: KeyPath) -> Iterator[KeyPath]:
    """The paths of everything inside a value."""
    items = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in items:
        yield (*prefix, key)
        yield from _paths(value, (*prefix, key))
