"""what changes only with a posting's document, as the bytes that clients get; null: made when it is read"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("posting", sa.Column("built_message", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    op.drop_column("posting", "built_message")
