"""The hook runs wherever Python 3.8 does: its grammar, and nothing of the standard library that came later."""

import ast
import sys
from typing import Any

import pytest

from tests.integrations.hook.machine import HOOK

SOURCE = HOOK.read_text()
TREE = ast.parse(SOURCE, feature_version=(3, 8))
NEWER = {  # names of the standard library since 3.9 that such a file is likely to reach for
    *("removeprefix", "removesuffix", "cache", "UTC", "pairwise", "batched", "is_relative_to", "readlink", "randbytes"),
    *("file_digest", "StrEnum", "ExceptionGroup", "add_note", "bit_count", "chdir", "to_thread", "TaskGroup", "lcm"),
    *("KW_ONLY", "Self", "assert_never", "override", "TypeAlias", "ParamSpec", "waitstatus_to_exitcode"),
}
OLD_MODULES = {  # all in 3.8
    *("argparse", "base64", "collections.abc", "contextlib", "dataclasses", "datetime", "difflib", "fcntl", "getpass"),
    *("gzip", "hashlib", "hmac", "json", "os", "re", "signal", "sqlite3", "subprocess", "sys", "time", "typing"),
    *("urllib.error", "urllib.parse", "urllib.request", "__future__"),
}


def test_only_modules_of_the_standard_library_of_38_are_imported() -> None:
    imported = {alias.name for node in ast.walk(TREE) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in ast.walk(TREE) if isinstance(node, ast.ImportFrom)}

    assert imported == OLD_MODULES
    assert {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names


def test_no_newer_name_is_used() -> None:
    names = {node.attr for node in ast.walk(TREE) if isinstance(node, ast.Attribute)}
    names |= {alias.name for node in ast.walk(TREE) if isinstance(node, ast.ImportFrom) for alias in node.names}

    assert names & NEWER == set()


def executed(tree: ast.AST) -> list[ast.AST]:
    """All nodes but annotations, which `from __future__ import annotations` leaves alone."""
    found, waiting = [], [tree]
    while waiting:
        node = waiting.pop()
        found.append(node)
        for name, value in ast.iter_fields(node):
            if name not in ("annotation", "returns"):
                waiting += [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, ast.AST)]
    return found


def test_annotations_are_not_executed_and_nothing_else_uses_their_new_forms() -> None:
    assert "from __future__ import annotations" in SOURCE
    nodes = executed(TREE)
    generic = [node for node in nodes if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name)]
    names = {"list", "dict", "set", "tuple", "type", "Callable", "Iterator", "Iterable"}

    assert not [node for node in generic if isinstance(node.value, ast.Name) and node.value.id in names]
    assert not [node for node in nodes if isinstance(node, ast.BinOp) and _of_types(node)]
    assert not [
        node for node in nodes if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr) and _dicts(node)
    ]


def _of_types(node: ast.BinOp) -> bool:
    """`X | None`"""
    none = isinstance(node.right, ast.Constant) and node.right.value is None
    return isinstance(node.op, ast.BitOr) and none


def _dicts(node: ast.BinOp) -> bool:
    return isinstance(node.left, ast.Dict) or isinstance(node.right, ast.Dict)


def test_no_keyword_of_a_newer_version_is_given() -> None:
    """zip(strict=), dataclass(slots=, kw_only=) and the like."""
    given = {keyword.arg for node in ast.walk(TREE) if isinstance(node, ast.Call) for keyword in node.keywords}

    assert given & {"strict", "slots", "kw_only", "root_dir", "usedforsecurity", "process_group"} == set()


@pytest.mark.parametrize(
    "newer",
    [
        "match 1:\n    case _: pass",
        "with (open('a') as a, open('b') as b): pass",
        "type X = int",
        "try: pass\nexcept* OSError: pass",
    ],
)
def test_the_check_would_see_a_newer_grammar(newer: str) -> None:
    """The negative control; Python 3.11 itself does not know `type`, which is as good."""
    parses: Any = None
    try:
        parses = ast.parse(newer, feature_version=(3, 8))
    except SyntaxError:
        return
    assert any(isinstance(node, ast.With) for node in ast.walk(parses))  # which 3.8 reads too, within limits


def test_a_with_statement_has_no_brackets() -> None:
    """Python's own check lets them through."""
    for node in ast.walk(TREE):
        if isinstance(node, ast.With):
            line = SOURCE.splitlines()[node.lineno - 1].strip()
            assert not line.startswith("with (")
