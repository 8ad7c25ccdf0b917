"""Seen together: what finds values that came to the same countries at the same times; and ties that go with their version.

When values came where is written as they are looked at; to read the ledger anew fills it at once.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# Of an object that was published again, the tie stood at the place of whichever version came first.
_AT_VERSION_IN_FORCE = """
    UPDATE ties SET position = (
        SELECT objects.position FROM objects WHERE objects.collection_id = ties.collection_id
        AND objects.stix_id = ties.context_id AND objects.superseded_by = 0
    ) WHERE EXISTS (
        SELECT 1 FROM objects WHERE objects.collection_id = ties.collection_id
        AND objects.stix_id = ties.context_id AND objects.superseded_by = 0
    )
"""


def upgrade() -> None:
    """Apply the step."""
    op.create_table(
        "arrivals",
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("country", sa.String(), nullable=False),
        sa.Column("first_us", sa.BigInteger(), nullable=False),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "key", "country", name=op.f("pk_arrivals")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_arrivals_moment", "arrivals", ["scope", "country", "first_us", "told"], unique=False)
    op.create_table(
        "former_members",
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("incident_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "key", name=op.f("pk_former_members")),
        sqlite_with_rowid=False,
    )
    _make_ties("member_id", "context_id", "collection_id", "position")
    op.execute(_AT_VERSION_IN_FORCE)
    published = sa.text("said = 'published'")
    op.create_index(
        "ix_mentions_published", "mentions", ["key", "collection_id"], sqlite_where=published, postgresql_where=published
    )


def downgrade() -> None:
    """Take the step back."""
    op.drop_index("ix_mentions_published", "mentions")
    op.drop_table("former_members")
    op.drop_table("arrivals")
    _make_ties("member_id", "context_id", "collection_id")


def _make_ties(*key: str) -> None:
    """Make the table anew with another key; of several rows of one key the first is kept."""
    for column in ("context_id", "position"):
        op.drop_index(op.f(f"ix_ties_{column}"), "ties")
    op.rename_table("ties", "former_ties")
    if op.get_context().dialect.name == "postgresql":
        op.execute("ALTER TABLE former_ties RENAME CONSTRAINT pk_ties TO pk_former_ties")
    op.create_table(
        "ties",
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("context_id", sa.String(), nullable=False),
        sa.Column("collection_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint(*key, name=op.f("pk_ties")),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO ties (member_id, context_id, collection_id, position) SELECT member_id, context_id, collection_id,"
        " min(position) FROM former_ties GROUP BY member_id, context_id, collection_id"
    )
    op.drop_table("former_ties")
    for column in ("context_id", "position"):
        op.create_index(op.f(f"ix_ties_{column}"), "ties", [column], unique=False)
