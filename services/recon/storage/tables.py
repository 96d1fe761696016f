"""What queries know of the tables: columns and keys. Written by `make tables` from `rows`, never edited."""

from sqlalchemy import BigInteger, Column, Date, Integer, LargeBinary, MetaData, String, Table, Text

from libs.storage.tables import SystemTables
from libs.storage.types import RowNumber, UtcTimestamp

_metadata = MetaData()

IMPORTED_FILE = Table(
    "imported_file",
    _metadata,
    Column("company", String(64), primary_key=True),
    Column("sha256", String(64), primary_key=True),
    Column("kind", String(16)),
    Column("interface", String(511)),
    Column("delivery", String(800)),
    Column("file_name", String(255)),
    Column("transaction_id", String(32)),
    Column("answer", Text),
    Column("imported_at", UtcTimestamp),
)

STATEMENT = Table(
    "statement",
    _metadata,
    Column("name", String(255), primary_key=True),
    Column("company", String(64)),
    Column("statement_id", String(255)),
    Column("bank_account", String(255)),
    Column("currency", String(3)),
    Column("opening", BigInteger),
    Column("closing", BigInteger),
    Column("credit_sum", BigInteger),
    Column("debit_sum", BigInteger),
    Column("lines", Integer),
    Column("ties", Integer),
    Column("imported_at", UtcTimestamp),
    Column("transaction_id", String(32)),
)

STATEMENT_SPAN = Table(
    "statement_span",
    _metadata,
    Column("statement", String(255), primary_key=True),
    Column("number", String(64)),
    Column("first_day", Date),
    Column("last_day", Date),
)

STATEMENT_LINE = Table(
    "statement_line",
    _metadata,
    Column("statement", String(255), primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("event", String(800)),
)

OUTBOUND_EVENT = Table(
    "outbound_event",
    _metadata,
    Column("state", String(32)),
    Column("available_at", UtcTimestamp),
    Column("lease_owner", String(128)),
    Column("lease_until", UtcTimestamp),
    Column("fence", BigInteger),
    Column("attempts", Integer),
    Column("name", String(800), primary_key=True),
    Column("company", String(64)),
    Column("transaction_id", String(32)),
    Column("origin", String(32)),
    Column("digest", String(64)),
    Column("digest_version", Integer),
    Column("payload", Text),
    Column("payload_proof", String(96)),
    Column("counted", Integer),
    Column("reason", String(64)),
)

ALIAS = Table(
    "transaction_alias",
    _metadata,
    Column("alias", String(32), primary_key=True),
    Column("transaction_id", String(32)),
)

SETTLEMENT = Table(
    "settlement",
    _metadata,
    Column("name", String(400), primary_key=True),
    Column("company", String(64)),
    Column("interface", String(511)),
    Column("payout_id", String(255)),
    Column("payout_transaction", String(255)),
    Column("currency", String(3)),
    Column("minor_units", BigInteger),
    Column("stated", Integer),
    Column("arrival_date", Date),
    Column("bank_references", Text),
    Column("matched", Integer),
    Column("transaction_id", String(32)),
    Column("delivery", String(800)),
    Column("created_at", UtcTimestamp),
    Column("updated_at", UtcTimestamp),
)

SETTLEMENT_LINE = Table(
    "settlement_line",
    _metadata,
    Column("settlement", String(400), primary_key=True),
    Column("balance_transaction", String(255), primary_key=True),
    Column("position", Integer),
    Column("currency", String(3)),
    Column("gross", BigInteger),
    Column("fee", BigInteger),
    Column("net", BigInteger),
)

ITEM = Table(
    "item",
    _metadata,
    Column("posting", String(1024), primary_key=True),
    Column("company", String(64)),
    Column("kind", String(16)),
    Column("interface", String(511)),
    Column("event", String(800)),
    Column("event_kind", String(32)),
    Column("effect", String(64)),
    Column("object_id", String(255)),
    Column("source_id", String(255)),
    Column("transaction_id", String(32)),
    Column("currency", String(3)),
    Column("minor_units", BigInteger),
    Column("clearing_units", BigInteger),
    Column("day", Date),
    Column("words", Text),
    Column("words_proof", String(96)),
    Column("side_open", Integer),
    Column("clearing_open", Integer),
    Column("receipt_open", Integer),
    Column("version", BigInteger),
    Column("learned_at", UtcTimestamp),
    Column("verdict", String(32)),
    Column("nearest", String(1024)),
    Column("nearest_lacks", String(64)),
)

MATCH = Table(
    "found_match",
    _metadata,
    Column("state", String(32)),
    Column("available_at", UtcTimestamp),
    Column("lease_owner", String(128)),
    Column("lease_until", UtcTimestamp),
    Column("fence", BigInteger),
    Column("attempts", Integer),
    Column("name", String(255), primary_key=True),
    Column("company", String(64)),
    Column("type", String(32)),
    Column("anchor", String(1024)),
    Column("rule_revision", String(32)),
    Column("rule", String(64)),
    Column("candidates", Integer),
    Column("snapshot", Text),
    Column("traceparent", String(128)),
    Column("reason", String(64)),
    Column("created_at", UtcTimestamp),
    Column("written_at", UtcTimestamp),
)

MATCH_MEMBER = Table(
    "match_member",
    _metadata,
    Column("match", String(255), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("posting", String(1024)),
    Column("role", String(8)),
    Column("transaction_id", String(32)),
    Column("live", Integer),
)

DIFFERENCE = Table(
    "difference",
    _metadata,
    Column("name", String(255), primary_key=True),
    Column("company", String(64)),
    Column("state", String(16)),
    Column("subject", String(1100)),
    Column("transaction_id", String(32)),
    Column("reason", String(64)),
    Column("message", Text),
    Column("currency", String(3)),
    Column("minor_units", BigInteger),
    Column("nearest", String(1100)),
    Column("nearest_lacks", String(64)),
    Column("owner", String(255)),
    Column("created_at", UtcTimestamp),
    Column("updated_at", UtcTimestamp),
    Column("version", Integer),
    Column("proposed_by", String(255)),
    Column("why", Text),
    Column("decided_by", String(255)),
)

REQUEST = Table(
    "request",
    _metadata,
    Column("id", String(64), primary_key=True),
    Column("fingerprint", String(64)),
    Column("answer", Text),
    Column("created_at", UtcTimestamp),
)

PROGRESS = Table(
    "progress",
    _metadata,
    Column("company", String(64), primary_key=True),
    Column("token", Text),
    Column("changes", BigInteger),
    Column("matched", BigInteger),
    Column("differenced", BigInteger),
    Column("due_at", UtcTimestamp),
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
