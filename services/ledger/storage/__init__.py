"""The ledger's tables and queries. `metadata` holds every table, for the migrations."""

from .rows import TABLES, LedgerRow, metadata

__all__ = ["TABLES", "LedgerRow", "metadata"]
