"""Odoo's own exchange entries in detail: shares, dates, links and what undoing leaves. Recorded on live servers."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from tests.odoo.contract.books import Books
from tests.odoo.contract.documents import invoice, line, line_on, lines_of, post, posted, read, reconcile
from tests.odoo.contract.target import Target

BERTIL = "Bertil Berg"
LABEL = "Currency exchange rate difference"


def billed(target: Target, day: str | None = None) -> int:
    """EUR 50.00, carried at USD 55.00."""
    when = day or target.books.day
    customer = target.books.partners[BERTIL]
    euro = target.books.currencies["EUR"]
    move = invoice(target, 50.0, None, partner_id=customer, currency_id=euro, invoice_date=when, date=when)
    post(target, move)
    return move


def received(target: Target, euros: float, dollars: float, day: str | None = None) -> int:
    """Euros, carried at the dollars that they became."""
    receivable = {"currency_id": target.books.currencies["EUR"], "amount_currency": -euros}
    lines = line(target, "CLR", dollars), line(target, "AR", -dollars, BERTIL, **receivable)
    return posted(target, *lines, date=day or target.books.day)


def receivables(target: Target, *moves: int) -> list[int]:
    return [line_on(target, move, "AR") for move in moves]


def partials(target: Target, *line_ids: int) -> list[dict[str, Any]]:
    domain = ["|", ["debit_move_id", "in", list(line_ids)], ["credit_move_id", "in", list(line_ids)]]
    fields = ["debit_move_id", "credit_move_id", "amount", "debit_amount_currency", "credit_amount_currency"]
    fields += ["exchange_move_id", "full_reconcile_id", "max_date"]
    return list(target.call("account.partial.reconcile", "search_read", domain, fields, order="id"))


def exchange_of(target: Target, *line_ids: int) -> list[int]:
    return [row["exchange_move_id"][0] for row in partials(target, *line_ids) if row["exchange_move_id"]]


def opened(target: Target, line_id: int) -> tuple[float, float, bool]:
    names = ["amount_residual", "amount_residual_currency", "reconciled"]
    found = target.call("account.move.line", "read", [line_id], names)[0]
    return found["amount_residual"], found["amount_residual_currency"], found["reconciled"]


def test_the_exchange_entry_bears_customer_currency_and_label_on_both_lines(target: Target, books: Books) -> None:
    debit, credit = receivables(target, billed(target), received(target, 50.0, 54.45))
    reconcile(target, debit, credit)
    (exchange,) = exchange_of(target, debit)
    fields = ["account_id", "balance", "amount_currency", "currency_id", "partner_id", "name", "reconciled"]
    receivable, loss = lines_of(target, exchange, *fields)
    assert (receivable["account_id"][0], loss["account_id"][0]) == (books.account("AR"), books.account("FXD"))
    assert (receivable["balance"], loss["balance"]) == (-0.55, 0.55)
    assert {row["amount_currency"] for row in (receivable, loss)} == {0.0}
    assert {row["currency_id"][0] for row in (receivable, loss)} == {books.currencies["EUR"]}
    assert {row["partner_id"][0] for row in (receivable, loss)} == {books.partners[BERTIL]}
    assert {row["name"] for row in (receivable, loss)} == {LABEL}
    assert (receivable["reconciled"], loss["reconciled"]) == (True, False)
    assert read(target, exchange, "ref", "move_type") == {"ref": False, "move_type": "entry"}


def test_the_gap_is_a_partial_of_its_own_without_foreign_amount(target: Target) -> None:
    debit, credit = receivables(target, billed(target), received(target, 50.0, 54.45))
    reconcile(target, debit, credit)
    money, gap = partials(target, debit)
    assert (money["amount"], money["debit_amount_currency"], money["credit_amount_currency"]) == (54.45, 50.0, 50.0)
    assert (gap["amount"], gap["debit_amount_currency"], gap["credit_amount_currency"]) == (0.55, 0.0, 0.0)
    assert (bool(money["exchange_move_id"]), gap["exchange_move_id"]) == (True, False)
    assert money["full_reconcile_id"] == gap["full_reconcile_id"]
    assert money["full_reconcile_id"]


def test_a_part_payment_at_its_own_rate_books_its_share_at_once(target: Target) -> None:
    bill, first = billed(target), received(target, 20.0, 21.78)
    debit, credit = receivables(target, bill, first)
    reconcile(target, debit, credit)
    assert opened(target, debit) == (33.0, 30.0, False)
    assert opened(target, credit) == (0.0, 0.0, True)
    assert [row["amount"] for row in partials(target, debit)] == [21.78, 0.22]
    assert read(target, bill, "payment_state", "amount_residual") == {
        "payment_state": "partial",
        "amount_residual": 30.0,
    }
    numbers = target.call("account.move.line", "read", [debit, credit], ["matching_number", "full_reconcile_id"])
    smallest = partials(target, debit)[0]["id"]
    assert [(row["matching_number"], row["full_reconcile_id"]) for row in numbers] == [(f"P{smallest}", False)] * 2
    second = line_on(target, received(target, 30.0, 32.67), "AR")
    reconcile(target, debit, second)
    assert [row["amount"] for row in partials(target, debit)] == [21.78, 0.22, 32.67, 0.33]
    assert len({row["full_reconcile_id"][0] for row in partials(target, debit)}) == 1
    assert read(target, bill, "payment_state") == "paid"


def test_a_surplus_at_a_better_rate_stays_open_and_its_gain_is_the_receipt_s(target: Target, books: Books) -> None:
    debit, credit = receivables(target, billed(target), received(target, 60.0, 67.2))
    reconcile(target, debit, credit)
    assert opened(target, debit) == (0.0, 0.0, True)
    assert opened(target, credit) == (-11.2, -10.0, False)
    assert [row["amount"] for row in partials(target, debit)] == [55.0]
    assert [row["amount"] for row in partials(target, credit)] == [55.0, 1.0]
    (exchange,) = exchange_of(target, debit)
    found = {row["account_id"][0]: row["balance"] for row in lines_of(target, exchange, "account_id", "balance")}
    assert found == {books.account("AR"): 1.0, books.account("FXD"): -1.0}


def test_several_receipts_in_one_call_get_an_exchange_entry_each(target: Target) -> None:
    bill = billed(target)
    lines = receivables(target, bill, received(target, 20.0, 21.78), received(target, 30.0, 32.67))
    reconcile(target, *lines)
    assert len(exchange_of(target, lines[0])) == 2
    assert sorted(row["amount"] for row in partials(target, lines[0])) == [0.22, 0.33, 21.78, 32.67]
    assert read(target, bill, "payment_state") == "paid"


def test_dollars_against_a_euro_invoice_pay_at_the_invoice_s_own_rate(target: Target) -> None:
    bill = billed(target)
    money = posted(target, line(target, "CLR", 54.45), line(target, "AR", -54.45, BERTIL))
    debit, credit = receivables(target, bill, money)
    reconcile(target, debit, credit)
    assert opened(target, debit) == (0.55, 0.5, False)
    (partial,) = partials(target, debit)
    assert (partial["debit_amount_currency"], partial["credit_amount_currency"]) == (49.5, 54.45)
    assert partial["exchange_move_id"] is False


def test_undoing_posts_the_exchange_entry_s_mirror_and_keeps_both(target: Target) -> None:
    debit, credit = receivables(target, billed(target), received(target, 50.0, 54.45))
    reconcile(target, debit, credit)
    (exchange,) = exchange_of(target, debit)
    name = read(target, exchange, "name")
    target.call("account.move.line", "remove_move_reconcile", [credit])
    found = target.call(
        "account.move", "search_read", [["reversed_entry_id", "=", exchange]], ["ref", "state", "date", "line_ids"]
    )
    assert [(row["ref"], row["state"]) for row in found] == [(f"Reversal of: {name}", "posted")]
    assert found[0]["date"] == read(target, exchange, "date")
    assert opened(target, debit) == (55.0, 50.0, False)
    assert opened(target, line_on(target, exchange, "AR")) == (0.0, 0.0, True)


def last_of_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)


@pytest.mark.parametrize("months, expected", [(-2, "month end"), (-1, "month end"), (0, "today"), (1, "its own day")])
def test_the_exchange_entry_is_dated_by_the_later_line(
    target: Target, books: Books, months: int, expected: str
) -> None:
    """At the end of a past month; today within this one; on its own day if that is still to come."""
    first = books.today.replace(day=1)
    for _ in range(abs(months)):
        first = (first - timedelta(days=1)).replace(day=1) if months < 0 else last_of_month(first) + timedelta(days=1)
    debit, credit = receivables(
        target, billed(target, first.isoformat()), received(target, 50.0, 54.45, first.isoformat())
    )
    reconcile(target, debit, credit)
    wanted = {"month end": last_of_month(first), "today": books.today, "its own day": first}[expected]
    (exchange,) = exchange_of(target, debit)
    assert read(target, exchange, "date") == wanted.isoformat()
