"""Recon's tables and queries."""

from sqlalchemy import Engine as DatabaseEngine

from .proofs import PROOFS
from .tables import TABLES
from .uow import ReconUow, ReconUowFactory

__all__ = ["PROOFS", "TABLES", "DatabaseEngine", "ReconUow", "ReconUowFactory"]
