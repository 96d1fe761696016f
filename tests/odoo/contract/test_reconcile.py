"""Matching lines: partials, what is open, and the exchange entries that Odoo makes of its own."""

from __future__ import annotations

from typing import Any

import pytest

from libs.odoo.errors import OdooRefused
from tests.odoo.contract.books import Books
from tests.odoo.contract.documents import (
    entry,
    invoice,
    line,
    line_on,
    lines_of,
    post,
    posted,
    read,
    reconcile,
)
from tests.odoo.contract.target import Target

ADA, BERTIL = "Ada Archer", "Bertil Berg"


def _open(target: Target, line_id: int) -> tuple[float, float, bool]:
    found = target.call(
        "account.move.line", "read", [line_id], ["amount_residual", "amount_residual_currency", "reconciled"]
    )[0]
    return found["amount_residual"], found["amount_residual_currency"], found["reconciled"]


def _captured(target: Target, amount: float) -> int:
    return posted(target, line(target, "CLR", amount), line(target, "AR", -amount, ADA))


def _billed(target: Target, price: float = 100.0, **values: Any) -> int:
    move = invoice(target, price, None, **values)
    post(target, move)
    return move


def test_two_lines_that_meet_are_closed_in_full(target: Target) -> None:
    bill, money = _billed(target), _captured(target, 100.0)
    debit, credit = line_on(target, bill, "AR"), line_on(target, money, "AR")
    assert reconcile(target, credit, debit) is None
    rows = target.call("account.move.line", "read", [debit, credit], ["full_reconcile_id", "matching_number"])
    full = rows[0]["full_reconcile_id"][0]
    assert [(row["full_reconcile_id"][0], row["matching_number"]) for row in rows] == [(full, str(full))] * 2
    assert _open(target, debit) == (0.0, 0.0, True)
    assert read(target, bill, "payment_state", "amount_residual") == {"payment_state": "paid", "amount_residual": 0.0}
    partial = target.call(
        "account.partial.reconcile",
        "search_read",
        [["debit_move_id", "=", debit]],
        ["amount", "credit_move_id", "exchange_move_id", "full_reconcile_id"],
    )
    assert [(row["amount"], row["credit_move_id"][0]) for row in partial] == [(100.0, credit)]
    assert (partial[0]["exchange_move_id"], partial[0]["full_reconcile_id"][0]) == (False, full)


def test_reconciling_again_is_refused_so_a_retry_is_safe(target: Target) -> None:
    bill, money = _billed(target), _captured(target, 100.0)
    lines = line_on(target, bill, "AR"), line_on(target, money, "AR")
    reconcile(target, *lines)
    with pytest.raises(OdooRefused) as refused:
        reconcile(target, *lines)
    assert refused.value.message == "You are trying to reconcile some entries that are already reconciled."


def test_a_smaller_payment_leaves_the_rest_open(target: Target) -> None:
    bill, money = _billed(target), _captured(target, 40.0)
    debit, credit = line_on(target, bill, "AR"), line_on(target, money, "AR")
    reconcile(target, debit, credit)
    assert _open(target, debit) == (60.0, 60.0, False)
    assert _open(target, credit) == (0.0, 0.0, True)
    assert read(target, bill, "payment_state", "amount_residual") == {
        "payment_state": "partial",
        "amount_residual": 60.0,
    }
    numbers = target.call("account.move.line", "read", [debit, credit], ["matching_number", "full_reconcile_id"])
    assert [row["full_reconcile_id"] for row in numbers] == [False, False]
    assert numbers[0]["matching_number"] == numbers[1]["matching_number"]
    assert numbers[0]["matching_number"].startswith("P")


def test_many_lines_close_against_one(target: Target) -> None:
    gross = [posted(target, line(target, "CLR", amount), line(target, "REV", -amount)) for amount in (60.0, 48.0)]
    fee = posted(target, line(target, "FEE", 3.43), line(target, "CLR", -3.43))
    payout = posted(target, line(target, "TRN", 104.57), line(target, "CLR", -104.57))
    lines = [line_on(target, move, "CLR") for move in (*gross, fee, payout)]
    reconcile(target, *lines)
    assert {_open(target, line_id) for line_id in lines} == {(0.0, 0.0, True)}
    rows = target.call("account.move.line", "read", lines, ["full_reconcile_id"])
    assert len({row["full_reconcile_id"][0] for row in rows}) == 1


