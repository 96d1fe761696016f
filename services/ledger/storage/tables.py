"""What queries know of the tables: columns and keys. Written by `make tables` from `rows`, never edited."""

from sqlalchemy import BigInteger, Column, Date, Integer, LargeBinary, MetaData, String, Table, Text

from libs.storage.tables import SystemTables
from libs.storage.types import RowNumber, UtcTimestamp

_metadata = MetaData()

EVENT = Table(
    "event",
    _metadata,
    Column("state", String(32)),
    Column("available_at", UtcTimestamp),
    Column("lease_owner", String(128)),
    Column("lease_until", UtcTimestamp),
    Column("fence", BigInteger),
    Column("attempts", Integer),
    Column("name", String(800), primary_key=True),
    Column("company", String(255)),
    Column("interface", String(511)),
    Column("kind", String(32)),
    Column("object_id", String(255)),
    Column("transaction_id", String(32)),
    Column("build_due", Integer),
    Column("bucket", String(16)),
    Column("digest", String(64)),
    Column("digest_version", Integer),
    Column("payload", Text),
    Column("payload_proof", String(96)),
    Column("minor_units", BigInteger),
    Column("currency", String(3)),
    Column("effective_at", UtcTimestamp),
    Column("recorded_at", UtcTimestamp),
    Column("recorded_by", String(255)),
    Column("traceparent", String(128)),
    Column("mapping_revision", BigInteger),
    Column("hold_until", UtcTimestamp),
)

EVENT_REFERENCE = Table(
    "event_reference",
    _metadata,
    Column("company", String(255), primary_key=True),
    Column("kind", String(32), primary_key=True),
    Column("value", String(255), primary_key=True),
    Column("event", String(800), primary_key=True),
    Column("issuer", String(511), primary_key=True),
)

POSTING = Table(
    "posting",
    _metadata,
    Column("state", String(32)),
    Column("available_at", UtcTimestamp),
    Column("lease_owner", String(128)),
    Column("lease_until", UtcTimestamp),
    Column("fence", BigInteger),
    Column("attempts", Integer),
    Column("key", String(1024), primary_key=True),
    Column("company", String(255)),
    Column("event", String(800)),
    Column("transaction_id", String(32)),
    Column("effect", String(64)),
    Column("lane", Integer),
    Column("document", Text),
    Column("built_message", LargeBinary),
    Column("state_message", LargeBinary),
    Column("document_proof", String(96)),
    Column("built_message_proof", String(96)),
    Column("state_message_proof", String(96)),
    Column("content_digest", String(64)),
    Column("document_type", String(32)),
    Column("ar_group", String(800)),
    Column("mapping_revision", BigInteger),
    Column("mapping_by", String(255)),
    Column("odoo_model", String(64)),
    Column("odoo_id", BigInteger),
    Column("odoo_number", String(128)),
    Column("posted_date", String(10)),
    Column("posted_at", UtcTimestamp),
    Column("reconciliation", String(16)),
    Column("open_roles", String(64)),
    Column("reconcile_at", UtcTimestamp),
    Column("reason", String(64)),
    Column("reason_text", Text),
    Column("tries", Integer),
    Column("first_attempt_at", UtcTimestamp),
    Column("last_attempt_at", UtcTimestamp),
    Column("hold_until", UtcTimestamp),
    Column("parked", Integer),
    Column("made_by", String(255)),
    Column("approved_by", String(255)),
    Column("minor_units", BigInteger),
    Column("currency", String(3)),
    Column("version", Integer),
    Column("created_at", UtcTimestamp),
    Column("updated_at", UtcTimestamp),
)

POSTING_DEPENDENCY = Table(
    "posting_dependency",
    _metadata,
    Column("posting", String(1024), primary_key=True),
    Column("predecessor", String(1024), primary_key=True),
)

EXCEPTION_CASE = Table(
    "exception_case",
    _metadata,
    Column("id", String(32), primary_key=True),
    Column("company", String(255)),
    Column("subject", String(1100)),
    Column("transaction_id", String(32)),
    Column("category", String(16)),
    Column("state", String(16)),
    Column("reason", String(64)),
    Column("message", Text),
    Column("owner", String(64)),
    Column("actions", String(128)),
    Column("minor_units", BigInteger),
    Column("currency", String(3)),
    Column("created_at", UtcTimestamp),
    Column("resolved_at", UtcTimestamp),
    Column("resolution", String(64)),
)

