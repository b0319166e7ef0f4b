"""Runs the migrations on the connection that `scheduler.store.migrations` hands over."""

from alembic import context
from scheduler.store.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    transactional_ddl=True,  # with BEGIN IMMEDIATE a killed migration leaves nothing behind
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
