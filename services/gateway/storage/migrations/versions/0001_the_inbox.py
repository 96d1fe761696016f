"""the inbox"""

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
        "delivery",
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("available_at", UtcTimestamp(), nullable=False),
        sa.Column("lease_owner", sa.String(length=128), nullable=True),
        sa.Column("lease_until", UtcTimestamp(), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("transaction_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=800), nullable=False),
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=255), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("type", sa.String(length=128), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("body_bytes", sa.BigInteger(), nullable=False),
        sa.Column("received_at", UtcTimestamp(), nullable=False),
        sa.Column("link", sa.String(length=128), nullable=False),
        sa.Column("upload", sa.String(length=32), nullable=False),
        sa.Column("file_name", sa.String(length=255), nullable=False),
        sa.Column("schema_fingerprint", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("events", sa.Text(), nullable=False),
        sa.Column("waiting_events", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("transaction_id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("name", name=op.f("uq_delivery_name")),
    )
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.create_index(
            "ix_delivery_received",
            ["available_at", "transaction_id"],
            unique=False,
            sqlite_where=sa.text("state = 'RECEIVED'"),
            postgresql_where=sa.text("state = 'RECEIVED'"),
        )
        batch_op.create_index("ix_delivery_source", ["provider", "account", "transaction_id"], unique=False)

    op.create_table(
        "delivery_body",
        sa.Column("transaction_id", sa.String(length=32), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("transaction_id", name=op.f("pk_delivery_body")),
    )
    op.create_table(
        "event",
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("available_at", UtcTimestamp(), nullable=False),
        sa.Column("lease_owner", sa.String(length=128), nullable=True),
        sa.Column("lease_until", UtcTimestamp(), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=800), nullable=False),
        sa.Column("transaction_id", sa.String(length=32), nullable=False),
        sa.Column("delivery", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("counted", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_event")),
    )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index("ix_event_delivery", ["delivery"], unique=False)
        batch_op.create_index("ix_event_transaction", ["transaction_id"], unique=False)
        batch_op.create_index(
            "ix_event_waiting",
            ["available_at", "name"],
            unique=False,
            sqlite_where=sa.text("state = 'WAITING'"),
            postgresql_where=sa.text("state = 'WAITING'"),
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
        "payout",
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("available_at", UtcTimestamp(), nullable=False),
        sa.Column("lease_owner", sa.String(length=128), nullable=True),
        sa.Column("lease_until", UtcTimestamp(), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=600), nullable=False),
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=255), nullable=False),
        sa.Column("payout_id", sa.String(length=255), nullable=False),
        sa.Column("transaction_id", sa.String(length=32), nullable=False),
        sa.Column("delivery", sa.String(length=800), nullable=False),
        sa.Column("settlement", sa.Text(), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_payout")),
    )
    with op.batch_alter_table("payout", schema=None) as batch_op:
        batch_op.create_index(
            "ix_payout_due",
            ["state", "available_at"],
            unique=False,
            sqlite_where=sa.text("state IN ('WAITING', 'COMPOSED')"),
            postgresql_where=sa.text("state IN ('WAITING', 'COMPOSED')"),
        )
        batch_op.create_index("ix_payout_transaction", ["transaction_id"], unique=False)

    op.create_table(
        "refused_sample",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=255), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("body_bytes", sa.BigInteger(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.Column("at", UtcTimestamp(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refused_sample")),
    )
    with op.batch_alter_table("refused_sample", schema=None) as batch_op:
        batch_op.create_index("ix_refused_sample_source", ["provider", "account", "id"], unique=False)

    op.create_table(
        "replay",
        sa.Column("request_id", sa.String(length=36), nullable=False),
        sa.Column("delivery", sa.String(length=800), nullable=False),
        sa.Column("requested_by", sa.String(length=255), nullable=False),
        sa.Column("at", UtcTimestamp(), nullable=False),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_replay")),
    )
    op.create_table(
        "seal_head",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("audit_number", sa.BigInteger(), nullable=False),
        sa.Column("audit_hash", sa.LargeBinary(), nullable=False),
        sa.Column("outbox_number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seal_head")),
    )
    op.create_table(
        "source_cursor",
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("available_at", UtcTimestamp(), nullable=False),
        sa.Column("lease_owner", sa.String(length=128), nullable=True),
        sa.Column("lease_until", UtcTimestamp(), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=330), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("after", sa.String(length=255), nullable=False),
        sa.Column("newest", sa.BigInteger(), nullable=False),
        sa.Column("wakes", sa.BigInteger(), nullable=False),
        sa.Column("polled_at", UtcTimestamp(), nullable=True),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_source_cursor")),
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
    op.create_table(
        "transaction_alias",
        sa.Column("alias", sa.String(length=32), nullable=False),
        sa.Column("transaction_id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("alias", name=op.f("pk_transaction_alias")),
    )
    op.create_table(
        "upload",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("begun_at", UtcTimestamp(), nullable=False),
        sa.Column("kept", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload")),
    )
    op.create_table(
        "upload_chunk",
        sa.Column("upload", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("upload", "number", name=op.f("pk_upload_chunk")),
    )


def downgrade() -> None:
    op.drop_table("upload_chunk")
    op.drop_table("upload")
    op.drop_table("transaction_alias")
    op.drop_table("total_delta")
    op.drop_table("total")
    op.drop_table("source_cursor")
    op.drop_table("seal_head")
    op.drop_table("replay")
    with op.batch_alter_table("refused_sample", schema=None) as batch_op:
        batch_op.drop_index("ix_refused_sample_source")

    op.drop_table("refused_sample")
    with op.batch_alter_table("payout", schema=None) as batch_op:
        batch_op.drop_index("ix_payout_transaction")
        batch_op.drop_index(
            "ix_payout_due",
            sqlite_where=sa.text("state IN ('WAITING', 'COMPOSED')"),
            postgresql_where=sa.text("state IN ('WAITING', 'COMPOSED')"),
        )

    op.drop_table("payout")
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
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_event_waiting", sqlite_where=sa.text("state = 'WAITING'"), postgresql_where=sa.text("state = 'WAITING'")
        )
        batch_op.drop_index("ix_event_transaction")
        batch_op.drop_index("ix_event_delivery")

    op.drop_table("event")
    op.drop_table("delivery_body")
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_index("ix_delivery_source")
        batch_op.drop_index(
            "ix_delivery_received",
            sqlite_where=sa.text("state = 'RECEIVED'"),
            postgresql_where=sa.text("state = 'RECEIVED'"),
        )

    op.drop_table("delivery")
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
