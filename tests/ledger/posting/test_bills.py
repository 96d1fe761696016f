"""Suppliers' bills and their credit notes, in Odoo as they were meant, once, or in front of a person."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from libs.events import BankLine, Event
from services.ledger.domain.match import AppliedMatchState, AppliedMatchType
from services.ledger.domain.posting import Posting
from services.ledger.domain.states import PostingState, Reconciliation
from tests.ledger.domain.books import bank_line, line
from tests.ledger.posting.bills import bill, credit_note
from tests.ledger.posting.steps import apply, lock, retry, stored
from tests.ledger.posting.world import PostingWorld

MATCH = "companies/acme/matches/paid"
FIELDS = [
    "move_type", "state", "ref", "invoice_origin", "invoice_date", "date", "invoice_date_due", "amount_total",
    "amount_tax", "payment_state", "amount_residual", "reversed_entry_id", "partner_id", "journal_id",
]  # fmt: skip


def done(world: PostingWorld, *events: Event) -> list[Posting]:
    world.record(*events)
    world.work()
    return world.postings(*events)


def move(world: PostingWorld, posting: Posting) -> dict[str, Any]:
    (found,) = world.admin.execute("account.move", "read", [[posting.odoo_id], FIELDS])
    return dict(found)


def by_hand(world: PostingWorld, ref: str, partner: str = "Carla Costa") -> int:
    """A draft that somebody made in Odoo."""
    values = {
        "move_type": "in_invoice",
        "partner_id": world.masters.partners[partner],
        "ref": ref,
        "invoice_date": "2026-03-01",
        "invoice_line_ids": [[0, 0, {"name": "Mugs", "price_unit": 1.0, "tax_ids": [[6, 0, []]]}]],
    }
    return int(world.admin.execute("account.move", "create", [values]))


def test_a_bill_stands_in_odoo_as_its_supplier_sent_it(world: PostingWorld) -> None:
    (posting,) = done(world, bill())
    assert (posting.state, posting.effect, posting.open_roles) == (PostingState.POSTED, "bill", "AP")
    held = move(world, posting)
    assert (held["move_type"], held["state"], held["ref"]) == ("in_invoice", "posted", "RE 2026/0001")
    assert held["invoice_origin"] == posting.transaction_id
    assert (held["invoice_date"], held["date"], held["invoice_date_due"]) == ("2026-03-12", "2026-03-12", "2026-04-11")
    assert (held["amount_total"], held["amount_tax"]) == (108.0, 8.0)
    assert (held["partner_id"][1], held["journal_id"][0]) == ("Carla Costa", world.masters.journals["BILL"])
    assert world.balances() == {"AP": "-108.00", "EXP": "100.00", "TAX": "8.00"}


def test_its_credit_note_names_it_and_what_is_left_is_open(world: PostingWorld) -> None:
    owed, note = done(world, bill(), credit_note())
    assert {owed.state, note.state} == {PostingState.POSTED}
    held = move(world, note)
    assert (held["move_type"], held["ref"], held["reversed_entry_id"][0]) == (
        "in_refund", "GS 2026/0001", owed.odoo_id,
    )  # fmt: skip
    assert (move(world, owed)["payment_state"], move(world, owed)["amount_residual"]) == ("partial", 86.4)
    assert (owed.reconciliation, note.reconciliation) == (Reconciliation.PARTIAL, Reconciliation.FULL)
    assert world.balances() == {"AP": "-86.40", "EXP": "80.00", "TAX": "6.40"}


def test_a_credit_note_that_comes_first_waits_for_its_bill(world: PostingWorld) -> None:
    (note,) = done(world, credit_note())
    assert note.state is PostingState.HELD
    done(world, bill())
    assert {one.state for one in world.postings(bill(), credit_note())} == {PostingState.POSTED}


@pytest.mark.parametrize("ref", ["RE 2026/0001", "re-2026-0001", "RE2026.0001 "])
def test_a_number_that_the_supplier_has_used_is_a_case_before_anything_is_posted(world: PostingWorld, ref: str) -> None:
    other = by_hand(world, ref)
    (posting,) = done(world, bill())
    assert (posting.state, posting.reason) == (PostingState.EXCEPTION, "SUPPLIER_NUMBER_TAKEN")
    assert (world.reasons(), world.moves()) == (["SUPPLIER_NUMBER_TAKEN"], 1)
    retry(world, posting)
    world.work()
    assert world.postings(bill())[0].state is PostingState.EXCEPTION
    world.admin.execute("account.move", "unlink", [[other]])  # the person found that it was the same bill
    retry(world, posting)
    world.work()
    assert world.postings(bill())[0].state is PostingState.POSTED
    assert world.reasons() == []


@pytest.mark.parametrize(
    ("ref", "partner"),
    [("RE 2026/0001", "Bertil Berg"), ("RE 2026/00012", "Carla Costa"), ("RE 20260001", "Carla Costa")],
)
def test_another_suppliers_number_or_another_number_is_none_of_it(world: PostingWorld, ref: str, partner: str) -> None:
    by_hand(world, ref, partner)
    assert done(world, bill())[0].state is PostingState.POSTED


def test_of_two_bills_with_one_number_in_one_batch_one_is_posted(world: PostingWorld) -> None:
    both = done(world, bill("b-1"), bill("b-2", "re 2026 0001"), bill("b-3", "RE 2026/0003"))
    assert sorted(one.state.value for one in both) == ["exception", "posted", "posted"]
    assert world.reasons() == ["SUPPLIER_NUMBER_TAKEN"]


def test_a_bill_that_somebody_enters_while_ours_is_on_its_way_is_found_too(world: PostingWorld) -> None:
    world.odoo.meanwhile = {"account.move.search_read": lambda: by_hand(world, "RE 2026/0001")}
    (posting,) = done(world, bill())
    assert (posting.state, posting.reason, world.moves()) == (PostingState.EXCEPTION, "SUPPLIER_NUMBER_TAKEN", 1)


def test_a_draft_that_is_entered_after_ours_does_not_stop_it(world: PostingWorld) -> None:
    world.odoo.meanwhile = {"account.move.load": lambda: by_hand(world, "RE 2026/0001")}
    assert done(world, bill())[0].state is PostingState.POSTED


@pytest.mark.parametrize("method", ["load", "action_post"])
def test_a_lost_reply_is_looked_up_and_no_bill_is_posted_twice(world: PostingWorld, method: str) -> None:
    world.odoo.lose_once = {method}
    assert done(world, bill())[0].state is PostingState.POSTED
    assert (world.moves(), world.reasons()) == (1, [])


def test_a_locked_day_moves_the_accounting_date_alone(world: PostingWorld) -> None:
    lock(world)
    (posting,) = done(world, bill())
    held = move(world, posting)
    assert (held["invoice_date"], held["date"]) == ("2026-03-12", "2026-04-01")
    assert held["invoice_date_due"] == "2026-04-11"


def test_a_cent_of_tax_goes_to_rounding(world: PostingWorld) -> None:
    (posting,) = done(world, bill(lines=(line("100.00", "8.01"),), total="108.01", tax="8.01"))
    assert posting.state is PostingState.POSTED
    assert move(world, posting)["amount_total"] == 108.01
    assert world.balances()["RND"] == "0.01"


def test_a_bill_in_another_currency_is_carried_at_the_rate_of_its_issue(world: PostingWorld) -> None:
    (posting,) = done(world, bill(currency="EUR"))
    assert posting.state is PostingState.POSTED
    assert world.balances() == {"AP": "-118.80", "EXP": "110.00", "TAX": "8.80"}


def test_a_bill_of_a_supplier_that_nobody_mapped_is_a_case(world: PostingWorld) -> None:
    body = bill().body
    unknown = replace(bill(), body=replace(body, seller=replace(body.seller, external_id="v-9")))  # type: ignore[union-attr, arg-type, type-var]
    (posting,) = done(world, unknown)
    assert (posting.state, posting.reason) == (PostingState.EXCEPTION, "MAPPING_MISSING")


def paid(amount: str = "-108.00", remittance: str = "RE 2026/0001") -> Event:
    event = bank_line(amount)
    assert isinstance(event.body, BankLine)
    return replace(event, body=replace(event.body, remittance=remittance, booking_date=date(2026, 3, 20)))


def test_a_bank_line_closes_the_bill(world: PostingWorld) -> None:
    owed, at_bank = done(world, bill(), paid())
    apply(world, MATCH, at_bank, [owed], AppliedMatchType.BANK_INVOICE)
    world.work()
    assert stored(world, MATCH).state is AppliedMatchState.WRITTEN
    owed, at_bank = world.postings(bill(), paid())
    assert {owed.reconciliation, at_bank.reconciliation} == {Reconciliation.FULL}
    assert (move(world, owed)["payment_state"], move(world, owed)["amount_residual"]) == ("paid", 0.0)
    assert world.balances() == {"BANK": "-108.00", "EXP": "100.00", "TAX": "8.00"}
