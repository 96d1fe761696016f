"""certificates without residuals"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("found_match", schema=None) as batch_op:
        batch_op.drop_column("residuals")


def downgrade() -> None:
    with op.batch_alter_table("found_match", schema=None) as batch_op:
        batch_op.add_column(sa.Column("residuals", sa.Text(), server_default="[]", nullable=False))
