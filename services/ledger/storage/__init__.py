"""The ledger's tables and queries. `metadata` holds every table, for the migrations."""

from .rows import TABLES, metadata

__all__ = ["TABLES", "metadata"]
