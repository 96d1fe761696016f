"""Documents as rows of Odoo's `load`: every cell a string, the document's columns on its first row only.

Each line bears an external id of its own: without it, loading a draft again doubles its lines silently.
Taxes are always sent, empty for money rows, so that no default of an account slips in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from libs.money import Money

from ..domain.document import Document

_Table = tuple[list[str], list[list[str]]]


def rows_of(
    module: str, documents: Sequence[Document], currency_ids: Mapping[str, int], reversed_ids: Mapping[str, int]
) -> _Table:
    """Columns and rows for one `load` of documents that share one type."""
    traits = documents[0].type.traits
    if traits.is_itemised:
        return _invoices(module, documents, currency_ids, reversed_ids)
    if traits.is_move:
        return _entries(module, documents, currency_ids)
    return _statement_lines(module, documents)


def _entries(module: str, documents: Sequence[Document], currency_ids: Mapping[str, int]) -> _Table:
    head = ["id", "move_type", "journal_id/.id", "date", "ref"]
    items = [
        "line_ids/id", "line_ids/account_id/.id", "line_ids/partner_id/.id", "line_ids/name",
        "line_ids/currency_id/.id", "line_ids/amount_currency", "line_ids/debit", "line_ids/credit",
        "line_ids/tax_ids/.id",
    ]  # fmt: skip
    rows = []
    for document in documents:
        first = [
            f"{module}.{document.effect}",
            document.type.traits.move_type,
            str(document.journal.odoo_id),
            document.day.isoformat(),
            document.transaction_id,
        ]
        for number, line in enumerate(document.entry.lines, start=1):
            cells = [
                f"{module}.{document.effect}_l{number}",
                str(line.account.odoo_id),
                str(line.party.commercial_odoo_id) if line.party else "",  # Odoo keeps a contact, if it is given one
                line.label or document.effect,
                str(currency_ids[line.amount.currency]),
                line.amount.decimal(),
                _positive(line.balance),
                _positive(-line.balance),
                "",
            ]
            rows.append((first if number == 1 else [""] * len(head)) + cells)
    return head + items, rows


def _invoices(
    module: str, documents: Sequence[Document], currency_ids: Mapping[str, int], reversed_ids: Mapping[str, int]
) -> _Table:
    head = [
        "id", "move_type", "journal_id/.id", "partner_id/.id", "invoice_date", "date", "currency_id/.id", "ref",
        "invoice_origin", "invoice_date_due", "reversed_entry_id/.id",
    ]  # fmt: skip
    items = [
        "invoice_line_ids/id", "invoice_line_ids/name", "invoice_line_ids/product_id/.id", "invoice_line_ids/quantity",
        "invoice_line_ids/price_unit", "invoice_line_ids/account_id/.id", "invoice_line_ids/tax_ids/.id",
    ]  # fmt: skip
    rows = []
    for document in documents:
        first = [
            f"{module}.{document.effect}",
            document.type.traits.move_type,
            str(document.journal.odoo_id),
            str(document.party.odoo_id) if document.party else "",
            document.original_day.isoformat(),
            document.day.isoformat(),
            str(currency_ids[document.currency]),
            *_texts(document),
            (document.due or document.original_day).isoformat(),  # due at once: the order is paid
            str(reversed_ids[document.reverses]) if document.reverses else "",
        ]
        for number, line in enumerate(document.invoice_lines, start=1):
            cells = [
                f"{module}.{document.effect}_l{number}",
                line.label,
                str(line.product) if line.product else "",
                str(line.quantity),
                line.unit_price.decimal(),
                str(line.account.odoo_id),
                ",".join(map(str, line.taxes)),
            ]
            rows.append((first if number == 1 else [""] * len(head)) + cells)
    return head + items, rows


def _texts(document: Document) -> tuple[str, str]:
    """`ref` and `invoice_origin`: people and Odoo look for a supplier's number in `ref`."""
    if document.type.traits.bears_supplier_number:
        return document.origin, document.transaction_id
    return document.transaction_id, document.origin


def _statement_lines(module: str, documents: Sequence[Document]) -> _Table:
    columns = ["id", "journal_id/.id", "date", "payment_ref", "amount", "ref"]
    rows = [
        [
            f"{module}.{document.effect}",
            str(document.journal.odoo_id),
            document.day.isoformat(),
            document.origin,
            document.entry.lines[0].amount.decimal(),
            document.transaction_id,
        ]
        for document in documents
    ]
    return columns, rows


def _positive(amount: Money) -> str:
    return amount.decimal() if amount.minor_units > 0 else "0"
