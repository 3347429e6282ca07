"""Runs the versions on the connection that `gengfu.database.migrate` hands over. Never opens its own."""

from alembic import context

from gengfu.database.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite changes a column by copying the table
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
