"""A supplier's bill, its credit note and the payment of a second one: the same on the live server and on the sandbox."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from libs.access import EVERYTHING
from libs.events import BankLine, Event, EventKind
from libs.money import Money
from libs.odoo.port import Odoo
from libs.storage.engine import open_engine
from libs.storage.migrate import upgrade
from services.ledger.assembly import Ledger
from services.ledger.domain import master
from services.ledger.domain.match import AppliedMatch, AppliedMatchType
from services.ledger.domain.posting import Posting
from services.ledger.domain.states import PostingState, Reconciliation
from services.ledger.handlers.apply_match import apply_match
from tests.bench.ledgers import Clock, Masters, ledger_over, record
from tests.ledger.domain.books import bank_line
from tests.ledger.posting.bills import bill, credit_note
from tests.live.places import Place

ISSUED = date(2026, 3, 12)
FIELDS = [
    *("move_type", "state", "ref", "invoice_origin", "invoice_date", "date", "invoice_date_due", "amount_tax"),
    *("amount_total", "amount_residual", "payment_state", "reversed_entry_id", "partner_id"),
]


class Suppliers(Masters):
    """Every bill is of one supplier, made for this run: a live database keeps the numbers of earlier ones."""

    def __init__(self, admin: Odoo, supplier: int) -> None:
        super().__init__(admin)
        self._supplier = supplier

    def _party(self, word: master.PartyWord) -> master.PostingParty:
        return master.PostingParty(f"companies/acme/parties/{self._supplier}", self._supplier, self._supplier)


def test_bills_are_posted_corrected_and_paid_and_a_number_is_used_once(place: Place, tmp_path: Path) -> None:
    run = uuid.uuid4().hex[:12]
    admin = place.admin
    supplier = int(admin.execute("res.partner", "create", [{"name": f"Supplier {run}", "is_company": True}]))
    engine = open_engine(f"sqlite:///{tmp_path / 'ledger.db'}", "ledger")
    upgrade(engine, "services.ledger")
    clock = Clock()
    ledger = ledger_over(
        engine, Suppliers(admin, supplier), place.sign_in(place.url), clock, installation=f"bills{run}"
    )
    by_hand = {
        "move_type": "in_invoice",
        "partner_id": supplier,
        "ref": "re 2026-0003",
        "invoice_date": "2026-03-01",
        "invoice_line_ids": [[0, 0, {"name": "Mugs", "price_unit": 1.0, "tax_ids": [[6, 0, []]]}]],
    }
    admin.execute("account.move", "create", [by_hand])
    owed, note = bill("b-1", "RE 2026/0001"), credit_note("c-1")
    second, twice = bill("b-2", "RE 2026/0002"), bill("b-3", "RE-2026/0003")
    in_euro = bill("b-4", "RE 2026/0004", currency="EUR")
    paid = payment("-108.00", f"RE 2026/0002 {run}")
    record(ledger, clock, [owed, note, second, twice, in_euro, paid])
    work(ledger, clock)
    held = {event.object_id: postings(ledger, event) for event in (owed, note, second, twice, in_euro, paid)}
    assert {key: one.state for key, one in held.items() if key != "b-3"} == {
        key: PostingState.POSTED for key in held if key != "b-3"
    }
    assert (held["b-3"].state, held["b-3"].reason) == (PostingState.EXCEPTION, "SUPPLIER_NUMBER_TAKEN")
    assert bills_of(admin, supplier, "re 2026-0003") == 1
    match = AppliedMatch(
        name=f"companies/acme/matches/{run}",
        company="acme",
        type=AppliedMatchType.BANK_INVOICE,
        anchor=held[paid.object_id].key,
        members=(held["b-2"].key,),
        rule_revision="r1",
        traceparent="",
        applied_by="recon",
        created_at=clock(),
        available_at=clock(),
    )
    apply_match(match, ledger.new_uow)
    work(ledger, clock)
    after = {event.object_id: postings(ledger, event) for event in (owed, note, second, paid)}
    first, corrected, closed = (read(admin, after[key]) for key in ("b-1", "c-1", "b-2"))
    assert (first["move_type"], first["ref"], first["invoice_origin"]) == (
        "in_invoice",
        "RE 2026/0001",
        held["b-1"].transaction_id,
    )
    dates = (first["invoice_date"], first["date"], first["invoice_date_due"])
    assert dates == ("2026-03-12", "2026-03-12", "2026-04-11")
    assert (first["amount_tax"], first["payment_state"], first["amount_residual"]) == (8.0, "partial", 86.4)
    assert (corrected["move_type"], corrected["reversed_entry_id"][0]) == ("in_refund", held["b-1"].odoo_id)
    assert (after["b-1"].reconciliation, after["c-1"].reconciliation) == (Reconciliation.PARTIAL, Reconciliation.FULL)
    assert (closed["payment_state"], closed["amount_residual"]) == ("paid", 0.0)
    assert after[paid.object_id].reconciliation is Reconciliation.FULL
    engine.dispose()


def payment(amount: str, words: str) -> Event:
    event = bank_line(amount)
    assert isinstance(event.body, BankLine)
    body = replace(event.body, remittance=words, booking_date=ISSUED + timedelta(days=8))
    return replace(event, kind=EventKind.BANK_LINE, body=body, amount=Money.parse("USD", amount), transaction_id="")


def work(ledger: Ledger, clock: Clock) -> None:
    """Until nothing is left to do, over every pause."""
    workers = ledger.workers()
    for _ in range(12):
        for name in ("build", "post", "reconcile", "match"):
            workers[name]()
        clock.now += timedelta(minutes=1)


def postings(ledger: Ledger, event: Event) -> Posting:
    with ledger.new_uow(read_only=True) as uow:
        (found,) = uow.postings.of_events([event.name])[event.name]
        assert uow.events.get(event.name, EVERYTHING)
    return found


def read(admin: Odoo, posting: Posting) -> dict[str, Any]:
    (found,) = admin.execute("account.move", "read", [[posting.odoo_id], FIELDS])
    return dict(found)


def bills_of(admin: Odoo, supplier: int, ref: str) -> int:
    domain = [["partner_id", "=", supplier], ["ref", "=", ref]]
    return int(admin.execute("account.move", "search_count", [domain]))
