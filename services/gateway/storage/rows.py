"""The gateway's tables. A delivery's and an event's key is its name; a delivery's row is keyed by its transaction."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text, UniqueConstraint, text

from libs.handover.store import outbound_columns
from libs.storage.leases import lease_columns
from libs.storage.tables import SystemTables, system_tables
from libs.storage.types import UtcTimestamp, new_metadata

metadata = new_metadata()


def _partial(name: str, *columns: str, where: str) -> Index:
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


# What came in. Its bytes are beside it, so that a change of state does not write them again.
DELIVERY = Table(
    "delivery",
    metadata,
    *lease_columns(),
    Column("transaction_id", String(32), primary_key=True),  # a UUIDv7, so rows stand in order of receipt
    Column("name", String(800), nullable=False),
    Column("provider", String(64), nullable=False),
    Column("account", String(255), nullable=False),
    Column("channel", String(16), nullable=False),
    Column("type", String(128), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("body_bytes", BigInteger, nullable=False),
    Column("received_at", UtcTimestamp, nullable=False),
    Column("link", String(128), nullable=False),  # the partner's traceparent
    Column("upload", String(32), nullable=False),  # of a file, whose bytes are chunks
    Column("file_name", String(255), nullable=False),
    Column("schema_fingerprint", String(64), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("events", Text, nullable=False),  # names, one a line
    Column("waiting_events", Integer, nullable=False),  # of those that it told first: not yet handed on
    UniqueConstraint("name"),
    _partial("ix_delivery_received", "available_at", "transaction_id", where="state = 'received'"),
    Index("ix_delivery_source", "provider", "account", "transaction_id"),
)

# The exact bytes.
DELIVERY_BODY = Table(
    "delivery_body",
    metadata,
    Column("transaction_id", String(32), primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

# A file that is coming in; it outlives its upload only if a delivery names it.
UPLOAD = Table(
    "upload",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("begun_at", UtcTimestamp, nullable=False),
    Column("kept", Integer, nullable=False),  # 1 once a delivery names it
)

# A part of a file.
UPLOAD_CHUNK = Table(
    "upload_chunk",
    metadata,
    Column("upload", String(32), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

# A canonical event on its way to the ledger. Its origin is a delivery's transaction.
EVENT = Table(
    "event",
    metadata,
    *outbound_columns(),
    _partial("ix_event_waiting", "available_at", "name", where="state = 'waiting'"),
    Index("ix_event_transaction", "transaction_id"),
    Index("ix_event_origin", "origin"),
)

# A transaction id that a 202 named before its event proved known.
ALIAS = Table(
    "transaction_alias",
    metadata,
    Column("alias", String(32), primary_key=True),
    Column("transaction_id", String(32), nullable=False),
)

# A payout whose composition is fetched, then handed to recon. `state` is the queue.
PAYOUT = Table(
    "payout",
    metadata,
    *lease_columns(),
    Column("key", String(600), primary_key=True),  # `{provider}/{account}/{payout}`
    Column("provider", String(64), nullable=False),
    Column("account", String(255), nullable=False),
    Column("payout_id", String(255), nullable=False),
    Column("transaction_id", String(32), nullable=False),
    Column("delivery", String(800), nullable=False),
    Column("settlement", Text, nullable=False),
    Column("reason", String(64), nullable=False),
    _partial("ix_payout_due", "state", "available_at", where="state IN ('waiting', 'composed')"),
    Index("ix_payout_transaction", "transaction_id"),
)

# How far a source's poll has come.
CURSOR = Table(
    "source_cursor",
    metadata,
    *lease_columns(),
    Column("source", String(330), primary_key=True),  # `{provider}/{account}`
    Column("position", BigInteger, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("after", String(255), nullable=False),
    Column("newest", BigInteger, nullable=False),
    Column("wakes", BigInteger, nullable=False),
    Column("polled_at", UtcTimestamp),
)

# A sample of what was refused.
REFUSED = Table(
    "refused_sample",
    metadata,
    Column("id", String(32), primary_key=True),  # a UUIDv7
    Column("provider", String(64), nullable=False),
    Column("account", String(255), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("body_bytes", BigInteger, nullable=False),
    Column("head", LargeBinary, nullable=False),
    Column("at", UtcTimestamp, nullable=False),
    Index("ix_refused_sample_source", "provider", "account", "id"),
)

# A replay that was asked for, so that asking again changes nothing.
REPLAY = Table(
    "replay",
    metadata,
    Column("request_id", String(36), primary_key=True),
    Column("delivery", String(800), nullable=False),
    Column("requested_by", String(255), nullable=False),
    Column("at", UtcTimestamp, nullable=False),
)

TABLES: SystemTables = system_tables(metadata)
