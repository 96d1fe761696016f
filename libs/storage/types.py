"""Column types that mean the same in SQLite and in PostgreSQL, and the bases of a service's rows."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, MetaData, String
from sqlalchemy.orm import registry
from sqlalchemy.types import TypeDecorator, TypeEngine

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

# A number that the database gives. SQLite counts only in a column declared INTEGER.
RowNumber = BigInteger().with_variant(Integer(), "sqlite")


class UtcTimestamp(TypeDecorator[datetime]):
    """An aware instant, in UTC: TIMESTAMPTZ on PostgreSQL; on SQLite a text of fixed width, which sorts by time."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(String(32) if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        instant = value if value.tzinfo is UTC else value.astimezone(UTC)
        return instant.isoformat(timespec="microseconds") if dialect.name == "sqlite" else instant

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return datetime.fromisoformat(value) if dialect.name == "sqlite" else value.astimezone(UTC)


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
