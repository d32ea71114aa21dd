"""A frozen block comes back exactly as it was."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.store.block_codec import decode, encode
from tests.blocks import blocks, held_blocks, published


@given(blocks() | held_blocks())
def test_a_block_comes_back_exactly(block):
    assert decode(encode(block)) == block


@given(blocks(counted=st.integers(0, 2**70)))
def test_the_same_block_gives_the_same_text(block):
    assert encode(block) == encode(decode(encode(block)))


def test_the_text_is_plain_json_with_exact_values():
    content = json.loads(encode(published("2026-W17 2026-W20")))
    assert content["state"] == "published"
    assert (content["first"], content["last"]) == ("2026-W17", "2026-W20")
    assert content["public"]["review_hours"] == [53, 10]
    assert content["typical"]["median"] == [5_000_000, 1]
    assert content["parts"][1] == {"parts": ["abandoned", "unattributed"], "micro": 91_270_000}


def test_what_is_no_block_is_refused():
    with pytest.raises(TypeError):
        encode(published(spend_micro=object()))
