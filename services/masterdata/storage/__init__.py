"""Masterdata's tables and queries. `metadata` holds every table, for the migrations."""

from .rows import TABLES, MasterdataRow, metadata
from .uow import MasterdataUow, MasterdataUowFactory

__all__ = ["TABLES", "MasterdataRow", "MasterdataUow", "MasterdataUowFactory", "metadata"]
