"""Derived values: which host, domain or network a value belongs to.

What is held already is derived here, so that the next word about any of it finds the rest.
"""

import sqlalchemy as sa
from alembic import op

from regcert.stix.derived import DERIVED_FROM, find_parents
from regcert.stix.observable import Observable, ObservableKind
from regcert.store.ledger import observable_key

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_AT_ONCE = 1000


def upgrade() -> None:
    """Apply the step."""
    op.create_table(
        "derivations",
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("parent", sa.LargeBinary(length=16), nullable=False),
        sa.Column("child", sa.LargeBinary(length=16), nullable=False),
        sa.PrimaryKeyConstraint("scope", "parent", "child", name=op.f("pk_derivations")),
        sqlite_with_rowid=False,
    )
    connection = op.get_bind()
    following = sa.text(
        "SELECT key, kind, value FROM observables WHERE key > :after AND kind IN :kinds ORDER BY key LIMIT :most"
    ).bindparams(sa.bindparam("kinds", [kind.value for kind in sorted(DERIVED_FROM)], expanding=True), most=_AT_ONCE)
    holding = sa.text("SELECT DISTINCT scope FROM holdings WHERE key = :key")
    adding = sa.text("INSERT INTO derivations (scope, parent, child) VALUES (:scope, :parent, :child)")
    after = b""
    while found := connection.execute(following, {"after": after}).all():
        after = found[-1].key
        derived = [
            {"scope": scope, "parent": observable_key(parent), "child": key}
            for key, kind, value in found
            for scope in connection.execute(holding, {"key": key}).scalars()
            for parent in find_parents(Observable(ObservableKind(kind), value))
        ]
        if derived:
            connection.execute(adding, derived)


def downgrade() -> None:
    """Take the step back."""
    op.drop_table("derivations")
