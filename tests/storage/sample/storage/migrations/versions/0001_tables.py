"""tables"""

import sqlalchemy as sa
from alembic import op

from libs.storage.types import UtcTimestamp

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("subject_seq", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", UtcTimestamp(), nullable=False),
        sa.Column("transaction_id", sa.String(length=32), nullable=False),
        sa.Column("content_digest", sa.String(length=64), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("encoding", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("row_digest", sa.String(length=80), nullable=False, server_default=""),
        sa.Column("prev_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_number", sa.BigInteger(), nullable=True),
        sa.Column("chain_hash", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
        sa.UniqueConstraint("subject", "subject_seq", name=op.f("uq_audit_entry_subject_subject_seq")),
    )
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.create_index(
            "ix_audit_entry_sealed",
            ["sealed_number"],
            unique=True,
            sqlite_where=sa.text("sealed_number IS NOT NULL"),
            postgresql_where=sa.text("sealed_number IS NOT NULL"),
        )
        batch_op.create_index("ix_audit_entry_transaction_id", ["transaction_id"], unique=False)
        batch_op.create_index(
            "ix_audit_entry_unsealed",
            ["id"],
            unique=False,
            sqlite_where=sa.text("sealed_number IS NULL"),
            postgresql_where=sa.text("sealed_number IS NULL"),
        )

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
    op.create_table(
        "outbox",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("topic", sa.String(length=128), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("transaction_id", sa.String(length=32), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("at", UtcTimestamp(), nullable=False),
        sa.Column("sealed_number", sa.BigInteger(), nullable=True),
        sa.Column("chain_hash", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_outbox")),
        sa.UniqueConstraint("id", name=op.f("uq_outbox_id")),
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index(
            "ix_outbox_sealed",
            ["sealed_number"],
            unique=True,
            sqlite_where=sa.text("sealed_number IS NOT NULL"),
            postgresql_where=sa.text("sealed_number IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_outbox_unsealed",
            ["position"],
            unique=False,
            sqlite_where=sa.text("sealed_number IS NULL"),
            postgresql_where=sa.text("sealed_number IS NULL"),
        )

    op.create_table(
        "outbox_reader",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("sealed_number", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("available_at", UtcTimestamp(), nullable=False),
        sa.Column("lease_owner", sa.String(length=128), nullable=True),
        sa.Column("lease_until", UtcTimestamp(), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_reader")),
    )
    op.create_table(
        "seal_head",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("audit_number", sa.BigInteger(), nullable=False),
        sa.Column("audit_hash", sa.LargeBinary(), nullable=False),
        sa.Column("outbox_number", sa.BigInteger(), nullable=False),
        sa.Column("outbox_hash", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seal_head")),
    )
    op.create_table(
        "total",
        sa.Column("interface", sa.String(length=128), nullable=False),
        sa.Column("company", sa.String(length=64), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("bucket", sa.String(length=32), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("minor_units", sa.BigInteger(), nullable=False),
        sa.Column("names_hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("interface", "company", "currency", "day", "bucket", name=op.f("pk_total")),
    )
    op.create_table(
        "total_delta",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("interface", sa.String(length=128), nullable=False),
        sa.Column("company", sa.String(length=64), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("bucket", sa.String(length=32), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("minor_units", sa.BigInteger(), nullable=False),
        sa.Column("names_hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_total_delta")),
    )


def downgrade() -> None:
    op.drop_table("total_delta")
    op.drop_table("total")
    op.drop_table("seal_head")
    op.drop_table("outbox_reader")
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_outbox_unsealed",
            sqlite_where=sa.text("sealed_number IS NULL"),
            postgresql_where=sa.text("sealed_number IS NULL"),
        )
        batch_op.drop_index(
            "ix_outbox_sealed",
            sqlite_where=sa.text("sealed_number IS NOT NULL"),
            postgresql_where=sa.text("sealed_number IS NOT NULL"),
        )

    op.drop_table("outbox")
    op.drop_table("note")
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_job_waiting", sqlite_where=sa.text("state = 'READY'"), postgresql_where=sa.text("state = 'READY'")
        )

    op.drop_table("job")
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_audit_entry_unsealed",
            sqlite_where=sa.text("sealed_number IS NULL"),
            postgresql_where=sa.text("sealed_number IS NULL"),
        )
        batch_op.drop_index("ix_audit_entry_transaction_id")
        batch_op.drop_index(
            "ix_audit_entry_sealed",
            sqlite_where=sa.text("sealed_number IS NOT NULL"),
            postgresql_where=sa.text("sealed_number IS NOT NULL"),
        )

    op.drop_table("audit_entry")
