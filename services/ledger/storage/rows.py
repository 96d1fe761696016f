"""The ledger's tables. Names are resource names where there is one; money is integer minor units with its currency."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    text,
)

from libs.storage.leases import lease_columns
from libs.storage.requests import request_columns
from libs.storage.tables import SystemTables, system_tables
from libs.storage.types import UtcTimestamp, new_metadata

metadata = new_metadata()


# SQLite takes a partial index only where the query says its condition in the same words (`leases.in_state`: IN, but =
# for a single state).
def _partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


# A canonical event. `build_due` makes the table the build queue: set while documents or links are to be made.
EVENT = Table(
    "event",
    metadata,
    *lease_columns(),
    Column("name", String(800), primary_key=True),
    Column("company", String(255), nullable=False),
    Column("interface", String(511), nullable=False),  # `{provider}/{account}`
    Column("kind", String(32), nullable=False),
    Column("object_id", String(255), nullable=False),
    Column("transaction_id", String(32), nullable=False),
    Column("build_due", Integer, nullable=False),
    Column("bucket", String(16), nullable=False),  # of the completeness equation, as the totals have it
    Column("digest", String(64), nullable=False),
    Column("digest_version", Integer, nullable=False),
    Column("payload", Text, nullable=False),  # libs.events.event_to_json, references merged
    Column("minor_units", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("effective_at", UtcTimestamp, nullable=False),
    Column("recorded_at", UtcTimestamp, nullable=False),
    Column("recorded_by", String(255), nullable=False),  # the caller's subject: the maker
    Column("traceparent", String(128), nullable=False),
    Column("mapping_revision", BigInteger),  # masterdata's, of the last build
    Column("hold_until", UtcTimestamp),  # the deadline of a missing predecessor
    _partial("ix_event_build", "available_at", "name", where="build_due = 1"),
    Index("ix_event_transaction", "transaction_id"),
    CheckConstraint("build_due IN (0, 1)", name="build_due_is_a_flag"),
)

# What joins facts: an order, its captures, refunds, disputes and payouts.
EVENT_REFERENCE = Table(
    "event_reference",
    metadata,
    Column("company", String(255), primary_key=True),
    Column("kind", String(32), primary_key=True),
    Column("value", String(255), primary_key=True),
    Column("event", String(800), primary_key=True),
    Column("issuer", String(511), primary_key=True),
    Index("ix_event_reference_event", "event"),
)

# One effect of one event: one Odoo document. `state` is the posting queue.
POSTING = Table(
    "posting",
    metadata,
    *lease_columns(),
    Column("key", String(1024), primary_key=True),  # the effect's business key; begins with the company
    Column("company", String(255), nullable=False),
    Column("event", String(800), ForeignKey("event.name"), nullable=False),
    Column("transaction_id", String(32), nullable=False),
    Column("effect", String(64), nullable=False),  # `gross`, `fee`, `invoice` …
    Column("lane", Integer, nullable=False),  # 0 interactive, 1 bulk
    Column("document", Text, nullable=False),  # domain.document.document_to_json; empty until built
    # services.ledger.message, of this row; null in rows that are older than it
    Column("built_message", LargeBinary),
    Column("content_digest", String(64), nullable=False),
    Column("document_type", String(32), nullable=False),  # a batch to Odoo is of one type; empty until built
    Column("ar_group", String(800), nullable=False),  # the story: one label for all that is joined by references
    Column("mapping_revision", BigInteger, nullable=False),
    Column("mapping_by", String(255), nullable=False, default=""),  # who made the mapping
    Column("odoo_model", String(64), nullable=False, default=""),
    Column("odoo_id", BigInteger, nullable=False, default=0),
    Column("odoo_number", String(128), nullable=False, default=""),
    Column("posted_date", String(10), nullable=False, default=""),
    Column("posted_at", UtcTimestamp),
    Column("reconciliation", String(16), nullable=False, default="none"),
    Column("open_roles", String(64), nullable=False, default=""),  # left open by reconciliation, separated by spaces
    Column("reconcile_at", UtcTimestamp),
    Column("reason", String(64), nullable=False, default=""),
    Column("reason_text", Text, nullable=False, default=""),
    Column("tries", Integer, nullable=False, default=0),  # attempts at Odoo, over all states
    Column("first_attempt_at", UtcTimestamp),
    Column("last_attempt_at", UtcTimestamp),
    Column("hold_until", UtcTimestamp),
    Column("parked", Integer, nullable=False, default=0),
    Column("made_by", String(255), nullable=False),
    Column("approved_by", String(255), nullable=False, default=""),
    Column("minor_units", BigInteger, nullable=False),  # the event's gross: what is at risk
    Column("currency", String(3), nullable=False),
    Column("version", Integer, nullable=False, default=1),  # grows with every write; the etag
    Column("created_at", UtcTimestamp, nullable=False),
    Column("updated_at", UtcTimestamp, nullable=False),
    _partial(
        "ix_posting_due",
        "company",
        "lane",
        "available_at",
        "key",
        where="state IN ('ready', 'unknown', 'posting') AND parked = 0",
    ),
    _partial("ix_posting_reconcile", "reconcile_at", "key", where="reconcile_at IS NOT NULL"),
    _partial("ix_posting_held", "available_at", "key", where="state = 'held'"),
    _partial("ix_posting_group", "company", "ar_group", where="ar_group <> ''"),
    Index("ix_posting_listed", "company", "created_at", "key"),
    Index("ix_posting_event", "event"),
    Index("ix_posting_transaction", "transaction_id"),
    CheckConstraint("state <> 'posted' OR odoo_id > 0", name="posted_is_known_to_odoo"),
)

# `posting` waits until `predecessor` is posted. The predecessor need not exist yet.
POSTING_DEPENDENCY = Table(
    "posting_dependency",
    metadata,
    Column("posting", String(1024), primary_key=True),
    Column("predecessor", String(1024), primary_key=True),
    Index("ix_posting_dependency_predecessor", "predecessor"),
)

# A doubt with an owner. At most one is open for a subject and reason.
EXCEPTION_CASE = Table(
    "exception_case",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("company", String(255), nullable=False),
    Column("subject", String(1100), nullable=False),  # a resource's name: posting, event or match
    Column("transaction_id", String(32), nullable=False),
    Column("category", String(16), nullable=False),  # `business`, `technical`
    Column("state", String(16), nullable=False),  # `open`, `resolved`
    Column("reason", String(64), nullable=False),
    Column("message", Text, nullable=False),
    Column("owner", String(64), nullable=False),
    Column("actions", String(128), nullable=False),  # allowed ones, separated by spaces
    Column("minor_units", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("created_at", UtcTimestamp, nullable=False),
    Column("resolved_at", UtcTimestamp),
    Column("resolution", String(64), nullable=False, default=""),
    _partial("uq_exception_case_open", "subject", "reason", where="state = 'open'", unique=True),
    Index("ix_exception_case_listed", "company", "created_at", "id"),
    Index("ix_exception_case_subject", "subject"),
)

# A confirmed match that Odoo is to show; `state` pending is the queue.
APPLIED_MATCH = Table(
    "applied_match",
    metadata,
    *lease_columns(),
    Column("name", String(800), primary_key=True),
    Column("company", String(255), nullable=False),
    Column("type", String(32), nullable=False),  # `payout_transactions`, `bank_payout`, `bank_invoice`
    Column("anchor", String(1024), nullable=False),  # a posting's key
    Column("rule_revision", String(128), nullable=False),
    Column("traceparent", String(128), nullable=False),
    Column("fingerprint", String(64), nullable=False),  # of the content; a repeat must bear the same
    Column("parked", Integer, nullable=False, default=0),
    Column("reason", String(64), nullable=False, default=""),
    Column("reason_text", Text, nullable=False, default=""),
    Column("applied_by", String(255), nullable=False),
    Column("created_at", UtcTimestamp, nullable=False),
    Column("written_at", UtcTimestamp),
    _partial("ix_applied_match_due", "company", "available_at", "name", where="state = 'pending' AND parked = 0"),
    Index("ix_applied_match_anchor", "anchor"),
)

# A posting that a match joins to its anchor.
APPLIED_MATCH_MEMBER = Table(
    "applied_match_member",
    metadata,
    Column("match", String(800), primary_key=True),
    Column("posting", String(1024), primary_key=True),  # key
    Index("ix_applied_match_member_posting", "posting"),
)

# An exchange entry that Odoo made by itself when it reconciled: an effect of that match or story.
EXCHANGE_ENTRY = Table(
    "exchange_entry",
    metadata,
    Column("company", String(255), primary_key=True),
    Column("odoo_id", BigInteger, primary_key=True),
    Column("number", String(128), nullable=False),
    Column("day", String(10), nullable=False),
    Column("cause", String(1100), nullable=False),  # the match's name or the story's label
    Column("found_at", UtcTimestamp, nullable=False),
    Index("ix_exchange_entry_cause", "cause"),
)

# An id that a caller was told for an event which proved known under another.
TRANSACTION_ALIAS = Table(
    "transaction_alias",
    metadata,
    Column("alias", String(32), primary_key=True),
    Column("transaction_id", String(32), nullable=False),
    Column("created_at", UtcTimestamp, nullable=False),
)

# A request that changed something, by its caller's id: a repeat gets the first answer.
REQUEST = Table(
    "request",
    metadata,
    *request_columns(),
)

TABLES: SystemTables = system_tables(metadata)
