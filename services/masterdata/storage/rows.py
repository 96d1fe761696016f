"""Masterdata's tables: Odoo's records by company and Odoo id, and mapping sets by revision."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, String, Table, Text, text

from libs.storage.requests import request_columns
from libs.storage.tables import SystemTables, system_tables
from libs.storage.types import UtcTimestamp, new_metadata

metadata = new_metadata()


# A company. Its row is what writers of the company lock; `revision` is what caches compare.
LEGAL_ENTITY = Table(
    "legal_entity",
    metadata,
    Column("company", String(64), primary_key=True),
    Column("odoo_id", BigInteger, nullable=False, unique=True),  # one name for a company of Odoo
    Column("display_name", Text, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("gain_account", BigInteger, nullable=False),
    Column("loss_account", BigInteger, nullable=False),
    Column("rounds_by_line", Boolean, nullable=False),
    Column("time_zone", String(64), nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("read_at", UtcTimestamp, nullable=False),  # when the last reading that was stored began
)

ACCOUNT = Table(
    "account",
    metadata,
    Column("company", String(64), primary_key=True),
    Column("odoo_id", BigInteger, primary_key=True),
    Column("code", String(64), nullable=False),
    Column("name", Text, nullable=False),
    Column("type", String(64), nullable=False),
    Column("reconcilable", Boolean, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("active", Boolean, nullable=False),
    Index("ix_account_listed", "company", "code", "odoo_id"),
)

JOURNAL = Table(
    "journal",
    metadata,
    Column("company", String(64), primary_key=True),
    Column("odoo_id", BigInteger, primary_key=True),
    Column("code", String(64), nullable=False),
    Column("name", Text, nullable=False),
    Column("type", String(32), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("default_account", BigInteger, nullable=False),
    Column("suspense_account", BigInteger, nullable=False),
    Column("active", Boolean, nullable=False),
    Index("ix_journal_listed", "company", "code", "odoo_id"),
)

TAX_CODE = Table(
    "tax_code",
    metadata,
    Column("company", String(64), primary_key=True),
    Column("odoo_id", BigInteger, primary_key=True),
    Column("name", Text, nullable=False),
    Column("rate", String(64), nullable=False),
    Column("use", String(32), nullable=False),
    Column("repartition_complete", Boolean, nullable=False),
    Column("repartition_accounts", Text, nullable=False),
    Column("price_included", Boolean, nullable=False),
    Column("active", Boolean, nullable=False),
)

CURRENCY = Table(
    "currency",
    metadata,
    Column("company", String(64), primary_key=True),
    Column("code", String(3), primary_key=True),
    Column("odoo_id", BigInteger, nullable=False),
    Column("active", Boolean, nullable=False),
)

EXCHANGE_RATE = Table(
    "exchange_rate",
    metadata,
    Column("company", String(64), primary_key=True),
    Column("currency", String(3), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("rate", String(64), nullable=False),
)

PARTY = Table(
    "party",
    metadata,
    Column("company", String(64), primary_key=True),
    Column("odoo_id", BigInteger, primary_key=True),
    Column("name", String(1024), nullable=False),
    Column("commercial_odoo_id", BigInteger, nullable=False),
    Column("active", Boolean, nullable=False),
    Index("ix_party_named", "company", "name"),
)

PRODUCT = Table(
    "product",
    metadata,
    Column("company", String(64), primary_key=True),
    Column("odoo_id", BigInteger, primary_key=True),
    Column("sku", String(255), nullable=False),
    Column("name", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Index("ix_product_sku", "company", "sku"),
)

# What another system calls a party, as the active mapping says; one record for a value.
EXTERNAL_REFERENCE = Table(
    "external_reference",
    metadata,
    Column("company", String(64), primary_key=True),
    Column("issuer", String(255), primary_key=True),
    Column("value", String(255), primary_key=True),  # empty: the issuer's unidentified customer
    Column("party", BigInteger, nullable=False),  # Odoo's id
    Index("ix_external_reference_party", "company", "party"),
)

# A revision of a company's mapping file. At most one is active.
MAPPING_SET = Table(
    "mapping_set",
    metadata,
    Column("company", String(64), ForeignKey("legal_entity.company"), primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("yaml", Text, nullable=False),
    Column("content_digest", String(64), nullable=False),
    Column("proposed_by", String(255), nullable=False),
    Column("proposed_at", UtcTimestamp, nullable=False),
    Column("findings", Text, nullable=False),  # JSON
    Column("approved_by", String(255), nullable=False),
    Column("approved_at", UtcTimestamp),
    Column("active_revision", BigInteger, nullable=False, server_default="0"),
    Column("meant", Text, nullable=False, server_default="[]"),  # JSON: pairs of word and Odoo's id
    Index(
        "uq_mapping_set_active",
        "company",
        unique=True,
        sqlite_where=text("state = 'active'"),
        postgresql_where=text("state = 'active'"),
    ),
)

SYNC_RUN = Table(
    "sync_run",
    metadata,
    Column("company", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("started_at", UtcTimestamp, nullable=False),
    Column("ended_at", UtcTimestamp, nullable=False),
    Column("records", Text, nullable=False),  # JSON: how many were read, by kind
    Column("changed", BigInteger, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("reason", String(64), nullable=False),
    Index("ix_sync_run_listed", "company", "started_at"),
)

# A request that changed something, by its caller's id: a repeat gets the first answer.
REQUEST = Table(
    "request",
    metadata,
    *request_columns(),
)

TABLES: SystemTables = system_tables(metadata)
