"""What kind of Odoo document carries an effect, and all that differs from one kind to another."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from .role import Role


class DocumentType(Enum):
    ENTRY = "entry"
    CUSTOMER_INVOICE = "customer_invoice"
    CUSTOMER_CREDIT_NOTE = "customer_credit_note"
    SUPPLIER_BILL = "supplier_bill"
    SUPPLIER_CREDIT_NOTE = "supplier_credit_note"
    STATEMENT_LINE = "statement_line"

    @property
    def traits(self) -> Traits:
        return TRAITS[self]


@dataclass(frozen=True, slots=True)
class Traits:
    """How a type of document behaves, in Odoo and in reconciliation."""

    odoo_model: str
    move_type: str = ""  # empty where the record is not the move itself
    sign: int = 0  # of its receivable: 1 asks for money, -1 gives it back; 0: money that moves, or none
    is_itemised: bool = False  # Odoo makes the entry from quantities, prices and taxes
    closable: frozenset[Role] = frozenset()  # roles of lines that reconciliation closes
    locks: tuple[str, ...] = ("fiscal_year", "hard")  # the company's lock dates that hold it
    bears_supplier_number: bool = False  # in Odoo's `ref`: the transaction id stands in `invoice_origin`

    @property
    def is_move(self) -> bool:
        """False for a bank's line: Odoo makes its move, and a match moves its suspense to the counterpart."""
        return bool(self.move_type)


_SALE_CLOSABLE = frozenset({Role.RECEIVABLE, Role.GIFT_CARD})
_SALE_LOCKS = ("fiscal_year", "hard", "sale", "tax")
_PURCHASE_CLOSABLE = frozenset({Role.PAYABLE})
_PURCHASE_LOCKS = ("fiscal_year", "hard", "purchase", "tax")

TRAITS: dict[DocumentType, Traits] = {
    DocumentType.ENTRY: Traits(
        "account.move",
        "entry",
        closable=frozenset(
            {Role.RECEIVABLE, Role.CLEARING, Role.TRANSIT, Role.DISPUTED, Role.RESERVE, Role.UNEXPLAINED}
        ),
    ),
    DocumentType.CUSTOMER_INVOICE: Traits("account.move", "out_invoice", 1, True, _SALE_CLOSABLE, _SALE_LOCKS),
    DocumentType.CUSTOMER_CREDIT_NOTE: Traits("account.move", "out_refund", -1, True, _SALE_CLOSABLE, _SALE_LOCKS),
    DocumentType.SUPPLIER_BILL: Traits(
        "account.move", "in_invoice", 0, True, _PURCHASE_CLOSABLE, _PURCHASE_LOCKS, bears_supplier_number=True
    ),
    DocumentType.SUPPLIER_CREDIT_NOTE: Traits(
        "account.move", "in_refund", 0, True, _PURCHASE_CLOSABLE, _PURCHASE_LOCKS, bears_supplier_number=True
    ),
    DocumentType.STATEMENT_LINE: Traits("account.bank.statement.line", closable=frozenset({Role.SUSPENSE})),
}
