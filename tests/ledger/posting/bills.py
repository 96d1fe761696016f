"""A supplier's bill and what becomes of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from libs.events import (
    CommercialDocument,
    Direction,
    DocumentKind,
    DocumentLine,
    DocumentReference,
    DocumentReferenceKind,
    DocumentTotals,
    Event,
    EventKind,
    Party,
    TaxLine,
    event_name,
)
from libs.money import Money
from tests.ledger.domain.books import NOON, line, order

ACCOUNT = ("erp", "main")
SUPPLIER = Party("v-1", "erp/main", "Carla Costa")
ISSUED, DUE = date(2026, 3, 12), date(2026, 4, 11)


def bill(
    object_id: str = "b-1",
    number: str = "RE 2026/0001",
    lines: tuple[DocumentLine, ...] = (),
    total: str = "108.00",
    tax: str = "8.00",
    *,
    currency: str = "USD",
    seller: Party = SUPPLIER,
    kind: DocumentKind = DocumentKind.INVOICE,
    references: tuple[DocumentReference, ...] = (),
    taxes: tuple[TaxLine, ...] = (),
    issued: date = ISSUED,
) -> Event:
    provider, account = ACCOUNT
    body = CommercialDocument(
        kind=kind,
        direction=Direction.PURCHASE,
        number=number,
        lines=lines or (line("100.00", "8.00", currency=currency),),
        totals=DocumentTotals(Money.parse(currency, total), Money.parse(currency, tax)),
        seller=seller,
        issue_date=issued,
        due_date=DUE,
        taxes=taxes,
        references=references,
    )
    base = order((line("1.00"),), "1.00", "0.00")
    source = replace(base.provenance, source_system=provider, source_account=account, source_id=object_id)
    return replace(
        base,
        name=event_name(provider, account, object_id),
        kind=EventKind.DOCUMENT,
        object_id=object_id,
        effective_at=NOON,
        amount=body.totals.gross,
        body=body,
        provenance=source,
        transaction_id="",
        references=(),
    )


def credit_note(object_id: str = "c-1", of: str = "b-1", number: str = "GS 2026/0001") -> Event:
    corrected = DocumentReference(DocumentReferenceKind.CORRECTED, of, "RE 2026/0001")
    lines = (line("20.00", "1.60"),)
    return bill(object_id, number, lines, "21.60", "1.60", kind=DocumentKind.CREDIT_NOTE, references=(corrected,))
