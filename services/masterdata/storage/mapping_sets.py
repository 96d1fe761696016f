"""Mapping sets, each change with its audit entry."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from libs.events import from_plain, to_text
from libs.listing import After
from libs.storage.audit import AuditEntry, AuditLog

from ..domain.errors import MappingSetUnknown
from ..domain.mapping_set import MappingFinding, MappingSet, MappingState
from .rows import MAPPING_SET, TABLES

_SAME = (
    *("company", "number", "yaml", "content_digest", "proposed_by", "proposed_at", "approved_by", "approved_at"),
    "active_revision",
)


class MappingSets:
    """The revisions of each company's mapping, within a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._audit = AuditLog(connection, TABLES)

    def next_number(self, company: str) -> int:
        """Take it while the company is locked; the primary key would decide a race."""
        last = self._connection.scalar(select(func.max(MAPPING_SET.c.number)).where(MAPPING_SET.c.company == company))
        return (last or 0) + 1

    def add(self, offered: MappingSet) -> None:
        """Store an offer. Its audit entry comes with its first change."""
        self._connection.execute(insert(MAPPING_SET).values(_columns(offered)))

    def get(self, company: str, number: int) -> MappingSet:
        mine = (MAPPING_SET.c.company == company) & (MAPPING_SET.c.number == number)
        row = self._connection.execute(select(MAPPING_SET).where(mine)).one_or_none()
        if row is None:
            raise MappingSetUnknown("there is no such mapping set", field="name")
        return _mapping_set(row)

    def active(self, company: str) -> MappingSet | None:
        mine = (MAPPING_SET.c.company == company) & (MAPPING_SET.c.state == MappingState.ACTIVE.value)
        row = self._connection.execute(select(MAPPING_SET).where(mine)).one_or_none()
        return _mapping_set(row) if row else None

    def proposed_before(self, company: str, number: int) -> list[MappingSet]:
        columns = MAPPING_SET.c
        mine = (columns.company == company) & (columns.state == MappingState.PROPOSED.value) & (columns.number < number)
        return _all(self._connection.execute(select(MAPPING_SET).where(mine).order_by(columns.number)).all())

    def page(self, company: str, size: int, after: After | None) -> list[MappingSet]:
        statement = select(MAPPING_SET).where(MAPPING_SET.c.company == company)
        if after is not None:
            statement = statement.where(MAPPING_SET.c.number > after[0])
        return _all(self._connection.execute(statement.order_by(MAPPING_SET.c.number).limit(size)).all())

    def change(self, before: MappingSet, after: MappingSet, actor: str, now: datetime, transaction_id: str) -> None:
        mine = (MAPPING_SET.c.company == after.company) & (MAPPING_SET.c.number == after.number)
        self._connection.execute(update(MAPPING_SET).where(mine).values(_columns(after)))
        self._audit.append(
            [
                AuditEntry(
                    subject=after.name,
                    action=f"MAPPING_SET_{after.state.name}",
                    actor=actor,
                    at=now,
                    transaction_id=transaction_id,
                    content_digest=after.content_digest,
                    detail={"from": before.state.value, "to": after.state.value},
                )
            ]
        )


def _all(rows: Sequence[Row[Any]]) -> list[MappingSet]:
    return [_mapping_set(row) for row in rows]


def _columns(mapping_set: MappingSet) -> dict[str, Any]:
    columns = {name: getattr(mapping_set, name) for name in _SAME}
    return columns | {
        "state": mapping_set.state.value,
        "findings": to_text(mapping_set.findings),
        "meant": json.dumps(mapping_set.meant),
    }


def _mapping_set(row: Row[Any]) -> MappingSet:
    values = row._mapping
    return MappingSet(
        **{name: values[name] for name in _SAME},
        state=MappingState(values["state"]),
        findings=from_plain(tuple[MappingFinding, ...], json.loads(values["findings"])),
        meant=tuple((word, odoo_id) for word, odoo_id in json.loads(values["meant"])),
    )
