"""Invoices, bills and credit notes: what Odoo adds to the lines, dates and statuses."""

from __future__ import annotations

from typing import Any

import pytest

from libs.odoo.errors import OdooRefused
from tests.odoo.contract.books import Books
from tests.odoo.contract.documents import (
    entry,
    invoice,
    key,
    line,
    line_on,
    lines_of,
    post,
    posted,
    priced,
    read,
    reconcile,
)
from tests.odoo.contract.target import Target


def _balances(target: Target, move: int) -> dict[int, float]:
    return {row["account_id"][0]: row["balance"] for row in lines_of(target, move, "account_id", "balance")}


def test_tax_and_receivable_lines_are_there_before_posting(target: Target, books: Books) -> None:
    move = invoice(target, 100.0)
    role = books.account
    assert _balances(target, move) == {role("REV"): -100.0, role("TAX"): -8.0, role("AR"): 108.0}
    assert read(target, move, "amount_untaxed", "amount_tax", "amount_total", "amount_residual") == {
        "amount_untaxed": 100.0,
        "amount_tax": 8.0,
        "amount_total": 108.0,
        "amount_residual": 108.0,
    }
    kinds = [row["display_type"] for row in lines_of(target, move, "display_type")]
    assert kinds == ["product", "tax", "payment_term"]


def test_posting_names_the_invoice_and_makes_the_name_its_payment_reference(target: Target, books: Books) -> None:
    move = invoice(target)
    post(target, move)
    found = read(target, move, "name", "payment_reference", "payment_state", "date")
    assert found["payment_reference"] == found["name"]
    assert (found["payment_state"], found["date"]) == ("not_paid", books.day)


def test_each_line_is_taxed_and_rounded_by_itself(target: Target) -> None:
    lines = [priced(target, 10.06, "SALES_TAX"), priced(target, 10.06, "SALES_TAX")]
    move = invoice(target, invoice_line_ids=lines)
    method = target.as_admin("res.company", "read", [1], ["tax_calculation_rounding_method"])[0]
    by_line = method["tax_calculation_rounding_method"] == "round_per_line"
    assert read(target, move, "amount_tax") == (1.6 if by_line else 1.61)  # 0.8048 twice


def test_a_unit_price_keeps_two_digits_so_totals_belong_on_a_quantity_of_one(target: Target) -> None:
    move = invoice(target, invoice_line_ids=[priced(target, 0.333, None, quantity=3.0)])
    assert read(target, move, "amount_total") == 0.99


def test_a_tax_without_an_account_lands_on_revenue_without_a_word(target: Target, books: Books) -> None:
    move = invoice(target, 100.0, "BARE")
    on_revenue = [
        row["balance"]
        for row in lines_of(target, move, "account_id", "balance")
        if row["account_id"][0] == books.account("REV")
    ]
    assert sorted(on_revenue) == [-100.0, -10.0]
    assert read(target, move, "amount_tax") == 10.0


def test_an_invoice_in_euro_is_booked_at_the_rate_of_its_day(target: Target, books: Books) -> None:
    move = invoice(target, 50.0, None, currency_id=books.currencies["EUR"])
    found = lines_of(target, move, "account_id", "balance", "amount_currency")
    assert {(row["account_id"][0], row["balance"], row["amount_currency"]) for row in found} == {
        (books.account("REV"), -55.0, -50.0),
        (books.account("AR"), 55.0, 50.0),
    }


def test_an_invoice_without_customer_or_lines_is_noticed_when_posting(target: Target) -> None:
    wrong: tuple[dict[str, Any], ...] = ({"partner_id": False}, {"invoice_line_ids": []})
    for values in wrong:
        move = invoice(target, **values)
        with pytest.raises(OdooRefused) as refused:
            post(target, move)
        assert refused.value.name == "odoo.exceptions.UserError"


def test_an_invoice_without_a_date_is_dated_today(target: Target, books: Books) -> None:
    move = invoice(target, invoice_date=False, date=books.today.isoformat())
    post(target, move)
    found = read(target, move, "invoice_date", "date")
    assert found["invoice_date"] == found["date"]
    assert abs((books.today - books.today.fromisoformat(found["date"])).days) <= 1  # the server's own day


def _bill(target: Target, **values: object) -> int:
    given = {
        "move_type": "in_invoice",
        "journal_id": target.books.journal("PUR"),
        "partner_id": target.books.partners["Payment Provider"],
        "invoice_line_ids": [priced(target, 60.0, None, "FEE")],
    }
    return int(target.call("account.move", "create", given | values))


def test_a_bill_without_a_date_is_refused_when_posting(target: Target) -> None:
    move = _bill(target)
    with pytest.raises(OdooRefused) as refused:
        post(target, move)
    assert "date is required" in refused.value.message


def test_a_bill_of_a_past_month_moves_to_its_end_unless_we_say_the_date(target: Target, books: Books) -> None:
    moved, kept = _bill(target, invoice_date=books.day), _bill(target, invoice_date=books.day, date=books.day)
    post(target, moved, kept)
    assert (read(target, moved, "date"), read(target, kept, "date")) == (books.month_end, books.day)


