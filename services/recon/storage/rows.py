"""Recon's tables. Names are resource names where there is one; money is integer minor units with its currency."""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from libs.handover.declarations import OutboundColumns
from libs.storage.declarations import LeaseColumns, RequestColumns, proof_column, service_registry
from libs.storage.tables import system_tables
from libs.storage.types import UtcTimestamp


class ReconRow(SQLModel, registry=service_registry()):
    """Base of recon's tables; `ReconRow.metadata` holds them."""


def _partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


class ImportedFileRow(ReconRow, table=True):
    """A file whose content is here, known by its bytes."""

    __tablename__ = "imported_file"

    company: str = Field(primary_key=True, max_length=64)
    sha256: str = Field(primary_key=True, max_length=64)
    kind: str = Field(max_length=16)
    interface: str = Field(max_length=511)
    delivery: str = Field(max_length=800)
    file_name: str = Field(max_length=255)
    transaction_id: str = Field(max_length=32)
    answer: str = Field(sa_type=Text)  # JSON: what a repeat gets
    imported_at: datetime = Field(sa_type=UtcTimestamp)


class StatementRow(ReconRow, table=True):
    """A bank statement. Sums are null where the file does not say."""

    __tablename__ = "statement"
    __table_args__ = (Index("ix_statement_listed", "company", "imported_at", "name"),)

    name: str = Field(primary_key=True, max_length=255)
    company: str = Field(max_length=64)
    statement_id: str = Field(max_length=255)
    bank_account: str = Field(max_length=255)
    currency: str = Field(max_length=3)
    opening: int | None = Field(default=None, sa_type=BigInteger)
    closing: int | None = Field(default=None, sa_type=BigInteger)
    credit_sum: int | None = Field(default=None, sa_type=BigInteger)
    debit_sum: int | None = Field(default=None, sa_type=BigInteger)
    lines: int
    ties: int
    imported_at: datetime = Field(sa_type=UtcTimestamp)
    transaction_id: str = Field(max_length=32)


class StatementSpanRow(ReconRow, table=True):
    """The days of a statement's booked lines and its number, as its file says them: what the chain is made of."""

    __tablename__ = "statement_span"

    statement: str = Field(primary_key=True, max_length=255)
    number: str = Field(max_length=64)
    first_day: date
    last_day: date


class StatementLineRow(ReconRow, table=True):
    """A booked line in one statement; the event says what it is, and may stand in several statements."""

    __tablename__ = "statement_line"
    __table_args__ = (Index("ix_statement_line_event", "event"),)

    statement: str = Field(primary_key=True, max_length=255)
    sequence: int = Field(primary_key=True)
    event: str = Field(max_length=800)


class OutboundEventRow(ReconRow, OutboundColumns, table=True):
    """A canonical event on its way to the ledger. Its origin is a file's transaction."""

    __tablename__ = "outbound_event"
    __table_args__ = (
        _partial("ix_outbound_event_waiting", "available_at", "name", where="state = 'waiting'"),
        _partial("ix_outbound_event_failed", "company", "name", where="state IN ('refused', 'parked')"),
        Index("ix_outbound_event_transaction", "transaction_id"),
        Index("ix_outbound_event_origin", "origin"),
    )


class AliasRow(ReconRow, table=True):
    """A transaction id that a file gave to an event which the ledger knew under another."""

    __tablename__ = "transaction_alias"

    alias: str = Field(primary_key=True, max_length=32)
    transaction_id: str = Field(max_length=32)


class SettlementRow(ReconRow, table=True):
    """A payout with what it pays out."""

    __tablename__ = "settlement"
    __table_args__ = (
        Index("ix_settlement_listed", "company", "created_at", "name"),
        Index("ix_settlement_payout", "company", "payout_id"),
        _partial("ix_settlement_open", "company", "name", where="matched = 0"),
    )

    name: str = Field(primary_key=True, max_length=400)
    company: str = Field(max_length=64)
    interface: str = Field(max_length=511)
    payout_id: str = Field(max_length=255)
    payout_transaction: str = Field(max_length=255)
    currency: str = Field(max_length=3)
    minor_units: int = Field(sa_type=BigInteger)
    stated: int
    arrival_date: date | None = None
    bank_references: str = Field(sa_type=Text)  # JSON
    matched: int
    transaction_id: str = Field(max_length=32)
    delivery: str = Field(max_length=800)
    created_at: datetime = Field(sa_type=UtcTimestamp)
    updated_at: datetime = Field(sa_type=UtcTimestamp)


class SettlementLineRow(ReconRow, table=True):
    """A balance transaction that a payout pays; net is gross less fee."""

    __tablename__ = "settlement_line"
    __table_args__ = (CheckConstraint("net = gross - fee", name="net_is_gross_less_fee"),)

    settlement: str = Field(primary_key=True, max_length=400)
    balance_transaction: str = Field(primary_key=True, max_length=255)
    position: int
    currency: str = Field(max_length=3)
    gross: int = Field(sa_type=BigInteger)
    fee: int = Field(sa_type=BigInteger)
    net: int = Field(sa_type=BigInteger)


