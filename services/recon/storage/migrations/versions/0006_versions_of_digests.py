"""versions of digests; orders are commercial documents"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("outbound_event", sa.Column("digest_version", sa.Integer(), nullable=False, server_default="1"))
    op.execute("UPDATE item SET event_kind = 'document' WHERE event_kind = 'order_paid'")


def downgrade() -> None:
    op.execute("UPDATE item SET event_kind = 'order_paid' WHERE event_kind = 'document'")
    op.drop_column("outbound_event", "digest_version")
