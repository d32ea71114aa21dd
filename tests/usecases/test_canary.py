"""Whoever has not joined is nowhere: not in any row, not in the bytes of the file, not in what is logged or printed.

Bo's address, name, provider id, key and model are words that occur nowhere else. They are in the reports of an invented
Anthropic, and the words of his pull requests are in an invented GitHub, which the real sources read. Ann has joined:
her address and names may not be found either.
"""

import base64
import hashlib
import logging
import urllib.parse
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from typing import cast

import httpx2
import pytest
import stamina
from sqlalchemy import Engine, text

from bot.domain.ports import Access, Refused, SourceError, SpendSource
from bot.domain.privacy.gate import Rule
from bot.store.bulk import upsert
from bot.store.db import connect, reading, transaction
from bot.store.tables import METADATA, Meta, SourceCursor
from bot.usecases.collect import Splitting, collect
from bot.usecases.consent import Handles, join, leave
from bot.usecases.digest import Publishing, freeze_due
from bot.usecases.observe import backfill, take_rosters
from integrations._http import HttpClient
from integrations.spend import anthropic
from tests.company import REPOSITORY, SECRET, instant
from tests.fake_anthropic import ADMIN_KEY, FakeAnthropic, api_key, service_account, user
from tests.fake_github import FakeGitHub, commit, outcomes
from tests.fake_source import NoPrices
from tests.people import UTC_ZONE, dump, team_of

NOW = instant("2026-05-18 10:00")
FIRST, TODAY = date(2026, 4, 20), date(2026, 5, 18)
JOINED = "ann cy di ed fay"

BOS_MODEL = "claude-wombat-9"
BO = {
    "address": "quokka.bo@canary.example",
    "name": "quokka",
    "id": "user_01Dugong8aaaaaaaaaaaaaa",
    "key": "apikey_01Numbat7aaaaaaaaaaaa",
    "key name": "bilby laptop",
    "model": BOS_MODEL,
}
ANN = {"address": "echidna.ann@canary.example", "name": "echidna", "id": "user_01Potoroo6aaaaaaaaaaaaa"}
WORDS = {"title": "Platypus", "body": "Kookaburra", "file": "src/galah.py", "message": "cassowary", "mail": "emu@ca.ex"}
SECRETS = {"our key": SECRET.decode(), "their key": ADMIN_KEY}
CANARIES = {
    **{f"Bo's {what}": word for what, word in BO.items()},
    **{f"Ann's {what}": word for what, word in ANN.items()},
    **{f"a pull request's {what}": word for what, word in WORDS.items()},
    **SECRETS,
}


# The scanner


def disguises(word: str) -> Iterator[str]:
    """A word as it is, and as somebody might think it is not to be found."""
    for plain in {word, word.lower()}:
        raw = plain.encode()
        yield plain.lower()
        yield urllib.parse.quote(plain, safe="").lower()
        yield from (base64.b64encode(raw).decode().rstrip("=").lower(), raw.hex())
        yield from (hashlib.new(name, raw).hexdigest() for name in ("md5", "sha1", "sha256"))


def found(*places: str) -> set[str]:
    """Which canaries, by what they are, are in these texts."""
    said = "\n".join(places).lower()
    return {what for what, word in CANARIES.items() if any(disguise in said for disguise in disguises(word))}


def everything_stored(engine: Engine) -> list[str]:
    """Every row of every table, and on SQLite the very bytes of its files, with what was deleted."""
    with reading(engine) as session:
        tables = session.execute(text(TABLES[engine.dialect.name])).scalars().all()
    assert set(METADATA.tables) < set(tables)
    rows = [f"{table}: {row}" for table in tables for row in dump(engine, table)]
    return [*rows, *bytes_of(engine)]


TABLES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table'",
    "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')",
}


def bytes_of(engine: Engine) -> Iterator[str]:
    if engine.dialect.name == "sqlite":
        file = Path(str(engine.url.database))
        for one in file.parent.glob(f"{file.name}*"):
            yield one.read_bytes().decode("latin-1")


# The company


