"""The ledger's rows prove themselves: whatever is changed past the service is named."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from libs.storage.sealer import Sealer
from services.ledger.domain.master import FeeWord
from services.ledger.domain.match import AppliedMatch, AppliedMatchType
from services.ledger.domain.view import DocumentView
from services.ledger.handlers.apply_match import apply_match
from services.ledger.storage import PROOFS, TABLES
from tests.ledger.events import CHARGE, ORDER, capture, credit, evidence, order
from tests.ledger.world import World
from tests.storage.edits import unseen, unwitnessed


def lived(world: World) -> World:
    """A ledger with rows of every kind, all sealed."""
    world.build(order(), capture(references=(CHARGE, ORDER)), credit(ORDER))
    world.build(evidence("evt_1", CHARGE, ORDER))
    world.record(replace(capture(references=(CHARGE, ORDER)), transaction_id="1" * 32))
    world.post()
    world.masterdata.unknown.add(FeeWord)
    world.build(capture("txn_2"))
    first, second = world.postings(order(), capture(references=(CHARGE, ORDER)))[:2]
    match = AppliedMatch(
        name="companies/acme/matches/m1",
        company="acme",
        type=AppliedMatchType.BANK_INVOICE,
        anchor=first.key,
        members=(second.key,),
        rule_revision="r1",
        traceparent="",
        applied_by="recon",
        created_at=world.now,
        available_at=world.now,
    )
    apply_match(match, world.new_uow)
    with world.new_uow() as uow:
        found = DocumentView(17, 17, "posted", "EXCH/1", date(2026, 3, 15), 1, ())
        uow.exchange_entries.add("acme", match.name, [found], world.now)
        uow.commit()
    sealer = Sealer(world.new_uow, TABLES)
    while sealer.run_once():
        pass
    return world


def test_every_table_and_column_is_declared() -> None:
    assert PROOFS.undeclared() == []


def test_every_edit_by_sql_is_named_with_its_row(world: World) -> None:
    tried, missed = unseen(lived(world).engine, PROOFS)
    assert missed == []
    assert tried > 100, tried


def test_what_is_made_anew_after_an_edit_shows_against_a_witness_alone(world: World) -> None:
    assert unwitnessed(lived(world).engine, PROOFS) == []
