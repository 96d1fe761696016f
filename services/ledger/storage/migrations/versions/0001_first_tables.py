"""first tables"""

import sqlalchemy as sa
from alembic import op

from libs.storage.types import UtcTimestamp

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "applied_match",
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("available_at", UtcTimestamp(), nullable=False),
        sa.Column("lease_owner", sa.String(length=128), nullable=True),
        sa.Column("lease_until", UtcTimestamp(), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=800), nullable=False),
        sa.Column("company", sa.String(length=255), nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("anchor", sa.String(length=1024), nullable=False),
        sa.Column("rule_revision", sa.String(length=128), nullable=False),
        sa.Column("traceparent", sa.String(length=128), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("parked", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("reason_text", sa.Text(), nullable=False),
        sa.Column("applied_by", sa.String(length=255), nullable=False),
        sa.Column("created_at", UtcTimestamp(), nullable=False),
        sa.Column("written_at", UtcTimestamp(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_applied_match")),
    )
    with op.batch_alter_table("applied_match", schema=None) as batch_op:
        batch_op.create_index(
            "ix_applied_match_due",
            ["company", "available_at", "name"],
            unique=False,
            sqlite_where=sa.text("state IN ('pending') AND parked = 0"),
            postgresql_where=sa.text("state IN ('pending') AND parked = 0"),
        )

    op.create_table(
        "applied_match_member",
        sa.Column("match", sa.String(length=800), nullable=False),
        sa.Column("posting", sa.String(length=1024), nullable=False),
        sa.PrimaryKeyConstraint("match", "posting", name=op.f("pk_applied_match_member")),
    )
    with op.batch_alter_table("applied_match_member", schema=None) as batch_op:
        batch_op.create_index("ix_applied_match_member_posting", ["posting"], unique=False)

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
        "event",
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("available_at", UtcTimestamp(), nullable=False),
        sa.Column("lease_owner", sa.String(length=128), nullable=True),
        sa.Column("lease_until", UtcTimestamp(), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=800), nullable=False),
        sa.Column("company", sa.String(length=255), nullable=False),
        sa.Column("interface", sa.String(length=511), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("object_id", sa.String(length=255), nullable=False),
        sa.Column("transaction_id", sa.String(length=32), nullable=False),
        sa.Column("build_due", sa.Integer(), nullable=False),
        sa.Column("bucket", sa.String(length=16), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("digest_version", sa.Integer(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("minor_units", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("effective_at", UtcTimestamp(), nullable=False),
        sa.Column("recorded_at", UtcTimestamp(), nullable=False),
        sa.Column("recorded_by", sa.String(length=255), nullable=False),
        sa.Column("traceparent", sa.String(length=128), nullable=False),
        sa.Column("mapping_revision", sa.BigInteger(), nullable=True),
        sa.Column("hold_until", UtcTimestamp(), nullable=True),
        sa.CheckConstraint("build_due IN (0, 1)", name=op.f("ck_event_build_due_is_a_flag")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_event")),
    )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index(
            "ix_event_build",
            ["available_at", "name"],
            unique=False,
            sqlite_where=sa.text("build_due = 1"),
            postgresql_where=sa.text("build_due = 1"),
        )
        batch_op.create_index("ix_event_transaction", ["transaction_id"], unique=False)

    op.create_table(
        "event_reference",
        sa.Column("company", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("value", sa.String(length=255), nullable=False),
        sa.Column("event", sa.String(length=800), nullable=False),
        sa.Column("issuer", sa.String(length=511), nullable=False),
        sa.PrimaryKeyConstraint("company", "kind", "value", "event", "issuer", name=op.f("pk_event_reference")),
    )
    with op.batch_alter_table("event_reference", schema=None) as batch_op:
        batch_op.create_index("ix_event_reference_event", ["event"], unique=False)

    op.create_table(
        "exception_case",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("company", sa.String(length=255), nullable=False),
        sa.Column("subject", sa.String(length=1100), nullable=False),
        sa.Column("transaction_id", sa.String(length=32), nullable=False),
        sa.Column("category", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("actions", sa.String(length=128), nullable=False),
        sa.Column("minor_units", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("created_at", UtcTimestamp(), nullable=False),
        sa.Column("resolved_at", UtcTimestamp(), nullable=True),
        sa.Column("resolution", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exception_case")),
    )
    with op.batch_alter_table("exception_case", schema=None) as batch_op:
        batch_op.create_index("ix_exception_case_listed", ["company", "created_at", "id"], unique=False)
        batch_op.create_index("ix_exception_case_subject", ["subject"], unique=False)
        batch_op.create_index(
            "uq_exception_case_open",
            ["subject", "reason"],
            unique=True,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )

    op.create_table(
        "exchange_entry",
        sa.Column("company", sa.String(length=255), nullable=False),
        sa.Column("odoo_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.String(length=128), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("cause", sa.String(length=1100), nullable=False),
        sa.Column("found_at", UtcTimestamp(), nullable=False),
        sa.PrimaryKeyConstraint("company", "odoo_id", name=op.f("pk_exchange_entry")),
    )
    with op.batch_alter_table("exchange_entry", schema=None) as batch_op:
        batch_op.create_index("ix_exchange_entry_cause", ["cause"], unique=False)

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
        "posting_dependency",
        sa.Column("posting", sa.String(length=1024), nullable=False),
        sa.Column("predecessor", sa.String(length=1024), nullable=False),
        sa.PrimaryKeyConstraint("posting", "predecessor", name=op.f("pk_posting_dependency")),
    )
    with op.batch_alter_table("posting_dependency", schema=None) as batch_op:
        batch_op.create_index("ix_posting_dependency_predecessor", ["predecessor"], unique=False)

    op.create_table(
        "request",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("posting", sa.String(length=1024), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("created_at", UtcTimestamp(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request")),
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
        sa.Column("created_at", UtcTimestamp(), nullable=False),
        sa.PrimaryKeyConstraint("alias", name=op.f("pk_transaction_alias")),
    )
    op.create_table(
        "posting",
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("available_at", UtcTimestamp(), nullable=False),
        sa.Column("lease_owner", sa.String(length=128), nullable=True),
        sa.Column("lease_until", UtcTimestamp(), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=1024), nullable=False),
        sa.Column("company", sa.String(length=255), nullable=False),
        sa.Column("event", sa.String(length=800), nullable=False),
        sa.Column("transaction_id", sa.String(length=32), nullable=False),
        sa.Column("effect", sa.String(length=64), nullable=False),
        sa.Column("lane", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("content_digest", sa.String(length=64), nullable=False),
        sa.Column("document_type", sa.String(length=32), nullable=False),
        sa.Column("ar_group", sa.String(length=800), nullable=False),
        sa.Column("mapping_revision", sa.BigInteger(), nullable=False),
        sa.Column("odoo_model", sa.String(length=64), nullable=False),
        sa.Column("odoo_id", sa.BigInteger(), nullable=False),
        sa.Column("odoo_number", sa.String(length=128), nullable=False),
        sa.Column("posted_date", sa.String(length=10), nullable=False),
        sa.Column("posted_at", UtcTimestamp(), nullable=True),
        sa.Column("reconciliation", sa.String(length=16), nullable=False),
        sa.Column("open_roles", sa.String(length=64), nullable=False),
        sa.Column("settle_at", UtcTimestamp(), nullable=True),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("reason_text", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("first_attempt_at", UtcTimestamp(), nullable=True),
        sa.Column("last_attempt_at", UtcTimestamp(), nullable=True),
        sa.Column("hold_until", UtcTimestamp(), nullable=True),
        sa.Column("parked", sa.Integer(), nullable=False),
        sa.Column("made_by", sa.String(length=255), nullable=False),
        sa.Column("approved_by", sa.String(length=255), nullable=False),
        sa.Column("minor_units", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcTimestamp(), nullable=False),
        sa.Column("updated_at", UtcTimestamp(), nullable=False),
        sa.CheckConstraint("state <> 'posted' OR odoo_id > 0", name=op.f("ck_posting_posted_is_known_to_odoo")),
        sa.ForeignKeyConstraint(["event"], ["event.name"], name=op.f("fk_posting_event")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_posting")),
    )
    with op.batch_alter_table("posting", schema=None) as batch_op:
        batch_op.create_index(
            "ix_posting_due",
            ["company", "lane", "available_at", "key"],
            unique=False,
            sqlite_where=sa.text("state IN ('ready', 'unknown', 'posting') AND parked = 0"),
            postgresql_where=sa.text("state IN ('ready', 'unknown', 'posting') AND parked = 0"),
        )
        batch_op.create_index("ix_posting_event", ["event"], unique=False)
        batch_op.create_index(
            "ix_posting_group",
            ["company", "ar_group"],
            unique=False,
            sqlite_where=sa.text("ar_group <> ''"),
            postgresql_where=sa.text("ar_group <> ''"),
        )
        batch_op.create_index(
            "ix_posting_held",
            ["available_at", "key"],
            unique=False,
            sqlite_where=sa.text("state IN ('held')"),
            postgresql_where=sa.text("state IN ('held')"),
        )
        batch_op.create_index("ix_posting_listed", ["company", "created_at", "key"], unique=False)
        batch_op.create_index(
            "ix_posting_settle",
            ["settle_at", "key"],
            unique=False,
            sqlite_where=sa.text("settle_at IS NOT NULL"),
            postgresql_where=sa.text("settle_at IS NOT NULL"),
        )
        batch_op.create_index("ix_posting_transaction", ["transaction_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("posting", schema=None) as batch_op:
        batch_op.drop_index("ix_posting_transaction")
        batch_op.drop_index(
            "ix_posting_settle",
            sqlite_where=sa.text("settle_at IS NOT NULL"),
            postgresql_where=sa.text("settle_at IS NOT NULL"),
        )
        batch_op.drop_index("ix_posting_listed")
        batch_op.drop_index(
            "ix_posting_held", sqlite_where=sa.text("state IN ('held')"), postgresql_where=sa.text("state IN ('held')")
        )
        batch_op.drop_index(
            "ix_posting_group", sqlite_where=sa.text("ar_group <> ''"), postgresql_where=sa.text("ar_group <> ''")
        )
        batch_op.drop_index("ix_posting_event")
        batch_op.drop_index(
            "ix_posting_due",
            sqlite_where=sa.text("state IN ('ready', 'unknown', 'posting') AND parked = 0"),
            postgresql_where=sa.text("state IN ('ready', 'unknown', 'posting') AND parked = 0"),
        )

    op.drop_table("posting")
    op.drop_table("transaction_alias")
    op.drop_table("total_delta")
    op.drop_table("total")
    op.drop_table("seal_head")
    op.drop_table("request")
    with op.batch_alter_table("posting_dependency", schema=None) as batch_op:
        batch_op.drop_index("ix_posting_dependency_predecessor")

    op.drop_table("posting_dependency")
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
    with op.batch_alter_table("exchange_entry", schema=None) as batch_op:
        batch_op.drop_index("ix_exchange_entry_cause")

    op.drop_table("exchange_entry")
    with op.batch_alter_table("exception_case", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_exception_case_open", sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'")
        )
        batch_op.drop_index("ix_exception_case_subject")
        batch_op.drop_index("ix_exception_case_listed")

    op.drop_table("exception_case")
    with op.batch_alter_table("event_reference", schema=None) as batch_op:
        batch_op.drop_index("ix_event_reference_event")

    op.drop_table("event_reference")
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.drop_index("ix_event_transaction")
        batch_op.drop_index(
            "ix_event_build", sqlite_where=sa.text("build_due = 1"), postgresql_where=sa.text("build_due = 1")
        )

    op.drop_table("event")
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
    with op.batch_alter_table("applied_match_member", schema=None) as batch_op:
        batch_op.drop_index("ix_applied_match_member_posting")

    op.drop_table("applied_match_member")
    with op.batch_alter_table("applied_match", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_applied_match_due",
            sqlite_where=sa.text("state IN ('pending') AND parked = 0"),
            postgresql_where=sa.text("state IN ('pending') AND parked = 0"),
        )

    op.drop_table("applied_match")
