"""What queries know of the tables: columns and keys. Written by `make tables` from `rows`, never edited."""

from sqlalchemy import BigInteger, Column, Date, Integer, LargeBinary, MetaData, String, Table, Text

from libs.storage.tables import SystemTables
from libs.storage.types import RowNumber, UtcTimestamp

_metadata = MetaData()

DELIVERY = Table(
    "delivery",
    _metadata,
    Column("state", String(32)),
    Column("available_at", UtcTimestamp),
    Column("lease_owner", String(128)),
    Column("lease_until", UtcTimestamp),
    Column("fence", BigInteger),
    Column("attempts", Integer),
    Column("transaction_id", String(32), primary_key=True),
    Column("name", String(800)),
    Column("provider", String(64)),
    Column("account", String(255)),
    Column("channel", String(16)),
    Column("type", String(128)),
    Column("sha256", String(64)),
    Column("body_bytes", BigInteger),
    Column("received_at", UtcTimestamp),
    Column("link", String(128)),
    Column("upload", String(32)),
    Column("file_name", String(255)),
    Column("schema_fingerprint", String(64)),
    Column("reason", String(64)),
    Column("events", Text),
    Column("waiting_events", Integer),
)

DELIVERY_BODY = Table(
    "delivery_body",
    _metadata,
    Column("transaction_id", String(32), primary_key=True),
    Column("body", LargeBinary),
    Column("body_proof", String(96)),
)

UPLOAD = Table(
    "upload",
    _metadata,
    Column("id", String(32), primary_key=True),
    Column("begun_at", UtcTimestamp),
    Column("kept", Integer),
)

UPLOAD_CHUNK = Table(
    "upload_chunk",
    _metadata,
    Column("upload", String(32), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("data", LargeBinary),
    Column("data_proof", String(96)),
)

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

PAYOUT = Table(
    "payout",
    _metadata,
    Column("state", String(32)),
    Column("available_at", UtcTimestamp),
    Column("lease_owner", String(128)),
    Column("lease_until", UtcTimestamp),
    Column("fence", BigInteger),
    Column("attempts", Integer),
    Column("key", String(600), primary_key=True),
    Column("provider", String(64)),
    Column("account", String(255)),
    Column("payout_id", String(255)),
    Column("transaction_id", String(32)),
    Column("delivery", String(800)),
    Column("settlement", Text),
    Column("settlement_proof", String(96)),
    Column("reason", String(64)),
)

CURSOR = Table(
    "source_cursor",
    _metadata,
    Column("state", String(32)),
    Column("available_at", UtcTimestamp),
    Column("lease_owner", String(128)),
    Column("lease_until", UtcTimestamp),
    Column("fence", BigInteger),
    Column("attempts", Integer),
    Column("source", String(330), primary_key=True),
    Column("position", BigInteger),
    Column("since", BigInteger),
    Column("after", String(255)),
    Column("newest", BigInteger),
    Column("wakes", BigInteger),
    Column("polled_at", UtcTimestamp),
)

REFUSED = Table(
    "refused_sample",
    _metadata,
    Column("id", String(32), primary_key=True),
    Column("provider", String(64)),
    Column("account", String(255)),
    Column("reason", String(64)),
    Column("sha256", String(64)),
    Column("body_bytes", BigInteger),
    Column("head", LargeBinary),
    Column("at", UtcTimestamp),
)

REPLAY = Table(
    "replay",
    _metadata,
    Column("request_id", String(36), primary_key=True),
    Column("delivery", String(800)),
    Column("requested_by", String(255)),
    Column("at", UtcTimestamp),
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
