"""Schema migrations at a start: Alembic from the first table, loaded only where a version is due.

A service keeps its versions in `services/<service>/storage/migrations/versions/NNNN_*.py`. `revisions` writes them by
what `services.<service>.storage.rows` declares: its `metadata` holds every table.
"""

from __future__ import annotations

from sqlalchemy import Engine, inspect, text

from .engine import reading
from .versions import newest_version


def upgrade(engine: Engine, service_package: str) -> None:
    """Bring the database to the newest version of `services.<service>`.

    Safe while other processes start and do the same: the first one works, the others wait and find it done. All
    versions are applied in one transaction, so a failure leaves the database as it was.
    """
    if _version(engine) == newest_version(service_package):
        return
    # Late: Alembic is a tenth of a start, and a database that is up to date needs none.
    from .revisions import apply

    apply(engine, service_package)


def _version(engine: Engine) -> str | None:
    """The version that the database is at; None for an empty one."""
    with reading(engine) as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        version: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return version
