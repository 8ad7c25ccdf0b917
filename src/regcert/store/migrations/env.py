"""What Alembic runs a migration in: the connection that `store/migrate.py` opened."""

from alembic import context

from regcert.store import border_tables, incident_tables, trust_tables  # noqa: F401 - all of METADATA
from regcert.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
