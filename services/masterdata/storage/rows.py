"""Masterdata's tables: Odoo's records by company and Odoo id, and mapping sets by revision."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, Text, text
from sqlmodel import Field, SQLModel

from libs.storage.declarations import RequestColumns, proof_column, service_registry
from libs.storage.tables import system_tables
from libs.storage.types import UtcTimestamp


class MasterdataRow(SQLModel, registry=service_registry()):
    """Base of masterdata's tables; `MasterdataRow.metadata` holds them."""


class LegalEntityRow(MasterdataRow, table=True):
    """A company. Its row is what writers of the company lock; `revision` is what caches compare."""

    __tablename__ = "legal_entity"

    company: str = Field(primary_key=True, max_length=64)
    odoo_id: int = Field(sa_type=BigInteger, unique=True)  # one name for a company of Odoo
    display_name: str = Field(sa_type=Text)
    currency: str = Field(max_length=3)
    gain_account: int = Field(sa_type=BigInteger)
    loss_account: int = Field(sa_type=BigInteger)
    rounds_by_line: bool
    time_zone: str = Field(max_length=64)
    revision: int = Field(sa_type=BigInteger)
    read_at: datetime = Field(sa_type=UtcTimestamp)  # when the last reading that was stored began


class AccountRow(MasterdataRow, table=True):
    __tablename__ = "account"
    __table_args__ = (Index("ix_account_listed", "company", "code", "odoo_id"),)

    company: str = Field(primary_key=True, max_length=64)
    odoo_id: int = Field(primary_key=True, sa_type=BigInteger)
    code: str = Field(max_length=64)
    name: str = Field(sa_type=Text)
    type: str = Field(max_length=64)
    reconcilable: bool
    currency: str = Field(max_length=3)
    active: bool


class JournalRow(MasterdataRow, table=True):
    __tablename__ = "journal"
    __table_args__ = (Index("ix_journal_listed", "company", "code", "odoo_id"),)

    company: str = Field(primary_key=True, max_length=64)
    odoo_id: int = Field(primary_key=True, sa_type=BigInteger)
    code: str = Field(max_length=64)
    name: str = Field(sa_type=Text)
    type: str = Field(max_length=32)
    currency: str = Field(max_length=3)
    default_account: int = Field(sa_type=BigInteger)
    suspense_account: int = Field(sa_type=BigInteger)
    active: bool


class TaxCodeRow(MasterdataRow, table=True):
    __tablename__ = "tax_code"

    company: str = Field(primary_key=True, max_length=64)
    odoo_id: int = Field(primary_key=True, sa_type=BigInteger)
    name: str = Field(sa_type=Text)
    rate: str = Field(max_length=64)
    use: str = Field(max_length=32)
    repartition_complete: bool
    repartition_accounts: str = Field(sa_type=Text)
    price_included: bool
    active: bool


class CurrencyRow(MasterdataRow, table=True):
    __tablename__ = "currency"

    company: str = Field(primary_key=True, max_length=64)
    code: str = Field(primary_key=True, max_length=3)
    odoo_id: int = Field(sa_type=BigInteger)
    active: bool


class ExchangeRateRow(MasterdataRow, table=True):
    __tablename__ = "exchange_rate"

    company: str = Field(primary_key=True, max_length=64)
    currency: str = Field(primary_key=True, max_length=3)
    day: str = Field(primary_key=True, max_length=10)
    rate: str = Field(max_length=64)


class PartyRow(MasterdataRow, table=True):
    __tablename__ = "party"
    __table_args__ = (Index("ix_party_named", "company", "name"),)

    company: str = Field(primary_key=True, max_length=64)
    odoo_id: int = Field(primary_key=True, sa_type=BigInteger)
    name: str = Field(max_length=1024)
    name_proof: str = proof_column()
    commercial_odoo_id: int = Field(sa_type=BigInteger)
    active: bool


class ProductRow(MasterdataRow, table=True):
    __tablename__ = "product"
    __table_args__ = (Index("ix_product_sku", "company", "sku"),)

    company: str = Field(primary_key=True, max_length=64)
    odoo_id: int = Field(primary_key=True, sa_type=BigInteger)
    sku: str = Field(max_length=255)
    name: str = Field(sa_type=Text)
    active: bool


class ExternalReferenceRow(MasterdataRow, table=True):
    """What another system calls a party, as the active mapping says; one record for a value."""

    __tablename__ = "external_reference"
    __table_args__ = (Index("ix_external_reference_party", "company", "party"),)

    company: str = Field(primary_key=True, max_length=64)
    issuer: str = Field(primary_key=True, max_length=255)
    value: str = Field(primary_key=True, max_length=255)  # empty: the issuer's unidentified customer
    party: int = Field(sa_type=BigInteger)  # Odoo's id


class MappingSetRow(MasterdataRow, table=True):
    """A revision of a company's mapping file. At most one is active."""

    __tablename__ = "mapping_set"
    __table_args__ = (
        Index(
            "uq_mapping_set_active",
            "company",
            unique=True,
            sqlite_where=text("state = 'active'"),
            postgresql_where=text("state = 'active'"),
        ),
    )

    company: str = Field(primary_key=True, max_length=64, foreign_key="legal_entity.company")
    number: int = Field(primary_key=True, sa_type=BigInteger)
    state: str = Field(max_length=16)
    yaml: str = Field(sa_type=Text)
    yaml_proof: str = proof_column()
    content_digest: str = Field(max_length=64)
    proposed_by: str = Field(max_length=255)
    proposed_at: datetime = Field(sa_type=UtcTimestamp)
    findings: str = Field(sa_type=Text)  # JSON
    approved_by: str = Field(max_length=255)
    approved_at: datetime | None = Field(default=None, sa_type=UtcTimestamp)
    active_revision: int = Field(sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    meant: str = Field(sa_type=Text, sa_column_kwargs={"server_default": "[]"})  # JSON: pairs of word and Odoo's id


class SyncRunRow(MasterdataRow, table=True):
    __tablename__ = "sync_run"
    __table_args__ = (Index("ix_sync_run_listed", "company", "started_at"),)

    company: str = Field(primary_key=True, max_length=64)
    id: str = Field(primary_key=True, max_length=64)
    state: str = Field(max_length=16)
    started_at: datetime = Field(sa_type=UtcTimestamp)
    ended_at: datetime = Field(sa_type=UtcTimestamp)
    records: str = Field(sa_type=Text)  # JSON: how many were read, by kind
    changed: int = Field(sa_type=BigInteger)
    revision: int = Field(sa_type=BigInteger)
    reason: str = Field(max_length=64)


class RequestRow(MasterdataRow, RequestColumns, table=True):
    """A request that changed something, by its caller's id: a repeat gets the first answer."""

    __tablename__ = "request"


metadata = MasterdataRow.metadata
system_tables(metadata)
