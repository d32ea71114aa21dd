"""Every dollar once"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

PERSON_KEY = ("person_key", "day", "account")


def upgrade() -> None:
    with op.batch_alter_table("spend", schema=None) as batch_op:
        batch_op.alter_column("list_micro", existing_type=sa.BigInteger(), nullable=True)
    for name in ("person_days", "service_spend"):
        with op.batch_alter_table(name, schema=None) as batch_op:
            batch_op.add_column(sa.Column("unpriced_tokens", sa.BigInteger(), server_default="0", nullable=False))
            batch_op.add_column(sa.Column("reported_list_micro", sa.BigInteger(), nullable=True))
            batch_op.add_column(sa.Column("reported_billed_micro", sa.BigInteger(), nullable=True))
    with op.batch_alter_table("account_days", schema=None) as batch_op:
        batch_op.add_column(sa.Column("reported_billed_micro", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("reported_list_micro", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("covered_micro", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("adjustment_micro", sa.BigInteger(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("credits_milli", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("seats", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("upstream", sa.String(), nullable=True))
    with op.batch_alter_table("source_cursors", schema=None) as batch_op:
        batch_op.add_column(sa.Column("rejected", sa.String(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("unpriced", sa.String(), server_default="", nullable=False))
    op.execute("UPDATE account_days SET reported_billed_micro = billed_micro, reported_list_micro = list_micro")
    _details()


def _details() -> None:
    op.create_table(
        "session_spend",
        *_key(),
        sa.Column("session", sa.String(), nullable=False),
        sa.Column("pull", sa.String(), nullable=False),
        sa.Column("list_micro", sa.BigInteger(), nullable=True),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(*PERSON_KEY, "session", "pull", name=op.f("pk_session_spend")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "activity",
        *_key(),
        sa.Column("threads", sa.BigInteger(), nullable=True),
        sa.Column("turns", sa.BigInteger(), nullable=True),
        sa.Column("credits_milli", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint(*PERSON_KEY, name=op.f("pk_activity")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "session_commits",
        *_key(),
        sa.Column("sha", sa.String(), nullable=False),
        sa.Column("session", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint(*PERSON_KEY, "sha", "session", name=op.f("pk_session_commits")),
        sqlite_with_rowid=False,
    )

    for name in ("session_spend", "activity", "session_commits"):
        with op.batch_alter_table(name, schema=None) as batch_op:
            batch_op.create_index(f"ix_{name}_account_day", ["account", "day"], unique=False)


def _key() -> list[sa.Column[Any]]:
    return [
        sa.Column("person_key", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
    ]
