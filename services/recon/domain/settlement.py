"""A payout's composition as it is known so far, and what becomes of it when more comes."""

from __future__ import annotations

from dataclasses import dataclass, replace

from libs.events import Settlement, SettlementLine
from libs.money import Money

from .errors import SettlementConflict


@dataclass(frozen=True, slots=True)
class StoredSettlement:
    """`stated` says that the payout's amount was stated, not added up from its lines."""

    name: str
    settlement: Settlement
    transaction_id: str
    delivery: str
    stated: bool = True
    matched: bool = False

    @property
    def ties(self) -> bool:
        """True once every line is known."""
        return self.stated and self.settlement.ties


def merged(known: StoredSettlement, newer: StoredSettlement) -> StoredSettlement:
    """The more complete composition. Raises `SettlementConflict` where the two contradict each other."""
    before, now = known.settlement, newer.settlement
    if before.interface != now.interface or before.amount.currency != now.amount.currency:
        raise SettlementConflict("the payout is known of another account or currency", field="settlement")
    if known.stated and newer.stated and before.amount != now.amount:
        raise SettlementConflict("the payout is known with another amount", field="settlement.amount")
    stated = known.stated or newer.stated
    amount = now.amount if newer.stated else before.amount
    lines = _lines(before.lines, now.lines, amount if stated else None)
    if not stated:
        amount = total(lines, amount.currency)
    return replace(
        known,
        stated=stated,
        settlement=Settlement(
            company=before.company,
            interface=before.interface,
            payout_id=before.payout_id,
            payout_transaction=before.payout_transaction or now.payout_transaction,
            amount=amount,
            arrival_date=now.arrival_date or before.arrival_date,
            lines=lines,
            bank_references=tuple(dict.fromkeys([*before.bank_references, *now.bank_references])),
        ),
    )


def total(lines: tuple[SettlementLine, ...], currency: str) -> Money:
    """What the lines add up to, net; zero without lines. Raises `SettlementConflict` if they mix currencies."""
    totals = Money.totals(line.net for line in lines) or [Money.zero(currency)]
    if len(totals) != 1:
        raise SettlementConflict("a payout's lines are in several currencies", field="settlement.lines")
    return totals[0]


def _lines(
    before: tuple[SettlementLine, ...], now: tuple[SettlementLine, ...], amount: Money | None
) -> tuple[SettlementLine, ...]:
    union = {line.balance_transaction: line for line in (*now, *before)}
    joined = tuple(union[key] for key in sorted(union))
    if amount is None:
        return joined
    for lines in (before, now, joined):
        if lines and Money.totals(line.net for line in lines) == [amount]:
            return lines
    return now if len(now) >= len(before) else before
