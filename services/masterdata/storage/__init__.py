"""Masterdata's tables and queries. `metadata` holds every table, for the migrations."""

from .rows import TABLES, MasterdataRow, metadata
from .unit_of_work import Masterdatas, MasterdataUnitOfWork

__all__ = ["TABLES", "MasterdataRow", "MasterdataUnitOfWork", "Masterdatas", "metadata"]