def test_the_same_bill_twice_is_only_hinted_at(target: Target, books: Books) -> None:
    ref = key(target, "bill")
    first, second = (_bill(target, invoice_date=books.day, ref=ref) for _ in range(2))
    post(target, first, second)
    assert read(target, first, "duplicated_ref_ids") == [second]


def test_an_invoice_in_a_purchase_journal_is_posted_as_a_bill_or_refused(target: Target, books: Books) -> None:
    """Odoo checks the type, but not where hr_expense is installed: so the journal's type is ours to check."""
    try:
        move = invoice(target, journal_id=books.journal("PUR"))
    except OdooRefused:
        return
    post(target, move)
    assert read(target, move, "name").startswith("BILL/")


def _credit(target: Target, of: int, price: float = 20.0) -> int:
    return invoice(
        target,
        move_type="out_refund",
        reversed_entry_id=of,
        invoice_line_ids=[priced(target, price, "SALES_TAX", "RET")],
    )


def test_a_credit_note_is_netted_with_an_unpaid_invoice_when_posted(target: Target) -> None:
    move = invoice(target, 100.0)
    post(target, move)
    refund = _credit(target, move)
    post(target, refund)
    assert read(target, refund, "name").startswith("RINV/")
    assert read(target, refund, "amount_residual", "payment_state") == {"amount_residual": 0.0, "payment_state": "paid"}
    assert read(target, move, "amount_residual", "payment_state") == {
        "amount_residual": 86.4,
        "payment_state": "partial",
    }


def test_a_full_credit_note_reverses_the_invoice(target: Target) -> None:
    move = invoice(target, 100.0)
    post(target, move)
    refund = _credit(target, move, 100.0)
    post(target, refund)
    assert read(target, move, "payment_state") == "reversed"
    assert read(target, refund, "payment_state") == "paid"


def test_a_credit_note_of_a_paid_invoice_stays_open_until_the_money_goes_back(target: Target) -> None:
    move = invoice(target, 100.0)
    post(target, move)
    customer = "Ada Archer"
    capture = posted(target, line(target, "CLR", 108.0), line(target, "AR", -108.0, customer))
    reconcile(target, line_on(target, capture, "AR"), line_on(target, move, "AR"))
    assert read(target, move, "payment_state") == "paid"
    refund = _credit(target, move)
    post(target, refund)
    assert read(target, refund, "amount_residual", "payment_state") == {
        "amount_residual": 21.6,
        "payment_state": "not_paid",
    }
    money = posted(target, line(target, "AR", 21.6, customer), line(target, "CLR", -21.6))
    reconcile(target, line_on(target, money, "AR"), line_on(target, refund, "AR"))
    assert read(target, refund, "payment_state") == "reversed"  # by an entry: never read cash out of it


def test_the_wizard_makes_a_draft_credit_note_of_the_invoice(target: Target, books: Books) -> None:
    move = invoice(target, 100.0)
    post(target, move)
    values = {"reason": "goods returned", "journal_id": books.journal("SAL"), "date": books.day}
    context = {"active_model": "account.move", "active_ids": [move]}
    wizard = target.call("account.move.reversal", "create", values, context=context)
    action = target.call("account.move.reversal", "refund_moves", [wizard])
    refund = action["res_id"]
    found = read(target, refund, "state", "move_type", "amount_total", "reversed_entry_id")
    assert (found["state"], found["move_type"], found["amount_total"]) == ("draft", "out_refund", 108.0)
    assert found["reversed_entry_id"][0] == move
    post(target, refund)
    assert read(target, move, "payment_state", "reversal_move_ids") == {
        "payment_state": "reversed",
        "reversal_move_ids": [refund],
    }


def test_the_wizard_posts_the_mirror_of_an_entry_at_once(target: Target, books: Books) -> None:
    move = posted(target)
    values = {"reason": "wrong", "journal_id": books.journal("PSP"), "date": books.day}
    context = {"active_model": "account.move", "active_ids": [move]}
    wizard = target.call("account.move.reversal", "create", values, context=context)
    mirror = target.call("account.move.reversal", "refund_moves", [wizard])["res_id"]
    assert read(target, mirror, "state") == "posted"
    assert sorted(row["balance"] for row in lines_of(target, mirror, "balance")) == [-10.0, 10.0]


def test_a_draft_invoice_follows_its_changed_lines(target: Target) -> None:
    move = invoice(target, 100.0)
    first = lines_of(target, move, "display_type")[0]["id"]
    target.call("account.move", "write", [move], {"invoice_line_ids": [[1, first, {"price_unit": 50.0}]]})
    assert read(target, move, "amount_total", "amount_tax") == {"amount_total": 54.0, "amount_tax": 4.0}


def test_an_entry_and_an_invoice_share_no_number(target: Target) -> None:
    move = invoice(target)
    post(target, move)
    assert read(target, move, "name") != read(target, posted(target), "name")
    assert read(target, entry(target), "name") is False
