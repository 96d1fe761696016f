"""answered requests in the columns that every service has for them; states in lower case"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_column("request", "posting")
    op.execute("UPDATE outbox_reader SET state = lower(state)")


def downgrade() -> None:
    op.add_column("request", sa.Column("posting", sa.String(length=1024), nullable=False, server_default=""))
    op.execute("UPDATE outbox_reader SET state = upper(state)")
