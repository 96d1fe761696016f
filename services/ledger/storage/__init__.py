"""The ledger's tables and queries."""

from .tables import TABLES

__all__ = ["TABLES"]
