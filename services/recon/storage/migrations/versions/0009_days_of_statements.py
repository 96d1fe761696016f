"""days of statements: what an account's chain is made of; those that stand here have none and prove no gap"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "statement_span",
        sa.Column("statement", sa.String(length=255), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("statement", name=op.f("pk_statement_span")),
    )


def downgrade() -> None:
    op.drop_table("statement_span")
