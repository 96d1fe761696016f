"""Masterdata's tables and queries."""

from .tables import TABLES
from .uow import MasterdataUow, MasterdataUowFactory

__all__ = ["TABLES", "MasterdataUow", "MasterdataUowFactory"]
