"""The ledger's tables. Names are resource names where there is one; money is integer minor units with its currency."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary, Text, text
from sqlmodel import Field, SQLModel

from libs.storage.declarations import LeaseColumns, RequestColumns, proof_column, service_registry
from libs.storage.tables import system_tables
from libs.storage.types import UtcTimestamp


class LedgerRow(SQLModel, registry=service_registry()):
    """Base of the ledger's tables; `LedgerRow.metadata` holds them."""


# SQLite takes a partial index only where the query says its condition in the same words (`leases.in_state`: IN, but =
# for a single state).
def _partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


class EventRow(LedgerRow, LeaseColumns, table=True):
    """A canonical event. `build_due` makes the table the build queue: set while documents or links are to be made."""

    __tablename__ = "event"
    __table_args__ = (
        _partial("ix_event_build", "available_at", "name", where="build_due = 1"),
        Index("ix_event_transaction", "transaction_id"),
        CheckConstraint("build_due IN (0, 1)", name="build_due_is_a_flag"),
    )

    name: str = Field(primary_key=True, max_length=800)
    company: str = Field(max_length=255)
    interface: str = Field(max_length=511)  # `{provider}/{account}`
    kind: str = Field(max_length=32)
    object_id: str = Field(max_length=255)
    transaction_id: str = Field(max_length=32)
    build_due: int
    bucket: str = Field(max_length=16)  # of the completeness equation, as the totals have it
    digest: str = Field(max_length=64)
    digest_version: int
    payload: str = Field(sa_type=Text)  # libs.events.event_to_json, references merged
    payload_proof: str = proof_column()
    minor_units: int = Field(sa_type=BigInteger)
    currency: str = Field(max_length=3)
    effective_at: datetime = Field(sa_type=UtcTimestamp)
    recorded_at: datetime = Field(sa_type=UtcTimestamp)
    recorded_by: str = Field(max_length=255)  # the caller's subject: the maker
    traceparent: str = Field(max_length=128)
    mapping_revision: int | None = Field(default=None, sa_type=BigInteger)  # masterdata's, of the last build
    hold_until: datetime | None = Field(default=None, sa_type=UtcTimestamp)  # the deadline of a missing predecessor


class EventReferenceRow(LedgerRow, table=True):
    """What joins facts: an order, its captures, refunds, disputes and payouts."""

    __tablename__ = "event_reference"
    __table_args__ = (Index("ix_event_reference_event", "event"),)

    company: str = Field(primary_key=True, max_length=255)
    kind: str = Field(primary_key=True, max_length=32)
    value: str = Field(primary_key=True, max_length=255)
    event: str = Field(primary_key=True, max_length=800)
    issuer: str = Field(primary_key=True, max_length=511)


