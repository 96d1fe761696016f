"""Mapping sets, each change with its audit entry."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, func, insert, select, update

from libs.listing import After, ListPart, part_of
from libs.storage.audit import AuditEntry, AuditLog
from libs.storage.layout import Layout
from libs.storage.private import proof_of
from libs.storage.repository import Repository

from ..domain.errors import MappingSetUnknown
from ..domain.mapping_set import MappingSet, MappingState
from .tables import MAPPING_SET, TABLES

_MAPPING_SETS = Layout(MappingSet, MAPPING_SET)


class MappingSets(Repository):
    """The revisions of each company's mapping, within a transaction."""

    def next_number(self, company: str) -> int:
        """Take it while the company is locked; the primary key would decide a race."""
        last = self._connection.scalar(select(func.max(MAPPING_SET.c.number)).where(MAPPING_SET.c.company == company))
        return (last or 0) + 1

    def add(self, offered: MappingSet) -> None:
        """Store an offer. Its audit entry comes with its first change."""
        self._connection.execute(
            insert(MAPPING_SET).values(_MAPPING_SETS.row_of(offered) | {"yaml_proof": proof_of(offered.yaml)})
        )

    def get(self, company: str, number: int) -> MappingSet:
        mine = (MAPPING_SET.c.company == company) & (MAPPING_SET.c.number == number)
        found = self._where(mine)
        if not found:
            raise MappingSetUnknown("there is no such mapping set", field="name")
        return found[0]

    def active(self, company: str) -> MappingSet | None:
        mine = (MAPPING_SET.c.company == company) & (MAPPING_SET.c.state == MappingState.ACTIVE.value)
        return next(iter(self._where(mine)), None)

    def proposed_before(self, company: str, number: int) -> list[MappingSet]:
        columns = MAPPING_SET.c
        mine = (columns.company == company) & (columns.state == MappingState.PROPOSED.value) & (columns.number < number)
        return self._where(mine)

    def page(self, company: str, size: int, after: After | None) -> ListPart[MappingSet]:
        """Oldest first."""
        mine = (MAPPING_SET.c.company == company) & (MAPPING_SET.c.number > (after[0] if after else 0))
        return part_of(self._where(mine, size + 1), size, lambda mapping_set: (mapping_set.number,))

    def change(self, before: MappingSet, after: MappingSet, actor: str, now: datetime, transaction_id: str) -> None:
        mine = (MAPPING_SET.c.company == after.company) & (MAPPING_SET.c.number == after.number)
        self._connection.execute(update(MAPPING_SET).where(mine).values(_MAPPING_SETS.row_of(after)))
        AuditLog(self._connection, TABLES).append(
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

    def _where(self, condition: ColumnElement[bool], limit: int | None = None) -> list[MappingSet]:
        statement = select(MAPPING_SET).where(condition).order_by(MAPPING_SET.c.number).limit(limit)
        return list(map(_MAPPING_SETS.value_of, self._connection.execute(statement)))
