"""The same telemetry in any form, order and number of deliveries tells the same."""

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from bot.domain.series import totals
from integrations.agents import Told, read
from integrations.otlp import Media
from tests.integrations.agents.samples import FILES, Sent, document, sample, sent, to_json, to_protobuf, total, zipped


def everything(*bodies: Sent) -> list[Told]:
    """What all of these bodies tell."""
    people, _ = read(record for body in bodies for record in body.batch().records)
    return people


def shuffled(value: Any, chance: random.Random) -> Any:
    """The same document with every list in another order."""
    if isinstance(value, dict):
        return {key: shuffled(inner, chance) for key, inner in value.items()}
    if isinstance(value, list):
        return chance.sample([shuffled(inner, chance) for inner in value], len(value))
    return value


def numbers_as_numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: int(inner) if key == "intValue" and isinstance(inner, str) else numbers_as_numbers(inner)
            for key, inner in value.items()
        }
    return [numbers_as_numbers(inner) for inner in value] if isinstance(value, list) else value


FORMS: dict[str, Callable[[Sent], Sent]] = {
    "json": to_json,
    "protobuf": to_protobuf,
    "json, zipped": lambda given: zipped(to_json(given)),
    "protobuf, zipped": lambda given: zipped(to_protobuf(given)),
    "protobuf and back": lambda given: to_json(to_protobuf(given)),
    "integers as numbers": lambda given: sent(given.signal, numbers_as_numbers(json.loads(to_json(given).body))),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", FILES)
def test_every_encoding_tells_the_same(name: str, form: str) -> None:
    given, other = sample(name), FORMS[form](sample(name))
    assert other.batch() == given.batch()
    assert everything(other) == everything(given)


@pytest.mark.parametrize("name", FILES)
def test_a_body_that_is_sent_twice_tells_the_same(name: str) -> None:
    given = sample(name)
    assert everything(given, zipped(to_protobuf(given)), given) == everything(given)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", FILES)
def test_order_says_nothing(name: str, seed: int) -> None:
    given = sample(name)
    other = sent(given.signal, shuffled(document(name), random.Random(seed)))
    assert everything(other) == everything(given)


@pytest.mark.parametrize("name", FILES)
def test_one_record_a_body_gives_the_same_keys_and_totals(name: str) -> None:
    """Batches are cut where an agent's exporter likes. Spans that know of each other only through their trace lose
    that (Copilot's tools, which then name no session), nothing else."""
    given = sample(name)
    alone = [read([record])[0] for record in given.batch().records]
    facts = [one for people in alone for one in people]
    whole = everything(given)
    keys = {request.key for one in facts for request in one.telemetry.requests}
    assert keys == {request.key for one in whole for request in one.telemetry.requests}
    requests = {request.key: request for one in facts for request in one.telemetry.requests}
    assert total(tuple(requests.values())) == total(tuple(one for all in whole for one in all.telemetry.requests))
    readings = [reading for one in facts for reading in one.readings]
    assert totals(readings * 2) == totals(reading for one in whole for reading in one.readings)
    if name != "copilot_vscode.traces.json":
        events = {event.key for one in facts for event in one.telemetry.events}
        assert events == {event.key for one in whole for event in one.telemetry.events}


def test_no_two_records_of_the_samples_share_a_key_by_accident() -> None:
    """All samples at once: as many requests as each holds by itself. The two files of one capture are one."""
    names = [name for name in FILES if not name.endswith(".gz")]
    alone = sum(len(one.telemetry.requests) for name in names for one in everything(sample(name)))
    together = everything(*map(sample, names))
    # 1 compaction + 7 interactive + 8 + 3 documented + 4 resumed + 3 with details, 4 Codex, 4 Gemini, 2 Qwen,
    # 4 + 2 Copilot, 1 opencode
    assert alone == 43
    assert sum(len(one.telemetry.requests) for one in together) == 43


def test_of_two_requests_with_one_key_the_fuller_counts_whichever_came_first() -> None:
    body = document("claude_code.compaction.logs.json")
    more = json.loads(json.dumps(body).replace('"intValue": 400', '"intValue": 500'))
    assert more != body
    given, other = (sent(sample("claude_code.compaction.logs.json").signal, one) for one in (body, more))
    assert everything(given, other) == everything(other, given)
    assert [request.tokens.output for request in everything(given, other)[0].telemetry.requests] == [500]


def test_both_encodings_were_really_compared() -> None:
    assert to_protobuf(sample("codex.logs.json")).media is Media.PROTOBUF
    assert to_protobuf(sample("codex.logs.json")).body != sample("codex.logs.json").body
