"""Blind matches: the same value in circles that do not see each other, and who agreed to say more."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_DEEDS = "'tell', 'ask', 'forward', 'agree', 'refuse', 'close', 'withdraw'"


def upgrade() -> None:
    """Apply the step."""
    op.add_column("collections", sa.Column("blind_matching", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_table(
        "blind_tries",
        sa.Column("key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("key", "team_id", name=op.f("pk_blind_tries")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_blind_tries_day", "blind_tries", ["day", "team_id"])
    op.create_table(
        "blind_matches",
        sa.Column("match_id", sa.String(), nullable=False),
        sa.Column("key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("asked_us", sa.BigInteger(), nullable=False),
        sa.Column("forwarded_us", sa.BigInteger(), nullable=False),
        sa.Column("closes_us", sa.BigInteger(), nullable=False),
        sa.Column("end_reason", sa.String(), nullable=False),
        sa.CheckConstraint("end_reason IN ('expired', 'withdrawn', 'closed')", name=op.f("ck_blind_matches_end_reason")),
        sa.PrimaryKeyConstraint("match_id", name=op.f("pk_blind_matches")),
    )
    op.create_index(op.f("ix_blind_matches_asked_us"), "blind_matches", ["asked_us"])
    op.create_index(op.f("ix_blind_matches_key"), "blind_matches", ["key"])
    op.create_table(
        "blind_sides",
        sa.Column("match_id", sa.String(), nullable=False),
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("told_us", sa.BigInteger(), nullable=False),
        sa.Column("marking", sa.Integer(), nullable=False),
        sa.Column("stance", sa.String(), nullable=False),
        sa.Column("objects", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("stance IN ('silent', 'asked', 'agreed', 'refused')", name=op.f("ck_blind_sides_stance")),
        sa.ForeignKeyConstraint(["match_id"], ["blind_matches.match_id"], name=op.f("fk_blind_sides_match_id")),
        sa.ForeignKeyConstraint(["team_id"], ["teams.team_id"], name=op.f("fk_blind_sides_team_id")),
        sa.PrimaryKeyConstraint("match_id", "team_id", "scope", name=op.f("pk_blind_sides")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_blind_sides_told", "blind_sides", ["team_id", "told_us", "match_id"])
    op.create_table(
        "blind_steps",
        sa.Column("match_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("team_id", sa.Integer(), nullable=True),
        sa.Column("token_id", sa.Integer(), nullable=True),
        sa.Column("deed", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.CheckConstraint(f"deed IN ({_DEEDS})", name=op.f("ck_blind_steps_deed")),
        sa.ForeignKeyConstraint(["match_id"], ["blind_matches.match_id"], name=op.f("fk_blind_steps_match_id")),
        sa.ForeignKeyConstraint(["team_id"], ["teams.team_id"], name=op.f("fk_blind_steps_team_id")),
        sa.ForeignKeyConstraint(["token_id"], ["tokens.token_id"], name=op.f("fk_blind_steps_token_id")),
        sa.PrimaryKeyConstraint("match_id", "number", name=op.f("pk_blind_steps")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Take the step back."""
    for table in ("blind_steps", "blind_sides", "blind_matches", "blind_tries"):
        op.drop_table(table)
    with op.batch_alter_table("collections") as batch:
        batch.drop_column("blind_matching")
