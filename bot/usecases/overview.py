"""How the sources stand, and the organisation's line: what `leverage collect` ends with."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Engine

from bot.domain.overview import Overview, Standing, explained_band, shown_days
from bot.domain.prices import Terms, reconcile
from bot.store import cursors
from bot.store import overview as books
from bot.store.cursors import SourceKind
from bot.store.db import reading


def overview(engine: Engine, sources: Sequence[str], terms: Terms, now: datetime) -> Overview:
    """The standing of these sources, over the last four weeks."""
    first, last = shown_days(now)
    with reading(engine) as session:
        read = {one.source: one.fetched_at for one in cursors.every(session, SourceKind.SPEND)}
        standings = [
            Standing(name, explained_band(books.explained(session, name, first, last)), read.get(name))
            for name in sources
        ]
        line = reconcile(books.account_sums(session, first, last), terms, first, last)
    return Overview(tuple(standings), line, first, last)
