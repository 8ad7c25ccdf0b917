"""API roots, client profiles, and what a process must see to trust its memory.

A host of release 0.1 has one API root, named in its facts. Mentions are found by the place of their object from here on, which
makes their index by id needless: it was the widest of all.
"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_STIX = "application/stix+json;version=2.1"
_LARGE = sa.text("length(body) > 32768")


def upgrade() -> None:
    """Apply the step."""
    roots = op.create_table(
        "api_roots",
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_api_roots")),
        sa.UniqueConstraint("place", name=op.f("uq_api_roots_place")),
    )
    op.create_table(
        "spool",
        sa.Column("submission_id", _BIG, autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("objects", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.Column("piece", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("submission_id", "number", name=op.f("pk_spool")),
    )
    op.add_column("host_order", sa.Column("rights", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("collections", sa.Column("changed", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("collections", sa.Column("media_types", sa.String(), server_default=_STIX, nullable=False))
    op.add_column("tokens", sa.Column("client", sa.String(), nullable=True))
    op.add_column("tombstones", sa.Column("was", sa.BigInteger(), server_default="0", nullable=False))
    op.create_index(op.f("ix_submissions_received_us"), "submissions", ["received_us"])
    op.create_index("ix_objects_large", "objects", ["collection_id", "position"], sqlite_where=_LARGE, postgresql_where=_LARGE)
    op.drop_index(op.f("ix_mentions_stix_id"), "mentions")
    _carry_over(roots)


def _carry_over(roots: sa.Table) -> None:
    """Enter the one API root that an older host has, and what is newest in each of its collections."""
    connection = op.get_bind()
    facts: dict[str, str] = dict(connection.execute(sa.text("SELECT name, value FROM host_facts")).all())
    if "api_root" in facts:
        title = f"{json.loads(facts['region_name'])}: indicators and sightings"
        root = {"slug": json.loads(facts["api_root"]), "place": 1, "title": title, "description": "What the region's teams share"}
        op.bulk_insert(roots, [root])
    connection.execute(
        sa.text(
            "UPDATE collections SET changed = coalesce("
            "(SELECT max(position) FROM objects WHERE objects.collection_id = collections.collection_id), 0)"
        )
    )


def downgrade() -> None:
    """Take the step back."""
    op.create_index(op.f("ix_mentions_stix_id"), "mentions", ["stix_id"])
    op.drop_index("ix_objects_large", "objects")
    op.drop_index(op.f("ix_submissions_received_us"), "submissions")
    for table, column in (
        ("tombstones", "was"), ("tokens", "client"), ("collections", "media_types"), ("collections", "changed"),
        ("host_order", "rights"),
    ):  # fmt: skip
        with op.batch_alter_table(table) as batch:
            batch.drop_column(column)
    op.drop_table("spool")
    op.drop_table("api_roots")
