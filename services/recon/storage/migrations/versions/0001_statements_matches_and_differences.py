"""statements matches and differences"""

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
        "difference",
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("company", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.String(length=1100), nullable=False),
        sa.Column("transaction_id", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("minor_units", sa.BigInteger(), nullable=False),
        sa.Column("nearest", sa.String(length=1100), nullable=False),
        sa.Column("nearest_lacks", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=255), nullable=False),
        sa.Column("created_at", UtcTimestamp(), nullable=False),
        sa.Column("updated_at", UtcTimestamp(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_difference")),
        sa.UniqueConstraint("company", "subject", name=op.f("uq_difference_company_subject")),
    )
    with op.batch_alter_table("difference", schema=None) as batch_op:
        batch_op.create_index("ix_difference_listed", ["company", "created_at", "name"], unique=False)
        batch_op.create_index(
            "ix_difference_live",
            ["company", "name"],
            unique=False,
            sqlite_where=sa.text("state IN ('open', 'assigned')"),
            postgresql_where=sa.text("state IN ('open', 'assigned')"),
        )

    op.create_table(
        "found_match",
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("available_at", UtcTimestamp(), nullable=False),
        sa.Column("lease_owner", sa.String(length=128), nullable=True),
        sa.Column("lease_until", UtcTimestamp(), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("company", sa.String(length=64), nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("anchor", sa.String(length=1024), nullable=False),
        sa.Column("rule_revision", sa.String(length=32), nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("candidates", sa.Integer(), nullable=False),
        sa.Column("snapshot", sa.Text(), nullable=False),
        sa.Column("residuals", sa.Text(), nullable=False),
        sa.Column("traceparent", sa.String(length=128), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcTimestamp(), nullable=False),
        sa.Column("written_at", UtcTimestamp(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_found_match")),
    )
    with op.batch_alter_table("found_match", schema=None) as batch_op:
        batch_op.create_index("ix_found_match_anchor", ["company", "anchor"], unique=False)
        batch_op.create_index(
            "ix_found_match_confirmed",
            ["available_at", "name"],
            unique=False,
            sqlite_where=sa.text("state = 'confirmed'"),
            postgresql_where=sa.text("state = 'confirmed'"),
        )
        batch_op.create_index("ix_found_match_listed", ["company", "created_at", "name"], unique=False)

    op.create_table(
        "imported_file",
        sa.Column("company", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("interface", sa.String(length=511), nullable=False),
        sa.Column("delivery", sa.String(length=800), nullable=False),
        sa.Column("file_name", sa.String(length=255), nullable=False),
        sa.Column("transaction_id", sa.String(length=32), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("imported_at", UtcTimestamp(), nullable=False),
        sa.PrimaryKeyConstraint("company", "sha256", name=op.f("pk_imported_file")),
    )
    op.create_table(
        "item",
        sa.Column("posting", sa.String(length=1024), nullable=False),
        sa.Column("company", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("interface", sa.String(length=511), nullable=False),
        sa.Column("event", sa.String(length=800), nullable=False),
        sa.Column("event_kind", sa.String(length=32), nullable=False),
        sa.Column("effect", sa.String(length=64), nullable=False),
        sa.Column("object_id", sa.String(length=255), nullable=False),
        sa.Column("source_id", sa.String(length=255), nullable=False),
        sa.Column("transaction_id", sa.String(length=32), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("minor_units", sa.BigInteger(), nullable=False),
        sa.Column("clearing_units", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("side_open", sa.Integer(), nullable=False),
        sa.Column("clearing_open", sa.Integer(), nullable=False),
        sa.Column("receipt_open", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("learned_at", UtcTimestamp(), nullable=False),
        sa.Column("verdict", sa.String(length=32), nullable=False),
        sa.Column("nearest", sa.String(length=1024), nullable=False),
        sa.Column("nearest_lacks", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("posting", name=op.f("pk_item")),
    )
    with op.batch_alter_table("item", schema=None) as batch_op:
        batch_op.create_index("ix_item_object", ["company", "interface", "object_id"], unique=False)
        batch_op.create_index(
            "ix_item_payout",
            ["company", "interface", "source_id"],
            unique=False,
            sqlite_where=sa.text("kind = 'payout'"),
            postgresql_where=sa.text("kind = 'payout'"),
        )
        batch_op.create_index(
            "ix_item_receipt_open",
            ["company", "posting"],
            unique=False,
            sqlite_where=sa.text("receipt_open = 1"),
            postgresql_where=sa.text("receipt_open = 1"),
        )
        batch_op.create_index(
            "ix_item_side_open",
            ["company", "kind", "posting"],
            unique=False,
            sqlite_where=sa.text("side_open = 1"),
            postgresql_where=sa.text("side_open = 1"),
        )
        batch_op.create_index("ix_item_transaction", ["transaction_id"], unique=False)

    op.create_table(
        "match_member",
        sa.Column("match", sa.String(length=255), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("posting", sa.String(length=1024), nullable=False),
        sa.Column("role", sa.String(length=8), nullable=False),
        sa.Column("transaction_id", sa.String(length=32), nullable=False),
        sa.Column("live", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("match", "position", name=op.f("pk_match_member")),
    )
    with op.batch_alter_table("match_member", schema=None) as batch_op:
        batch_op.create_index("ix_match_member_posting", ["posting"], unique=False)
        batch_op.create_index("ix_match_member_transaction", ["transaction_id"], unique=False)
        batch_op.create_index(
            "uq_match_member_live",
            ["posting", "role"],
            unique=True,
            sqlite_where=sa.text("live = 1"),
            postgresql_where=sa.text("live = 1"),
        )

    op.create_table(
        "outbound_event",
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("available_at", UtcTimestamp(), nullable=False),
        sa.Column("lease_owner", sa.String(length=128), nullable=True),
        sa.Column("lease_until", UtcTimestamp(), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=800), nullable=False),
        sa.Column("company", sa.String(length=64), nullable=False),
        sa.Column("transaction_id", sa.String(length=32), nullable=False),
        sa.Column("origin", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("counted", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_outbound_event")),
    )
    with op.batch_alter_table("outbound_event", schema=None) as batch_op:
        batch_op.create_index(
            "ix_outbound_event_failed",
            ["company", "name"],
            unique=False,
            sqlite_where=sa.text("state IN ('refused', 'parked')"),
            postgresql_where=sa.text("state IN ('refused', 'parked')"),
        )
        batch_op.create_index("ix_outbound_event_origin", ["origin"], unique=False)
        batch_op.create_index("ix_outbound_event_transaction", ["transaction_id"], unique=False)
        batch_op.create_index(
            "ix_outbound_event_waiting",
            ["available_at", "name"],
            unique=False,
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
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
        "progress",
        sa.Column("company", sa.String(length=64), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("changes", sa.BigInteger(), nullable=False),
        sa.Column("matched", sa.BigInteger(), nullable=False),
        sa.Column("differenced", sa.BigInteger(), nullable=False),
        sa.Column("due_at", UtcTimestamp(), nullable=True),
        sa.Column("match_due_at", UtcTimestamp(), nullable=True),
        sa.PrimaryKeyConstraint("company", name=op.f("pk_progress")),
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
        "settlement",
        sa.Column("name", sa.String(length=400), nullable=False),
        sa.Column("company", sa.String(length=64), nullable=False),
        sa.Column("interface", sa.String(length=511), nullable=False),
        sa.Column("payout_id", sa.String(length=255), nullable=False),
        sa.Column("payout_transaction", sa.String(length=255), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("minor_units", sa.BigInteger(), nullable=False),
        sa.Column("stated", sa.Integer(), nullable=False),
        sa.Column("arrival_date", sa.Date(), nullable=True),
        sa.Column("bank_references", sa.Text(), nullable=False),
        sa.Column("matched", sa.Integer(), nullable=False),
        sa.Column("transaction_id", sa.String(length=32), nullable=False),
        sa.Column("delivery", sa.String(length=800), nullable=False),
        sa.Column("created_at", UtcTimestamp(), nullable=False),
        sa.Column("updated_at", UtcTimestamp(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_settlement")),
    )
    with op.batch_alter_table("settlement", schema=None) as batch_op:
        batch_op.create_index("ix_settlement_listed", ["company", "created_at", "name"], unique=False)
        batch_op.create_index(
            "ix_settlement_open",
            ["company", "name"],
            unique=False,
            sqlite_where=sa.text("matched = 0"),
            postgresql_where=sa.text("matched = 0"),
        )
        batch_op.create_index("ix_settlement_payout", ["company", "payout_id"], unique=False)

    op.create_table(
        "settlement_line",
        sa.Column("settlement", sa.String(length=400), nullable=False),
        sa.Column("balance_transaction", sa.String(length=255), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("gross", sa.BigInteger(), nullable=False),
        sa.Column("fee", sa.BigInteger(), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("net = gross - fee", name=op.f("ck_settlement_line_net_is_gross_less_fee")),
        sa.PrimaryKeyConstraint("settlement", "balance_transaction", name=op.f("pk_settlement_line")),
    )
    op.create_table(
        "statement",
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("company", sa.String(length=64), nullable=False),
        sa.Column("statement_id", sa.String(length=255), nullable=False),
        sa.Column("bank_account", sa.String(length=255), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("opening", sa.BigInteger(), nullable=True),
        sa.Column("closing", sa.BigInteger(), nullable=True),
        sa.Column("credit_sum", sa.BigInteger(), nullable=True),
        sa.Column("debit_sum", sa.BigInteger(), nullable=True),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("ties", sa.Integer(), nullable=False),
        sa.Column("imported_at", UtcTimestamp(), nullable=False),
        sa.Column("transaction_id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_statement")),
    )
    with op.batch_alter_table("statement", schema=None) as batch_op:
        batch_op.create_index("ix_statement_listed", ["company", "imported_at", "name"], unique=False)

    op.create_table(
        "statement_line",
        sa.Column("statement", sa.String(length=255), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("event", sa.String(length=800), nullable=False),
        sa.PrimaryKeyConstraint("statement", "sequence", name=op.f("pk_statement_line")),
    )
    with op.batch_alter_table("statement_line", schema=None) as batch_op:
        batch_op.create_index("ix_statement_line_event", ["event"], unique=False)

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


def downgrade() -> None:
    op.drop_table("transaction_alias")
    op.drop_table("total_delta")
    op.drop_table("total")
    with op.batch_alter_table("statement_line", schema=None) as batch_op:
        batch_op.drop_index("ix_statement_line_event")

    op.drop_table("statement_line")
    with op.batch_alter_table("statement", schema=None) as batch_op:
        batch_op.drop_index("ix_statement_listed")

    op.drop_table("statement")
    op.drop_table("settlement_line")
    with op.batch_alter_table("settlement", schema=None) as batch_op:
        batch_op.drop_index("ix_settlement_payout")
        batch_op.drop_index(
            "ix_settlement_open", sqlite_where=sa.text("matched = 0"), postgresql_where=sa.text("matched = 0")
        )
        batch_op.drop_index("ix_settlement_listed")

    op.drop_table("settlement")
    op.drop_table("seal_head")
    op.drop_table("progress")
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
    with op.batch_alter_table("outbound_event", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_outbound_event_waiting",
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        )
        batch_op.drop_index("ix_outbound_event_transaction")
        batch_op.drop_index("ix_outbound_event_origin")
        batch_op.drop_index(
            "ix_outbound_event_failed",
            sqlite_where=sa.text("state IN ('refused', 'parked')"),
            postgresql_where=sa.text("state IN ('refused', 'parked')"),
        )

    op.drop_table("outbound_event")
    with op.batch_alter_table("match_member", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_match_member_live", sqlite_where=sa.text("live = 1"), postgresql_where=sa.text("live = 1")
        )
        batch_op.drop_index("ix_match_member_transaction")
        batch_op.drop_index("ix_match_member_posting")

    op.drop_table("match_member")
    with op.batch_alter_table("item", schema=None) as batch_op:
        batch_op.drop_index("ix_item_transaction")
        batch_op.drop_index(
            "ix_item_side_open", sqlite_where=sa.text("side_open = 1"), postgresql_where=sa.text("side_open = 1")
        )
        batch_op.drop_index(
            "ix_item_receipt_open",
            sqlite_where=sa.text("receipt_open = 1"),
            postgresql_where=sa.text("receipt_open = 1"),
        )
        batch_op.drop_index(
            "ix_item_payout", sqlite_where=sa.text("kind = 'payout'"), postgresql_where=sa.text("kind = 'payout'")
        )
        batch_op.drop_index("ix_item_object")

    op.drop_table("item")
    op.drop_table("imported_file")
    with op.batch_alter_table("found_match", schema=None) as batch_op:
        batch_op.drop_index("ix_found_match_listed")
        batch_op.drop_index(
            "ix_found_match_confirmed",
            sqlite_where=sa.text("state = 'confirmed'"),
            postgresql_where=sa.text("state = 'confirmed'"),
        )
        batch_op.drop_index("ix_found_match_anchor")

    op.drop_table("found_match")
    with op.batch_alter_table("difference", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_difference_live",
            sqlite_where=sa.text("state IN ('open', 'assigned')"),
            postgresql_where=sa.text("state IN ('open', 'assigned')"),
        )
        batch_op.drop_index("ix_difference_listed")

    op.drop_table("difference")
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
