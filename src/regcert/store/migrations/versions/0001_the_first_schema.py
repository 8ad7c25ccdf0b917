"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the step."""
    op.create_table(
        "absorbed_incidents",
        sa.Column("incident_id", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("into_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("incident_id", name=op.f("pk_absorbed_incidents")),
    )
    op.create_table(
        "activity",
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.Column("published", sa.Integer(), nullable=False),
        sa.Column("sighted", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "day", "team_id", name=op.f("pk_activity")),
    )
    op.create_table(
        "audit",
        sa.Column("audit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("token_id", sa.Integer(), nullable=True),
        sa.Column("team_id", sa.Integer(), nullable=True),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("audit_id", name=op.f("pk_audit")),
    )
    op.create_table(
        "collections",
        sa.Column("collection_id", sa.Integer(), nullable=False),
        sa.Column("uuid", sa.String(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("api_root", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("ceiling", sa.Integer(), nullable=False),
        sa.Column("signature", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("read_all", sa.Boolean(), nullable=False),
        sa.Column("write_all", sa.Boolean(), nullable=False),
        sa.CheckConstraint("signature IN ('accepted', 'required')", name=op.f("ck_collections_signature")),
        sa.PrimaryKeyConstraint("collection_id", name=op.f("pk_collections")),
        sa.UniqueConstraint("slug", name=op.f("uq_collections_slug")),
        sa.UniqueConstraint("uuid", name=op.f("uq_collections_uuid")),
    )
    op.create_table(
        "correlated",
        sa.Column("mark_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("mark_id", name=op.f("pk_correlated")),
    )
    op.create_table(
        "held_back",
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("countries", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "key", name=op.f("pk_held_back")),
    )
    op.create_table(
        "holdings",
        sa.Column("key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("first_us", sa.BigInteger(), nullable=False),
        sa.Column("last_us", sa.BigInteger(), nullable=False),
        sa.Column("published", sa.Boolean(), nullable=False),
        sa.Column("positives", sa.BigInteger(), nullable=False),
        sa.Column("negatives", sa.BigInteger(), nullable=False),
        sa.Column("false_positive", sa.Boolean(), nullable=False),
        sa.Column("marking", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", "scope", "team_id", "origin", name=op.f("pk_holdings")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "host_facts",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_host_facts")),
    )
    op.create_table(
        "host_order",
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_host_order")),
    )
    op.create_table(
        "incidents",
        sa.Column("incident_id", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("rank", sa.Float(), nullable=False),
        sa.Column("summary", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("incident_id", name=op.f("pk_incidents")),
    )
    with op.batch_alter_table("incidents", schema=None) as batch_op:
        batch_op.create_index("ix_incidents_page", ["scope", "rank", "incident_id"], unique=False)

    op.create_table(
        "markings",
        sa.Column("collection_id", sa.Integer(), nullable=False),
        sa.Column("stix_id", sa.String(), nullable=False),
        sa.Column("tlp", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("collection_id", "stix_id", name=op.f("pk_markings")),
    )
    op.create_table(
        "mentions",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("collection_id", sa.Integer(), nullable=False),
        sa.Column("stix_id", sa.String(), nullable=False),
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("said", sa.String(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("first_us", sa.BigInteger(), nullable=True),
        sa.Column("last_us", sa.BigInteger(), nullable=True),
        sa.Column("marking", sa.Integer(), nullable=False),
        sa.CheckConstraint("said IN ('published', 'positive', 'negative', 'false-positive')", name=op.f("ck_mentions_said")),
        sa.PrimaryKeyConstraint("position", "key", name=op.f("pk_mentions")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("mentions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_mentions_key"), ["key"], unique=False)
        batch_op.create_index(batch_op.f("ix_mentions_stix_id"), ["stix_id"], unique=False)

    op.create_table(
        "objects",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("collection_id", sa.Integer(), nullable=False),
        sa.Column("stix_id", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("version_us", sa.BigInteger(), nullable=False),
        sa.Column("superseded_by", sa.BigInteger(), nullable=False),
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("vouched", sa.String(), nullable=False),
        sa.Column("marking", sa.Integer(), nullable=False),
        sa.Column("revoked", sa.Boolean(), nullable=False),
        sa.Column("submission_id", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_objects")),
        sa.UniqueConstraint("collection_id", "stix_id", "version_us", name=op.f("uq_objects_collection_id_stix_id_version_us")),
    )
    with op.batch_alter_table("objects", schema=None) as batch_op:
        batch_op.create_index("ix_objects_all_versions", ["collection_id", "position"], unique=False)
        batch_op.create_index(
            "ix_objects_page",
            ["collection_id", "position"],
            unique=False,
            sqlite_where=sa.text("superseded_by < position"),
            postgresql_where=sa.text("superseded_by < position"),
        )
        batch_op.create_index("ix_objects_page_of_type", ["collection_id", "type", "position"], unique=False)

    op.create_table(
        "observables",
        sa.Column("key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_observables")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sightings",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("collection_id", sa.Integer(), nullable=False),
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.Column("report_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=True),
        sa.Column("indicator_id", sa.String(), nullable=True),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("first_us", sa.BigInteger(), nullable=False),
        sa.Column("last_us", sa.BigInteger(), nullable=False),
        sa.Column("sector", sa.String(), nullable=True),
        sa.Column("marking", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind IN ('positive', 'negative', 'false-positive', 'expired')", name=op.f("ck_sightings_kind")),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_sightings")),
        sa.UniqueConstraint("team_id", "report_id", name=op.f("uq_sightings_team_id_report_id")),
    )
    with op.batch_alter_table("sightings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sightings_indicator_id"), ["indicator_id"], unique=False)

    op.create_table(
        "teams",
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("country", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("identity_id", sa.String(), nullable=False),
        sa.Column("website", sa.String(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('national', 'government', 'academic', 'sectoral', 'coordination', 'constituent')",
            name=op.f("ck_teams_kind"),
        ),
        sa.PrimaryKeyConstraint("team_id", name=op.f("pk_teams")),
        sa.UniqueConstraint("identity_id", name=op.f("uq_teams_identity_id")),
        sa.UniqueConstraint("slug", name=op.f("uq_teams_slug")),
    )
    op.create_table(
        "ties",
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("context_id", sa.String(), nullable=False),
        sa.Column("collection_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("member_id", "context_id", "collection_id", name=op.f("pk_ties")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("ties", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ties_context_id"), ["context_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_ties_position"), ["position"], unique=False)

    op.create_table(
        "tombstones",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("collection_id", sa.Integer(), nullable=False),
        sa.Column("stix_id", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_tombstones")),
    )
    op.create_table(
        "collection_access",
        sa.Column("collection_id", sa.Integer(), nullable=False),
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.Column("can_read", sa.Boolean(), nullable=False),
        sa.Column("can_write", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collections.collection_id"], name=op.f("fk_collection_access_collection_id")
        ),
        sa.ForeignKeyConstraint(["team_id"], ["teams.team_id"], name=op.f("fk_collection_access_team_id")),
        sa.PrimaryKeyConstraint("collection_id", "team_id", name=op.f("pk_collection_access")),
    )
    with op.batch_alter_table("collection_access", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_collection_access_team_id"), ["team_id"], unique=False)

    op.create_table(
        "incident_members",
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("incident_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.incident_id"], name=op.f("fk_incident_members_incident_id")),
        sa.PrimaryKeyConstraint("scope", "key", name=op.f("pk_incident_members")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("incident_members", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_incident_members_incident_id"), ["incident_id"], unique=False)

    op.create_table(
        "tokens",
        sa.Column("token_id", sa.Integer(), nullable=False),
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("expires_us", sa.BigInteger(), nullable=True),
        sa.Column("revoked_us", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("role IN ('analyst', 'consumer', 'coordinator', 'admin')", name=op.f("ck_tokens_role")),
        sa.ForeignKeyConstraint(["team_id"], ["teams.team_id"], name=op.f("fk_tokens_team_id")),
        sa.PrimaryKeyConstraint("token_id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("digest", name=op.f("uq_tokens_digest")),
    )
    op.create_table(
        "sessions",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("token_id", sa.Integer(), nullable=False),
        sa.Column("csrf", sa.String(), nullable=False),
        sa.Column("expires_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["token_id"], ["tokens.token_id"], name=op.f("fk_sessions_token_id")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_sessions")),
    )
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sessions_expires_us"), ["expires_us"], unique=False)
        batch_op.create_index(batch_op.f("ix_sessions_token_id"), ["token_id"], unique=False)

    op.create_table(
        "submissions",
        sa.Column("submission_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("status_uuid", sa.String(), nullable=False),
        sa.Column("api_root", sa.String(), nullable=False),
        sa.Column("collection_id", sa.Integer(), nullable=False),
        sa.Column("token_id", sa.Integer(), nullable=False),
        sa.Column("received_us", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["collection_id"], ["collections.collection_id"], name=op.f("fk_submissions_collection_id")),
        sa.ForeignKeyConstraint(["token_id"], ["tokens.token_id"], name=op.f("fk_submissions_token_id")),
        sa.PrimaryKeyConstraint("submission_id", name=op.f("pk_submissions")),
        sa.UniqueConstraint("status_uuid", name=op.f("uq_submissions_status_uuid")),
    )
    op.create_table(
        "token_collections",
        sa.Column("token_id", sa.Integer(), nullable=False),
        sa.Column("collection_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collections.collection_id"], name=op.f("fk_token_collections_collection_id")
        ),
        sa.ForeignKeyConstraint(["token_id"], ["tokens.token_id"], name=op.f("fk_token_collections_token_id")),
        sa.PrimaryKeyConstraint("token_id", "collection_id", name=op.f("pk_token_collections")),
    )


def downgrade() -> None:
    """Take the step back."""
    op.drop_table("token_collections")
    op.drop_table("submissions")
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sessions_token_id"))
        batch_op.drop_index(batch_op.f("ix_sessions_expires_us"))

    op.drop_table("sessions")
    op.drop_table("tokens")
    with op.batch_alter_table("incident_members", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_incident_members_incident_id"))

    op.drop_table("incident_members")
    with op.batch_alter_table("collection_access", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_collection_access_team_id"))

    op.drop_table("collection_access")
    op.drop_table("tombstones")
    with op.batch_alter_table("ties", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ties_position"))
        batch_op.drop_index(batch_op.f("ix_ties_context_id"))

    op.drop_table("ties")
    op.drop_table("teams")
    with op.batch_alter_table("sightings", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sightings_indicator_id"))

    op.drop_table("sightings")
    op.drop_table("observables")
    with op.batch_alter_table("objects", schema=None) as batch_op:
        batch_op.drop_index("ix_objects_page_of_type")
        batch_op.drop_index(
            "ix_objects_page",
            sqlite_where=sa.text("superseded_by < position"),
            postgresql_where=sa.text("superseded_by < position"),
        )
        batch_op.drop_index("ix_objects_all_versions")

    op.drop_table("objects")
    with op.batch_alter_table("mentions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_mentions_stix_id"))
        batch_op.drop_index(batch_op.f("ix_mentions_key"))

    op.drop_table("mentions")
    op.drop_table("markings")
    with op.batch_alter_table("incidents", schema=None) as batch_op:
        batch_op.drop_index("ix_incidents_page")

    op.drop_table("incidents")
    op.drop_table("host_order")
    op.drop_table("host_facts")
    op.drop_table("holdings")
    op.drop_table("held_back")
    op.drop_table("correlated")
    op.drop_table("collections")
    op.drop_table("audit")
    op.drop_table("activity")
    op.drop_table("absorbed_incidents")
