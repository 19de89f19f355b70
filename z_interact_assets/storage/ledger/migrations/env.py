"""Alembic's entry point; the connection comes from storage.ledger.connect, never from a file."""

from alembic import context

from z_interact_assets.storage.ledger.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
