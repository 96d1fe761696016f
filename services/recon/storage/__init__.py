"""Recon's tables and queries. `metadata` holds every table, for the migrations."""

from sqlalchemy import Engine as DatabaseEngine

from .rows import TABLES, ReconRow, metadata
from .uow import ReconUow, ReconUowFactory

__all__ = ["TABLES", "DatabaseEngine", "ReconRow", "ReconUow", "ReconUowFactory", "metadata"]
