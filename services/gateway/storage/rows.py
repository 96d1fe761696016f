"""The gateway's tables. A delivery's and an event's key is its name; a delivery's row is keyed by its transaction."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, LargeBinary, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from libs.handover.declarations import OutboundColumns
from libs.storage.declarations import LeaseColumns, proof_column, service_registry
from libs.storage.tables import system_tables
from libs.storage.types import UtcTimestamp


class GatewayRow(SQLModel, registry=service_registry()):
    """Base of the gateway's tables; `GatewayRow.metadata` holds them."""


def _partial(name: str, *columns: str, where: str) -> Index:
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


class DeliveryRow(GatewayRow, LeaseColumns, table=True):
    """What came in. Its bytes are beside it, so that a change of state does not write them again."""

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("name"),
        _partial("ix_delivery_received", "available_at", "transaction_id", where="state = 'received'"),
        Index("ix_delivery_source", "provider", "account", "transaction_id"),
    )

    transaction_id: str = Field(primary_key=True, max_length=32)  # a UUIDv7, so rows stand in order of receipt
    name: str = Field(max_length=800)
    provider: str = Field(max_length=64)
    account: str = Field(max_length=255)
    channel: str = Field(max_length=16)
    type: str = Field(max_length=128)
    sha256: str = Field(max_length=64)
    body_bytes: int = Field(sa_type=BigInteger)
    received_at: datetime = Field(sa_type=UtcTimestamp)
    link: str = Field(max_length=128)  # the partner's traceparent
    upload: str = Field(max_length=32)  # of a file, whose bytes are chunks
    file_name: str = Field(max_length=255)
    schema_fingerprint: str = Field(max_length=64)
    reason: str = Field(max_length=64)
    events: str = Field(sa_type=Text)  # names, one a line
    waiting_events: int  # of those that it told first: not yet handed on


class DeliveryBodyRow(GatewayRow, table=True):
    """The exact bytes."""

    __tablename__ = "delivery_body"

    transaction_id: str = Field(primary_key=True, max_length=32)
    body: bytes = Field(sa_type=LargeBinary)
    body_proof: str = proof_column()


class UploadRow(GatewayRow, table=True):
    """A file that is coming in; it outlives its upload only if a delivery names it."""

    __tablename__ = "upload"

    id: str = Field(primary_key=True, max_length=32)
    begun_at: datetime = Field(sa_type=UtcTimestamp)
    kept: int  # 1 once a delivery names it


class UploadChunkRow(GatewayRow, table=True):
    """A part of a file."""

    __tablename__ = "upload_chunk"

    upload: str = Field(primary_key=True, max_length=32)
    number: int = Field(primary_key=True)
    data: bytes = Field(sa_type=LargeBinary)
    data_proof: str = proof_column()


class EventRow(GatewayRow, OutboundColumns, table=True):
    """A canonical event on its way to the ledger. Its origin is a delivery's transaction."""

    __tablename__ = "event"
    __table_args__ = (
        _partial("ix_event_waiting", "available_at", "name", where="state = 'waiting'"),
        Index("ix_event_transaction", "transaction_id"),
        Index("ix_event_origin", "origin"),
    )


class AliasRow(GatewayRow, table=True):
    """A transaction id that a 202 named before its event proved known."""

    __tablename__ = "transaction_alias"

    alias: str = Field(primary_key=True, max_length=32)
    transaction_id: str = Field(max_length=32)


class PayoutRow(GatewayRow, LeaseColumns, table=True):
    """A payout whose composition is fetched, then handed to recon. `state` is the queue."""

    __tablename__ = "payout"
    __table_args__ = (
        _partial("ix_payout_due", "state", "available_at", where="state IN ('waiting', 'composed')"),
        Index("ix_payout_transaction", "transaction_id"),
    )

    key: str = Field(primary_key=True, max_length=600)  # `{provider}/{account}/{payout}`
    provider: str = Field(max_length=64)
    account: str = Field(max_length=255)
    payout_id: str = Field(max_length=255)
    transaction_id: str = Field(max_length=32)
    delivery: str = Field(max_length=800)
    settlement: str = Field(sa_type=Text)
    settlement_proof: str = proof_column()
    reason: str = Field(max_length=64)


class CursorRow(GatewayRow, LeaseColumns, table=True):
    """How far a source's poll has come."""

    __tablename__ = "source_cursor"

    source: str = Field(primary_key=True, max_length=330)  # `{provider}/{account}`
    position: int = Field(sa_type=BigInteger)
    since: int = Field(sa_type=BigInteger)
    after: str = Field(max_length=255)
    newest: int = Field(sa_type=BigInteger)
    wakes: int = Field(sa_type=BigInteger)
    polled_at: datetime | None = Field(default=None, sa_type=UtcTimestamp)


class RefusedRow(GatewayRow, table=True):
    """A sample of what was refused."""

    __tablename__ = "refused_sample"
    __table_args__ = (Index("ix_refused_sample_source", "provider", "account", "id"),)

    id: str = Field(primary_key=True, max_length=32)  # a UUIDv7
    provider: str = Field(max_length=64)
    account: str = Field(max_length=255)
    reason: str = Field(max_length=64)
    sha256: str = Field(max_length=64)
    body_bytes: int = Field(sa_type=BigInteger)
    head: bytes = Field(sa_type=LargeBinary)
    at: datetime = Field(sa_type=UtcTimestamp)


class ReplayRow(GatewayRow, table=True):
    """A replay that was asked for, so that asking again changes nothing."""

    __tablename__ = "replay"

    request_id: str = Field(primary_key=True, max_length=36)
    delivery: str = Field(max_length=800)
    requested_by: str = Field(max_length=255)
    at: datetime = Field(sa_type=UtcTimestamp)


metadata = GatewayRow.metadata
system_tables(metadata)
