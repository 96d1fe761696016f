"""What services' `rows` are declared of. Migrations and `make tables` load it; a running service does not."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, MetaData, Text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from .types import UtcTimestamp

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


def service_registry() -> registry:
    """A registry with a MetaData of its own. Each service declares one base and derives its rows from it:

    class LedgerRow(SQLModel, registry=service_registry()):
        '''Base of the ledger's tables; `LedgerRow.metadata` holds them.'''

    class EntryRow(LedgerRow, table=True):
        __tablename__ = "entry"
        name: str = Field(primary_key=True)
        posted_at: datetime = Field(sa_type=UtcTimestamp)
    """
    return registry(metadata=MetaData(naming_convention=NAMING))


def proof_column() -> Any:
    """The column beside a value that holds its proof (`libs.storage.private`)."""
    return Field(default="", max_length=96, sa_column_kwargs={"server_default": ""})


class LeaseColumns(SQLModel):
    """The columns of a row that waits for work: `class JobRow(LedgerRow, LeaseColumns, table=True)`.

    `attempts` counts claims since the row came to its present state, so that work which kills its worker runs out of
    budget as well.
    """

    state: str = Field(max_length=32)
    available_at: datetime = Field(sa_type=UtcTimestamp)
    lease_owner: str | None = Field(default=None, max_length=128)
    lease_until: datetime | None = Field(default=None, sa_type=UtcTimestamp)
    fence: int = Field(default=0, sa_type=BigInteger)
    attempts: int = Field(default=0)


class RequestColumns(SQLModel):
    """The columns of a service's answered requests: `class RequestRow(LedgerRow, RequestColumns, table=True)`."""

    id: str = Field(primary_key=True, max_length=64)  # the caller's
    fingerprint: str = Field(max_length=64)
    answer: str = Field(sa_type=Text)  # JSON; empty until the transaction that works on it ends
    created_at: datetime = Field(sa_type=UtcTimestamp)
