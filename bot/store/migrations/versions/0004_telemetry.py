"""Telemetry of agents"""

import sqlalchemy as sa
from alembic import op

from bot.store.columns import Instant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _grades()
    _telemetry()


def _grades() -> None:
    """How surely a share belongs where it is; part of the key of what is open and what was booked."""
    with op.batch_alter_table("attributions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("grade", sa.String(), server_default="allocated", nullable=False))
        batch_op.add_column(sa.Column("weight", sa.BigInteger(), server_default="1", nullable=False))
    _made_anew("open_work", (), ("pull_id",))
    with op.batch_alter_table("bookings", schema=None) as batch_op:
        batch_op.drop_index("ix_bookings_unit_week")
    _made_anew("bookings", ("unit", "week", "part"), ("pull_id", "unit", "week", "part"))
    with op.batch_alter_table("bookings", schema=None) as batch_op:
        batch_op.create_index("ix_bookings_unit_week", ["unit", "week"], unique=False)


def _made_anew(name: str, more: tuple[str, ...], key: tuple[str, ...]) -> None:
    """A key cannot be changed in place on SQLite: the rows go through a table of their own."""
    kept = ("person_key", "day", "account", "pull_id", *more, "micro")
    columns = ", ".join(kept)
    op.execute(f"CREATE TABLE {name}_before AS SELECT {columns} FROM {name}")
    op.drop_table(name)
    op.create_table(
        name,
        sa.Column("person_key", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("pull_id", sa.String(), nullable=False),
        *(sa.Column(one, sa.Date() if one == "week" else sa.String(), nullable=False) for one in more),
        sa.Column("grade", sa.String(), server_default="allocated", nullable=False),
        sa.Column("micro", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("person_key", "day", "account", *key, "grade", name=op.f(f"pk_{name}")),
        sqlite_with_rowid=False,
    )
    op.execute(f"INSERT INTO {name} ({columns}) SELECT {columns} FROM {name}_before")
    op.drop_table(f"{name}_before")


def _telemetry() -> None:
    op.create_table(
        "ingest_tokens",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("person_key", sa.String(), nullable=True),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=True),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.Column("last_used", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ingest_tokens")),
    )
    with op.batch_alter_table("ingest_tokens", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ingest_tokens_person_key"), ["person_key"], unique=False)

    op.create_table(
        "agent_requests",
        sa.Column("person_key", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("via", sa.String(), nullable=False),
        sa.Column("session", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("turn", sa.String(), nullable=True),
        sa.Column("fresh", sa.BigInteger(), nullable=False),
        sa.Column("cache_write_5m", sa.BigInteger(), nullable=False),
        sa.Column("cache_write_1h", sa.BigInteger(), nullable=True),
        sa.Column("cache_read", sa.BigInteger(), nullable=False),
        sa.Column("output", sa.BigInteger(), nullable=False),
        sa.Column("reasoning", sa.BigInteger(), nullable=True),
        sa.Column("cost_micro", sa.BigInteger(), nullable=True),
        sa.Column("list_micro", sa.BigInteger(), nullable=True),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("person_key", "at", "key", "via", "session", name=op.f("pk_agent_requests")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "agent_events",
        sa.Column("person_key", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("via", sa.String(), nullable=False),
        sa.Column("session", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("happening", sa.String(), nullable=False),
        sa.Column("turn", sa.String(), nullable=True),
        sa.Column("what", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("person_key", "at", "key", "via", "session", name=op.f("pk_agent_events")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "agent_places",
        sa.Column("person_key", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("session", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("proof", sa.String(), nullable=False),
        sa.Column("repository", sa.String(), nullable=True),
        sa.Column("branch", sa.String(), nullable=True),
        sa.Column("sha", sa.String(), nullable=True),
        sa.Column("pull", sa.Integer(), nullable=True),
        sa.Column("turn", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("person_key", "at", "session", "digest", name=op.f("pk_agent_places")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "agent_counters",
        sa.Column("person_key", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("series", sa.String(), nullable=False),
        sa.Column("temporality", sa.String(), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("moment", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("session", sa.String(), nullable=True),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("meter", sa.String(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "person_key", "day", "series", "temporality", "start", "moment", name=op.f("pk_agent_counters")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "agent_days",
        sa.Column("person_key", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("list_micro", sa.BigInteger(), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("unpriced", sa.BigInteger(), nullable=False),
        sa.Column("human_turns", sa.BigInteger(), nullable=False),
        sa.Column("auto_turns", sa.BigInteger(), nullable=False),
        sa.Column("pending", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("person_key", "day", "agent", name=op.f("pk_agent_days")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("agent_days", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_agent_days_pending"), ["pending"], unique=False)

    op.create_table(
        "agent_models",
        sa.Column("person_key", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("seen", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("person_key", "model", name=op.f("pk_agent_models")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "agent_sessions",
        sa.Column("session", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("person_key", sa.String(), nullable=False),
        sa.Column("seen", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("session", "agent", "person_key", name=op.f("pk_agent_sessions")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("agent_sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_agent_sessions_person_key"), ["person_key"], unique=False)
