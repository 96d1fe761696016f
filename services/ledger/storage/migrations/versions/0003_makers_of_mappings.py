"""who made the mapping that a posting was built with"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("posting", sa.Column("mapping_by", sa.String(length=255), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("posting", "mapping_by")
