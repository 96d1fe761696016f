"""jobs and notes"""

import sqlalchemy as sa
from alembic import op

from libs.storage.types import UtcTimestamp

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "job",
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("available_at", UtcTimestamp(), nullable=False),
        sa.Column("lease_owner", sa.String(length=128), nullable=True),
        sa.Column("lease_until", UtcTimestamp(), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("lane", sa.Integer(), nullable=False),
        sa.Column("result", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
    )
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.create_index(
            "ix_job_waiting",
            ["lane", "id"],
            unique=False,
            sqlite_where=sa.text("state = 'READY'"),
            postgresql_where=sa.text("state = 'READY'"),
        )

    op.create_table(
        "note",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.CheckConstraint("length(body) > 0", name=op.f("ck_note_body_is_not_empty")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_note")),
        sa.UniqueConstraint("name", name=op.f("uq_note_name")),
    )


def downgrade() -> None:
    op.drop_table("note")
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_job_waiting", sqlite_where=sa.text("state = 'READY'"), postgresql_where=sa.text("state = 'READY'")
        )

    op.drop_table("job")
