"""What queries know of the tables: columns and keys. Written by `make tables` from `rows`, never edited."""

from sqlalchemy import BigInteger, Boolean, Column, Date, Integer, LargeBinary, MetaData, String, Table, Text

from libs.storage.tables import SystemTables
from libs.storage.types import RowNumber, UtcTimestamp

_metadata = MetaData()

LEGAL_ENTITY = Table(
    "legal_entity",
    _metadata,
    Column("company", String(64), primary_key=True),
    Column("odoo_id", BigInteger),
    Column("display_name", Text),
    Column("currency", String(3)),
    Column("gain_account", BigInteger),
    Column("loss_account", BigInteger),
    Column("rounds_by_line", Boolean),
    Column("time_zone", String(64)),
    Column("revision", BigInteger),
    Column("read_at", UtcTimestamp),
)

ACCOUNT = Table(
    "account",
    _metadata,
    Column("company", String(64), primary_key=True),
    Column("odoo_id", BigInteger, primary_key=True),
    Column("code", String(64)),
    Column("name", Text),
    Column("type", String(64)),
    Column("reconcilable", Boolean),
    Column("currency", String(3)),
    Column("active", Boolean),
)

JOURNAL = Table(
    "journal",
    _metadata,
    Column("company", String(64), primary_key=True),
    Column("odoo_id", BigInteger, primary_key=True),
    Column("code", String(64)),
    Column("name", Text),
    Column("type", String(32)),
    Column("currency", String(3)),
    Column("default_account", BigInteger),
    Column("suspense_account", BigInteger),
    Column("active", Boolean),
)

TAX_CODE = Table(
    "tax_code",
    _metadata,
    Column("company", String(64), primary_key=True),
    Column("odoo_id", BigInteger, primary_key=True),
    Column("name", Text),
    Column("rate", String(64)),
    Column("use", String(32)),
    Column("repartition_complete", Boolean),
    Column("repartition_accounts", Text),
    Column("price_included", Boolean),
    Column("active", Boolean),
)

CURRENCY = Table(
    "currency",
    _metadata,
    Column("company", String(64), primary_key=True),
    Column("code", String(3), primary_key=True),
    Column("odoo_id", BigInteger),
    Column("active", Boolean),
)

EXCHANGE_RATE = Table(
    "exchange_rate",
    _metadata,
    Column("company", String(64), primary_key=True),
    Column("currency", String(3), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("rate", String(64)),
)

PARTY = Table(
    "party",
    _metadata,
    Column("company", String(64), primary_key=True),
    Column("odoo_id", BigInteger, primary_key=True),
    Column("name", String(1024)),
    Column("name_proof", String(96)),
    Column("commercial_odoo_id", BigInteger),
    Column("active", Boolean),
)

PRODUCT = Table(
    "product",
    _metadata,
    Column("company", String(64), primary_key=True),
    Column("odoo_id", BigInteger, primary_key=True),
    Column("sku", String(255)),
    Column("name", Text),
    Column("active", Boolean),
)

EXTERNAL_REFERENCE = Table(
    "external_reference",
    _metadata,
    Column("company", String(64), primary_key=True),
    Column("issuer", String(255), primary_key=True),
    Column("value", String(255), primary_key=True),
    Column("party", BigInteger),
)

MAPPING_SET = Table(
    "mapping_set",
    _metadata,
    Column("company", String(64), primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("state", String(16)),
    Column("yaml", Text),
    Column("yaml_proof", String(96)),
    Column("content_digest", String(64)),
    Column("proposed_by", String(255)),
    Column("proposed_at", UtcTimestamp),
    Column("findings", Text),
    Column("approved_by", String(255)),
    Column("approved_at", UtcTimestamp),
    Column("active_revision", BigInteger),
    Column("meant", Text),
)

SYNC_RUN = Table(
    "sync_run",
    _metadata,
    Column("company", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("state", String(16)),
    Column("started_at", UtcTimestamp),
    Column("ended_at", UtcTimestamp),
    Column("records", Text),
    Column("changed", BigInteger),
    Column("revision", BigInteger),
    Column("reason", String(64)),
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
