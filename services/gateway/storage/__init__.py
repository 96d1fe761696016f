"""The gateway's tables and queries. `metadata` holds every table, for the migrations."""

from sqlalchemy import Engine as DatabaseEngine

from .rows import TABLES, GatewayRow, metadata
from .uow import GatewayUnitOfWork

__all__ = ["TABLES", "DatabaseEngine", "GatewayRow", "GatewayUnitOfWork", "metadata"]
