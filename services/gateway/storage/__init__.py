"""The gateway's tables and queries. `metadata` holds every table, for the migrations."""

from .rows import TABLES, GatewayRow, metadata
from .uow import GatewayUnitOfWork

__all__ = ["TABLES", "GatewayRow", "GatewayUnitOfWork", "metadata"]