class PostingRow(LedgerRow, LeaseColumns, table=True):
    """One effect of one event: one Odoo document. `state` is the posting queue."""

    __tablename__ = "posting"
    __table_args__ = (
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

    key: str = Field(primary_key=True, max_length=1024)  # the effect's business key; begins with the company
    company: str = Field(max_length=255)
    event: str = Field(max_length=800, foreign_key="event.name")
    transaction_id: str = Field(max_length=32)
    effect: str = Field(max_length=64)  # `gross`, `fee`, `invoice` …
    lane: int  # 0 interactive, 1 bulk
    document: str = Field(sa_type=Text)  # domain.document.document_to_json; empty until built
    # services.ledger.message, of this row; null in rows that are older than it
    built_message: bytes | None = Field(default=None, sa_type=LargeBinary)
    state_message: bytes | None = Field(default=None, sa_type=LargeBinary)
    document_proof: str = proof_column()
    built_message_proof: str = proof_column()
    state_message_proof: str = proof_column()
    content_digest: str = Field(max_length=64)
    document_type: str = Field(max_length=32)  # a batch to Odoo is of one type; empty until built
    ar_group: str = Field(max_length=800)  # the story: one label for all that is joined by references
    mapping_revision: int = Field(sa_type=BigInteger)
    mapping_by: str = Field(default="", max_length=255)  # who made the mapping
    odoo_model: str = Field(default="", max_length=64)
    odoo_id: int = Field(default=0, sa_type=BigInteger)
    odoo_number: str = Field(default="", max_length=128)
    posted_date: str = Field(default="", max_length=10)
    posted_at: datetime | None = Field(default=None, sa_type=UtcTimestamp)
    reconciliation: str = Field(default="none", max_length=16)
    open_roles: str = Field(default="", max_length=64)  # left open by reconciliation, separated by spaces
    reconcile_at: datetime | None = Field(default=None, sa_type=UtcTimestamp)
    reason: str = Field(default="", max_length=64)
    reason_text: str = Field(default="", sa_type=Text)
    tries: int = Field(default=0)  # attempts at Odoo, over all states
    first_attempt_at: datetime | None = Field(default=None, sa_type=UtcTimestamp)
    last_attempt_at: datetime | None = Field(default=None, sa_type=UtcTimestamp)
    hold_until: datetime | None = Field(default=None, sa_type=UtcTimestamp)
    parked: int = Field(default=0)
    made_by: str = Field(max_length=255)
    approved_by: str = Field(default="", max_length=255)
    minor_units: int = Field(sa_type=BigInteger)  # the event's gross: what is at risk
    currency: str = Field(max_length=3)
    version: int = Field(default=1)  # grows with every write; the etag
    created_at: datetime = Field(sa_type=UtcTimestamp)
    updated_at: datetime = Field(sa_type=UtcTimestamp)


class PostingDependencyRow(LedgerRow, table=True):
    """`posting` waits until `predecessor` is posted. The predecessor need not exist yet."""

    __tablename__ = "posting_dependency"
    __table_args__ = (Index("ix_posting_dependency_predecessor", "predecessor"),)

    posting: str = Field(primary_key=True, max_length=1024)
    predecessor: str = Field(primary_key=True, max_length=1024)


class ExceptionCaseRow(LedgerRow, table=True):
    """A doubt with an owner. At most one is open for a subject and reason."""

    __tablename__ = "exception_case"
    __table_args__ = (
        _partial("uq_exception_case_open", "subject", "reason", where="state = 'open'", unique=True),
        Index("ix_exception_case_listed", "company", "created_at", "id"),
        Index("ix_exception_case_subject", "subject"),
    )

    id: str = Field(primary_key=True, max_length=32)
    company: str = Field(max_length=255)
    subject: str = Field(max_length=1100)  # a resource's name: posting, event or match
    transaction_id: str = Field(max_length=32)
    category: str = Field(max_length=16)  # `business`, `technical`
    state: str = Field(max_length=16)  # `open`, `resolved`
    reason: str = Field(max_length=64)
    message: str = Field(sa_type=Text)
    owner: str = Field(max_length=64)
    actions: str = Field(max_length=128)  # allowed ones, separated by spaces
    minor_units: int = Field(sa_type=BigInteger)
    currency: str = Field(max_length=3)
    created_at: datetime = Field(sa_type=UtcTimestamp)
    resolved_at: datetime | None = Field(default=None, sa_type=UtcTimestamp)
    resolution: str = Field(default="", max_length=64)


class AppliedMatchRow(LedgerRow, LeaseColumns, table=True):
    """A confirmed match that Odoo is to show; `state` pending is the queue."""

    __tablename__ = "applied_match"
    __table_args__ = (
        _partial("ix_applied_match_due", "company", "available_at", "name", where="state = 'pending' AND parked = 0"),
        Index("ix_applied_match_anchor", "anchor"),
    )

    name: str = Field(primary_key=True, max_length=800)
    company: str = Field(max_length=255)
    type: str = Field(max_length=32)  # `payout_transactions`, `bank_payout`, `bank_invoice`
    anchor: str = Field(max_length=1024)  # a posting's key
    rule_revision: str = Field(max_length=128)
    traceparent: str = Field(max_length=128)
    fingerprint: str = Field(max_length=64)  # of the content; a repeat must bear the same
    parked: int = Field(default=0)
    reason: str = Field(default="", max_length=64)
    reason_text: str = Field(default="", sa_type=Text)
    applied_by: str = Field(max_length=255)
    created_at: datetime = Field(sa_type=UtcTimestamp)
    written_at: datetime | None = Field(default=None, sa_type=UtcTimestamp)


class AppliedMatchMemberRow(LedgerRow, table=True):
    """A posting that a match joins to its anchor."""

    __tablename__ = "applied_match_member"
    __table_args__ = (Index("ix_applied_match_member_posting", "posting"),)

    match: str = Field(primary_key=True, max_length=800)
    posting: str = Field(primary_key=True, max_length=1024)  # key


class ExchangeEntryRow(LedgerRow, table=True):
    """An exchange entry that Odoo made by itself when it reconciled: an effect of that match or story."""

    __tablename__ = "exchange_entry"
    __table_args__ = (Index("ix_exchange_entry_cause", "cause"),)

    company: str = Field(primary_key=True, max_length=255)
    odoo_id: int = Field(primary_key=True, sa_type=BigInteger)
    number: str = Field(max_length=128)
    day: str = Field(max_length=10)
    cause: str = Field(max_length=1100)  # the match's name or the story's label
    found_at: datetime = Field(sa_type=UtcTimestamp)


class TransactionAliasRow(LedgerRow, table=True):
    """An id that a caller was told for an event which proved known under another."""

    __tablename__ = "transaction_alias"

    alias: str = Field(primary_key=True, max_length=32)
    transaction_id: str = Field(max_length=32)
    created_at: datetime = Field(sa_type=UtcTimestamp)


class RequestRow(LedgerRow, RequestColumns, table=True):
    """A request that changed something, by its caller's id: a repeat gets the first answer."""

    __tablename__ = "request"


metadata = LedgerRow.metadata
system_tables(metadata)
