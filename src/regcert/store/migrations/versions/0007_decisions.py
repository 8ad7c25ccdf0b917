"""Decisions: what coordinators merged, split, pinned, dismissed or overruled, and what teams protect."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_DEEDS = "'merge', 'split', 'pin', 'unpin', 'dismiss', 'restore', 'count', 'noise', 'undo'"
# What was held back before says why in a sentence only.
_WORDS = """
UPDATE held_back SET
  kind = coalesce((SELECT observables.kind FROM observables WHERE observables.key = held_back.key), ''),
  held = CASE
    WHEN reason LIKE 'As many teams call it harmless%' THEN 'false-positive'
    WHEN reason LIKE 'All who hold it repeat%' THEN 'one-origin'
    WHEN reason LIKE 'Several stories share it%' THEN 'shared'
    ELSE 'guarded' END
"""


def upgrade() -> None:
    """Apply the step."""
    op.create_table(
        "decisions",
        sa.Column("position", _BIG, autoincrement=False, nullable=False),
        sa.Column("decision_id", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("deed", sa.String(), nullable=False),
        sa.Column("incident_id", sa.String(), nullable=False),
        sa.Column("with_id", sa.String(), nullable=False),
        sa.Column("countries", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.Column("token_id", sa.Integer(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("undone_by", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(f"deed IN ({_DEEDS})", name=op.f("ck_decisions_deed")),
        sa.ForeignKeyConstraint(["team_id"], ["teams.team_id"], name=op.f("fk_decisions_team_id")),
        sa.ForeignKeyConstraint(["token_id"], ["tokens.token_id"], name=op.f("fk_decisions_token_id")),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_decisions")),
        sa.UniqueConstraint("decision_id", name=op.f("uq_decisions_decision_id")),
    )
    op.create_index("ix_decisions_in_force", "decisions", ["scope", "undone_by", "position"])
    op.create_index(op.f("ix_decisions_incident_id"), "decisions", ["incident_id"])
    op.create_table(
        "decision_values",
        sa.Column("key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("is_other", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("key", "position", name=op.f("pk_decision_values")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_decision_values_position"), "decision_values", ["position"])
    op.create_table(
        "protected_lists",
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("entries", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["teams.team_id"], name=op.f("fk_protected_lists_team_id")),
        sa.PrimaryKeyConstraint("team_id", name=op.f("pk_protected_lists")),
    )
    op.create_table(
        "judged_anew",
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("key", sa.LargeBinary(length=16), nullable=False),
        sa.PrimaryKeyConstraint("position", "scope", "key", name=op.f("pk_judged_anew")),
        sqlite_with_rowid=False,
    )
    op.add_column("incidents", sa.Column("standing", sa.Integer(), server_default="0", nullable=False))
    op.drop_index("ix_incidents_page", "incidents")
    op.create_index("ix_incidents_page", "incidents", ["scope", "standing", "rank", "incident_id"])
    op.add_column("held_back", sa.Column("held", sa.String(), server_default=sa.text("''"), nullable=False))
    op.add_column("held_back", sa.Column("kind", sa.String(), server_default=sa.text("''"), nullable=False))
    op.add_column("held_back", sa.Column("wide", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_index("ix_held_back_page", "held_back", ["scope", "held", "kind", "key"])
    op.execute(_WORDS)


def downgrade() -> None:
    """Take the step back."""
    op.drop_index("ix_held_back_page", "held_back")
    for column in ("wide", "kind", "held"):
        op.execute(f"ALTER TABLE held_back DROP COLUMN {column}")
    op.drop_index("ix_incidents_page", "incidents")
    op.execute("ALTER TABLE incidents DROP COLUMN standing")
    op.create_index("ix_incidents_page", "incidents", ["scope", "rank", "incident_id"])
    for table in ("judged_anew", "protected_lists", "decision_values", "decisions"):
        op.drop_table(table)
