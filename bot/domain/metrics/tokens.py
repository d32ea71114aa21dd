"""How tokens were used: ratios over the disjoint kinds (docs/method.md, "Token structure")."""

from bot.domain.metrics.measure import Measure, Reason, ratio
from bot.domain.model import Tokens


def cache_hit_ratio(tokens: Tokens) -> Measure:
    """Share of the context that came from the cache, from 0 to 1."""
    return ratio(tokens.cache_read, _loaded(tokens) + tokens.cache_read, Reason.NO_SPEND)


def context_amplification(tokens: Tokens) -> Measure:
    """How many times the average loaded token was sent, at least 1."""
    return ratio(_loaded(tokens) + tokens.cache_read, _loaded(tokens), Reason.NO_SPEND)


def tokens_per_request(tokens: Tokens, requests: int) -> Measure:
    return ratio(tokens.total, requests, Reason.NO_SPEND)


def _loaded(tokens: Tokens) -> int:
    """Tokens that entered the context anew, whether kept in the cache or not."""
    return tokens.fresh + tokens.cache_write_5m + (tokens.cache_write_1h or 0)
