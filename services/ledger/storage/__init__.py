"""The ledger's tables and queries."""

from .proofs import PROOFS
from .tables import TABLES

__all__ = ["PROOFS", "TABLES"]
