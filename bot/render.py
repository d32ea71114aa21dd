"""From a digest to what is sent and printed: a Slack message, text for a terminal, a JSON document.

Only the gate's output can be rendered: `Digest` holds nothing else.
"""

import json
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot.domain import digest as said
from bot.domain.block import METRIC_VERSION, Held, HeldReason, PartSum, PublicFacts, Published
from bot.domain.digest import Digest
from bot.domain.metrics.measure import Measure, Reason
from bot.domain.money import MICRO, two_digits
from bot.domain.privacy.cards import Card
from bot.domain.weeks import Week

HERE = Path(__file__).parent
TEMPLATES = (HERE / "templates", HERE.parent / "templates")  # in a wheel, in a checkout
WIDTH = 76
URL_SIGNS = ":/?#[]@!$&'()*+,;=%-._~"
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """A Slack message. `text` says all that the blocks say: it is posted alone if Slack refuses them."""

    text: str
    blocks: list[Json]


def slack_message(digest: Digest) -> Message:
    """To be posted with `parse="none"` and without unfurling; the escaped text then mentions nobody."""
    story = said.tell(digest)
    rendered = SLACK.get_template("slack/digest.json.j2").render(story=story, link=_linking(digest.method_url))
    plain = FALLBACK.get_template("text/digest.txt.j2").render(story=story, link=_address(digest.method_url))
    return Message(plain.strip(), json.loads(rendered))


def text(digest: Digest) -> str:
    story = said.tell(digest)
    return TERMINAL.get_template("text/digest.txt.j2").render(story=story, link=digest.method_url).strip()


def mrkdwn(plain: str) -> str:
    """Text in which Slack finds no link and no mention."""
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def usd(micro: int | Fraction) -> int | float:
    """An amount in dollars, rounded to two significant digits, as JSON has numbers."""
    return _number(Fraction(two_digits(Fraction(micro))) / MICRO)


def _address(url: str) -> str:
    """An operator's address as Slack links it; it cannot end the link early."""
    return f"<{mrkdwn(quote(url, safe=URL_SIGNS))}>" if _is_web(url) else mrkdwn(url)


def _linking(url: str) -> Callable[[str], str]:
    """Words that lead to the address, in Slack's markup; a page that is not on the web is named."""
    if _is_web(url):
        return lambda words: f"{_address(url)[:-1]}|{mrkdwn(words)}>"
    return lambda words: mrkdwn(f"{words}: {url}")


def _is_web(url: str) -> bool:
    return url.startswith(("https://", "http://"))


def _wrapped(words: str) -> str:
    return textwrap.fill(words, WIDTH, break_long_words=False, break_on_hyphens=False)


def _item(words: str) -> str:
    return textwrap.fill(words, WIDTH, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False)


def _environment(finalize: Callable[[Any], Any] | None = None, **filters: Callable[..., Any]) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        finalize=finalize,
        autoescape=False,  # these templates make JSON and plain text
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(filters)
    return environment


SLACK = _environment(json.dumps, mrkdwn=mrkdwn, usd=usd)
FALLBACK = _environment(line=mrkdwn, item=lambda words: f"- {mrkdwn(words)}")
TERMINAL = _environment(line=_wrapped, item=_item)


# The JSON document


def document(digest: Digest) -> Json:
    """The digest as one JSON document with rounded values; what is undefined is null and has a reason."""
    block = digest.block
    return _held(digest, block) if isinstance(block, Held) else _published(digest, block)


def _held(digest: Digest, block: Held) -> Json:
    state = "waiting" if block.reason is HeldReason.WAITING else "held"
    public = _public(block.public) if block.public else Reason.TOO_FEW_PEOPLE
    values = {"state": state, **_head(digest, block.first, block.last), "public": public}
    return _with_reasons(values)


def _published(digest: Digest, block: Published) -> Json:
    quiet = said.silence(block)
    values = {
        "state": "published",
        **_head(digest, block.first, block.last),
        "metric_version": METRIC_VERSION,
        "basis": said.BASIS,
        **_money(block),
        "turns_per_merged_pr": Reason.NO_BINDING_DATA,
        **{name: quiet or value for name, value in _bands(block).items()},
        "missing_days": quiet or block.missing_days,
        "public": _public(block.public),
        "history": quiet or [_point(point) for point in said.trend(digest)],
    }
    return {**_with_reasons(values), "method_url": digest.method_url}


def _head(digest: Digest, first: Week, last: Week) -> Json:
    return {
        "unit": digest.block.unit,
        "weeks": {"first": str(first), "last": str(last)},
        "headline": said.tell(digest).headline,
    }


def _money(block: Published) -> Json:
    quiet = said.silence(block)
    return {
        "loaded_cost_per_merged_pr_usd": _measured(said.loaded(block)),
        "direct_cost_per_merged_pr_usd": _measured(said.direct(block)),
        "typical_ai_touched_pr_usd": _card(said.typical(block)),
        "spend_usd": quiet or usd(block.spend_micro),
        "parts": quiet or [_part(part, block) for part in said.shown_parts(block)],
        "service_spend_usd": quiet or usd(block.service_micro),
    }


def _measured(measure: Measure) -> Measure | int | float:
    return measure if isinstance(measure, Reason) else usd(measure)


def _card(card: Card | Reason) -> Json | Reason:
    if isinstance(card, Reason):
        return card
    return {
        "median": usd(card.median),
        "lower_quartile": usd(card.lower_quartile),
        "upper_quartile": usd(card.upper_quartile),
        "interval": {"low": usd(card.low), "high": usd(card.high), "percent": card.percent},
        "source": "daily_totals",
    }


def _part(part: PartSum, block: Published) -> Json:
    return {
        "parts": [name.value for name in part.parts],
        "usd": usd(part.micro),
        "share_percent": _number(said.percent(part, block)),
    }


def _bands(block: Published) -> Json:
    return {
        "contributors_band": _band(block.contributors_band),
        "coverage_band": _band(block.coverage_band),
        "touched_share_band": _band(block.touched_band),
        "linked_share_band": _band(block.linked_band, Reason.NO_SPEND),
        "bound_share_band": _band(block.bound_band, Reason.NO_BINDING_DATA),
        "explained_bill_band": _band(block.explained_band),
    }


def _band(band: str | None, otherwise: Reason = Reason.TOO_FEW_PEOPLE) -> str | Reason:
    return otherwise if band is None else said.band(band)


def _public(facts: PublicFacts) -> Json:
    hours = facts.review_hours
    return {
        "merged_prs": facts.merged,
        "revert_prs": facts.reverted,
        "time_to_first_review_hours": None if hours is None else _number(two_digits(hours)),
        "reasons": {"time_to_first_review_hours": "no_reviews"} if hours is None else {},
    }


def _point(point: said.Point) -> Json:
    weeks = {"first": str(point.first), "last": str(point.last)}
    return {"weeks": weeks, "loaded_cost_per_merged_pr_usd": usd(point.micro)}


def _with_reasons(values: Json) -> Json:
    """Nulls for what has a reason instead of a value. A number that the privacy rule withholds is only "held"."""
    reasons = {name: value for name, value in values.items() if isinstance(value, Reason)}
    codes = {name: "held" if reason is Reason.TOO_FEW_PEOPLE else reason.value for name, reason in reasons.items()}
    return {**values, **dict.fromkeys(reasons), "reasons": codes}


def _number(value: Fraction) -> int | float:
    return value.numerator if value.denominator == 1 else float(value)