APPLIED_MATCH = Table(
    "applied_match",
    _metadata,
    Column("state", String(32)),
    Column("available_at", UtcTimestamp),
    Column("lease_owner", String(128)),
    Column("lease_until", UtcTimestamp),
    Column("fence", BigInteger),
    Column("attempts", Integer),
    Column("name", String(800), primary_key=True),
    Column("company", String(255)),
    Column("type", String(32)),
    Column("anchor", String(1024)),
    Column("rule_revision", String(128)),
    Column("traceparent", String(128)),
    Column("fingerprint", String(64)),
    Column("parked", Integer),
    Column("reason", String(64)),
    Column("reason_text", Text),
    Column("applied_by", String(255)),
    Column("created_at", UtcTimestamp),
    Column("written_at", UtcTimestamp),
)

APPLIED_MATCH_MEMBER = Table(
    "applied_match_member",
    _metadata,
    Column("match", String(800), primary_key=True),
    Column("posting", String(1024), primary_key=True),
)

EXCHANGE_ENTRY = Table(
    "exchange_entry",
    _metadata,
    Column("company", String(255), primary_key=True),
    Column("odoo_id", BigInteger, primary_key=True),
    Column("number", String(128)),
    Column("day", String(10)),
    Column("cause", String(1100)),
    Column("found_at", UtcTimestamp),
)

TRANSACTION_ALIAS = Table(
    "transaction_alias",
    _metadata,
    Column("alias", String(32), primary_key=True),
    Column("transaction_id", String(32)),
    Column("created_at", UtcTimestamp),
)

REQUEST = Table(
    "request",
    _metadata,
    Column("id", String(64), primary_key=True),
    Column("fingerprint", String(64)),
    Column("answer", Text),
    Column("created_at", UtcTimestamp),
)

AUDIT_ENTRY = Table(
    "audit_entry",
    _metadata,
    Column("id", RowNumber, primary_key=True),
    Column("subject", Text),
    Column("subject_seq", Integer),
    Column("action", String(64)),
    Column("actor", Text),
    Column("reason", Text),
    Column("at", UtcTimestamp),
    Column("transaction_id", String(32)),
    Column("content_digest", String(64)),
    Column("detail", Text),
    Column("encoding", Integer),
    Column("row_digest", String(80)),
    Column("prev_hash", LargeBinary),
    Column("hash", LargeBinary),
    Column("sealed_number", BigInteger),
    Column("chain_hash", LargeBinary),
)

OUTBOX = Table(
    "outbox",
    _metadata,
    Column("position", RowNumber, primary_key=True),
    Column("id", String(64)),
    Column("topic", String(128)),
    Column("key", Text),
    Column("transaction_id", String(32)),
    Column("headers", Text),
    Column("payload", LargeBinary),
    Column("at", UtcTimestamp),
    Column("sealed_number", BigInteger),
    Column("chain_hash", LargeBinary),
)

OUTBOX_READER = Table(
    "outbox_reader",
    _metadata,
    Column("id", String(64), primary_key=True),
    Column("sealed_number", BigInteger),
    Column("state", String(32)),
    Column("available_at", UtcTimestamp),
    Column("lease_owner", String(128)),
    Column("lease_until", UtcTimestamp),
    Column("fence", BigInteger),
    Column("attempts", Integer),
)

TOTAL_DELTA = Table(
    "total_delta",
    _metadata,
    Column("id", RowNumber, primary_key=True),
    Column("interface", String(128)),
    Column("company", String(64)),
    Column("currency", String(3)),
    Column("day", Date),
    Column("bucket", String(32)),
    Column("count", BigInteger),
    Column("minor_units", BigInteger),
    Column("names_hash", String(64)),
)

TOTAL = Table(
    "total",
    _metadata,
    Column("interface", String(128), primary_key=True),
    Column("company", String(64), primary_key=True),
    Column("currency", String(3), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("bucket", String(32), primary_key=True),
    Column("count", BigInteger),
    Column("minor_units", BigInteger),
    Column("names_hash", String(64)),
)

SEAL_HEAD = Table(
    "seal_head",
    _metadata,
    Column("id", String(16), primary_key=True),
    Column("audit_number", BigInteger),
    Column("audit_hash", LargeBinary),
    Column("outbox_number", BigInteger),
    Column("outbox_hash", LargeBinary),
)

TABLES = SystemTables(
    audit_entry=AUDIT_ENTRY,
    outbox=OUTBOX,
    outbox_reader=OUTBOX_READER,
    total_delta=TOTAL_DELTA,
    total=TOTAL,
    seal_head=SEAL_HEAD,
)
