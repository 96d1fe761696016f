"""The gateway's tables and queries."""

from sqlalchemy import Engine as DatabaseEngine

from .proofs import PROOFS
from .tables import TABLES
from .uow import GatewayUow, GatewayUowFactory, end_leases_of_the_dead

__all__ = [
    "PROOFS",
    "TABLES",
    "DatabaseEngine",
    "GatewayUow",
    "GatewayUowFactory",
    "end_leases_of_the_dead",
]
