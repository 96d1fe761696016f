"""The tables that every service has: audit entries, totals, the outbox, and the sealer's head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from .types import RowNumber, UtcTimestamp


@dataclass(frozen=True)
class SystemTables:
    """What `system_tables` added to a service's MetaData."""

    audit_entry: Table
    outbox: Table
    outbox_reader: Table
    total_delta: Table
    total: Table
    seal_head: Table


def system_tables(metadata: MetaData) -> SystemTables:
    """Add the tables to a service's MetaData: `TABLES = system_tables(LedgerRow.metadata)`."""
    return SystemTables(
        _audit_entry(metadata),
        _outbox(metadata),
        _outbox_reader(metadata),
        _total_delta(metadata),
        _total(metadata),
        _seal_head(metadata),
    )


def _audit_entry(metadata: MetaData) -> Table:
    return Table(
        "audit_entry",
        metadata,
        Column("id", RowNumber, primary_key=True),
        Column("subject", Text, nullable=False),
        Column("subject_seq", Integer, nullable=False),  # from 1, without gaps
        Column("action", String(64), nullable=False),
        Column("actor", Text, nullable=False),
        Column("reason", Text, nullable=False),
        Column("at", UtcTimestamp, nullable=False),
        Column("transaction_id", String(32), nullable=False),
        Column("content_digest", String(64), nullable=False),
        Column("detail", Text, nullable=False),  # canonical JSON
        Column("encoding", Integer, nullable=False, server_default="1"),  # what the hash is made of: see `audit`
        # Of the subject's row as it is after the transaction: see `encoding`. Empty in all but the last of the
        # subject's entries in a transaction, and where there is no row.
        Column("row_digest", String(80), nullable=False, server_default=""),
        Column("prev_hash", LargeBinary, nullable=False),
        Column("hash", LargeBinary, nullable=False),
        Column("sealed_number", BigInteger),  # null until the sealer came by
        Column("chain_hash", LargeBinary),
        # Two transactions that both continue a chain from the same entry can't both commit.
        UniqueConstraint("subject", "subject_seq"),
        Index("ix_audit_entry_transaction_id", "transaction_id"),
        *_sealing_indexes("audit_entry", "id"),
    )


def _outbox(metadata: MetaData) -> Table:
    return Table(
        "outbox",
        metadata,
        Column("position", RowNumber, primary_key=True),
        Column("id", String(64), nullable=False, unique=True),  # receivers know repeats by it
        Column("topic", String(128), nullable=False),
        Column("key", Text, nullable=False),  # messages of a key keep their order
        Column("transaction_id", String(32), nullable=False),
        Column("headers", Text, nullable=False),  # JSON: the trace context
        Column("payload", LargeBinary, nullable=False),
        Column("at", UtcTimestamp, nullable=False),
        Column("sealed_number", BigInteger),  # the order of the outbox, and its resume token
        Column("chain_hash", LargeBinary),
        *_sealing_indexes("outbox", "position"),
    )


def _outbox_reader(metadata: MetaData) -> Table:
    return Table(
        "outbox_reader",
        metadata,
        Column("id", String(64), primary_key=True),
        Column("sealed_number", BigInteger, nullable=False),  # the last one that was handed on
        Column("state", String(32), nullable=False),
        Column("available_at", UtcTimestamp, nullable=False),
        Column("lease_owner", String(128)),
        Column("lease_until", UtcTimestamp),
        Column("fence", BigInteger, nullable=False),
        Column("attempts", Integer, nullable=False),
    )


def _total_delta(metadata: MetaData) -> Table:
    return Table("total_delta", metadata, Column("id", RowNumber, primary_key=True), *_total_key(False), *_sums())


def _total(metadata: MetaData) -> Table:
    return Table("total", metadata, *_total_key(True), *_sums())


def _total_key(primary: bool) -> list[Column[Any]]:
    return [
        Column("interface", String(128), nullable=False, primary_key=primary),
        Column("company", String(64), nullable=False, primary_key=primary),
        Column("currency", String(3), nullable=False, primary_key=primary),
        Column("day", Date, nullable=False, primary_key=primary),
        Column("bucket", String(32), nullable=False, primary_key=primary),
    ]


def _sums() -> list[Column[Any]]:
    return [
        Column("count", BigInteger, nullable=False),
        Column("minor_units", BigInteger, nullable=False),
        Column("names_hash", String(64), nullable=False),
    ]


def _seal_head(metadata: MetaData) -> Table:
    return Table(
        "seal_head",
        metadata,
        Column("id", String(16), primary_key=True),  # one row
        Column("audit_number", BigInteger, nullable=False),
        Column("audit_hash", LargeBinary, nullable=False),
        Column("outbox_number", BigInteger, nullable=False),
        Column("outbox_hash", LargeBinary),  # null until the sealer comes by: the start
    )


def _sealing_indexes(table: str, order: str) -> list[Index]:
    unsealed, sealed = text("sealed_number IS NULL"), text("sealed_number IS NOT NULL")
    return [
        Index(f"ix_{table}_unsealed", order, sqlite_where=unsealed, postgresql_where=unsealed),
        Index(f"ix_{table}_sealed", "sealed_number", unique=True, sqlite_where=sealed, postgresql_where=sealed),
    ]
