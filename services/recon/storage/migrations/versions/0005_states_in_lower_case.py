"""states in lower case"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE outbox_reader SET state = lower(state)")


def downgrade() -> None:
    op.execute("UPDATE outbox_reader SET state = upper(state)")
