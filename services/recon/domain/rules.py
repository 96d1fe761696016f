"""The matching rules: ordered data. A rule earlier in the list is of a higher rank."""

from __future__ import annotations

from dataclasses import dataclass

from .items import TargetKind

REVISION = "2026-12-2"  # changes with every rule; stands in each certificate


@dataclass(frozen=True, slots=True)
class Rule:
    """Amount and currency are always equal to the cent. The bank line's day lies in the window around the target's.

    A reference proves a match. A rule without one only proposes: a wrong match costs more than a hundred proposals.
    """

    name: str
    kind: TargetKind
    by_reference: bool  # the line names a number of the target's, as the invoice's or the payout's trace
    days_before: int
    days_after: int


RULES: tuple[Rule, ...] = (
    Rule("bank_payout_exact_reference", TargetKind.PAYOUT, by_reference=True, days_before=30, days_after=120),
    Rule("bank_invoice_exact_reference", TargetKind.INVOICE, by_reference=True, days_before=60, days_after=400),
    # What leaves the bank is never proposed as a bill's by amount and day: suppliers ask for the same sum each month.
    Rule("bank_bill_exact_reference", TargetKind.BILL, by_reference=True, days_before=60, days_after=400),
    Rule("bank_payout_amount_window", TargetKind.PAYOUT, by_reference=False, days_before=2, days_after=7),
    Rule("bank_invoice_amount_window", TargetKind.INVOICE, by_reference=False, days_before=3, days_after=45),
)
# How long after its arrival a payout may still be at the bank's.
PAYOUT_DAYS = max(rule.days_after for rule in RULES if rule.kind is TargetKind.PAYOUT and not rule.by_reference)
PAYOUT_TRANSACTIONS = "payout_transactions_gross_to_net"
