"""Foreign JSON at the border: text that no database takes is written out, so that one bad name costs no day."""

from typing import Any

import httpx2
import pytest
from pydantic import BaseModel, ConfigDict

from bot.domain.ports import Access
from bot.usecases.collect import Splitting, collect
from integrations._http import HttpClient
from integrations.parse import parsed
from integrations.spend import sources
from tests.company import SECRET
from tests.integrations.spend.litellm_proxy import MONDAY, NOW, SETTINGS, WEDNESDAY, FakeProxy, NoPrices, request
from tests.people import dump, joined


class Inner(BaseModel):
    name: str | None = None


class Outer(BaseModel):
    model_config = ConfigDict(frozen=True)

    model: str
    inner: Inner | None = None
    names: list[str] = []
    inners: list[Inner] = []
    by_name: dict[str, Any] = {}
    count: int = 0


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("m\ud800", "m\\ud800"),
        ("m\0", "m\\x00"),
        ("\udfffm\0\0", "\\udfffm\\x00\\x00"),
        ("opus", "opus"),
        ("модель 🙂", "модель 🙂"),
        ("a\tb\\ud800", "a\tb\\ud800"),
    ],
)
def test_half_characters_and_nuls_are_written_out_and_everything_else_stays(told, kept):
    found = parsed(Outer, {"model": told})
    assert found is not None
    assert found.model == kept


def test_names_that_differ_go_on_to_differ():
    found = parsed(Outer, {"model": "m", "names": ["a\0", "a\ud800", "a\ud801", "a"]})
    assert found is not None
    assert len(set(found.names)) == 4


def test_text_inside_of_parts_is_seen_to_as_well():
    inner = {"name": "a\0"}
    raw = {"model": "m", "inner": inner, "inners": [inner, {}], "by_name": {"b\ud800": 1}, "count": 3}
    assert parsed(Outer, raw) == Outer(
        model="m", inner=Inner(name="a\\x00"), inners=[Inner(name="a\\x00"), Inner()], by_name={"b\\ud800": 1}, count=3
    )


def test_raw_json_of_a_part_is_left_for_its_own_reading():
    """What a page holds is parsed row by row; going through it twice would cost as much again."""
    row = {"model": "a\0"}
    found = parsed(Outer, {"model": "m", "by_name": {"x": row}})
    assert found is not None
    assert found.by_name["x"] == row


@pytest.mark.parametrize("bad", ["\ud800", "\0"])
def test_a_day_with_such_a_model_and_session_is_stored(engine, bad):
    joined(engine, "ann", "2026-10-20")
    ann = {"user": "user_ann", "metadata": {"user_api_key_user_email": "ann@example.com"}}
    proxy = FakeProxy(request(1, model=f"m{bad}", session_id=f"s{bad}", **ann), request(2, **ann))
    access = Access(HttpClient(httpx2.MockTransport(proxy)), SETTINGS, NoPrices())
    source = sources()["litellm"]
    collect(engine, source, access, Splitting(SECRET, frozenset()), MONDAY, WEDNESDAY, NOW, lambda _day: None)
    billed = {row["model"]: row["billed_micro"] for row in dump(engine, "spend")}
    assert billed[{"\ud800": "m\\ud800", "\0": "m\\x00"}[bad]] == billed["claude-opus-5-5"] == 500_000
