"""Bank statement lines: bank against suspense, then moved to their counterpart and reconciled."""

from __future__ import annotations

from typing import Any

import pytest

from libs.odoo.errors import OdooRefused
from tests.odoo.contract.books import Books
from tests.odoo.contract.documents import invoice, key, line, line_on, lines_of, post, posted, read, reconcile
from tests.odoo.contract.target import Target

MODEL = "account.bank.statement.line"
ADA = "Ada Archer"


def _line(target: Target, amount: float = 100.0, **values: Any) -> int:
    return int(target.call(MODEL, "create", _values(target, amount) | values))


def _values(target: Target, amount: float = 100.0) -> dict[str, Any]:
    return {
        "journal_id": target.books.journal("BNK"),
        "date": target.books.day,
        "payment_ref": key(target, "ref"),
        "amount": amount,
    }


def _move(target: Target, line_id: int) -> int:
    return int(read(target, line_id, "move_id", model=MODEL)[0])


def _balances(target: Target, move: int) -> dict[int, float]:
    return {row["account_id"][0]: row["balance"] for row in lines_of(target, move, "account_id", "balance")}


def _reconciled(target: Target, line_id: int) -> tuple[bool, float]:
    found = read(target, line_id, "is_reconciled", "amount_residual", model=MODEL)
    return found["is_reconciled"], found["amount_residual"]


def _billed(target: Target) -> int:
    move = invoice(target, 100.0, None)
    post(target, move)
    return move


def _to_receivable(target: Target, line_id: int) -> int:
    """Move the suspense side onto the receivable; its line."""
    suspense = line_on(target, _move(target, line_id), "SUS")
    values = {"account_id": target.books.account("AR"), "partner_id": target.books.partners[ADA]}
    assert target.call("account.move.line", "write", [suspense], values) is True
    return suspense


def test_a_line_posts_bank_against_suspense_at_once(target: Target, books: Books) -> None:
    made = _line(target)
    move = _move(target, made)
    assert _balances(target, move) == {books.account("BANK"): 100.0, books.account("SUS"): -100.0}
    assert read(target, move, "state", "date") == {"state": "posted", "date": books.day}
    assert _reconciled(target, made) == (False, -100.0)
    assert read(target, made, "name", model=MODEL) == read(target, move, "name")


def test_the_suspense_side_is_moved_and_reconciled(target: Target) -> None:
    bill, made = _billed(target), _line(target)
    moved = _to_receivable(target, made)
    assert _reconciled(target, made) == (True, 0.0)  # though nothing is paid yet
    assert read(target, bill, "payment_state") == "not_paid"
    reconcile(target, moved, line_on(target, bill, "AR"))
    assert read(target, bill, "payment_state") == "paid"


def test_a_payout_in_transit_is_closed_by_its_bank_line(target: Target, books: Books) -> None:
    payout = posted(target, line(target, "TRN", 118.97), line(target, "CLR", -118.97))
    made = _line(target, 118.97)
    suspense = line_on(target, _move(target, made), "SUS")
    target.call("account.move.line", "write", [suspense], {"account_id": books.account("TRN")})
    reconcile(target, suspense, line_on(target, payout, "TRN"))
    assert target.call("account.move.line", "read", [suspense], ["reconciled"])[0]["reconciled"] is True


def test_the_final_lines_may_be_given_at_once(target: Target, books: Books) -> None:
    bill = _billed(target)
    lines = [line(target, "BANK", 98.0), line(target, "AR", -100.0, ADA), line(target, "BFE", 2.0)]
    made = _line(target, 98.0, line_ids=lines)
    assert _reconciled(target, made) == (True, 0.0)
    reconcile(target, line_on(target, _move(target, made), "AR"), line_on(target, bill, "AR"))
    assert read(target, bill, "payment_state") == "paid"


def test_a_counterpart_leaves_no_suspense(target: Target, books: Books) -> None:
    made = _line(target, -5.0, counterpart_account_id=books.account("BFE"))
    assert _balances(target, _move(target, made)) == {books.account("BANK"): -5.0, books.account("BFE"): 5.0}
    assert _reconciled(target, made) == (True, 0.0)


def test_without_a_date_the_line_is_dated_today(target: Target, books: Books) -> None:
    values = _values(target)
    del values["date"]
    made = target.call(MODEL, "create", values)
    day = read(target, made, "date", model=MODEL)
    assert abs((books.today - books.today.fromisoformat(day)).days) <= 1


def test_nothing_makes_a_line_unique_and_zero_is_accepted(target: Target) -> None:
    ref = key(target, "twice")
    _line(target, payment_ref=ref)
    _line(target, payment_ref=ref)
    assert target.call(MODEL, "search_count", [["payment_ref", "=", ref]]) == 2
    assert _reconciled(target, _line(target, 0.0))[0] is True


