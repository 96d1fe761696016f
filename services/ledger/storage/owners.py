"""Whose a transaction id is: nobody joins another's transaction by naming its id."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select, union_all

from libs.storage.rows import parts

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
        bearer = (EVENT.c.name, EVENT.c.company, EVENT.c.interface)
        owners: dict[str, list[_Owner]] = {}
        for part in parts(ids):
            aliases = select(TRANSACTION_ALIAS.c.alias, *bearer).join(
                EVENT, EVENT.c.transaction_id == TRANSACTION_ALIAS.c.transaction_id
            )
            known = union_all(
                select(EVENT.c.transaction_id, *bearer).where(EVENT.c.transaction_id.in_(part)),
                aliases.where(TRANSACTION_ALIAS.c.alias.in_(part)),
            )
            for id_, *owner in self._connection.execute(known):
                owners.setdefault(id_, []).append(_Owner(*owner))
        return owners


def _is_anothers(owner: _Owner, recording: Recording) -> bool:
    event = recording.event
    if owner.event == event.name:
        return False
    if owner.company != event.company:
        return True
    return owner.interface != event.interface and not recording.scope.allows_interface(owner.interface)
