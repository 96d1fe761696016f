"""Sync runs, each with its audit entry, and answered requests."""

from __future__ import annotations

import json

from sqlalchemy import insert, select

from libs.storage.audit import AuditEntry, AuditLog
from libs.storage.layout import Layout
from libs.storage.repository import Repository

from ..domain.sync import SyncRun
from .tables import SYNC_RUN, TABLES

_RUNS = Layout(SyncRun, SYNC_RUN)


class SyncRuns(Repository):
    """What became of each reading of Odoo, within a transaction."""

    def add(self, run: SyncRun, actor: str, transaction_id: str) -> None:
        row = _RUNS.row_of(run) | {"records": json.dumps(dict(run.records))}
        self._connection.execute(insert(SYNC_RUN).values(row))
        AuditLog(self._connection, TABLES).append(
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
        return _RUNS.value_of(row, records=tuple(json.loads(row.records).items())) if row else None
