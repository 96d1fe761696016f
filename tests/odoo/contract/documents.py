"""Documents as the contract writes them: short to read, complete on the wire."""

from __future__ import annotations

import itertools
from typing import Any

from tests.odoo.contract.target import Target

_numbers = itertools.count(1)
ENTRY_FIELDS = [
    "id",
    "move_type",
    "journal_id/.id",
    "date",
    "ref",
    "line_ids/id",
    "line_ids/account_id/.id",
    "line_ids/name",
    "line_ids/debit",
    "line_ids/credit",
]
MODULE = "concord_contract"


def key(target: Target, word: str = "k") -> str:
    """An external id's name that no run has used."""
    return f"{word}_{target.books.run}_{target.name.replace('-', '_')}_{next(_numbers)}"


def line(target: Target, role: str, amount: float, partner: str | None = None, **values: Any) -> list[Any]:
    """A command for a line: debit above zero, credit below."""
    given: dict[str, Any] = {
        "account_id": target.books.account(role),
        "name": role,
        "debit": max(amount, 0.0),
        "credit": max(-amount, 0.0),
    }
    if partner:
        given["partner_id"] = target.books.partners[partner]
    return [0, 0, given | values]


def entry(target: Target, *lines: list[Any], **values: Any) -> int:
    """A draft entry in the provider's journal."""
    given = {
        "move_type": "entry",
        "journal_id": target.books.journal("PSP"),
        "date": target.books.day,
        "ref": key(target, "ref"),
        "line_ids": list(lines) or [line(target, "FEE", 10.0), line(target, "CLR", -10.0)],
    }
    return int(target.call("account.move", "create", given | values))


def posted(target: Target, *lines: list[Any], **values: Any) -> int:
    move_id = entry(target, *lines, **values)
    post(target, move_id)
    return move_id


def post(target: Target, *move_ids: int) -> Any:
    return target.call("account.move", "action_post", list(move_ids))


def invoice(target: Target, price: float = 100.0, tax: str | None = "SALES_TAX", **values: Any) -> int:
    """A draft customer invoice of one line."""
    given = {
        "move_type": "out_invoice",
        "journal_id": target.books.journal("SAL"),
        "partner_id": target.books.partners["Ada Archer"],
        "invoice_date": target.books.day,
        "date": target.books.day,
        "ref": key(target, "ref"),
        "invoice_line_ids": [priced(target, price, tax)],
    }
    return int(target.call("account.move", "create", given | values))


def priced(target: Target, price: float, tax: str | None, role: str = "REV", quantity: float = 1.0) -> list[Any]:
    tax_ids = [target.books.taxes[tax]] if tax else []
    values = {
        "account_id": target.books.account(role),
        "name": "thing",
        "quantity": quantity,
        "price_unit": price,
        "tax_ids": [[6, 0, tax_ids]],
    }
    return [0, 0, values]


def entry_rows(target: Target, name: str, amount: str = "10.0", credit: str | None = None) -> list[list[str]]:
    """Rows of `load` for a two-line entry with external ids on document and lines."""
    books = target.books
    head = [f"{MODULE}.{name}", "entry", str(books.journal("PSP")), books.day, name]
    return [
        [*head, f"{MODULE}.{name}_l1", str(books.account("FEE")), "d", amount, "0"],
        ["", "", "", "", "", f"{MODULE}.{name}_l2", str(books.account("CLR")), "c", "0", credit or amount],
    ]


def load(target: Target, rows: list[list[Any]], fields: list[str] | None = None, model: str = "account.move") -> Any:
    return target.call(model, "load", fields or ENTRY_FIELDS, rows)


def read(target: Target, move_id: int, *fields: str, model: str = "account.move") -> Any:
    """The record's fields; a single one bare."""
    record = target.call(model, "read", [move_id], list(fields))[0]
    return record[fields[0]] if len(fields) == 1 else {name: record[name] for name in fields}


def lines_of(target: Target, move_id: int, *fields: str) -> list[dict[str, Any]]:
    return list(target.call("account.move.line", "search_read", [["move_id", "=", move_id]], list(fields), order="id"))


def line_on(target: Target, move_id: int, role: str, currency: str | None = None) -> int:
    """The document's one line on the role's account."""
    account = target.books.account(role, currency)
    found = target.call("account.move.line", "search", [["move_id", "=", move_id], ["account_id", "=", account]])
    assert len(found) == 1
    return int(found[0])


def reconcile(target: Target, *line_ids: int) -> Any:
    return target.call("account.move.line", "reconcile", list(line_ids))
