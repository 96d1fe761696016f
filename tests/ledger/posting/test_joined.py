"""Stories that a later message joins: what was posted apart is reconciled together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from libs.events import (
    BalanceTransaction,
    CommercialDocument,
    Event,
    EventKind,
    Evidence,
    Party,
    Reference,
    ReferenceKind,
)
from services.ledger.domain.states import PostingState
from tests.ledger.domain.books import line, money, refund
from tests.ledger.posting.sales import ORDER, sale
from tests.ledger.posting.world import PostingWorld

PAYMENT = Reference(ReferenceKind.PAYMENT, "pi_1")


def paid(*references: Reference) -> Event:
    return money(EventKind.CAPTURE, "108.00", txn="txn_1", customer="cus_ada", references=references)


def evidence(*references: Reference) -> Event:
    """A message that owns no effect and bears two references."""
    told = money(EventKind.CAPTURE, "108.00", txn="pi_1", references=references)
    assert isinstance(told.body, BalanceTransaction)
    return replace(told, kind=EventKind.EVIDENCE, body=Evidence("payment_intent.succeeded"))


@pytest.mark.parametrize("joining", [evidence(PAYMENT, *ORDER), paid(PAYMENT, *ORDER)], ids=["evidence", "a repeat"])
def test_an_invoice_and_its_payment_close_each_other_though_they_are_joined_after_both_are_posted(
    world: PostingWorld, joining: Event
) -> None:
    world.record(sale(), paid(PAYMENT))
    world.work(rounds=30)
    assert {one.effect: one.open_roles for one in world.postings(sale(), paid())} == {
        "invoice": "AR",
        "gross": "AR CLR",
    }
    world.record(joining)
    world.work(rounds=30)
    assert {one.effect: one.open_roles for one in world.postings(sale(), paid())} == {"invoice": "", "gross": "CLR"}


def test_a_refund_that_waits_for_its_order_is_built_as_soon_as_evidence_joins_them(world: PostingWorld) -> None:
    told = refund((line("20.00", "1.60"),), "21.60", "1.60")
    assert isinstance(told.body, CommercialDocument)
    nobody = replace(told, body=replace(told.body, buyer=Party("", "shopify/shop-1")), references=(PAYMENT,))
    world.record(sale(), nobody)
    world.work(rounds=20)
    assert world.postings(nobody) == []
    world.record(evidence(PAYMENT, *ORDER))
    world.builder.run_once()
    world.builder.run_once()
    (note,) = world.postings(nobody)
    assert note.state is PostingState.READY
