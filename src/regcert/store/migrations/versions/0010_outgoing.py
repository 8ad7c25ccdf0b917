"""Outgoing: where the host publishes what crosses borders, and what it has published of each incident.

An existing host publishes nothing: none of its collections is for that.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger()


def upgrade() -> None:
    """Apply the step."""
    op.add_column("collections", sa.Column("centre_token", sa.Integer(), nullable=True))
    op.create_table(
        "outgoing",
        sa.Column("incident_id", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("noted", _BIG, nullable=False),
        sa.Column("due_us", _BIG, nullable=True),
        sa.Column("looked_us", _BIG, nullable=False),
        sa.Column("issued_us", _BIG, nullable=False),
        sa.Column("shape", sa.LargeBinary(), nullable=False),
        sa.Column("shape_us", _BIG, nullable=False),
        sa.Column("is_report", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("incident_id", name=op.f("pk_outgoing")),
    )
    is_due = sa.text("due_us IS NOT NULL")
    op.create_index(op.f("ix_outgoing_due"), "outgoing", ["due_us"], sqlite_where=is_due, postgresql_where=is_due)
    op.create_table(
        "issued",
        sa.Column("collection_id", sa.Integer(), nullable=False),
        sa.Column("handle", sa.String(), nullable=False),
        sa.Column("stix_id", sa.String(), nullable=False),
        sa.Column("incident_id", sa.String(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=True),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("created_us", _BIG, nullable=False),
        sa.Column("version_us", _BIG, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("marking", sa.Integer(), nullable=False),
        sa.Column("revoked", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("collection_id", "handle", name=op.f("pk_issued")),
    )
    for column in ("stix_id", "incident_id"):
        op.create_index(op.f(f"ix_issued_{column}"), "issued", [column])


def downgrade() -> None:
    """Take the step back."""
    op.drop_table("issued")
    op.drop_table("outgoing")
    op.drop_column("collections", "centre_token")