class ItemRow(ReconRow, table=True):
    """A posting that stands in Odoo, as the ledger reported it."""

    __tablename__ = "item"
    __table_args__ = (
        _partial("ix_item_side_open", "company", "kind", "posting", where="side_open = 1"),
        _partial("ix_item_receipt_open", "company", "posting", where="receipt_open = 1"),
        Index("ix_item_object", "company", "interface", "object_id"),
        _partial("ix_item_payout", "company", "interface", "source_id", where="kind = 'payout'"),
        Index("ix_item_transaction", "transaction_id"),
    )

    posting: str = Field(primary_key=True, max_length=1024)  # the effect's business key
    company: str = Field(max_length=64)
    kind: str = Field(max_length=16)
    interface: str = Field(max_length=511)
    event: str = Field(max_length=800)
    event_kind: str = Field(max_length=32)
    effect: str = Field(max_length=64)
    object_id: str = Field(max_length=255)
    source_id: str = Field(max_length=255)
    transaction_id: str = Field(max_length=32)
    currency: str = Field(max_length=3)
    minor_units: int = Field(sa_type=BigInteger)
    clearing_units: int = Field(sa_type=BigInteger)
    day: date
    words: str = Field(sa_type=Text)  # JSON: texts with references
    words_proof: str = proof_column()
    side_open: int
    clearing_open: int
    receipt_open: int
    version: int = Field(sa_type=BigInteger)
    learned_at: datetime = Field(sa_type=UtcTimestamp)
    verdict: str = Field(max_length=32)  # why no counterpart was found
    nearest: str = Field(max_length=1024)
    nearest_lacks: str = Field(max_length=64)


class MatchRow(ReconRow, LeaseColumns, table=True):
    """A match. `state` is the queue: what is confirmed waits to be written."""

    __tablename__ = "found_match"
    __table_args__ = (
        _partial("ix_found_match_confirmed", "available_at", "name", where="state = 'confirmed'"),
        Index("ix_found_match_listed", "company", "created_at", "name"),
        Index("ix_found_match_anchor", "company", "anchor"),
    )

    name: str = Field(primary_key=True, max_length=255)
    company: str = Field(max_length=64)
    type: str = Field(max_length=32)
    anchor: str = Field(max_length=1024)
    rule_revision: str = Field(max_length=32)
    rule: str = Field(max_length=64)
    candidates: int
    snapshot: str = Field(sa_type=Text)
    traceparent: str = Field(max_length=128)
    reason: str = Field(max_length=64)
    created_at: datetime = Field(sa_type=UtcTimestamp)
    written_at: datetime | None = Field(default=None, sa_type=UtcTimestamp)


class MatchMemberRow(ReconRow, table=True):
    """One side of a match. Of a posting's role there is one live match at most."""

    __tablename__ = "match_member"
    __table_args__ = (
        _partial("uq_match_member_live", "posting", "role", where="live = 1", unique=True),
        Index("ix_match_member_transaction", "transaction_id"),
        Index("ix_match_member_posting", "posting"),
    )

    match: str = Field(primary_key=True, max_length=255)
    position: int = Field(primary_key=True)  # 0 is the anchor
    posting: str = Field(max_length=1024)
    role: str = Field(max_length=8)
    transaction_id: str = Field(max_length=32)
    live: int  # 0 once the match is undone


class DifferenceRow(ReconRow, table=True):
    """Something without a counterpart, with an owner."""

    __tablename__ = "difference"
    __table_args__ = (
        UniqueConstraint("company", "subject"),
        Index("ix_difference_listed", "company", "created_at", "name"),
        _partial("ix_difference_live", "company", "name", where="state IN ('open', 'assigned')"),
    )

    name: str = Field(primary_key=True, max_length=255)
    company: str = Field(max_length=64)
    state: str = Field(max_length=16)
    subject: str = Field(max_length=1100)
    transaction_id: str = Field(max_length=32)
    reason: str = Field(max_length=64)
    message: str = Field(sa_type=Text)
    currency: str = Field(max_length=3)
    minor_units: int = Field(sa_type=BigInteger)
    nearest: str = Field(max_length=1100)
    nearest_lacks: str = Field(max_length=64)
    owner: str = Field(max_length=255)
    created_at: datetime = Field(sa_type=UtcTimestamp)
    updated_at: datetime = Field(sa_type=UtcTimestamp)
    version: int
    proposed_by: str = Field(default="", max_length=255, sa_column_kwargs={"server_default": ""})
    why: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": ""})
    decided_by: str = Field(default="", max_length=255, sa_column_kwargs={"server_default": ""})


class RequestRow(ReconRow, RequestColumns, table=True):
    """A request that changed something, by its caller's id: a repeat gets the first answer."""

    __tablename__ = "request"


class ProgressRow(ReconRow, table=True):
    """How far a company's books are known and matched."""

    __tablename__ = "progress"

    company: str = Field(primary_key=True, max_length=64)
    token: str = Field(sa_type=Text)
    changes: int = Field(sa_type=BigInteger)
    matched: int = Field(sa_type=BigInteger)
    differenced: int = Field(sa_type=BigInteger)
    due_at: datetime | None = Field(default=None, sa_type=UtcTimestamp)


metadata = ReconRow.metadata
system_tables(metadata)
