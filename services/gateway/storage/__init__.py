"""The gateway's tables and queries. `metadata` holds every table, for the migrations."""

from sqlalchemy import Engine as DatabaseEngine

from .rows import TABLES, GatewayRow, metadata
from .uow import GatewayUow, GatewayUowFactory, end_leases_of_the_dead

__all__ = [
    "TABLES",
    "DatabaseEngine",
    "GatewayRow",
    "GatewayUow",
    "GatewayUowFactory",
    "end_leases_of_the_dead",
    "metadata",
]