def test_a_match_can_be_undone(target: Target) -> None:
    bill, money = _billed(target), _captured(target, 100.0)
    lines = line_on(target, bill, "AR"), line_on(target, money, "AR")
    reconcile(target, *lines)
    assert target.call("account.move.line", "remove_move_reconcile", list(lines)) is None
    assert _open(target, lines[0]) == (100.0, 100.0, False)
    assert read(target, bill, "payment_state") == "not_paid"
    reconcile(target, *lines)
    assert read(target, bill, "payment_state") == "paid"


def test_lines_of_two_accounts_are_refused(target: Target) -> None:
    move = posted(target, line(target, "CLR", 10.0), line(target, "AR", -10.0, ADA))
    with pytest.raises(OdooRefused) as refused:
        reconcile(target, line_on(target, move, "CLR"), line_on(target, move, "AR"))
    assert refused.value.message.startswith("Entries are not from the same account: ")


def test_an_account_that_is_not_reconcilable_is_refused(target: Target) -> None:
    move = posted(target)
    with pytest.raises(OdooRefused) as refused:
        reconcile(target, line_on(target, move, "FEE"))
    assert "does not allow reconciliation" in refused.value.message


def test_a_draft_line_is_refused_by_18_and_matched_by_19(target: Target, books: Books) -> None:
    bill = _billed(target)
    draft = entry(target, line(target, "CLR", 100.0), line(target, "AR", -100.0, ADA))
    lines = line_on(target, bill, "AR"), line_on(target, draft, "AR")
    if books.version < 19:
        with pytest.raises(OdooRefused):
            reconcile(target, *lines)
        assert read(target, bill, "payment_state") == "not_paid"
    else:
        assert reconcile(target, *lines) is None
        assert (read(target, bill, "payment_state"), read(target, draft, "state")) == ("paid", "draft")


def test_one_line_alone_changes_nothing(target: Target) -> None:
    bill = _billed(target)
    debit = line_on(target, bill, "AR")
    assert reconcile(target, debit) is None
    assert _open(target, debit) == (100.0, 100.0, False)


def _euro_invoice(target: Target) -> int:
    """EUR 50.00, carried at USD 55.00."""
    customer = target.books.partners[BERTIL]
    return _billed(target, 50.0, partner_id=customer, currency_id=target.books.currencies["EUR"])


def _settled(target: Target, dollars: float, carried: float, euros: float = 50.0) -> int:
    """Dollars arrive; the receivable is credited in euro at the balance that is carried."""
    receivable = {"currency_id": target.books.currencies["EUR"], "amount_currency": -euros}
    lines = [line(target, "CLR", dollars), line(target, "AR", -carried, BERTIL, **receivable)]
    if gap := round(carried - dollars, 2):
        lines.append(line(target, "FXD", gap))
    return posted(target, *lines)


def _partial(target: Target, debit: int) -> dict[str, Any]:
    fields = ["amount", "debit_amount_currency", "credit_amount_currency", "exchange_move_id"]
    found = target.call(
        "account.partial.reconcile",
        "search_read",
        [["debit_move_id", "=", debit], ["credit_amount_currency", ">", 0]],
        fields,
    )
    assert len(found) == 1
    return dict(found[0])


def test_a_foreign_receivable_closed_at_its_carrying_balance_needs_no_exchange_entry(target: Target) -> None:
    bill, money = _euro_invoice(target), _settled(target, 54.45, 55.0)
    debit = line_on(target, bill, "AR")
    reconcile(target, debit, line_on(target, money, "AR"))
    assert read(target, bill, "payment_state") == "paid"
    partial = _partial(target, debit)
    assert (partial["amount"], partial["debit_amount_currency"], partial["exchange_move_id"]) == (55.0, 50.0, False)


