"""Heads of pull requests"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("pulls", schema=None) as batch_op:
        batch_op.add_column(sa.Column("head_repository", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("default_branch", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("periods", sa.String(), server_default="", nullable=False))
        batch_op.create_index("ix_pulls_state_updated_at", ["state", "updated_at"], unique=False)
    op.create_table(
        "pull_commits",
        sa.Column("pull_id", sa.String(), nullable=False),
        sa.Column("sha", sa.String(), nullable=False),
        sa.Column("replaced", sa.Boolean(), nullable=False),
        sa.Column("sessions", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("pull_id", "sha", name=op.f("pk_pull_commits")),
        sqlite_with_rowid=False,
    )
