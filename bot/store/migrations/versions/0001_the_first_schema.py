"""The first schema"""

import sqlalchemy as sa
from alembic import op

from bot.store.columns import Instant

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account_days",
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("billed_micro", sa.BigInteger(), nullable=False),
        sa.Column("list_micro", sa.BigInteger(), nullable=True),
        sa.Column("outside", sa.String(), nullable=False),
        sa.Column("refreshed_at", Instant(), nullable=True),
        sa.Column("collected_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("account", "day", name=op.f("pk_account_days")),
    )
    with op.batch_alter_table("account_days", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_account_days_day"), ["day"], unique=False)

    op.create_table(
        "attributions",
        sa.Column("person_key", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("pull_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("person_key", "day", "position", name=op.f("pk_attributions")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "blocks",
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("last_week", sa.Date(), nullable=False),
        sa.Column("first_week", sa.Date(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("frozen_at", Instant(), nullable=False),
        sa.Column("metric_version", sa.Integer(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("unit", "last_week", "first_week", name=op.f("pk_blocks")),
    )
    op.create_table(
        "bookings",
        sa.Column("person_key", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("pull_id", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("micro", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "person_key", "day", "account", "pull_id", "unit", "week", "part", name=op.f("pk_bookings")
        ),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("bookings", schema=None) as batch_op:
        batch_op.create_index("ix_bookings_unit_week", ["unit", "week"], unique=False)

    op.create_table(
        "commit_days",
        sa.Column("author_id", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("pull_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("author_id", "day", "pull_id", name=op.f("pk_commit_days")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("commit_days", schema=None) as batch_op:
        batch_op.create_index("ix_commit_days_pull_id", ["pull_id"], unique=False)

    op.create_table(
        "consents",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_key", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("text_version", sa.Integer(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
    )
    with op.batch_alter_table("consents", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_consents_person_key"), ["person_key"], unique=False)

    op.create_table(
        "handles",
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("person_key", sa.String(), nullable=True),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("proved", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_handles")),
    )
    with op.batch_alter_table("handles", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_handles_person_key"), ["person_key"], unique=False)

    op.create_table(
        "meta",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_meta")),
    )
    op.create_table(
        "open_work",
        sa.Column("person_key", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("pull_id", sa.String(), nullable=False),
        sa.Column("micro", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("person_key", "day", "account", "pull_id", name=op.f("pk_open_work")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "outbox",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("not_before", Instant(), nullable=False),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("lease_until", Instant(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("remote_id", sa.String(), nullable=True),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_outbox")),
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index("ix_outbox_state_not_before", ["state", "not_before"], unique=False)

    op.create_table(
        "people",
        sa.Column("person_key", sa.String(), nullable=False),
        sa.Column("joined_at", Instant(), nullable=False),
        sa.Column("collect_from", sa.Date(), nullable=False),
        sa.Column("team_from", sa.Date(), nullable=True),
        sa.Column("returned", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("person_key", name=op.f("pk_people")),
    )
    op.create_table(
        "person_days",
        sa.Column("person_key", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("list_micro", sa.BigInteger(), nullable=False),
        sa.Column("billed_micro", sa.BigInteger(), nullable=True),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("entered_micro", sa.BigInteger(), nullable=False),
        sa.Column("pending", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("person_key", "day", "account", name=op.f("pk_person_days")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("person_days", schema=None) as batch_op:
        batch_op.create_index("ix_person_days_account_day", ["account", "day"], unique=False)
        batch_op.create_index("ix_person_days_pending_person_key_day", ["pending", "person_key", "day"], unique=False)

    op.create_table(
        "pull_reviews",
        sa.Column("pull_id", sa.String(), nullable=False),
        sa.Column("author_id", sa.String(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("author_is_bot", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("pull_id", "author_id", "at", name=op.f("pk_pull_reviews")),
    )
    with op.batch_alter_table("pull_reviews", schema=None) as batch_op:
        batch_op.create_index("ix_pull_reviews_author_id_at", ["author_id", "at"], unique=False)

    op.create_table(
        "pulls",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("repository", sa.String(), nullable=False),
        sa.Column("repository_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.String(), nullable=True),
        sa.Column("author_login", sa.String(), nullable=True),
        sa.Column("author_is_bot", sa.Boolean(), nullable=False),
        sa.Column("owner_id", sa.String(), nullable=True),
        sa.Column("owner_login", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("draft", sa.Boolean(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("ready_at", Instant(), nullable=True),
        sa.Column("merged_at", Instant(), nullable=True),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("base_branch", sa.String(), nullable=False),
        sa.Column("head_branch", sa.String(), nullable=False),
        sa.Column("lines", sa.BigInteger(), nullable=False),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("reverts", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pulls")),
    )
    with op.batch_alter_table("pulls", schema=None) as batch_op:
        batch_op.create_index("ix_pulls_author_id_merged_at", ["author_id", "merged_at"], unique=False)
        batch_op.create_index("ix_pulls_owner_id_merged_at", ["owner_id", "merged_at"], unique=False)
        batch_op.create_index("ix_pulls_repository_id_number", ["repository_id", "number"], unique=False)

    op.create_table(
        "remainders",
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("billed_micro", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", "day", name=op.f("pk_remainders")),
    )
    op.create_table(
        "rosters",
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("epoch", sa.Date(), nullable=False),
        sa.Column("github_id", sa.String(), nullable=False),
        sa.Column("login", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("unit", "epoch", "github_id", name=op.f("pk_rosters")),
    )
    op.create_table(
        "service_spend",
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("service_account", sa.String(), nullable=False),
        sa.Column("list_micro", sa.BigInteger(), nullable=False),
        sa.Column("billed_micro", sa.BigInteger(), nullable=True),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("entered_micro", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", "day", "service_account", name=op.f("pk_service_spend")),
    )
    op.create_table(
        "source_cursors",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("fetched_at", Instant(), nullable=True),
        sa.Column("lag_days", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "source", name=op.f("pk_source_cursors")),
    )
    op.create_table(
        "spend",
        sa.Column("person_key", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("list_micro", sa.BigInteger(), nullable=False),
        sa.Column("billed_micro", sa.BigInteger(), nullable=True),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("fresh", sa.BigInteger(), nullable=False),
        sa.Column("cache_write_5m", sa.BigInteger(), nullable=False),
        sa.Column("cache_write_1h", sa.BigInteger(), nullable=True),
        sa.Column("cache_read", sa.BigInteger(), nullable=False),
        sa.Column("output", sa.BigInteger(), nullable=False),
        sa.Column("reasoning", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("person_key", "day", "account", "model", name=op.f("pk_spend")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("spend", schema=None) as batch_op:
        batch_op.create_index("ix_spend_account_day", ["account", "day"], unique=False)

    op.create_table(
        "units",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("first_week", sa.Date(), nullable=False),
        sa.Column("opened", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_units")),
    )
    op.create_table(
        "withdrawals",
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("micro", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", "day", name=op.f("pk_withdrawals")),
    )