@pytest.mark.parametrize("carried, gap", [(54.45, 0.55), (56.0, -1.0)])
def test_money_carried_at_its_own_rate_makes_odoo_book_the_exchange_difference(
    target: Target, books: Books, carried: float, gap: float
) -> None:
    """A loss is debited, a gain credited; the entry closes the receivable and is dated at the end of a past month."""
    bill, money = _euro_invoice(target), _settled(target, carried, carried)
    debit, credit = line_on(target, bill, "AR"), line_on(target, money, "AR")
    reconcile(target, debit, credit)
    assert _open(target, debit) == _open(target, credit) == (0.0, 0.0, True)
    assert read(target, bill, "payment_state") == "paid"
    partial = _partial(target, debit)
    assert partial["amount"] == min(55.0, carried)
    exchange = partial["exchange_move_id"][0]
    found = {row["account_id"][0]: row["balance"] for row in lines_of(target, exchange, "account_id", "balance")}
    assert found == {books.account("FXD"): gap, books.account("AR"): -gap}
    about = read(target, exchange, "state", "journal_id", "date")
    assert (about["state"], about["journal_id"][0], about["date"]) == (
        "posted",
        books.journal("EXC"),
        books.month_end,
    )


def test_part_of_a_foreign_receivable_takes_its_share_of_the_carrying_balance(target: Target) -> None:
    bill, money = _euro_invoice(target), _settled(target, 22.0, 22.0, euros=20.0)
    debit = line_on(target, bill, "AR")
    reconcile(target, debit, line_on(target, money, "AR"))
    assert _open(target, debit) == (33.0, 30.0, False)
    assert _partial(target, debit)["exchange_move_id"] is False
    assert read(target, bill, "amount_residual") == 30.0


def test_undoing_a_match_with_an_exchange_entry_opens_the_receivable_again(target: Target) -> None:
    bill, money = _euro_invoice(target), _settled(target, 54.45, 54.45)
    debit = line_on(target, bill, "AR")
    reconcile(target, debit, line_on(target, money, "AR"))
    target.call("account.move.line", "remove_move_reconcile", [debit])
    assert _open(target, debit) == (55.0, 50.0, False)
    assert read(target, bill, "payment_state", "amount_residual") == {
        "payment_state": "not_paid",
        "amount_residual": 50.0,
    }


@pytest.mark.parametrize("change", ["account_id", "date"])
def test_a_reconciled_line_is_kept_by_18_and_opened_by_19_when_it_is_changed(
    target: Target, books: Books, change: str
) -> None:
    """So what is matched is never written to: 19 undoes the match and says nothing."""
    bill, money = _billed(target), _captured(target, 100.0)
    debit, credit = line_on(target, bill, "AR"), line_on(target, money, "AR")
    reconcile(target, debit, credit)
    values = {"account_id": books.account("DSP"), "date": books.month_end}
    if books.version < 19:
        with pytest.raises(OdooRefused):
            target.call("account.move.line", "write", [credit], {change: values[change]})
        assert _open(target, debit) == (0.0, 0.0, True)
    else:
        assert target.call("account.move.line", "write", [credit], {change: values[change]}) is True
        assert _open(target, debit) == (100.0, 100.0, False)
        assert read(target, bill, "payment_state") == "not_paid"


def test_the_same_account_may_be_written_again_to_a_reconciled_line(target: Target, books: Books) -> None:
    bill, money = _billed(target), _captured(target, 100.0)
    debit, credit = line_on(target, bill, "AR"), line_on(target, money, "AR")
    reconcile(target, debit, credit)
    assert target.call("account.move.line", "write", [credit], {"account_id": books.account("AR")}) is True
    assert _open(target, debit) == (0.0, 0.0, True)


def test_resetting_an_entry_to_draft_undoes_its_matches_in_18_and_keeps_them_in_19(
    target: Target, books: Books
) -> None:
    bill, money = _billed(target), _captured(target, 100.0)
    reconcile(target, line_on(target, bill, "AR"), line_on(target, money, "AR"))
    target.call("account.move", "button_draft", [money])
    assert read(target, bill, "payment_state") == ("not_paid" if books.version < 19 else "paid")
