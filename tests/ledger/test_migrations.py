"""A newer version keeps what the tables hold."""

from __future__ import annotations

from dataclasses import replace

from libs.access import EVERYTHING
from libs.storage.sealer import Sealer
from services.ledger.handlers.decide_posting import PostingDecision, reject_posting
from services.ledger.storage import TABLES
from tests.ledger.posting.sales import capture, sale
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
