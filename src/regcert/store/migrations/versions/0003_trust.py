"""Trust: keys and signed publications, the transparency log, second persons, people who sign in, a chained audit trail.

Every collection gets what its publications are tagged with in the log. The audit trail is chained from the next row on; what
stands in it before that cannot be proven any more, and says so by having no link.
"""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TABLES = (
    "approvals",
    "proposals",
    "people",
    "challenges",
    "witnesses",
    "key_lists",
    "signed_objects",
    "publications",
    "log_tiles",
    "log_leaves",
    "log_checkpoints",
    "cosignatures",
)
_FEW_OBJECTS = (("ix_objects_withdrawn", "revoked"), ("ix_objects_strict", "marking >= 3"))

# Nobody changes or removes a row of the audit trail in passing. Whoever owns the database can take a trigger away: the chain is
# what tells it then.
_NEVER = "the audit trail only grows"
_APPEND_ONLY = {
    "sqlite": [
        f"CREATE TRIGGER audit_{verb} BEFORE {verb.upper()} ON audit BEGIN SELECT RAISE(ABORT, '{_NEVER}'); END"
        for verb in ("update", "delete")
    ],
    "postgresql": [
        f"CREATE FUNCTION audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{_NEVER}'; END $$",
        "CREATE TRIGGER audit_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON audit EXECUTE FUNCTION audit_only_grows()",
    ],
}
_CHANGEABLE = {
    "sqlite": ["DROP TRIGGER audit_update", "DROP TRIGGER audit_delete"],
    "postgresql": [
        "DROP TRIGGER audit_only_grows ON audit",
        "DROP FUNCTION audit_only_grows()",
        # The rows behind the chain's beginning were numbered by hand; whoever comes back lets the database number them.
        "SELECT setval(pg_get_serial_sequence('audit', 'audit_id'), coalesce(max(audit_id), 0) + 1, false) FROM audit",
    ],
}


