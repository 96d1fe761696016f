"""A newer version keeps what the tables hold."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import update

from libs.access import EVERYTHING
from libs.storage.sealer import Sealer
from libs.storage.verification import verify
from services.ledger.domain.event import RecordedEvent
from services.ledger.domain.states import PostingState
from services.ledger.handlers.decide_posting import PostingDecision, reject_posting
from services.ledger.storage import PROOFS, TABLES
from services.ledger.storage.tables import POSTING
from tests.ledger.posting.sales import capture, credit, sale
from tests.ledger.posting.world import PostingWorld
from tests.ledger.versions import go_back_and_forth
from tests.storage.fixtures import EngineFor

REQUEST = "6f2c1f62-4f5e-4f0a-9f1c-000000000001"


def test_stories_wait_and_answers_are_repeated_under_the_new_name_of_a_column(engine_for: EngineFor) -> None:
    world = PostingWorld(engine_for("services.ledger"))
    usual = world.masters.company()
    world.masters.company = lambda: replace(usual, approval_above=1)  # type: ignore[method-assign]
    (waiting,) = world.build(capture("txn_9", fee="0.00"))
    rejection = PostingDecision("acme", waiting.key, REQUEST, "people/ada", "not ours")
    answer = reject_posting(rejection, world.new_uow, world.clock)
    world.masters.company = lambda: usual  # type: ignore[method-assign]
    world.build(sale(), capture())
    while world.post_a_batch():
        pass
    Sealer(world.new_uow, TABLES).run_once()
    go_back_and_forth(world.engine, "0004_stories_are_reconciled")
    with world.reading() as uow:
        changes = uow.changes.after("acme", EVERYTHING, 0, 100)
    assert {waiting.key, *(one.key for one in world.postings(sale(), capture()))} == {c.posting.key for c in changes}
    assert reject_posting(rejection, world.new_uow, world.clock) == answer
    assert world.reconciler.run_once() == 1
    assert {one.open_roles for one in world.postings(sale(), capture())} == {"", "CLR"}


def test_answers_are_repeated_without_the_posting_s_column(engine_for: EngineFor) -> None:
    world = PostingWorld(engine_for("services.ledger"))
    usual = world.masters.company()
    world.masters.company = lambda: replace(usual, approval_above=1)  # type: ignore[method-assign]
    (waiting,) = world.build(capture("txn_9", fee="0.00"))
    rejection = PostingDecision("acme", waiting.key, REQUEST, "people/ada", "not ours")
    answer = reject_posting(rejection, world.new_uow, world.clock)
    go_back_and_forth(world.engine, "0006_requests_as_in_all_services")
    assert reject_posting(rejection, world.new_uow, world.clock) == answer


def test_an_order_in_flight_is_built_once_and_its_repeat_stays_a_duplicate(engine_for: EngineFor) -> None:
    """Before version 8 a sale was an order with a digest of version 1; a release that knows documents takes it over."""
    world = PostingWorld(engine_for("services.ledger"))
    world.record(sale(), credit())
    go_back_and_forth(world.engine, "0008_orders_are_documents")
    with world.reading() as uow:
        assert [uow.events.get(event.name, EVERYTHING).digest.version for event in (sale(), credit())] == [1, 1]
    assert [isinstance(again, RecordedEvent) and again.duplicate for again in world.record(sale(), credit())] == [
        True,
        True,
    ]
    world.work()
    (invoice,), (note,) = world.postings(sale()), world.postings(credit())
    assert (invoice.state, note.state) == (PostingState.POSTED, PostingState.POSTED)
    go_back_and_forth(world.engine, "0008_orders_are_documents")
    assert [isinstance(again, RecordedEvent) and again.duplicate for again in world.record(sale(), credit())] == [
        True,
        True,
    ]
    world.work()
    assert world.postings(sale(), credit()) == [invoice, note]


def test_what_stands_in_an_older_database_is_proved_from_then_on(engine_for: EngineFor) -> None:
    world = PostingWorld(engine_for("services.ledger"))
    world.build(sale(), capture(), credit())
    while world.post_a_batch():
        pass
    with world.engine.begin() as connection:  # as a release that knew no digests left it
        connection.execute(update(TABLES.audit_entry).values(row_digest=""))
    go_back_and_forth(world.engine, "0009_rows_that_prove_themselves")
    sealer = Sealer(world.new_uow, TABLES)
    while sealer.run_once():
        pass
    with world.engine.begin() as connection:
        connection.execute(update(POSTING).where(POSTING.c.effect == "gross").values(minor_units=1))
    with world.reading() as uow:
        found = verify(uow.connection, PROOFS)
        postings = [posting.name for posting in world.postings(capture()) if posting.effect == "gross"]
    changed = [f"{name}: the row is not the one of its last audit entry" for name in postings]
    assert changed
    assert [fault for fault in found.faults if "entry" not in fault.partition(": ")[2][:5]] == changed
