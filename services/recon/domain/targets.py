"""Items as the join passes take them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from .items import BankItem, Target, TargetKind, names_of, tokens_of
from .learning import Item, ItemKind
from .references import Numbers
from .settlement import StoredSettlement

TOKENS_SHOWN = 20
NOT_NAMED = "supplier not named"
_KINDS = {
    ItemKind.PAYOUT: TargetKind.PAYOUT,
    ItemKind.INVOICE: TargetKind.INVOICE,
    ItemKind.BILL: TargetKind.BILL,
}


def bank_items(items: Iterable[Item], targets: Sequence[Target]) -> list[BankItem]:
    """Bank lines with what they name of the targets. A line that names more than one target, or a number in a form of
    ours that belongs to none, contradicts any match; so does one that names a bill and not its supplier: numbers are a
    supplier's own, and another one's bill of the same number may not be in the books."""
    numbers = Numbers(text for target in targets for text in target.texts)
    owners: dict[tuple[str, bool], set[str]] = {}
    for target in targets:
        for token in target.tokens:
            owners.setdefault((token, target.amount.minor_units > 0), set()).add(target.posting)
    suppliers = {target.posting: target.supplier for target in targets if target.supplier}
    return [_bank_item(item, numbers, owners, suppliers) for item in items]


def _bank_item(
    item: Item,
    numbers: Numbers,
    owners: Mapping[tuple[str, bool], set[str]],
    suppliers: Mapping[str, frozenset[str]],
) -> BankItem:
    said = numbers.said_in(item.words)
    of = {token: owners.get((token, item.amount.minor_units > 0), set()) for token in said.known}
    named = {token: whose for token, whose in of.items() if whose}
    # A number that two share (an order's, of which there are two invoices) says which one only beside another.
    common = set.intersection(*named.values()) if named else set()
    tokens, also = frozenset(named), sorted(said.strangers)
    if len(common) == 1:
        tokens = frozenset(token for token, whose in named.items() if whose == common) or tokens
    elif named:
        also += sorted(named)
    also += [NOT_NAMED for target in common if target in suppliers and not suppliers[target] & names_of(item.words)]
    return BankItem(item.posting, item.amount, item.day, tokens, " ".join(also[:TOKENS_SHOWN]))


def target_of(item: Item, settlement: StoredSettlement | None = None) -> Target:
    """A payout's settlement adds the bank's trace and the day on which the money arrives."""
    day, words = item.day, [*item.words]
    if settlement is not None:
        payout = settlement.settlement
        day = payout.arrival_date or day
        words += [*payout.bank_references, payout.payout_id]
    if item.kind is ItemKind.PAYOUT and item.source_id:
        words.append(item.source_id)
    supplier = names_of(words) if item.kind is ItemKind.BILL else frozenset()
    return Target(item.posting, _KINDS[item.kind], item.amount, day, tokens_of(words), tuple(words), supplier)


def targets_of(items: Iterable[Item], settlements: Sequence[StoredSettlement]) -> list[Target]:
    """Payouts, invoices and bills among the items."""
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
