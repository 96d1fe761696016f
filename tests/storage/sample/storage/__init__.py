"""The sample's tables."""

from sqlalchemy import CheckConstraint, Column, Index, Integer, String, Table, text

from libs.storage.leases import lease_columns
from libs.storage.tables import system_tables
from libs.storage.types import new_metadata

READY = text("state = 'READY'")


metadata = new_metadata()


# Work that waits.
JOB = Table(
    "job",
    metadata,
    *lease_columns(),
    Column("id", String(32), primary_key=True),
    Column("lane", Integer, nullable=False, default=0),
    Column("result", String(64)),
    Index(
        "ix_job_waiting",
        "lane",
        "id",
        sqlite_where=text("state = 'READY'"),
        postgresql_where=text("state = 'READY'"),
    ),
)

# A thing with a unique key and a check.
NOTE = Table(
    "note",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("body", String, nullable=False),
    CheckConstraint("length(body) > 0", name="body_is_not_empty"),
)

TABLES = system_tables(metadata)