def test_a_journal_without_a_suspense_account_is_refused(target: Target, books: Books) -> None:
    with pytest.raises(OdooRefused) as refused:
        _line(target, journal_id=books.journal("MISC"))
    assert "without a suspense account" in refused.value.message


def test_an_open_line_may_be_corrected_and_deleted(target: Target, books: Books) -> None:
    made = _line(target)
    assert target.call(MODEL, "write", [made], {"amount": 97.0}) is True
    assert _balances(target, _move(target, made)) == {books.account("BANK"): 97.0, books.account("SUS"): -97.0}
    move = _move(target, made)
    assert target.call(MODEL, "unlink", [made]) is True
    assert target.call("account.move", "read", [move], ["name"]) == []


@pytest.mark.parametrize("change", [{"amount": 97.0}, {"payment_ref": "other"}])
def test_a_reconciled_line_keeps_what_the_bank_said(target: Target, change: dict[str, Any]) -> None:
    bill, made = _billed(target), _line(target)
    reconcile(target, _to_receivable(target, made), line_on(target, bill, "AR"))
    with pytest.raises(OdooRefused):
        target.call(MODEL, "write", [made], change)
    assert read(target, made, "amount", model=MODEL) == 100.0
    assert read(target, bill, "payment_state") == "paid"


def test_the_date_of_a_reconciled_line_may_be_changed(target: Target, books: Books) -> None:
    bill, made = _billed(target), _line(target)
    reconcile(target, _to_receivable(target, made), line_on(target, bill, "AR"))
    assert target.call(MODEL, "write", [made], {"date": books.month_end}) is True
    assert read(target, made, "date", model=MODEL) == books.month_end


def test_deleting_a_reconciled_line_is_refused_by_18_and_reopens_the_invoice_in_19(
    target: Target, books: Books
) -> None:
    bill, made = _billed(target), _line(target)
    reconcile(target, _to_receivable(target, made), line_on(target, bill, "AR"))
    if books.version < 19:
        with pytest.raises(OdooRefused):
            target.call(MODEL, "unlink", [made])
        assert read(target, bill, "payment_state") == "paid"
    else:
        assert target.call(MODEL, "unlink", [made]) is True
        assert read(target, bill, "payment_state", "amount_residual") == {
            "payment_state": "not_paid",
            "amount_residual": 100.0,
        }


def test_undoing_brings_the_suspense_side_back(target: Target, books: Books) -> None:
    bill, made = _billed(target), _line(target)
    reconcile(target, _to_receivable(target, made), line_on(target, bill, "AR"))
    assert target.call(MODEL, "action_undo_reconciliation", [made]) is None
    assert _balances(target, _move(target, made)) == {books.account("BANK"): 100.0, books.account("SUS"): -100.0}
    assert read(target, bill, "payment_state") == "not_paid"
    assert _reconciled(target, made) == (False, -100.0)


def test_a_statement_that_does_not_tie_is_kept_and_says_so(target: Target, books: Books) -> None:
    lines = [
        [0, 0, {"journal_id": books.journal("BNK"), "date": books.day, "payment_ref": key(target), "amount": amount}]
        for amount in (10.0, 25.0)
    ]
    values = {"name": key(target, "statement"), "balance_start": 0.0, "balance_end_real": 30.0, "line_ids": lines}
    made = target.call("account.bank.statement", "create", values)
    found = target.call(
        "account.bank.statement", "read", [made], ["is_complete", "balance_end", "problem_description", "line_ids"]
    )[0]
    assert found["is_complete"] is False
    assert found["problem_description"]
    assert len(found["line_ids"]) == 2


def test_a_posted_statement_entry_is_rewritten_only_with_the_context_that_says_so(target: Target, books: Books) -> None:
    bill, made = _billed(target), _line(target, 98.0)
    move = _move(target, made)
    suspense = line_on(target, move, "SUS")
    commands = [[2, suspense], line(target, "AR", -100.0, ADA), line(target, "BFE", 2.0)]
    with pytest.raises(OdooRefused):
        target.call("account.move", "write", [move], {"line_ids": commands})
    context = {"skip_readonly_check": True, "force_delete": True, "skip_account_move_synchronization": True}
    assert target.call("account.move", "write", [move], {"line_ids": commands}, context=context) is True
    reconcile(target, line_on(target, move, "AR"), line_on(target, bill, "AR"))
    assert read(target, bill, "payment_state") == "paid"
    assert _reconciled(target, made)[0] is True