def upgrade() -> None:
    """Apply the step."""
    op.create_table(
        "cosignatures",
        sa.Column("size", _BIG, autoincrement=False, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("line", sa.LargeBinary(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("size", "name", name=op.f("pk_cosignatures")),
    )
    op.create_table(
        "log_checkpoints",
        sa.Column("size", _BIG, autoincrement=False, nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_log_checkpoints")),
    )
    op.create_table(
        "log_leaves",
        sa.Column("leaf_index", _BIG, autoincrement=False, nullable=False),
        sa.Column("entry", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("leaf_index", name=op.f("pk_log_leaves")),
    )
    op.create_table(
        "log_tiles",
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("number", _BIG, autoincrement=False, nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "number", name=op.f("pk_log_tiles")),
    )
    op.create_table(
        "publications",
        sa.Column("collection_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("submission_id", sa.BigInteger(), nullable=False),
        sa.Column("leaf_index", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("collection_id", "number", name=op.f("pk_publications")),
        sa.UniqueConstraint("collection_id", "digest", name=op.f("uq_publications_collection_id_digest")),
        sa.UniqueConstraint("collection_id", "team_id", "seq", name=op.f("uq_publications_collection_id_team_id_seq")),
    )
    op.create_index(op.f("ix_publications_position"), "publications", ["position"], unique=False)
    op.create_index(op.f("ix_publications_submission_id"), "publications", ["submission_id"], unique=False)
    op.create_table(
        "signed_objects",
        sa.Column("position", _BIG, autoincrement=False, nullable=False),
        sa.Column("collection_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_signed_objects")),
    )
    op.create_table(
        "key_lists",
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.Column("entered_us", sa.BigInteger(), nullable=False),
        sa.Column("leaf_index", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["teams.team_id"], name=op.f("fk_key_lists_team_id")),
        sa.PrimaryKeyConstraint("team_id", "version", name=op.f("pk_key_lists")),
    )
    op.create_table(
        "witnesses",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("verifier", sa.String(), nullable=False),
        sa.Column("team_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["team_id"], ["teams.team_id"], name=op.f("fk_witnesses_team_id")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_witnesses")),
    )
    op.create_table(
        "challenges",
        sa.Column("challenge", sa.LargeBinary(length=32), nullable=False),
        sa.Column("token_id", sa.Integer(), nullable=False),
        sa.Column("expires_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["token_id"], ["tokens.token_id"], name=op.f("fk_challenges_token_id")),
        sa.PrimaryKeyConstraint("challenge", name=op.f("pk_challenges")),
    )
    op.create_index(op.f("ix_challenges_expires_us"), "challenges", ["expires_us"], unique=False)
    op.create_index(op.f("ix_challenges_token_id"), "challenges", ["token_id"], unique=False)
    op.create_table(
        "people",
        sa.Column("token_id", sa.Integer(), nullable=False),
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("password", sa.String(), nullable=False),
        sa.Column("totp", sa.LargeBinary(), nullable=False),
        sa.Column("totp_step", sa.BigInteger(), nullable=False),
        sa.Column("oidc_subject", sa.String(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["token_id"], ["tokens.token_id"], name=op.f("fk_people_token_id")),
        sa.PrimaryKeyConstraint("token_id", name=op.f("pk_people")),
        sa.UniqueConstraint("login", name=op.f("uq_people_login")),
        sa.UniqueConstraint("oidc_subject", name=op.f("uq_people_oidc_subject")),
    )
    op.create_table(
        "proposals",
        sa.Column("proposal_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.Column("token_id", sa.Integer(), nullable=False),
        sa.Column("collection_id", sa.Integer(), nullable=True),
        sa.Column("submission_id", sa.BigInteger(), nullable=True),
        sa.Column("needs", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("expires_us", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("kind IN ('key-list', 'post')", name=op.f("ck_proposals_kind")),
        sa.CheckConstraint("state IN ('open', 'approved', 'done', 'refused', 'withdrawn')", name=op.f("ck_proposals_state")),
        sa.ForeignKeyConstraint(["team_id"], ["teams.team_id"], name=op.f("fk_proposals_team_id")),
        sa.ForeignKeyConstraint(["token_id"], ["tokens.token_id"], name=op.f("fk_proposals_token_id")),
        sa.PrimaryKeyConstraint("proposal_id", name=op.f("pk_proposals")),
    )
    op.create_index(op.f("ix_proposals_created_us"), "proposals", ["created_us"], unique=False)
    op.create_index(op.f("ix_proposals_team_id"), "proposals", ["team_id"], unique=False)
    op.create_table(
        "approvals",
        sa.Column("proposal_id", sa.String(), nullable=False),
        sa.Column("token_id", sa.Integer(), nullable=False),
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["proposal_id"], ["proposals.proposal_id"], name=op.f("fk_approvals_proposal_id")),
        sa.ForeignKeyConstraint(["token_id"], ["tokens.token_id"], name=op.f("fk_approvals_token_id")),
        sa.PrimaryKeyConstraint("proposal_id", "token_id", name=op.f("pk_approvals")),
    )
    op.add_column("holdings", sa.Column("signed", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("audit", sa.Column("chain", sa.LargeBinary(), nullable=True))
    op.add_column("collections", sa.Column("blind", sa.LargeBinary(), nullable=True))
    op.add_column("sessions", sa.Column("seen_us", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("tokens", sa.Column("networks", sa.String(), nullable=True))
    op.add_column("tokens", sa.Column("certificate", sa.String(), nullable=True))
    op.add_column("tokens", sa.Column("used_us", sa.BigInteger(), nullable=True))
    op.add_column("tokens", sa.Column("made_by", sa.Integer(), nullable=True))
    op.add_column("tombstones", sa.Column("undone", sa.Boolean(), server_default=sa.false(), nullable=False))
    for name, condition in _FEW_OBJECTS:
        where = sa.text(condition)
        op.create_index(name, "objects", ["collection_id", "position"], sqlite_where=where, postgresql_where=where)
    _tag_collections()
    for statement in _APPEND_ONLY[op.get_context().dialect.name]:
        op.execute(statement)


def _tag_collections() -> None:
    connection = op.get_bind()
    ids = connection.execute(sa.text("SELECT collection_id FROM collections")).scalars().all()
    for collection_id in ids:
        blind = {"blind": secrets.token_bytes(32), "id": collection_id}
        connection.execute(sa.text("UPDATE collections SET blind = :blind WHERE collection_id = :id"), blind)


def downgrade() -> None:
    """Take the step back."""
    for statement in _CHANGEABLE[op.get_context().dialect.name]:
        op.execute(statement)
    for name, _ in _FEW_OBJECTS:
        op.drop_index(name, "objects")
    for table, column in (
        ("tombstones", "undone"), ("tokens", "made_by"),
        ("tokens", "used_us"), ("tokens", "certificate"), ("tokens", "networks"), ("sessions", "seen_us"),
        ("collections", "blind"), ("audit", "chain"),
    ):  # fmt: skip
        with op.batch_alter_table(table) as batch:
            batch.drop_column(column)
    op.execute("ALTER TABLE holdings DROP COLUMN signed")  # a batch would forget that its rows stand in the key
    for table in _TABLES:
        op.drop_table(table)
