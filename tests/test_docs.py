"""The pages say what the program does: every command, setting, source, table and dependency is where people look for
it, every command and link on a page works, and every page and heading that the code names is there."""

import ast
import json
import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import typer
from cmarkgfm import github_flavored_markdown_to_html
from pydantic import BaseModel, SecretStr
from starlette.routing import Route

from bot import config, telemetry
from bot.app import METHOD_URL, SOURCES, DeploymentSettings
from bot.cli import cli
from bot.config.schema import CompanyTable, PlanTable, PriceTable, TeamTable
from bot.domain import retention
from bot.domain.card_levels import Level, Reference
from bot.domain.comment import MARKER
from bot.domain.delivery import State
from bot.domain.metrics.size import SizeClass
from bot.domain.privacy.cards import Card
from bot.jobs import STUCK
from bot.progress import READER_GONE
from bot.render_comment import comment_body
from bot.render_me import help_message
from bot.slack.commands import COMMAND
from bot.store.tables import METADATA
from bot.usecases.intake import KEPT
from bot.web import edge
from bot.web.pools import Reply
from tests.made_pages import made

ROOT = Path(__file__).parents[1]
PAGES = ["README.md", "CHANGELOG.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
OURS = ("bot/", "integrations/", "bench/")


@dataclass
class Table:
    """Rows of cells, each cell as its text; `codes` are what stands in a row's first cell as code."""

    section: str
    rows: list[list[str]] = field(default_factory=list)
    codes: list[list[str]] = field(default_factory=list)


@dataclass
class Page:
    headings: list[str] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    spans: list[str] = field(default_factory=list)
    blocks: list[tuple[str, str]] = field(default_factory=list)

    def rows(self, section: str) -> list[list[str]]:
        return [row for table in self.tables if table.section == section for row in table.rows]

    def named(self, section: str) -> list[str]:
        """What the tables of a section are about: the code in their rows' first cells."""
        return [code for table in self.tables if table.section == section for codes in table.codes for code in codes]

    def anchors(self) -> set[str]:
        """As GitHub makes them."""
        found: list[str] = []
        for heading in self.headings:
            anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
            found.append(f"{anchor}-{found.count(anchor)}" if anchor in found else anchor)
        return set(found)


class Reader(HTMLParser):
    """Reads a page as GitHub renders it."""

    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self._open: list[str] = []
        self._text = self._code = self._language = ""
        self._sections = [""] * 7

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        self._open.append(tag)
        if tag in ("h1", "h2", "h3", "td"):
            self._text = ""
        elif tag == "table":
            self.page.tables.append(Table(next(filter(None, reversed(self._sections)))))
        elif tag == "tr" and "tbody" in self._open:
            self.page.tables[-1].rows.append([])
            self.page.tables[-1].codes.append([])
        elif tag == "a":
            self.page.links.append(values.get("href") or "")
        elif tag == "pre":
            self._language = values.get("lang") or ""
        elif tag == "code":
            self._code = ""
        if tag in ("br", "hr", "img", "input"):
            self._open.pop()

    def handle_data(self, data: str) -> None:
        self._text += data
        self._code += data

    def handle_endtag(self, tag: str) -> None:
        self._open.pop()
        if tag in ("h1", "h2", "h3"):
            level = int(tag[1])
            self._sections[level:] = [self._text, *[""] * (6 - level)]
            self.page.headings.append(self._text)
        elif tag == "td":
            self.page.tables[-1].rows[-1].append(self._text)
        elif tag == "code" and "pre" in self._open:
            self.page.blocks.append((self._language, self._code))
        elif tag == "code":
            self.page.spans.append(self._code)
            if "td" in self._open and not self.page.tables[-1].rows[-1]:
                self.page.tables[-1].codes[-1].append(self._code)


@cache
def page(name: str) -> Page:
    reader = Reader()
    reader.feed(github_flavored_markdown_to_html((ROOT / name).read_text("utf-8")))
    return reader.page


README, PRIVACY, ARCHITECTURE = (page(f"{name}.md") for name in ("README", "docs/privacy", "docs/architecture"))


@cache
def listed_files() -> list[str]:
    """The files of the repository, as git knows them."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    return [name for name in done.stdout.decode().split("\0") if name]


# What there is, and the tables that list it


COMMANDS: dict[str, Any] = typer.main.get_command(cli).commands  # type: ignore[attr-defined]  # a group, as it has several


def options(command: Any) -> set[str]:
    """Its own, and those of the commands in it."""
    inner = set().union(*map(options, getattr(command, "commands", {}).values()))
    return inner | {name for one in command.params for name in one.opts if name.startswith("-")}


def test_every_command_and_option_is_in_the_readme():
    listed = {
        row[0].split()[1]: set(re.findall(r"--[\w-]+", row[1])) for row in README.rows("Commands") if len(row) == 3
    }
    assert listed == {name: options(command) for name, command in COMMANDS.items()}
    assert "leverage --version" in README.spans


def settings() -> dict[str, str]:
    """Each variable with its default, empty for none."""
    found: dict[str, str] = {}
    for name, one in DeploymentSettings.model_fields.items():
        default = one.default.get_secret_value() if isinstance(one.default, SecretStr) else one.default
        found[name.upper()] = "" if default is None else str(default)
    return found


def test_every_setting_is_in_the_readme_with_its_default():
    listed = {row[0]: row[1] for row in README.rows("Settings")}
    assert listed.keys() == settings().keys()
    for name, default in settings().items():
        assert default in listed[name]
        assert default or listed[name].startswith(("none", "DATABASE_URL")) or listed[name].endswith("'s own")


@pytest.mark.parametrize("schema", [TeamTable, CompanyTable, PriceTable, PlanTable])
def test_every_key_of_the_teams_file_is_in_the_readme_as_its_messages_write_it(schema: type[BaseModel]):
    tables = [{row[0]: row[1] for row in table.rows} for table in README.tables if table.section == "leverage.toml"]
    assert {name: json.dumps(one.examples and one.examples[0]) for name, one in schema.model_fields.items()} in tables


def test_every_source_is_in_the_readme_and_has_a_section_on_its_key():
    listed = {row[0]: row for row in README.rows("Sources") if " " not in row[0]}
    assert list(listed) == list(SOURCES)
    for name, source in SOURCES.items():
        assert all(one.name in listed[name][2] for one in source.SETTINGS if one.required)
        assert source.TITLE in page("docs/sources.md").headings
    assert all(one.name in page("docs/sources.md").spans for source in SOURCES.values() for one in source.SETTINGS)


def test_what_is_made_from_the_program_is_as_the_program_is_now():
    text = (ROOT / "README.md").read_text("utf-8")
    assert made(text) == text  # `make docs` writes it


def test_every_address_is_in_the_readme_with_its_method():
    def face(_headers: Mapping[str, str], _body: bytes) -> Reply:
        return Reply(200)

    doors = {path: (lambda _headers: face, lambda _headers, reply: reply) for path in telemetry.PATHS}
    files = {telemetry.HOOK: Reply(200)}
    routes = edge.make(face, face, lambda: True, lambda: True, ingest=doors, files=files).routes
    there = {route.path: (route.methods or set()) - {"HEAD"} for route in routes if isinstance(route, Route)}
    assert {row[0]: set(row[1].split(", ")) for row in README.rows("Addresses")} == there


def test_every_command_of_slack_is_in_the_readme():
    help_text = help_message(METHOD_URL).text
    told = set(re.findall(rf"{COMMAND} \w+", help_text))
    assert told
    assert set(README.named("In Slack")) - {"collect", "team"} == told | {f"{COMMAND} help"}


def test_every_exit_code_is_in_the_readme():
    assert {"0", "1", "2", str(STUCK), "130", str(READER_GONE)} == {
        row[0] for row in README.rows("Commands") if len(row) == 2
    }


def test_every_state_of_a_delivery_is_explained():
    assert page("docs/operating.md").named("What a delivery can be") == list(State)


def test_every_lifetime_is_the_one_that_is_kept():
    rows = [" ".join(row) for row in PRIVACY.rows("What is kept")]
    for lifetime in (retention.RAW, retention.OPEN_WORK, retention.PUBLIC, KEPT):
        assert any(f"{lifetime.days} days" in row for row in rows), lifetime
    assert any(f"{retention.RECOGNISED.days // 7} weeks" in row for row in rows)
    assert any("three years" in row for row in rows) == (retention.CONSENT_LOG.days == 3 * 365)


def test_every_kind_of_database_is_in_the_readme():
    assert [row[0] for row in README.rows("Databases")] == ["SQLite", "PostgreSQL"]


def dependencies() -> Iterator[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = project["dependency-groups"]
    extras = [one for extra in project["project"]["optional-dependencies"].values() for one in extra]
    required = {*project["project"]["dependencies"], *extras, *groups["build"], *groups["dev"]}
    yield from sorted({re.split(r"[\[<>=]", requirement)[0] for requirement in required})


def test_every_dependency_says_what_it_earns():
    assert sorted(ARCHITECTURE.named("Dependencies")) == sorted(dependencies())
    assert all(len(row) == 2 and row[1] for row in ARCHITECTURE.rows("Dependencies"))


def test_every_table_is_explained_and_has_a_lifetime():
    assert sorted(ARCHITECTURE.named("Tables")) == sorted(METADATA.tables)
    assert set(METADATA.tables) <= set(PRIVACY.spans)


def test_every_room_is_on_the_map():
    names = [Path(name).parts for name in listed_files() if name.startswith(("bot/", "integrations/"))]
    rooms = {f"{parts[0]}/{parts[1]}{'/' * (len(parts) > 2)}" for parts in names}
    assert rooms - set(ARCHITECTURE.spans) == {"integrations/__init__.py"}


# What the pages say to do


def shell_lines(name: str) -> Iterator[str]:
    """Commands of ours on a page, in blocks and in running text, each from its `leverage` on."""
    spans = [span for span in page(name).spans if span.startswith("leverage ")]
    lines = [line for _, block in page(name).blocks for line in block.splitlines()]
    commands = (re.search(r"(?:^|\s|/bin/)(leverage [^#>|&]+)", line) for line in lines)  # not `/leverage`: Slack's
    return (*spans, *(found[1] for found in commands if found))  # type: ignore[return-value]


@pytest.mark.parametrize("name", PAGES)
def test_every_command_on_a_page_can_be_typed(name):
    for line in shell_lines(name):
        _, command, *arguments = shlex.split(line)
        if command == "--version":
            continue
        assert command in COMMANDS, line
        if arguments:  # without any, it is only talked about
            COMMANDS[command].make_context(command, arguments)


def test_pages_have_commands_at_all():
    assert {line.split()[1] for line in shell_lines("README.md")} == {*COMMANDS, "--version"}


@pytest.mark.parametrize("name", PAGES)
def test_every_variable_that_is_set_on_a_page_is_a_setting(name):
    text = "\n".join(block for language, block in page(name).blocks if language == "sh")
    assert set(re.findall(r"\b([A-Z]+_[A-Z_]+)=", text)) <= settings().keys()


def test_the_teams_of_the_readme_are_read(tmp_path):
    (example,) = [block for language, block in README.blocks if language == "toml"]
    (tmp_path / "leverage.toml").write_text(example)
    assert [team.name for team in config.load(tmp_path / "leverage.toml").teams] == ["payments"]


def demo_post(channel: str) -> str:
    """The digest of the last Monday, from the demo's approved output."""
    approved = (ROOT / "tests/demo/__snapshots__/test_demo.ambr").read_text("utf-8")
    (found,) = re.findall(rf"^  Monday 9 November 2026, 09:00 — #{channel}\n((?:  │.*\n)+)", approved, re.MULTILINE)
    return "".join(line.removeprefix("  │").removeprefix(" ") for line in found.splitlines(keepends=True))


def shown(language: str) -> list[str]:
    return [block for marked, block in README.blocks if marked == language]


def test_the_digests_of_the_readme_are_the_demos():
    assert shown("text") == [demo_post("payments"), demo_post("tools")]


def test_what_the_doctor_says_in_the_readme_is_what_it_says():
    approved = (ROOT / "tests/usecases/doctor_says/all_good.txt").read_text("utf-8")
    assert shown("console") == [f"$ leverage doctor\n{approved}"]


def test_the_comment_of_the_readme_is_the_one_that_is_written():
    three, twelve = Fraction(3_000_000), Fraction(12_000_000)
    usual = Reference(Level.REPOSITORY, SizeClass.M, Card(three, three, twelve, three, twelve, 95))
    (comment,) = shown("markdown")
    assert comment.strip() == comment_body(usual, METHOD_URL).removeprefix(MARKER).strip()


# What the pages and the code say about each other


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_somewhere(name):
    for link in page(name).links:
        if link.startswith(("https://", "http://")):
            continue
        path, _, anchor = link.partition("#")
        target = ((ROOT / name).parent / path).resolve() if path else ROOT / name
        assert target.exists(), link
        assert not anchor or anchor in page(target.relative_to(ROOT).as_posix()).anchors(), link


def code() -> Iterator[Path]:
    """The program's own files."""
    return (ROOT / name for name in listed_files() if name.startswith(OURS) and name.endswith(".py"))


def references() -> Iterator[tuple[str, str, str]]:
    """Where the code names a page, and the heading it names there, if any."""
    for path in code():
        text = " ".join(path.read_text("utf-8").split())
        for found in re.finditer(r"((?:docs/)?[\w-]+\.md)(?!\.j2)(?:, \\?\"([^\"\\]+))?", text):
            yield path.name, found[1], found[2] or ""


def test_every_page_and_heading_that_the_code_names_is_there():
    named = list(references())
    assert len(named) > 10
    for where, name, heading in named:
        assert name in PAGES, where
        assert not heading or heading in page(name).headings, (where, name, heading)


def said() -> str:
    """Every piece of text in the program, as it stands between the values that are put into it."""
    trees = (ast.parse(path.read_text("utf-8")) for path in code())
    constants = (node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return "\n".join(value for value in constants if isinstance(value, str))


def test_every_error_line_that_is_explained_is_one_that_we_say():
    operating, program = page("docs/operating.md"), said()
    ours = ("Settings and leverage.toml", "Database", "Slack and the service", "Log lines")
    sections = (*ours, "Sources of spend", "GitHub")
    lines = [operating.named(section) for section in sections]
    assert all(lines)
    for line in (one for section in lines for one in section):
        for piece in line.split("…"):
            assert piece.strip(" .():;") in program, line


# What no file may hold


CAPTURED = ("tests/samples/transcripts/", "tests/samples/otlp/", "tests/integrations/hook/")
"""What agents wrote down, of an invented person in an invented home, and the tests of it."""

FORBIDDEN = {
    "work that was left": r"\b(?:TO" r"DO|FIX" r"ME|X" r"XX)\b",
    "a path of somebody's machine": r"(?<![\w.])/(?:wo" r"rk|ro" r"ot|Us" r"ers|ho" r"me)/",
    "a package registry": r"registry\.npm" r"js|python" r"hosted|pypi\." r"org|index-url\s*=?\s*http|arti" r"factory",
}


def tracked() -> Iterator[tuple[str, str]]:
    """Every text file of the repository, by name."""
    for name in listed_files():
        content = (ROOT / name).read_bytes() if (ROOT / name).is_file() else b"\0"
        if b"\0" not in content:
            yield name, content.decode("utf-8")


def test_no_file_holds_what_does_not_belong_there():
    files = dict(tracked())
    assert "bot/cli.py" in files
    for what, pattern in FORBIDDEN.items():
        looked_at = {name: text for name, text in files.items() if not name.startswith(CAPTURED)}
        assert [name for name, text in looked_at.items() if re.search(pattern, text)] == [], what
