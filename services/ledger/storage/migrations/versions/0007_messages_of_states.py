"""what changes with every write of a posting, as the bytes that clients get; null: made when it is read"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("posting", sa.Column("state_message", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    op.drop_column("posting", "state_message")