@pytest.fixture
def provider() -> FakeAnthropic:
    """Everybody spends every day: Bo by himself, by his key, and on a model of his own."""
    fake = FakeAnthropic(now=NOW)
    fake.add_key(BO["key"], BO["key name"], principal=user(BO["address"], BO["id"]))
    for number in range((TODAY - FIRST).days):
        day = FIRST + timedelta(days=number)
        fake.add(day, user(BO["address"], BO["id"]), BOS_MODEL, "731.5", fresh=7_315)
        fake.add(day, api_key(BO["key"]), BOS_MODEL, "41.5", fresh=415)
        fake.add(day, user(ANN["address"], ANN["id"]), "claude-opus-5-5", "200", fresh=2_000)
        fake.add(day, service_account("svac_01ci"), "claude-opus-5-5", "50", fresh=500)
        for name in JOINED.split()[1:]:
            fake.add(day, user(f"{name}@example.com"), "claude-opus-5-5", "200", fresh=2_000)
    return fake


@pytest.fixture
def github() -> FakeGitHub:
    """Each merged a pull request, full of words that are nobody's business."""
    fake = FakeGitHub()
    repository = fake.repository(REPOSITORY)
    for login in [*JOINED.split(), "bo"]:
        fake.user(login)
        repository.pull(
            login,
            "2026-05-11",
            merged="2026-05-13",
            title=WORDS["title"],
            body=WORDS["body"],
            files={WORDS["file"]: (3, 1)},
            commits=[commit("2026-05-12", login, "*" + WORDS["mail"], message=WORDS["message"])],
            reviews=[("bo", "APPROVED", "2026-05-12T09:00:00Z")],
        )
    return fake


@pytest.fixture
def listening(caplog: pytest.LogCaptureFixture) -> None:
    """As talkative as a debug switch could make all of us."""
    caplog.set_level(logging.DEBUG)
    for name in ("sqlalchemy.engine", "sqlalchemy.pool", "alembic", "bot", "integrations", "httpx2", "stamina"):
        caplog.set_level(logging.DEBUG, logger=name)


@pytest.fixture
def talkative(listening, database_url) -> Iterator[Engine]:
    """An engine that was made while everybody listened."""
    engine = connect(database_url)
    yield engine
    engine.dispose()


def live(engine: Engine, provider: FakeAnthropic, github: FakeGitHub) -> None:
    """Five join, everything is read, a digest is frozen; then the sources misbehave, quoting what they hold."""
    team = team_of(f"{JOINED} bo")
    for name in JOINED.split():
        address = ANN["address"] if name == "ann" else f"{name}@example.com"
        handles = Handles(f"U_{name}", f"S_{name}", address)
        join(engine, SECRET, handles, UTC_ZONE, instant("2026-05-15"), team=True, proved=True)
    take_rosters(engine, outcomes(github), [team], instant("2026-05-13"))
    backfill(engine, outcomes(github), REPOSITORY, instant("2026-04-01"), NOW, lambda _done, _expected: None)
    read(engine, provider)
    freeze_due(engine, team, Publishing(Rule(), SECRET, "https://example.com/method"), instant("2026-05-18 11:00"))
    words = " ".join(CANARIES.values())
    for status in (400, 403, 500):
        provider.fail(status, times=99, message=f"{BO['address']} {BO['id']} {BO['key']} {ADMIN_KEY}")
        with pytest.raises(SourceError):
            read(engine, provider)
        provider._faults.clear()
        github.fail("", status, message=words, times=99)
        with pytest.raises(SourceError):
            backfill(engine, outcomes(github), REPOSITORY, instant("2026-04-01"), NOW, lambda _done, _expected: None)
        github._failures.clear()


def read(engine: Engine, provider: FakeAnthropic) -> None:
    http = HttpClient(httpx2.MockTransport(provider))
    access = Access(http, {"ANTHROPIC_ADMIN_KEY": ADMIN_KEY}, NoPrices())
    splitting = Splitting(SECRET, frozenset({"svac_01ci", BO["key"], BO["id"]}))
    with stamina.set_testing(True, attempts=2):
        collect(engine, cast(SpendSource, anthropic), access, splitting, FIRST, TODAY, NOW, lambda _day: None)


# The tests


def test_the_reports_are_full_of_what_must_not_be_stored(provider, github):
    """Without this the tests below would prove nothing."""
    http = HttpClient(httpx2.MockTransport(provider))
    days = list(anthropic.fetch(Access(http, {"ANTHROPIC_ADMIN_KEY": ADMIN_KEY}, NoPrices()), FIRST, TODAY, NOW))
    names = {"name", "key name"}  # our sources do not even read these
    assert {f"Bo's {what}" for what in BO.keys() - names} <= found(*(str(asdict(day)) for day in days))
    answers = httpx2.Client(transport=httpx2.MockTransport(provider))
    keys = answers.get(
        "https://api.anthropic.com/v1/organizations/api_keys?limit=1000",
        headers={"x-api-key": ADMIN_KEY, "anthropic-version": "2023-06-01"},
    )
    assert "Bo's key name" in found(keys.text)


