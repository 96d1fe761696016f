"""Credit notes: what Odoo nets by itself, when, and what it calls the documents afterwards. Recorded on live servers."""

from __future__ import annotations

from tests.odoo.contract.documents import invoice, line, line_on, post, posted, priced, read, reconcile
from tests.odoo.contract.target import Target

ADA = "Ada Archer"


def billed(target: Target, price: float = 100.0) -> int:
    """A posted invoice over the price and 8 % tax."""
    move = invoice(target, price)
    post(target, move)
    return move


def credit(target: Target, of: int | None, price: float) -> int:
    """A draft credit note, tax included, of an invoice or of none."""
    return invoice(
        target,
        move_type="out_refund",
        reversed_entry_id=of or False,
        invoice_line_ids=[priced(target, price, "SALES_TAX", "RET")],
    )


def received(target: Target, amount: float) -> int:
    """Money of the customer, unapplied."""
    return posted(target, line(target, "CLR", amount), line(target, "AR", -amount, ADA))


def standing(target: Target, move: int) -> tuple[str, float]:
    found = read(target, move, "payment_state", "amount_residual")
    return found["payment_state"], found["amount_residual"]


def match(target: Target, *moves: int) -> None:
    reconcile(target, *(line_on(target, move, "AR") for move in moves))


def test_a_part_credit_lowers_what_is_open(target: Target) -> None:
    bill = billed(target)
    note = credit(target, bill, 20.0)
    post(target, note)
    assert standing(target, bill) == ("partial", 86.4)
    assert standing(target, note) == ("paid", 0.0)


def test_a_credit_beyond_what_is_open_keeps_the_rest_for_the_customer(target: Target) -> None:
    bill = billed(target)
    match(target, bill, received(target, 60.0))
    note = credit(target, bill, 100.0)
    post(target, note)
    assert standing(target, bill) == ("reversed", 0.0)
    assert standing(target, note) == ("partial", 60.0)


def test_money_after_a_credit_closes_the_rest_and_keeps_the_surplus(target: Target) -> None:
    bill = billed(target)
    post(target, credit(target, bill, 20.0))
    money = received(target, 108.0)
    match(target, bill, money)
    assert standing(target, bill) == ("reversed", 0.0)
    surplus = target.call(
        "account.move.line", "read", [line_on(target, money, "AR")], ["amount_residual", "reconciled"]
    )
    assert (surplus[0]["amount_residual"], surplus[0]["reconciled"]) == (-21.6, False)
    match(target, money, posted(target, line(target, "AR", 21.6, ADA), line(target, "CLR", -21.6)))
    assert target.call("account.move.line", "read", [line_on(target, money, "AR")], ["reconciled"])[0]["reconciled"]


def test_nothing_is_netted_without_the_reference_to_the_invoice(target: Target) -> None:
    bill, note = billed(target), credit(target, None, 100.0)
    post(target, note)
    assert (standing(target, bill), standing(target, note)) == (("not_paid", 108.0), ("not_paid", 108.0))


def test_an_invoice_and_its_credit_note_posted_in_one_call_are_not_netted(target: Target) -> None:
    bill = invoice(target)
    note = credit(target, bill, 100.0)
    post(target, bill, note)
    assert (standing(target, bill), standing(target, note)) == (("not_paid", 108.0), ("not_paid", 108.0))


def test_a_credit_note_posted_before_its_invoice_is_never_netted(target: Target) -> None:
    bill = invoice(target)
    note = credit(target, bill, 100.0)
    post(target, note)
    assert standing(target, note) == ("not_paid", 108.0)
    post(target, bill)
    assert (standing(target, bill), standing(target, note)) == (("not_paid", 108.0), ("not_paid", 108.0))


def test_a_credit_note_paid_out_against_an_entry_is_called_reversed(target: Target) -> None:
    bill = billed(target)
    match(target, bill, received(target, 108.0))
    note = credit(target, bill, 20.0)
    post(target, note)
    assert standing(target, note) == ("not_paid", 21.6)
    match(target, note, posted(target, line(target, "AR", 21.6, ADA), line(target, "CLR", -21.6)))
    assert (standing(target, note), standing(target, bill)) == (("reversed", 0.0), ("paid", 0.0))
