"""Tokens are disjoint counters, and an unknown one is not zero."""

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.model import Actor, ActorKind, Tokens

counts = st.integers(0, 10**12)
tokens = st.builds(
    Tokens,
    **{name: counts for name in ("fresh", "cache_write_5m", "cache_read", "output")},
    **{name: st.none() | counts for name in ("cache_write_1h", "reasoning")},
)


def test_the_total_counts_each_kind_once():
    every = Tokens(fresh=1, cache_write_5m=20, cache_write_1h=300, cache_read=4_000, output=50_000, reasoning=600_000)
    assert every.total == 654_321


def test_an_unknown_kind_adds_nothing_to_the_total():
    assert Tokens(fresh=5).total == 5
    assert Tokens(fresh=5, reasoning=0) != Tokens(fresh=5)


@pytest.mark.parametrize(
    ("one", "other", "both"), [(None, None, None), (None, 3, 3), (3, None, 3), (0, None, 0), (2, 3, 5)]
)
def test_unknown_and_unknown_stay_unknown_and_what_is_known_counts(one, other, both):
    assert (Tokens(reasoning=one) + Tokens(reasoning=other)).reasoning == both
    assert (Tokens(cache_write_1h=one) + Tokens(cache_write_1h=other)).cache_write_1h == both


@given(tokens, tokens, tokens)
def test_adding_up_neither_loses_a_token_nor_minds_the_order(one, other, third):
    assert (one + other).total == one.total + other.total
    assert one + other == other + one
    assert (one + other) + third == one + (other + third)
    assert one + Tokens() == one


def test_every_kind_of_token_is_one_the_method_knows():
    kinds = ["fresh", "cache_write_5m", "cache_write_1h", "cache_read", "output", "reasoning"]
    assert [kind.name for kind in fields(Tokens)] == kinds


def test_an_actor_does_not_print_an_address():
    assert "ann@example.com" not in repr(Actor(ActorKind.USER, "user_1", "ann@example.com"))


def test_what_a_counter_has_grown_by_is_told_kind_by_kind():
    later = Tokens(10, 5, None, 7, 3, 4)
    assert later - Tokens(4, 5, 1, 0, 1, None) == Tokens(6, 0, None, 7, 2, 4)
    assert (Tokens(1) - Tokens(3)).fresh == -2  # it has fallen, which is for whoever asked to judge
