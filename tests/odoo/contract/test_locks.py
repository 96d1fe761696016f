"""Lock dates: posting into a locked period never fails, it moves the date and says nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest

from libs.odoo.errors import OdooRefused
from tests.odoo.contract.books import Books
from tests.odoo.contract.documents import entry, invoice, key, post, posted, priced, read
from tests.odoo.contract.target import Target

KEPT, MONTH_END, TODAY = "kept", "the first open month's end", "today"
SOFT = ("fiscalyear_lock_date", "tax_lock_date", "sale_lock_date", "purchase_lock_date")


@contextmanager
def locked(target: Target, name: str) -> Iterator[None]:
    """The period up to `books.lock` closed for a moment; what was set before is set again."""
    before = target.as_admin("res.company", "read", [1], list(SOFT))[0]
    target.as_admin("res.company", "write", [1], {name: target.books.lock})
    try:
        yield
    finally:
        target.as_admin("res.company", "write", [1], {name: before[name]})


def _bill(target: Target, day: str) -> int:
    values = {
        "move_type": "in_invoice",
        "journal_id": target.books.journal("PUR"),
        "partner_id": target.books.partners["Payment Provider"],
        "invoice_date": day,
        "date": day,
        "ref": key(target, "bill"),
        "invoice_line_ids": [priced(target, 60.0, "INPUT_TAX", "FEE")],
    }
    return int(target.call("account.move", "create", values))


def _make(target: Target, kind: str, day: str) -> int:
    if kind == "entry":
        return entry(target, date=day)
    return invoice(target, invoice_date=day, date=day) if kind == "out_invoice" else _bill(target, day)


def _expected(books: Books, where: str) -> set[str]:
    if where == KEPT:
        return {books.locked_day}
    if where == MONTH_END:
        return {books.month_end}
    # Sales number by year: today, but never past the end of the first open day's year.
    year_end = date(date.fromisoformat(books.day).year, 12, 31).isoformat()
    return {min(books.today.isoformat(), year_end)}


CASES = [
    ("fiscalyear_lock_date", "entry", MONTH_END),
    ("fiscalyear_lock_date", "out_invoice", TODAY),
    ("fiscalyear_lock_date", "in_invoice", MONTH_END),
    ("tax_lock_date", "entry", KEPT),
    ("tax_lock_date", "out_invoice", TODAY),
    ("tax_lock_date", "in_invoice", MONTH_END),
    ("sale_lock_date", "entry", KEPT),
    ("sale_lock_date", "out_invoice", TODAY),
    ("sale_lock_date", "in_invoice", KEPT),
    ("purchase_lock_date", "entry", KEPT),
    ("purchase_lock_date", "out_invoice", KEPT),
    ("purchase_lock_date", "in_invoice", MONTH_END),
]


@pytest.mark.parametrize("lock, kind, where", CASES, ids=[f"{lock}-{kind}" for lock, kind, _ in CASES])
def test_a_document_in_a_locked_period_is_posted_with_another_date(
    target: Target, books: Books, lock: str, kind: str, where: str
) -> None:
    with locked(target, lock):
        move = _make(target, kind, books.locked_day)
        assert read(target, move, "date") == books.locked_day  # the draft still shows what we sent
        assert post(target, move) is False
        assert read(target, move, "date") in _expected(books, where)
        assert read(target, move, "state") == "posted"


def test_undoing_in_a_locked_period_is_refused(target: Target, books: Books) -> None:
    move = posted(target, date=books.locked_day)
    with locked(target, "fiscalyear_lock_date"):
        with pytest.raises(OdooRefused) as refused:
            target.call("account.move", "button_draft", [move])
        assert "You cannot add/modify entries prior to and inclusive of" in refused.value.message
        assert target.call("account.move", "write", [move], {"ref": key(target, "late")}) is True


def test_a_statement_line_in_a_locked_period_is_made_today(target: Target, books: Books) -> None:
    values = {"journal_id": books.journal("BNK"), "payment_ref": key(target), "amount": 3.0, "date": books.locked_day}
    with locked(target, "fiscalyear_lock_date"):
        made = target.call("account.bank.statement.line", "create", values)
        assert read(target, made, "date", model="account.bank.statement.line") in _expected(books, TODAY)


def test_a_reversal_into_a_locked_period_is_posted_with_another_date(target: Target, books: Books) -> None:
    move = posted(target, date=books.locked_day)
    values: dict[str, Any] = {"reason": "late", "journal_id": books.journal("PSP"), "date": books.locked_day}
    context = {"active_model": "account.move", "active_ids": [move]}
    with locked(target, "fiscalyear_lock_date"):
        wizard = target.call("account.move.reversal", "create", values, context=context)
        mirror = target.call("account.move.reversal", "refund_moves", [wizard])["res_id"]
        found = read(target, mirror, "state", "date")
        assert found["state"] == "posted"
        assert found["date"] > books.lock


def test_the_five_lock_dates_can_be_read_by_us(target: Target, books: Books) -> None:
    with locked(target, "fiscalyear_lock_date"):
        names = [*SOFT, "hard_lock_date"]
        found = target.call("res.company", "read", [1], [*names, *(f"user_{name}" for name in names)])[0]
        assert found["fiscalyear_lock_date"] == found["user_fiscalyear_lock_date"] == books.lock
