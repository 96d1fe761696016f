"""Import what a payout pays out, as the provider's API states it."""

from __future__ import annotations

from datetime import datetime

from libs.events import Clock, Settlement

from ...domain.names import settlement_name
from ...domain.settlement import StoredSettlement, merged
from ...storage.uow import NewUow, ReconUow


def import_settlement(
    settlement: Settlement, delivery: str, transaction_id: str, new_uow: NewUow, clock: Clock
) -> StoredSettlement:
    """The payout as it is known now. A more complete composition replaces what was there; a repeat changes nothing.

    Raises `SettlementConflict` where the payout is known with another amount, account or currency.
    """
    name = settlement_name(settlement.company, settlement.payout_id)
    with new_uow() as uow:
        stored = keep_settlement(StoredSettlement(name, settlement, transaction_id, delivery), uow, clock())
        uow.commit()
    return stored


def keep_settlement(stated: StoredSettlement, uow: ReconUow, now: datetime) -> StoredSettlement:
    """The settlement joined with what is known of it, which is news if it adds anything."""
    known = uow.settlements.find(stated.name)
    stored = stated if known is None else merged(known, stated)
    if stored != known:
        uow.settlements.save(stored, known, now)
        uow.progress.news(stated.settlement.company)
    return stored
