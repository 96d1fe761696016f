"""The rules of a supplier's bill: what it becomes, and what keeps it from becoming anything."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from libs.events import Collector, CommercialDocument, Event, LineKind, Party, TaxLine
from libs.money import Money
from services.ledger.domain.errors import Unbuildable
from services.ledger.domain.rules.purchase import number_parts, own_references
from tests.ledger.domain.books import documents_of, line, lines_of, order
from tests.ledger.posting.bills import DUE, ISSUED, SUPPLIER, bill, credit_note


def tax(amount: str, base: str | None = None, **more: Any) -> TaxLine:
    return TaxLine("VAT", "0.08", Money.parse("USD", amount), Money.parse("USD", base) if base else None, **more)


def taxed(*taxes: TaxLine, **more: Any) -> Event:
    """A bill of one line with these taxes."""
    return bill(lines=(replace(line("100.00"), taxes=taxes),), **more)


def test_a_bill_is_the_mirror_of_an_invoice() -> None:
    (built,) = documents_of(bill())
    document = built.document
    assert lines_of(document) == ["EXP 100.00 USD", "ITX 8.00 USD", "AP -108.00 USD"]
    assert (document.day, document.due, document.origin) == (ISSUED, DUE, "RE 2026/0001")
    assert document.effect == "acme_erp_main_b-2d1_bill"


def test_its_credit_note_corrects_it_and_bears_its_own_number() -> None:
    (built,) = documents_of(credit_note())
    assert lines_of(built.document) == ["EXP -20.00 USD", "ITX -1.60 USD", "AP 21.60 USD"]
    assert built.document.reverses == "acme_erp_main_b-2d1_bill"
    assert built.predecessors == (built.document.reverses,)
    assert built.document.origin == "GS 2026/0001"


@pytest.mark.parametrize(
    "event",
    [
        bill(),
        taxed(tax("8.00", "100.00"), taxes=(tax("8.00", "100.00", category="S"),)),
        taxed(tax("8.00", category="S"), taxes=(tax("8.00", "100.00", category="S"),)),
        taxed(tax("8.01"), total="108.01", tax="8.01", taxes=(tax("8.01"),)),
    ],
)
def test_taxes_that_follow_from_their_lines_pass(event: Event) -> None:
    assert documents_of(event)


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (taxed(tax("8.02"), total="108.02", tax="8.02"), "TAX_DIFFERS"),
        (taxed(tax("8.00", "99.00")), "TAX_BASE_DIFFERS"),
        (taxed(tax("8.00"), taxes=(tax("9.00"),)), "TAX_DIFFERS"),
        (taxed(tax("8.00"), taxes=(tax("8.00", "90.00"),)), "TAX_BASE_DIFFERS"),
        (taxed(tax("8.00", category="S"), taxes=(tax("8.00", category="AE"),)), "TAX_DIFFERS"),
        (taxed(tax("8.00", collector=Collector.BUYER)), "TAX_NOT_OURS"),
        (bill(number=""), "SUPPLIER_NUMBER_MISSING"),
        (bill(seller=Party("", "erp/main", "Somebody")), "SUPPLIER_UNKNOWN"),
        (bill(seller=replace(SUPPLIER, external_id="v-9")), "PARTY_UNKNOWN"),
        (bill(lines=(line("100.00", "8.00", kind=LineKind.GIFT_CARD),)), "LINE_KIND_UNSUPPORTED"),
        (bill(total="109.00"), "DOCUMENT_TOTAL_DIFFERS"),
    ],
)
def test_what_a_person_must_look_at(event: Event, reason: str) -> None:
    with pytest.raises(Unbuildable) as caught:
        documents_of(event)
    assert caught.value.case == reason


def test_a_bill_and_its_credit_notes_are_one_story_and_a_sale_says_itself_whose_it_is() -> None:
    assert own_references(bill()) == own_references(credit_note())
    assert own_references(bill("b-2")) != own_references(bill())
    sale = order((line("100.00", "8.00"),), "108.00", "8.00")
    assert isinstance(sale.body, CommercialDocument)
    assert own_references(sale) == ()


@pytest.mark.parametrize(
    ("number", "other", "same"),
    [
        ("RE 2026/0001", "re-2026-0001", True),
        ("RE2026-0001", "RE 2026 0001", True),
        ("1-23", "12-3", False),
        ("01", "1", False),
        ("RÉ 1", "ré 1", True),
        ("--", "//", False),
    ],
)
def test_numbers_that_people_read_as_one(number: str, other: str, same: bool) -> None:
    assert (number_parts(number) == number_parts(other)) is same
