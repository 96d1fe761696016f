"""The kinds of documents, and which way their lines go."""

from __future__ import annotations

from .store import Row

SALES = ("out_invoice", "out_refund", "out_receipt")
DOCUMENTS = (*SALES, "in_invoice", "in_refund", "in_receipt")
REFUNDS = ("out_refund", "in_refund")


def is_document(move: Row) -> bool:
    """Whether it has prices and taxes: an invoice, a bill, a credit note or a receipt, not a plain entry."""
    return move["move_type"] in DOCUMENTS


def direction(move_type: str) -> int:
    """The sign of the priced lines: credit for what is sold, debit for what is bought or given back."""
    return -1 if move_type in ("out_invoice", "in_refund", "out_receipt") else 1
