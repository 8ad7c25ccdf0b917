"""Alerts: whom to tell what, once."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the step."""
    op.create_table(
        "alerts",
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("marking", sa.Integer(), nullable=False),
        sa.Column("seen_us", sa.BigInteger(), nullable=True),
        sa.Column("evidence", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("kind IN ('crossing', 'sighted', 'approaching')", name=op.f("ck_alerts_kind")),
        sa.ForeignKeyConstraint(["team_id"], ["teams.team_id"], name=op.f("fk_alerts_team_id")),
        sa.PrimaryKeyConstraint("team_id", "scope", "number", name=op.f("pk_alerts")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_alerts_number"), "alerts", ["number"])
    unseen = sa.text("seen_us IS NULL")
    op.create_index("ix_alerts_unseen", "alerts", ["team_id", "scope", "number"], sqlite_where=unseen, postgresql_where=unseen)
    op.create_table(
        "told",
        sa.Column("subject", sa.LargeBinary(length=16), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("other_id", sa.Integer(), nullable=False),
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "scope", "kind", "other_id", "team_id", name=op.f("pk_told")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_told_number"), "told", ["number"])
    op.add_column("host_order", sa.Column("alerts", sa.BigInteger(), server_default="0", nullable=False))


def downgrade() -> None:
    """Take the step back."""
    with op.batch_alter_table("host_order") as batch:
        batch.drop_column("alerts")
    op.drop_table("told")
    op.drop_table("alerts")
