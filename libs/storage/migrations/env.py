"""The one Alembic environment of all services. `libs.storage.revisions` hands it an open connection."""

from alembic import context

attributes = context.config.attributes
context.configure(
    connection=attributes["connection"], target_metadata=attributes.get("metadata"), **attributes["options"]
)
with context.begin_transaction():
    context.run_migrations()
