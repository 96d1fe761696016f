"""what a mapping meant"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("mapping_set", schema=None) as batch_op:
        batch_op.add_column(sa.Column("active_revision", sa.BigInteger(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("meant", sa.Text(), server_default="[]", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("mapping_set", schema=None) as batch_op:
        batch_op.drop_column("meant")
        batch_op.drop_column("active_revision")
