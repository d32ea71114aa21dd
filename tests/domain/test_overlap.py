"""A gateway explains what nothing else does of the provider's bill, and never adds to it."""

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.overlap import fit, in_proportion, scaled

AMOUNT = st.integers(0, 10**12)
GATEWAYS = st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), AMOUNT, min_size=1)


def test_a_gateway_counts_in_full_where_the_bill_has_room_for_it():
    assert fit(100, 30, {"litellm:anthropic": 70}) == {"litellm:anthropic": 70}


def test_a_gateway_counts_for_what_the_bill_leaves_unexplained():
    # 100 billed, 60 of it by people the provider names: 40 are left for the gateway's 70
    assert fit(100, 60, {"litellm:anthropic": 70}) == {"litellm:anthropic": 40}
    assert fit(100, 130, {"litellm:anthropic": 70}) == {"litellm:anthropic": 0}


def test_two_gateways_share_what_is_left_in_proportion():
    # 30 : 60 of 10, which is 3 1/3 : 6 2/3; the larger fraction gets the odd one
    assert fit(10, 0, {"b": 60, "a": 30}) == {"a": 3, "b": 7}


@given(AMOUNT, AMOUNT, GATEWAYS)
def test_gateways_never_come_to_more_than_is_left_nor_to_more_than_they_said(bill, explained, gateways):
    counted = fit(bill, explained, gateways)
    assert counted.keys() == gateways.keys()
    assert sum(counted.values()) == min(max(0, bill - explained), sum(gateways.values()))
    assert all(0 <= counted[name] <= gateways[name] for name in gateways)
    assert fit(bill, explained, dict(reversed(gateways.items()))) == counted


@given(st.lists(AMOUNT, min_size=1, max_size=6), AMOUNT)
def test_shares_come_to_the_whole(amounts, to):
    shares = in_proportion(amounts, to)
    assert sum(shares) == (to if sum(amounts) else 0)


@given(st.lists(AMOUNT, max_size=6), AMOUNT)
def test_parts_of_a_scaled_total_never_come_to_more(amounts, to):
    of = sum(amounts)
    assert sum(scaled(amount, of, min(to, of)) for amount in amounts) <= min(to, of)
