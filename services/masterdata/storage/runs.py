"""Sync runs, each with its audit entry, and answered requests."""

from __future__ import annotations

import json

from sqlalchemy import Connection, insert, select

from libs.storage.audit import AuditEntry, AuditLog

from ..domain.sync import SyncRun, SyncState
from .rows import SYNC_RUN, TABLES

_SAME = ("company", "id", "started_at", "ended_at", "changed", "revision", "reason")


class SyncRuns:
    """What became of each reading of Odoo, within a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._audit = AuditLog(connection, TABLES)

    def add(self, run: SyncRun, actor: str, transaction_id: str) -> None:
        columns = {name: getattr(run, name) for name in _SAME}
        columns |= {"state": run.state.value, "records": json.dumps(dict(run.records))}
        self._connection.execute(insert(SYNC_RUN).values(columns))
        self._audit.append(
            [
                AuditEntry(
                    subject=run.name,
                    action=f"SYNC_{run.state.name}",
                    actor=actor,
                    at=run.ended_at,
                    transaction_id=transaction_id,
                    reason=run.reason,
                    detail={"changed": str(run.changed), "revision": str(run.revision)},
                )
            ],
            new_subjects=True,
        )

    def last(self, company: str) -> SyncRun | None:
        statement = (
            select(SYNC_RUN).where(SYNC_RUN.c.company == company).order_by(SYNC_RUN.c.started_at.desc()).limit(1)
        )
        row = self._connection.execute(statement).one_or_none()
        if row is None:
            return None
        values = row._mapping
        return SyncRun(
            **{name: values[name] for name in _SAME},
            state=SyncState(values["state"]),
            records=tuple(json.loads(values["records"]).items()),
        )
