"""The sample's tables."""

from sqlalchemy import CheckConstraint, Index, Table, text
from sqlmodel import Field, SQLModel

from libs.storage.declarations import LeaseColumns, service_registry
from libs.storage.tables import system_tables

READY = text("state = 'READY'")


class SampleRow(SQLModel, registry=service_registry()):
    """Base of the sample's rows."""


class JobRow(SampleRow, LeaseColumns, table=True):
    """Work that waits."""

    __tablename__ = "job"
    __table_args__ = (
        Index(
            "ix_job_waiting",
            "lane",
            "id",
            sqlite_where=text("state = 'READY'"),
            postgresql_where=text("state = 'READY'"),
        ),
    )

    id: str = Field(primary_key=True, max_length=32)
    lane: int = Field(default=0)
    result: str | None = Field(default=None, max_length=64)


class NoteRow(SampleRow, table=True):
    """A thing with a unique key and a check."""

    __tablename__ = "note"
    __table_args__ = (CheckConstraint("length(body) > 0", name="body_is_not_empty"),)

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    body: str


metadata = SampleRow.metadata
TABLES = system_tables(metadata)
JOB: Table = metadata.tables["job"]
NOTE: Table = metadata.tables["note"]
