"""Masterdata's tables and queries."""

from .proofs import PROOFS
from .tables import TABLES
from .uow import MasterdataUow, MasterdataUowFactory

__all__ = ["PROOFS", "TABLES", "MasterdataUow", "MasterdataUowFactory"]
