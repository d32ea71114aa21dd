"""Forgetting by age: what is past its lifetime is deleted. Published blocks and account totals stay."""

from datetime import datetime

from sqlalchemy import Engine

from bot.domain import retention as lifetimes
from bot.store import ingest_tokens, retention, telemetry
from bot.store.db import transaction


def forget_old(engine: Engine, now: datetime) -> int:
    """Delete what is too old; returns how many rows of people that were. Safe to call at any time."""
    today = now.date()
    with transaction(engine) as session:
        dropped = retention.drop_spend(session, today - lifetimes.RAW)
        ingest_tokens.drop(session, now - lifetimes.RAW)
        dropped += telemetry.drop(session, today - lifetimes.RAW)
        dropped += retention.drop_recognised(session, today - lifetimes.RECOGNISED)
        retention.drop_open_work(session, today - lifetimes.OPEN_WORK)
        retention.drop_pulls(session, now - lifetimes.PUBLIC)
        retention.drop_consents(session, now - lifetimes.CONSENT_LOG)
    return dropped
