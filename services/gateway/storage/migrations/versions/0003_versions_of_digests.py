"""versions of digests; orders are commercial documents when they are read"""

import json

import sqlalchemy as sa
from alembic import op

from libs.events import Digest, event_from_json, event_to_json
from libs.events.orders import as_order

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("event", sa.Column("digest_version", sa.Integer(), nullable=False, server_default="1"))


def downgrade() -> None:
    """Back to orders, as the release before reads them and knows their repeats."""
    connection = op.get_bind()
    found = connection.execute(sa.text("SELECT name, payload FROM event WHERE digest_version = 2")).all()
    change = sa.text("UPDATE event SET payload = :payload, digest = :digest WHERE name = :name")
    for name, payload in found:
        event = event_from_json(payload)
        order = json.dumps(as_order(json.loads(event_to_json(event))))
        connection.execute(change, {"name": name, "payload": order, "digest": Digest.of(event, 1).hex})
    op.drop_column("event", "digest_version")
