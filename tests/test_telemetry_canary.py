"""Nothing that an agent was told, did or is called is anywhere once its telemetry was taken in: not in a row, in the
bytes of the database's files, in the log, or in an answer."""

import logging
import random

import pytest
from sqlalchemy import Engine

from bot.store.db import transaction
from bot.store.tables import Meta
from tests.company import SmallCompany
from tests.integrations.agents.samples import FILES, sample, to_json, to_protobuf, zipped
from tests.integrations.agents.test_must_drop import canaries
from tests.integrations.hook.machine import Machine
from tests.receiving import Receiver, utc
from tests.test_telemetry import send
from tests.usecases.test_canary import everything_stored

LONG_AGO = utc("2026-01-05 12:00")
DROPPED = set().union(*(canaries(name) for name in FILES))
TYPED = {"calc.py", "test_calc", "dev/src/widgets", "secret words of a commit"}
"""Names of files, folders and messages in the transcripts that the hook reads."""


@pytest.fixture
def receiver(engine: Engine, caplog: pytest.LogCaptureFixture) -> Receiver:
    """Everybody as talkative as a debug switch could make them."""
    caplog.set_level(logging.DEBUG)
    for name in ("sqlalchemy.engine", "bot", "integrations"):
        caplog.set_level(logging.DEBUG, logger=name)
    made = Receiver(engine, utc("2026-11-24 12:00"), SmallCompany(engine, "ann bo cy di ed"))
    made.joins("ann", LONG_AGO)
    return made


def found(words: set[str], *places: str) -> set[str]:
    """Which of these words are in these texts, as they are or as Python or JSON writes them."""
    said = "\n".join(places)
    return {word for word in words if word in said or repr(word)[1:-1] in said or word.encode().hex() in said}


def test_no_value_that_must_be_dropped_is_anywhere(
    receiver: Receiver, caplog: pytest.LogCaptureFixture, tmp_path_factory: pytest.TempPathFactory
) -> None:
    answers: list[str] = []
    receiver.tokens["fleet"] = receiver.fleet()
    for name in FILES:
        for form in (to_json, to_protobuf, zipped):
            for who in ("ann", "fleet"):
                answers.append(send(receiver, form(sample(name)), who).text)
    machine = Machine(tmp_path_factory.mktemp("home"))
    machine.install()
    for agent in ("claude", "codex", "gemini", "qwen", "copilot"):
        machine.copy(agent)
    receiver.now = utc("2026-11-24 12:00")
    documents = machine.documents()
    assert len(documents) >= 5
    for document in documents:
        answers.append(receiver.tells("/v1/sessions", document, receiver.tokens["ann"]).text)
    receiver.measure()
    stored = everything_stored(receiver.engine)
    assert any("claude-sonnet-4-5" in row for row in stored)  # what may be kept is there
    assert found(DROPPED | TYPED, *stored) == set()
    assert found(DROPPED | TYPED, caplog.text, *answers, str(documents)) == set()


def test_hostile_bodies_leave_no_trace_in_the_log(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    chance = random.Random(7)
    for name in FILES:
        body = bytearray(to_json(sample(name)).body)
        for _ in range(5):
            body[chance.randrange(len(body))] = chance.randrange(256)
        for path in ("/v1/logs", "/v1/traces", "/v1/metrics", "/v1/sessions"):
            assert receiver.post(path, bytes(body), receiver.tokens["ann"]).status_code < 500
    assert found(DROPPED, caplog.text) == set()


def test_such_a_value_would_be_found(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    """The control."""
    assert len(DROPPED) > 30
    word = max(DROPPED, key=len)
    with transaction(receiver.engine) as session:
        session.add(Meta(name="planted", value=f"before {word} after"))
    assert word in found(DROPPED, *everything_stored(receiver.engine))
    logging.getLogger("bot.somewhere").debug("it said %s", word)
    assert word in found(DROPPED, caplog.text)
