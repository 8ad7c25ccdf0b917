"""The history of the schema, one step a file; `env.py` is what Alembic calls."""
