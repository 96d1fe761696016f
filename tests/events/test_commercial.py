"""The commercial document: on the wire, in the store, under both versions of its digest, and what it refuses."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from libs.events import (
    Adjustment,
    AdjustmentKind,
    Attachment,
    Channel,
    Collector,
    CommercialDocument,
    Digest,
    Dimension,
    Direction,
    DocumentKind,
    DocumentLine,
    DocumentReference,
    DocumentReferenceKind,
    DocumentTotals,
    Event,
    EventInvalid,
    EventKind,
    ExternalId,
    LineKind,
    NumberIssuer,
    Party,
    Period,
    Provenance,
    TaxLine,
    Tender,
    TenderKind,
    event_from_json,
    event_to_json,
)
from libs.events.orders import as_order
from libs.money import Money
from libs.rpc.wire import from_event, to_event

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
STORED = json.loads(Path(__file__).with_name("stored").joinpath("orders.json").read_text())


def eur(text: str) -> Money:
    return Money.parse("EUR", text)


VAT = TaxLine("VAT", "0.19", eur("17.10"), eur("90.00"), "S", "DE", Collector.SELLER, "none")
SUPPLIER = Party("s-1", "erp/main", "Paper AG", "DE", "DE123", "ap@paper.example", "HRB 1", (ExternalId("9", "GLN"),))
WHOLE = CommercialDocument(
    kind=DocumentKind.INVOICE,
    direction=Direction.PURCHASE,
    number="R-77",
    lines=(
        DocumentLine(
            LineKind.SERVICE, "Printing", eur("100.00"), "4", "P1", (VAT,), "1", "C62", "25.00",
            (Adjustment(AdjustmentKind.ALLOWANCE, eur("5.00"), "bulk"),), Period(date(2026, 3, 1), date(2026, 3, 31)),
            "10", "20", (Dimension("cost_centre", "4711"),),
        ),
    ),
    totals=DocumentTotals(
        eur("107.10"), eur("17.10"), eur("100.00"), eur("12.00"), eur("2.00"), eur("90.00"), eur("7.00"), eur("0.10"),
        eur("100.20"),
    ),
    seller=SUPPLIER,
    buyer=replace(SUPPLIER, external_id="us"),
    number_issuer=NumberIssuer.SOURCE,
    issue_date=date(2026, 3, 10),
    due_date=date(2026, 4, 10),
    tax_point_date=date(2026, 3, 9),
    delivery_date=date(2026, 3, 8),
    period=Period(date(2026, 3, 1), None),
    payer=SUPPLIER,
    payee=SUPPLIER,
    adjustments=(
        Adjustment(AdjustmentKind.ALLOWANCE, eur("12.00"), "loyalty", (VAT,)),
        Adjustment(AdjustmentKind.CHARGE, eur("2.00"), "freight"),
    ),
    taxes=(VAT,),
    tenders=(Tender(TenderKind.BANK_TRANSFER, eur("100.20"), "RF18"),),
    payment_terms="30 days",
    references=(DocumentReference(DocumentReferenceKind.CONTRACT, "c-1", "C-1"),),
    attachments=(Attachment("ab" * 32, "application/pdf", "bill.pdf"),),
    note="thank you",
)  # fmt: skip


def event(body: CommercialDocument) -> Event:
    source = Provenance("erp", "main", "bill", "77", NOON, Channel.FILE)
    name = "sources/erp/accounts/main/events/77"
    return Event(name, EventKind.DOCUMENT, "acme", "77", NOON, body.totals.gross, body, source, "0" * 32)


def test_the_sample_states_every_field_there_is() -> None:
    for whole in (WHOLE, WHOLE.lines[0], WHOLE.totals, SUPPLIER, VAT, WHOLE.adjustments[0]):
        for field in fields(whole):
            assert getattr(whole, field.name) not in ("", None, ()), field.name


def test_every_field_survives_the_wire_and_the_store() -> None:
    assert to_event(from_event(event(WHOLE))) == event(WHOLE)
    assert event_from_json(event_to_json(event(WHOLE))) == event(WHOLE)


def test_what_is_not_stated_takes_no_room_in_the_store() -> None:
    sale = CommercialDocument.sold("1", Party("7", "shop/a"), WHOLE.lines[:0], eur("1.00"), eur("0.00"))
    assert json.loads(event_to_json(event(sale)))["body"] == {
        "kind": "invoice",
        "direction": "sale",
        "number": "1",
        "lines": [],
        "totals": {"gross": ["EUR", 100], "tax": ["EUR", 0]},
        "buyer": {"external_id": "7", "issuer": "shop/a"},
    }


@pytest.mark.parametrize("total", ["lines", "allowances", "charges", "net", "gross", "payable"])
def test_a_stated_total_follows_from_the_document(total: str) -> None:
    stated = getattr(WHOLE.totals, total)
    wrong: dict[str, Any] = {total: stated + eur("0.01")}
    with pytest.raises(EventInvalid) as refused:
        replace(WHOLE, totals=replace(WHOLE.totals, **wrong))
    assert refused.value.field in (f"document.totals.{total}", "document.totals.payable")


def test_a_document_in_two_currencies_is_refused() -> None:
    usd = replace(WHOLE.adjustments[1], amount=Money.parse("USD", "2.00"))
    with pytest.raises(EventInvalid):
        replace(WHOLE, adjustments=(WHOLE.adjustments[0], usd))
    with pytest.raises(EventInvalid):
        CommercialDocument.sold("1", SUPPLIER, (), eur("1.00"), Money.parse("USD", "0.00"))


def test_an_unknown_word_on_the_wire_is_refused_with_its_field() -> None:
    message = from_event(event(WHOLE))
    message.document.lines[0].kind = 77  # type: ignore[assignment]
    with pytest.raises(EventInvalid) as refused:
        to_event(message)
    assert refused.value.field == "document_line.kind"


@pytest.mark.parametrize("record", STORED, ids=["order", "refund"])
def test_an_order_stored_by_the_release_before_is_read_as_the_document_that_it_is(record: dict[str, Any]) -> None:
    read = event_from_json(json.dumps(record))
    assert read.kind is EventKind.DOCUMENT
    assert isinstance(read.body, CommercialDocument)
    assert read.body.totals.gross == read.amount
    assert event_from_json(event_to_json(read)) == read
    assert as_order(json.loads(event_to_json(read))) == {key: record[key] for key in record if key != "digest"} | {
        "provenance": {key: value for key, value in record["provenance"].items() if value != ""}
    }


@pytest.mark.parametrize("record", STORED, ids=["order", "refund"])
def test_a_digest_of_the_release_before_fits_the_document_and_no_other(record: dict[str, Any]) -> None:
    stored = Digest(record["digest"], 1)
    read = event_from_json(json.dumps(record))
    body = read.body
    assert isinstance(body, CommercialDocument)
    assert stored.fits(read)
    assert Digest.of(read).version == 2
    assert Digest.of(read).fits(read)
    other = read.amount + Money(read.amount.currency, 1)
    changed = replace(read, amount=other, body=replace(body, totals=replace(body.totals, gross=other)))
    assert not stored.fits(changed)
    turned = replace(body, direction=Direction.PURCHASE)
    assert not stored.fits(replace(read, body=turned))
    assert not Digest.of(read).fits(replace(read, body=turned))
