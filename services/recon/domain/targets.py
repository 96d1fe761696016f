"""Items as the join passes take them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from .items import BankItem, Target, TargetKind, tokens_of
from .learning import Item, ItemKind
from .settlement import StoredSettlement

_KINDS = {ItemKind.PAYOUT: TargetKind.PAYOUT, ItemKind.INVOICE: TargetKind.INVOICE}


def bank_item(item: Item) -> BankItem:
    return BankItem(item.posting, item.amount, item.day, tokens_of(item.words))


def target_of(item: Item, settlement: StoredSettlement | None = None) -> Target:
    """A payout's settlement adds the bank's trace and the day on which the money arrives."""
    day, words = item.day, [*item.words]
    if settlement is not None:
        payout = settlement.settlement
        day = payout.arrival_date or day
        words += [*payout.bank_references, payout.payout_id]
    if item.kind is ItemKind.PAYOUT and item.source_id:
        words.append(item.source_id)
    return Target(item.posting, _KINDS[item.kind], item.amount, day, tokens_of(words))


def targets_of(items: Iterable[Item], settlements: Sequence[StoredSettlement]) -> list[Target]:
    """Payouts and invoices among the items."""
    by_payout = settlements_by_payout(settlements)
    return [
        target_of(item, by_payout.get((item.interface, item.source_id)))
        for item in items
        if item.kind in _KINDS
    ]  # fmt: skip


def settlements_by_payout(settlements: Sequence[StoredSettlement]) -> Mapping[tuple[str, str], StoredSettlement]:
    return {
        (settlement.settlement.interface, settlement.settlement.payout_id): settlement for settlement in settlements
    }
