"""Recon's tables and queries."""

from sqlalchemy import Engine as DatabaseEngine

from .tables import TABLES
from .uow import ReconUow, ReconUowFactory

__all__ = ["TABLES", "DatabaseEngine", "ReconUow", "ReconUowFactory"]
