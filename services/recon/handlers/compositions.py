"""Settlements that wait for their transactions, looked at against what is posted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from ..domain.learning import CLEARING_ROLE, Item
from ..domain.payouts import Closed, Composed, Incomplete, claimed_once, compose
from ..domain.settlement import StoredSettlement
from ..storage.uow import ReconUow

LOOKED_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Composition:
    """A settlement and how far it is composed."""

    stored: StoredSettlement
    imported_at: datetime
    outcome: Composed | Closed | Incomplete


def compositions(company: str, uow: ReconUow) -> list[Composition]:
    """Every settlement that is not matched yet, in the order of names."""
    waiting = uow.settlements.unmatched(company)
    found = []
    for start in range(0, len(waiting), LOOKED_AT_ONCE):
        found += _looked_at(company, waiting[start : start + LOOKED_AT_ONCE], uow)
    composed = [composition.outcome for composition in found if isinstance(composition.outcome, Composed)]
    taken = uow.matches.taken([item.posting for composition in composed for item in composition.items()], CLEARING_ROLE)
    outcomes = iter(claimed_once(composed, taken))
    return [
        replace(composition, outcome=next(outcomes)) if isinstance(composition.outcome, Composed) else composition
        for composition in found
    ]


def look_at(stored: StoredSettlement, uow: ReconUow) -> tuple[Item | None, dict[str, list[Item]]]:
    """A settlement's payout and transactions as they are posted."""
    settlement = stored.settlement
    ids = [line.balance_transaction for line in settlement.lines]
    items = uow.items.of_transactions(settlement.company, settlement.interface, [*ids, settlement.payout_transaction])
    payouts = uow.items.payouts_of(settlement.company, settlement.interface, [settlement.payout_id])
    return payout_of(stored, items, payouts), items


def payout_of(stored: StoredSettlement, items: dict[str, list[Item]], payouts: dict[str, list[Item]]) -> Item | None:
    """By its own transaction where that is known, else by the payout's id."""
    settlement = stored.settlement
    if settlement.payout_transaction:
        return next((each for each in items.get(settlement.payout_transaction, ()) if each.effect == "gross"), None)
    named = [each for each in payouts.get(settlement.payout_id, ()) if each.event_kind == "payout"]
    return named[0] if len(named) == 1 else None


def _looked_at(company: str, waiting: list[tuple[datetime, StoredSettlement]], uow: ReconUow) -> list[Composition]:
    by_interface: dict[str, list[tuple[datetime, StoredSettlement]]] = {}
    for imported_at, stored in waiting:
        by_interface.setdefault(stored.settlement.interface, []).append((imported_at, stored))
    found = []
    for interface, those in sorted(by_interface.items()):
        ids = [line.balance_transaction for _, kept in those for line in kept.settlement.lines]
        ids += [kept.settlement.payout_transaction for _, kept in those if kept.settlement.payout_transaction]
        items = uow.items.of_transactions(company, interface, ids)
        payouts = uow.items.payouts_of(company, interface, [kept.settlement.payout_id for _, kept in those])
        for imported_at, stored in those:
            outcome = compose(stored, payout_of(stored, items, payouts), items)
            found.append(Composition(stored, imported_at, outcome))
    return found
