"""From a reference card to the comment on a pull request. It holds no text that anybody outside could have written."""

from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot.domain.card_levels import Level, Reference
from bot.domain.comment import MARKER
from bot.domain.money import dollars
from bot.domain.privacy.cards import Card
from bot.render import TEMPLATES

URL_SIGNS = ":/?#[]@!$&'*+,;=-._~%"
WHERE = {
    Level.REPOSITORY: "{size}-size pull requests here",
    Level.SIZE: "{size}-size pull requests of this team",
    Level.UNIT: "Pull requests of this team",
}
MEANING = (
    "This is the middle half of the team's earlier pull requests that used AI, at list prices. "
    "It says nothing about this one or its author."
)


def comment_body(reference: Reference, method_url: str) -> str:
    return TEMPLATE.render(
        marker=MARKER,
        headline=f"{WHERE[reference.level].format(size=reference.size)} usually take {_range(reference.card)} "
        "of AI compute",
        meaning=MEANING,
        link=quote(method_url, safe=URL_SIGNS),
    ).strip()


def _range(card: Card) -> str:
    """Two dollar signs with a space before each: GitHub takes none of them for mathematics."""
    low, high = dollars(card.lower_quartile), dollars(card.upper_quartile)
    return f"about {low}" if low == high else f"{low} to {high}"


TEMPLATE = Environment(
    loader=FileSystemLoader(TEMPLATES),
    undefined=StrictUndefined,
    autoescape=False,  # Markdown, of our own words only
    trim_blocks=True,
    lstrip_blocks=True,
).get_template("github/comment.md.j2")
