"""Events as the gateway tells them, before they have a transaction id."""

from __future__ import annotations

from dataclasses import replace

from libs.events import Event, EventKind, Evidence, Reference, ReferenceKind
from tests.ledger.domain import books
from tests.ledger.domain.books import money

ORDER = Reference(ReferenceKind.ORDER, "1001")
CHARGE = Reference(ReferenceKind.PAYMENT, "ch_1")


def capture(txn: str = "txn_1", gross: str = "108.00", **more: object) -> Event:
    return replace(money(EventKind.CAPTURE, gross, "3.43", txn=txn), transaction_id="", **more)  # type: ignore[arg-type]


def evidence(name: str, *references: Reference) -> Event:
    event = capture()
    return replace(
        event,
        name=f"sources/stripe/accounts/acct_1/events/{name}",
        kind=EventKind.EVIDENCE,
        body=Evidence("charge.updated"),
        references=references,
    )


def order(number: str = "1001") -> Event:
    return replace(books.order((books.line("100.00", "8.00"),), "108.00", "8.00", number=number), transaction_id="")


def credit(*references: Reference) -> Event:
    event = books.refund((books.line("20.00", "1.60"),), "21.60", "1.60")
    return replace(event, transaction_id="", references=references)
