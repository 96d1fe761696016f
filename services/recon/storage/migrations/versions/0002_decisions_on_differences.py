"""decisions on differences"""

import sqlalchemy as sa
from alembic import op

import libs.storage.types

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "request",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("created_at", libs.storage.types.UtcTimestamp(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.add_column("difference", sa.Column("proposed_by", sa.String(length=255), nullable=False, server_default=""))
    op.add_column("difference", sa.Column("why", sa.Text(), nullable=False, server_default=""))
    op.add_column("difference", sa.Column("decided_by", sa.String(length=255), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("difference", "decided_by")
    op.drop_column("difference", "why")
    op.drop_column("difference", "proposed_by")
    op.drop_table("request")
