"""A sale and what becomes of it, all of order 1001."""

from __future__ import annotations

from dataclasses import replace

from libs.events import Event, EventKind, Reference, ReferenceKind
from services.ledger.domain.posting import Posting
from services.ledger.domain.states import PostingState
from tests.ledger.domain.books import line, money, order, refund
from tests.ledger.posting.world import PostingWorld

ORDER = (Reference(ReferenceKind.ORDER, "1001"),)


def sale() -> Event:
    return order((line("100.00", "8.00"),), "108.00", "8.00")


def capture(txn: str = "txn_1", gross: str = "108.00", fee: str = "3.43", **more: object) -> Event:
    return money(EventKind.CAPTURE, gross, fee, txn=txn, references=ORDER, customer="cus_ada", **more)  # type: ignore[arg-type]


def credit() -> Event:
    return replace(refund((line("20.00", "1.60"),), "21.60", "1.60"), references=ORDER)


def money_back() -> Event:
    return money(EventKind.REFUND, "-21.60", txn="txn_2", references=ORDER, customer="cus_ada")


def posted(world: PostingWorld, *events: Event) -> dict[str, Posting]:
    """Postings by effect; all of them must be POSTED."""
    found = {one.effect: one for one in world.postings(*events)}
    assert {one.state for one in found.values()} == {PostingState.POSTED}
    return found
