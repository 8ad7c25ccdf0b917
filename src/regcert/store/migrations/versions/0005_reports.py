"""Reports on anything: campaigns and techniques besides values and indicators, and whose word a sighting is.

The newest reports on something are found team by team, and a report that names a value costs no entry among those that do not.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_PLACED = ["collection_id", "team_id", "position"]
_FEW = (
    ("ix_sightings_named", "indicator_id", "indicator_id IS NOT NULL"),
    ("ix_sightings_expired", "key", "kind = 'expired' AND key IS NOT NULL"),
)


def upgrade() -> None:
    """Apply the step."""
    op.add_column("sightings", sa.Column("origin", sa.String(), nullable=True))
    op.drop_index("ix_sightings_indicator_id", "sightings")
    for name, column, condition in _FEW:
        where = sa.text(condition)
        op.create_index(name, "sightings", [column, *_PLACED], sqlite_where=where, postgresql_where=where)
    op.drop_index("ix_mentions_key", "mentions")
    op.create_index("ix_mentions_key", "mentions", ["key", *_PLACED])


def downgrade() -> None:
    """Take the step back."""
    op.drop_index("ix_mentions_key", "mentions")
    op.create_index("ix_mentions_key", "mentions", ["key"])
    for name, _, _ in _FEW:
        op.drop_index(name, "sightings")
    op.create_index("ix_sightings_indicator_id", "sightings", ["indicator_id"])
    op.execute("ALTER TABLE sightings DROP COLUMN origin")