def test_whoever_has_not_joined_is_nowhere_and_whoever_has_is_nowhere_by_name(
    talkative, provider, github, caplog, capfd
):
    live(talkative, provider, github)
    output = capfd.readouterr()
    stored = everything_stored(talkative)
    assert found(*stored, output.out, output.err, caplog.text, *map(str, caplog.records)) == set()
    assert "INSERT INTO" in caplog.text  # somebody did listen
    assert "claude-opus-5-5" in "".join(stored)
    assert "published" in [row["state"] for row in dump(talkative, "blocks")]
    assert dump(talkative, "outbox")


def test_of_whoever_has_not_joined_there_is_one_number_a_day_and_what_github_shows(talkative, provider, github):
    """By hand: of Bo's 7.315 by himself and 0.415 by his key each day remains 7.73, and that somebody was outside."""
    live(talkative, provider, github)
    assert {row["billed_micro"] for row in dump(talkative, "remainders")} == {7_730_000}
    assert {row["outside"] for row in dump(talkative, "account_days")} == {"few"}
    with_bo = {table for table in METADATA.tables if "'U_bo'" in str(dump(talkative, table))}
    assert with_bo == {"pulls", "pull_reviews", "commit_days", "rosters"}


def test_after_leaving_nothing_of_a_person_is_left_but_the_log_of_consent(talkative, provider, github, caplog, capfd):
    live(talkative, provider, github)
    (key,) = {row["person_key"] for row in dump(talkative, "handles") if row["hash"] == hash_of_ann()}
    leave(talkative, key, NOW)
    read(talkative, provider)
    tables = {table for table in METADATA.tables if key in str(dump(talkative, table))}
    assert tables == {"consents"}
    assert {row["billed_micro"] for row in dump(talkative, "remainders")} == {9_730_000}
    output = capfd.readouterr()
    assert found(*everything_stored(talkative), output.out, output.err, caplog.text) == set()


def hash_of_ann() -> str:
    (one,) = (hash_ for hash_, kind in Handles("x", "y", ANN["address"]).hashed(SECRET).items() if kind == "email")
    return one


# The controls: a canary that is there is found


@pytest.mark.parametrize("what", sorted(CANARIES))
def test_a_canary_is_found_in_whatever_disguise(what):
    for disguise in disguises(CANARIES[what]):
        assert what in found("nothing here", f"before {disguise} after")


def test_every_canary_that_is_planted_in_a_row_is_found(engine):
    assert found(*everything_stored(engine)) == set()
    with transaction(engine) as session:
        session.add(Meta(name="planted", value=" ".join(CANARIES.values())))
    assert found(*everything_stored(engine)) == set(CANARIES)


def test_a_canary_is_found_in_any_table_and_after_its_row_is_deleted(engine):
    row = {"kind": "spend", "first_day": FIRST, "lag_days": 0, "disabled": False}
    with transaction(engine) as session:
        upsert(session, SourceCursor, [{**row, "source": "anthropic", "error": f"no such user: {BO['address']}"}])
    assert found(*everything_stored(engine)) == {"Bo's address", "Bo's name"}
    with transaction(engine) as session:
        session.execute(text("DELETE FROM source_cursors"))
    deleted = set() if engine.dialect.name == "postgresql" else {"Bo's address", "Bo's name"}
    assert found(*everything_stored(engine)) == deleted


def test_a_canary_is_found_in_what_is_logged_and_printed(listening, caplog, capfd):
    logging.getLogger("bot.somewhere").debug("collected for %s", BO["address"])
    assert "Bo's address" in found(caplog.text)
    logging.getLogger("integrations").warning("%r", Refused(BO["id"]))
    assert "Bo's id" in found(caplog.text)
    print(BO["key"])  # noqa: T201
    assert "Bo's key" in found(capfd.readouterr().out)


def test_a_person_who_joins_with_a_report_in_hand_would_be_found_by_their_model(talkative, provider, github):
    """The control of the whole way: if Bo had joined, his model would be stored, as Ann's is."""
    live(talkative, provider, github)
    join(talkative, SECRET, Handles("U_bo", "S_bo", BO["address"]), UTC_ZONE, NOW, team=True, proved=True)
    read(talkative, provider)
    assert found(*everything_stored(talkative)) == {"Bo's model"}
