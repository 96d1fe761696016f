"""Whose a transaction id is: nobody joins another's transaction by naming its id."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import CompoundSelect, Connection, bindparam, func, select, union_all

from ..domain.event import Recording
from .tables import EVENT, TRANSACTION_ALIAS


class _Owner(NamedTuple):
    """An event that bears a transaction id, or another id which is an alias of it."""

    event: str
    company: str
    interface: str


class TransactionOwners:
    """The events behind transaction ids, within a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def taken(self, recordings: Sequence[Recording]) -> set[int]:
        """Places of those that name an id of another company's event, or of a source beyond their caller's scope.

        Their own source is always theirs. Of one commit the first to name an id has it.
        """
        named = {recording.requested_transaction_id for recording in recordings} - {""}
        owners = self._owners(sorted(named))
        taken: set[int] = set()
        for place, recording in enumerate(recordings):
            wanted = recording.requested_transaction_id
            if not wanted:
                continue
            event = recording.event
            known = owners.setdefault(wanted, [])
            if any(_is_anothers(owner, recording) for owner in known):
                taken.add(place)
            else:
                known.append(_Owner(event.name, event.company, event.interface))
        return taken

    def _owners(self, ids: Sequence[str]) -> dict[str, list[_Owner]]:
        owners: dict[str, list[_Owner]] = {}
        if ids:
            statement = _known(self._connection.dialect.name)
            for id_, *owner in self._connection.execute(statement, _values(self._connection, ids)):
                owners.setdefault(id_, []).append(_Owner(*owner))
        return owners


@cache
def _known(dialect: str) -> CompoundSelect[*tuple[str, str, str, str]]:
    """The owners of ids. Every event that is recorded passes here: SQLite takes all ids as one value, which costs a
    third of a parameter each."""
    bearer = (EVENT.c.name, EVENT.c.company, EVENT.c.interface)
    ids: Any = bindparam("ids", expanding=True)
    if dialect == "sqlite":
        ids = select(func.json_each(bindparam("ids")).table_valued("value").c.value)
    through = EVENT.c.transaction_id == TRANSACTION_ALIAS.c.transaction_id
    return union_all(
        select(EVENT.c.transaction_id, *bearer).where(EVENT.c.transaction_id.in_(ids)),
        select(TRANSACTION_ALIAS.c.alias, *bearer).join(EVENT, through).where(TRANSACTION_ALIAS.c.alias.in_(ids)),
    )


def _values(connection: Connection, ids: Sequence[str]) -> dict[str, object]:
    return {"ids": json.dumps(ids) if connection.dialect.name == "sqlite" else ids}


def _is_anothers(owner: _Owner, recording: Recording) -> bool:
    event = recording.event
    if owner.event == event.name:
        return False
    if owner.company != event.company:
        return True
    return owner.interface != event.interface and not recording.scope.allows_interface(owner.interface)
