from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.metrics.measure import Reason
from bot.domain.metrics.tokens import cache_hit_ratio, context_amplification, tokens_per_request
from bot.domain.model import Tokens

counts = st.integers(0, 10**9)
maybe = st.none() | counts
tokens = st.builds(Tokens, counts, counts, maybe, counts, counts, maybe)


def test_a_kind_that_a_source_does_not_tell_apart_counts_nothing_by_itself() -> None:
    told = Tokens(fresh=10, cache_write_5m=5, cache_write_1h=5, cache_read=60, output=20, reasoning=0)
    untold = Tokens(fresh=10, cache_write_5m=10, cache_write_1h=None, cache_read=60, output=20, reasoning=None)
    for measure in (cache_hit_ratio, context_amplification):
        assert measure(told) == measure(untold)
    assert cache_hit_ratio(told) == Fraction(60, 80)
    assert context_amplification(told) == Fraction(80, 20)


def test_output_is_part_of_a_request_but_not_of_its_context() -> None:
    assert tokens_per_request(Tokens(fresh=10, output=20, reasoning=30), 4) == 15
    assert cache_hit_ratio(Tokens(output=20)) is Reason.NO_SPEND
    assert tokens_per_request(Tokens(), 0) is Reason.NO_SPEND


@given(tokens)
def test_the_two_views_of_the_cache_agree(used: Tokens) -> None:
    hit, amplification = cache_hit_ratio(used), context_amplification(used)
    if isinstance(hit, Fraction) and isinstance(amplification, Fraction):
        assert 0 <= hit < 1 <= amplification
        assert amplification * (1 - hit) == 1
