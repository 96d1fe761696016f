"""Recon's tables. Names are resource names where there is one; money is integer minor units with its currency."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from libs.handover.store import outbound_columns
from libs.storage.leases import lease_columns
from libs.storage.requests import request_columns
from libs.storage.tables import SystemTables, system_tables
from libs.storage.types import UtcTimestamp, new_metadata

metadata = new_metadata()


def _partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


# A file whose content is here, known by its bytes.
IMPORTED_FILE = Table(
    "imported_file",
    metadata,
    Column("company", String(64), primary_key=True),
    Column("sha256", String(64), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("interface", String(511), nullable=False),
    Column("delivery", String(800), nullable=False),
    Column("file_name", String(255), nullable=False),
    Column("transaction_id", String(32), nullable=False),
    Column("answer", Text, nullable=False),  # JSON: what a repeat gets
    Column("imported_at", UtcTimestamp, nullable=False),
)

# A bank statement. Sums are null where the file does not say.
STATEMENT = Table(
    "statement",
    metadata,
    Column("name", String(255), primary_key=True),
    Column("company", String(64), nullable=False),
    Column("statement_id", String(255), nullable=False),
    Column("bank_account", String(255), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("opening", BigInteger),
    Column("closing", BigInteger),
    Column("credit_sum", BigInteger),
    Column("debit_sum", BigInteger),
    Column("lines", Integer, nullable=False),
    Column("ties", Integer, nullable=False),
    Column("imported_at", UtcTimestamp, nullable=False),
    Column("transaction_id", String(32), nullable=False),
    Index("ix_statement_listed", "company", "imported_at", "name"),
)

# A booked line in one statement; the event says what it is, and may stand in several statements.
STATEMENT_LINE = Table(
    "statement_line",
    metadata,
    Column("statement", String(255), primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("event", String(800), nullable=False),
    Index("ix_statement_line_event", "event"),
)

# A canonical event on its way to the ledger. Its origin is a file's transaction.
OUTBOUND_EVENT = Table(
    "outbound_event",
    metadata,
    *outbound_columns(),
    _partial("ix_outbound_event_waiting", "available_at", "name", where="state = 'waiting'"),
    _partial("ix_outbound_event_failed", "company", "name", where="state IN ('refused', 'parked')"),
    Index("ix_outbound_event_transaction", "transaction_id"),
    Index("ix_outbound_event_origin", "origin"),
)

# A transaction id that a file gave to an event which the ledger knew under another.
ALIAS = Table(
    "transaction_alias",
    metadata,
    Column("alias", String(32), primary_key=True),
    Column("transaction_id", String(32), nullable=False),
)

# A payout with what it pays out.
SETTLEMENT = Table(
    "settlement",
    metadata,
    Column("name", String(400), primary_key=True),
    Column("company", String(64), nullable=False),
    Column("interface", String(511), nullable=False),
    Column("payout_id", String(255), nullable=False),
    Column("payout_transaction", String(255), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("minor_units", BigInteger, nullable=False),
    Column("stated", Integer, nullable=False),
    Column("arrival_date", Date),
    Column("bank_references", Text, nullable=False),  # JSON
    Column("matched", Integer, nullable=False),
    Column("transaction_id", String(32), nullable=False),
    Column("delivery", String(800), nullable=False),
    Column("created_at", UtcTimestamp, nullable=False),
    Column("updated_at", UtcTimestamp, nullable=False),
    Index("ix_settlement_listed", "company", "created_at", "name"),
    Index("ix_settlement_payout", "company", "payout_id"),
    _partial("ix_settlement_open", "company", "name", where="matched = 0"),
)

# A balance transaction that a payout pays; net is gross less fee.
SETTLEMENT_LINE = Table(
    "settlement_line",
    metadata,
    Column("settlement", String(400), primary_key=True),
    Column("balance_transaction", String(255), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("gross", BigInteger, nullable=False),
    Column("fee", BigInteger, nullable=False),
    Column("net", BigInteger, nullable=False),
    CheckConstraint("net = gross - fee", name="net_is_gross_less_fee"),
)

# A posting that stands in Odoo, as the ledger reported it.
ITEM = Table(
    "item",
    metadata,
    Column("posting", String(1024), primary_key=True),  # the effect's business key
    Column("company", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("interface", String(511), nullable=False),
    Column("event", String(800), nullable=False),
    Column("event_kind", String(32), nullable=False),
    Column("effect", String(64), nullable=False),
    Column("object_id", String(255), nullable=False),
    Column("source_id", String(255), nullable=False),
    Column("transaction_id", String(32), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("minor_units", BigInteger, nullable=False),
    Column("clearing_units", BigInteger, nullable=False),
    Column("day", Date, nullable=False),
    Column("words", Text, nullable=False),  # JSON: texts with references
    Column("side_open", Integer, nullable=False),
    Column("clearing_open", Integer, nullable=False),
    Column("receipt_open", Integer, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("learned_at", UtcTimestamp, nullable=False),
    Column("verdict", String(32), nullable=False),  # why no counterpart was found
    Column("nearest", String(1024), nullable=False),
    Column("nearest_lacks", String(64), nullable=False),
    _partial("ix_item_side_open", "company", "kind", "posting", where="side_open = 1"),
    _partial("ix_item_receipt_open", "company", "posting", where="receipt_open = 1"),
    Index("ix_item_object", "company", "interface", "object_id"),
    _partial("ix_item_payout", "company", "interface", "source_id", where="kind = 'payout'"),
    Index("ix_item_transaction", "transaction_id"),
)

# A match. `state` is the queue: what is confirmed waits to be written.
MATCH = Table(
    "found_match",
    metadata,
    *lease_columns(),
    Column("name", String(255), primary_key=True),
    Column("company", String(64), nullable=False),
    Column("type", String(32), nullable=False),
    Column("anchor", String(1024), nullable=False),
    Column("rule_revision", String(32), nullable=False),
    Column("rule", String(64), nullable=False),
    Column("candidates", Integer, nullable=False),
    Column("snapshot", Text, nullable=False),
    Column("traceparent", String(128), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("created_at", UtcTimestamp, nullable=False),
    Column("written_at", UtcTimestamp),
    _partial("ix_found_match_confirmed", "available_at", "name", where="state = 'confirmed'"),
    Index("ix_found_match_listed", "company", "created_at", "name"),
    Index("ix_found_match_anchor", "company", "anchor"),
)

# One side of a match. Of a posting's role there is one live match at most.
MATCH_MEMBER = Table(
    "match_member",
    metadata,
    Column("match", String(255), primary_key=True),
    Column("position", Integer, primary_key=True),  # 0 is the anchor
    Column("posting", String(1024), nullable=False),
    Column("role", String(8), nullable=False),
    Column("transaction_id", String(32), nullable=False),
    Column("live", Integer, nullable=False),  # 0 once the match is undone
    _partial("uq_match_member_live", "posting", "role", where="live = 1", unique=True),
    Index("ix_match_member_transaction", "transaction_id"),
    Index("ix_match_member_posting", "posting"),
)

# Something without a counterpart, with an owner.
DIFFERENCE = Table(
    "difference",
    metadata,
    Column("name", String(255), primary_key=True),
    Column("company", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("subject", String(1100), nullable=False),
    Column("transaction_id", String(32), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("message", Text, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("minor_units", BigInteger, nullable=False),
    Column("nearest", String(1100), nullable=False),
    Column("nearest_lacks", String(64), nullable=False),
    Column("owner", String(255), nullable=False),
    Column("created_at", UtcTimestamp, nullable=False),
    Column("updated_at", UtcTimestamp, nullable=False),
    Column("version", Integer, nullable=False),
    Column("proposed_by", String(255), nullable=False, default="", server_default=""),
    Column("why", Text, nullable=False, default="", server_default=""),
    Column("decided_by", String(255), nullable=False, default="", server_default=""),
    UniqueConstraint("company", "subject"),
    Index("ix_difference_listed", "company", "created_at", "name"),
    _partial("ix_difference_live", "company", "name", where="state IN ('open', 'assigned')"),
)

# A request that changed something, by its caller's id: a repeat gets the first answer.
REQUEST = Table(
    "request",
    metadata,
    *request_columns(),
)

# How far a company's books are known and matched.
PROGRESS = Table(
    "progress",
    metadata,
    Column("company", String(64), primary_key=True),
    Column("token", Text, nullable=False),
    Column("changes", BigInteger, nullable=False),
    Column("matched", BigInteger, nullable=False),
    Column("differenced", BigInteger, nullable=False),
    Column("due_at", UtcTimestamp),
    Column("match_due_at", UtcTimestamp),
)

TABLES: SystemTables = system_tables(metadata)
