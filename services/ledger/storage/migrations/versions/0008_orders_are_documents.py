"""orders are commercial documents: their kind here, their payload when it is read"""

import json

import sqlalchemy as sa
from alembic import op

from libs.events import Digest, event_from_json, event_to_json
from libs.events.orders import as_order

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE event SET kind = 'document' WHERE kind IN ('order_paid', 'order_refunded')")


def downgrade() -> None:
    """Back to orders, as the release before reads them and knows their repeats."""
    connection = op.get_bind()
    found = connection.execute(sa.text("SELECT name, payload FROM event WHERE kind = 'document'")).all()
    change = sa.text(
        "UPDATE event SET kind = :kind, payload = :payload, digest = :digest, digest_version = 1 WHERE name = :name"
    )
    for name, payload in found:
        event = event_from_json(payload)
        order = as_order(json.loads(event_to_json(event)))
        digest = Digest.of(event, 1).hex
        connection.execute(
            change, {"name": name, "kind": order["kind"], "payload": json.dumps(order), "digest": digest}
        )
