"""The tables as queues: races for what waits, and the indexes that serve it."""

from __future__ import annotations

import re
import threading
from dataclasses import replace

import pytest

from libs.access import EVERYTHING
from libs.events import CommercialDocument, DocumentReference, DocumentReferenceKind, Event
from services.ledger.domain.posting import Posting, PostingQuery
from services.ledger.domain.states import PostingState
from tests.ledger.events import capture, credit, order
from tests.ledger.world import World
from tests.storage.plans import plans_of


def test_a_follower_built_while_its_predecessor_is_being_posted_does_not_wait_for_ever(world: World) -> None:
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
        world.post()  # on PostgreSQL the builder's lock may have hidden the invoice from the first look
        (posting,) = world.postings(note)
        assert posting.state in (PostingState.READY, PostingState.POSTED), number
        world.post()


def test_two_workers_never_hold_the_same_posting(world: World) -> None:
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


def look(world: World, queue: str) -> None:
    """What the worker of a queue asks for when it looks for work."""
    with world.new_uow() as uow:
        if queue == "build":
            uow.events.claim_to_build(limit=10, owner="w", now=world.now, lease_seconds=60)
        elif queue == "post":
            uow.postings.companies_to_post()
            uow.postings.next_to_post("acme", world.now)
            uow.postings.claim_to_post("acme", limit=10, owner="w", now=world.now, lease_seconds=60)
        elif queue == "held":
            uow.postings.claim_held(limit=10, owner="w", now=world.now, lease_seconds=60)
        elif queue == "match":
            uow.matches.companies_due()
            uow.matches.claim("acme", limit=10, owner="w", now=world.now, lease_seconds=60)
        elif queue == "metrics":
            uow.trail.queues(world.now)
        elif queue == "trace":
            uow.trail.steps("1" * 32, EVERYTHING)
        else:
            uow.postings.page(PostingQuery("acme", reference="1001"), 10, None)


@pytest.mark.parametrize("queue", ["build", "post", "held", "match", "metrics", "trace", "reference"])
def test_no_look_for_what_waits_walks_over_a_whole_table(world: World, queue: str) -> None:
    """The statements themselves are asked for: SQLite takes a partial index only for the very words of its condition."""
    plans = plans_of(world.engine, lambda: look(world, queue))
    assert plans
    for plan in plans:
        for table in ("event", "posting", "applied_match", "event_reference"):
            assert not re.search(rf"SCAN {table}(;|$)|Seq Scan on {table} ", plan), plan


def order_and_credit(number: int) -> tuple[Event, Event]:
    """An order's invoice and a credit note that reverses it."""
    shop = f"sources/shopify/accounts/shop-1/events/{number}"
    invoice = replace(order(str(number)), name=f"{shop}-paid", object_id=f"o{number}")
    note = credit()
    assert isinstance(note.body, CommercialDocument)
    sale = DocumentReference(DocumentReferenceKind.CORRECTED, f"o{number}", str(number))
    body = replace(note.body, references=(sale,))
    return invoice, replace(note, name=f"{shop}-refund", object_id=f"r{number}", body=body)
