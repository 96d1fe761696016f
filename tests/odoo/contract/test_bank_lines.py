"""Bank lines as Concord writes them: loaded, moved off suspense, matched, undone. Recorded on live servers."""

from __future__ import annotations

from typing import Any

from tests.odoo.contract.books import Books
from tests.odoo.contract.documents import MODULE, entry_rows, key, line, line_on, load, post, posted, reconcile
from tests.odoo.contract.target import Target

MODEL = "account.bank.statement.line"
FIELDS = ["id", "journal_id/.id", "date", "payment_ref", "ref", "amount"]


def loaded(target: Target, amount: str, name: str | None = None, **more: str) -> tuple[int, int]:
    """A statement line by `load`, and its move."""
    row = [
        f"{MODULE}.{name or key(target)}",
        str(target.books.journal("BNK")),
        target.books.day,
        "PAYOUT",
        "tx",
        amount,
    ]
    answer = load(target, [[*row, *more.values()]], [*FIELDS, *more], MODEL)
    found = target.call(MODEL, "read", answer["ids"], ["move_id"])[0]
    return int(found["id"]), int(found["move_id"][0])


def standing(target: Target, statement_line: int) -> tuple[bool, float]:
    found = target.call(MODEL, "read", [statement_line], ["is_reconciled", "amount_residual"])[0]
    return found["is_reconciled"], found["amount_residual"]


def lines(target: Target, move: int) -> dict[int, dict[str, Any]]:
    fields = ["account_id", "balance", "amount_currency", "currency_id", "reconciled", "partner_id"]
    rows = target.call("account.move.line", "search_read", [["move_id", "=", move]], fields)
    return {row["id"]: row for row in rows}


def in_transit(target: Target, amount: float) -> int:
    return posted(target, line(target, "TRN", amount), line(target, "CLR", -amount))


def test_the_reference_of_a_loaded_line_is_its_move_s(target: Target) -> None:
    _, move = loaded(target, "118.97")
    assert target.call("account.move", "read", [move], ["ref", "state", "amount_total"]) == [
        {"id": move, "ref": "tx", "state": "posted", "amount_total": 118.97}
    ]


def test_a_line_off_suspense_counts_as_reconciled_before_anything_is_matched(target: Target, books: Books) -> None:
    statement_line, move = loaded(target, "118.97")
    suspense = line_on(target, move, "SUS")
    assert standing(target, statement_line) == (False, -118.97)
    values = {"account_id": books.account("TRN")}
    assert target.call("account.move.line", "write", [suspense], values) is True
    assert standing(target, statement_line) == (True, 0.0)
    assert line_on(target, move, "TRN") == suspense
    assert lines(target, move)[suspense]["reconciled"] is False
    reconcile(target, suspense, line_on(target, in_transit(target, 118.97), "TRN"))
    assert lines(target, move)[suspense]["reconciled"] is True
    assert target.call("account.move.line", "write", [suspense], values) is True
    assert lines(target, move)[suspense]["reconciled"] is True


def test_undoing_makes_both_lines_anew_under_other_ids(target: Target, books: Books) -> None:
    statement_line, move = loaded(target, "50.00")
    before = lines(target, move)
    suspense = line_on(target, move, "SUS")
    target.call("account.move.line", "write", [suspense], {"account_id": books.account("TRN")})
    payout = in_transit(target, 50.0)
    reconcile(target, suspense, line_on(target, payout, "TRN"))
    assert target.call(MODEL, "action_undo_reconciliation", [statement_line]) is None
    after = lines(target, move)
    assert not before.keys() & after.keys()
    assert standing(target, statement_line) == (False, -50.0)
    assert after[line_on(target, move, "SUS")]["balance"] == -50.0
    assert lines(target, payout)[line_on(target, payout, "TRN")]["reconciled"] is False


def test_a_foreign_amount_is_carried_by_the_suspense_side(target: Target, books: Books) -> None:
    euro = books.currencies["EUR"]
    more = {"foreign_currency_id/.id": str(euro), "amount_currency": "50.00"}
    statement_line, move = loaded(target, "54.45", **more)
    suspense = lines(target, move)[line_on(target, move, "SUS")]
    assert (suspense["balance"], suspense["amount_currency"], suspense["currency_id"][0]) == (-54.45, -50.0, euro)
    assert standing(target, statement_line) == (False, -50.0)


def test_a_partner_and_an_account_may_be_written_in_one_call(target: Target, books: Books) -> None:
    _, move = loaded(target, "108.00")
    suspense, ada = line_on(target, move, "SUS"), books.partners["Ada Archer"]
    target.call("account.move.line", "write", [suspense], {"account_id": books.account("AR"), "partner_id": ada})
    written = lines(target, move)[suspense]
    assert (written["account_id"][0], written["partner_id"][0]) == (books.account("AR"), ada)


def test_a_look_up_after_a_refused_batch_gives_the_id_or_says_that_it_does_not_know(target: Target) -> None:
    """Odoo's cache of external ids outlives a rollback. What is in the database is told by `get_external_id`."""
    good = key(target, "good")
    bad = entry_rows(target, key(target, "bad"), "10.0", credit="9.0")
    assert load(target, entry_rows(target, good) + bad)["ids"] is False
    move = load(target, entry_rows(target, good))["ids"][0]
    post(target, move)
    for _ in range(6):
        found = target.call("ir.model.data", "check_object_reference", MODULE, good)
        assert found in (["account.move", move], ["account.move", False])
    assert target.call("account.move", "search", [["ref", "=", good]]) == [move]
    assert target.call("account.move", "get_external_id", [move]) == {str(move): f"{MODULE}.{good}"}
    assert load(target, entry_rows(target, good))["ids"] is False
