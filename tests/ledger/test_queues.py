"""The tables as queues: races for what waits, and the indexes that serve it."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from sqlalchemy import text

from libs.events import Event, OrderRefund
from services.ledger.domain.posting import Posting
from services.ledger.domain.states import PostingState
from tests.ledger.test_build import credit, order
from tests.ledger.test_record_events import capture
from tests.ledger.world import World, world  # noqa: F401
from tests.storage.fixtures import engine_for  # noqa: F401


def test_a_follower_built_while_its_predecessor_is_being_posted_does_not_wait_for_ever(world: World) -> None:  # noqa: F811
    """Both look at each other before either has committed; the lock on the predecessor orders them."""
    for number in range(10):
        invoice, note = order_and_credit(number)
        world.build(invoice)
        world.record(note)
        builder = world.new_builder(f"builder-{number}")
        threads = [threading.Thread(target=builder.run_once), threading.Thread(target=world.post)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        (posting,) = world.postings(note)
        assert posting.state is PostingState.READY, number
        world.post()


def test_two_workers_never_hold_the_same_posting(world: World) -> None:  # noqa: F811
    world.build(*(capture(f"txn_{number}") for number in range(20)))
    taken: list[list[Posting]] = []

    def take(owner: str) -> None:
        with world.new_uow() as uow:
            taken.append(uow.postings.claim_to_post("acme", limit=15, owner=owner, now=world.now, lease_seconds=60))
            uow.commit()

    threads = [threading.Thread(target=take, args=(f"poster-{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    keys = [one.key for batch in taken for one in batch]
    assert len(keys) == len(set(keys)) == 40


@pytest.mark.parametrize(
    ("index", "query"),
    [
        ("ix_event_build", "SELECT name FROM event WHERE build_due = 1 ORDER BY available_at, name LIMIT 10"),
        (
            "ix_posting_due",
            "SELECT key FROM posting WHERE state IN ('ready', 'unknown', 'posting') AND parked = 0"
            " AND company = 'acme' ORDER BY lane, available_at, key LIMIT 10",
        ),
        ("ix_posting_held", "SELECT key FROM posting WHERE state IN ('held') ORDER BY available_at, key LIMIT 10"),
        (
            "ix_applied_match_due",
            "SELECT name FROM applied_match WHERE state IN ('pending') AND parked = 0 AND company = 'acme'"
            " ORDER BY available_at, name LIMIT 10",
        ),
    ],
)
def test_what_waits_is_found_by_its_partial_index(world: World, index: str, query: str) -> None:  # noqa: F811
    with world.engine.connect() as connection:
        sqlite = connection.dialect.name == "sqlite"
        if not sqlite:
            connection.execute(text("SET LOCAL enable_seqscan = off"))
        plan = "\n".join(map(str, connection.execute(text(f"EXPLAIN {'QUERY PLAN ' if sqlite else ''}{query}"))))
    assert index in plan
    assert "TEMP B-TREE" not in plan
    assert "Sort" not in plan


def order_and_credit(number: int) -> tuple[Event, Event]:
    """An order's invoice and a credit note that reverses it."""
    shop = f"sources/shopify/accounts/shop-1/events/{number}"
    invoice = replace(order(str(number)), name=f"{shop}-paid", object_id=f"o{number}")
    note = credit()
    assert isinstance(note.body, OrderRefund)
    body = replace(note.body, order_id=f"o{number}", order_number=str(number))
    return invoice, replace(note, name=f"{shop}-refund", object_id=f"r{number}", body=body)
