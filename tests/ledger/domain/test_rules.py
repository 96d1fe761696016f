"""The posting table of the accounting reference, row by row."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from libs.errors import ConcordError
from libs.events import BankLine, Event, EventKind, LineKind, Reference, ReferenceKind
from libs.money import Money
from services.ledger.domain.document import Document, content_digest, document_from_json, document_to_json
from services.ledger.domain.document_type import DocumentType
from services.ledger.domain.errors import Unbuildable
from services.ledger.domain.master import PartyWord
from services.ledger.domain.rules.books import PredecessorMissing
from services.ledger.domain.rules.money import RULES, receivable_moved
from services.ledger.domain.story import Context
from tests.ledger.domain.books import (
    ADA,
    GUEST,
    NOBODY,
    bank_line,
    dispute_lost,
    documents_of,
    line,
    lines_of,
    money,
    order,
    refund,
)

EUR50 = Money("EUR", 5000)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (money(EventKind.CAPTURE, "108.00", "3.43"), [["CLR 108.00 USD", "AR -108.00 USD"], ["FEE 3.43 USD", "CLR -3.43 USD"]]),
        (money(EventKind.CAPTURE, "54.45", "1.90", presentment=EUR50),
         [["CLR 54.45 USD", "AR -50.00 EUR = -54.45 USD"], ["FEE 1.90 USD", "CLR -1.90 USD"]]),
        (money(EventKind.REFUND, "-21.60"), [["CLR -21.60 USD", "AR 21.60 USD"]]),
        (money(EventKind.REFUND, "-21.60", "-0.50"), [["CLR -21.60 USD", "AR 21.60 USD"], ["FEE -0.50 USD", "CLR 0.50 USD"]]),
        (money(EventKind.REFUND_FAILED, "21.60"), [["CLR 21.60 USD", "AR -21.60 USD"]]),
        (money(EventKind.DISPUTE_WITHDRAWN, "-43.20", "15.00"),
         [["CLR -43.20 USD", "DSP 43.20 USD"], ["DFE 15.00 USD", "CLR -15.00 USD"]]),
        (money(EventKind.DISPUTE_REINSTATED, "43.20", "-15.00"),
         [["CLR 43.20 USD", "DSP -43.20 USD"], ["DFE -15.00 USD", "CLR 15.00 USD"]]),
        (money(EventKind.FEE, "-2.00"), [["FEE 2.00 USD", "CLR -2.00 USD"]]),
        (money(EventKind.FEE_RETURNED, "2.00"), [["FEE -2.00 USD", "CLR 2.00 USD"]]),
        (money(EventKind.RESERVE_HELD, "-10.00"), [["CLR -10.00 USD", "RSV 10.00 USD"]]),
        (money(EventKind.RESERVE_RELEASED, "10.00"), [["CLR 10.00 USD", "RSV -10.00 USD"]]),
        (money(EventKind.PAYOUT, "-118.97"), [["CLR -118.97 USD", "TRN 118.97 USD"]]),
        (money(EventKind.PAYOUT_RETURNED, "118.97"), [["CLR 118.97 USD", "TRN -118.97 USD"]]),
        (money(EventKind.ADJUSTMENT, "-1.00"), [["CLR -1.00 USD", "UNX 1.00 USD"]]),
        (money(EventKind.CAPTURE, "50.00", "1.00", currency="EUR"),
         [["CLR 50.00 EUR = 55.00 USD", "AR -50.00 EUR = -55.00 USD"], ["FEE 1.00 EUR = 1.10 USD", "CLR -1.00 EUR = -1.10 USD"]]),
        (bank_line("118.97"), [["BNK 118.97 USD", "SUS -118.97 USD"]]),
        (bank_line("-5.00"), [["BNK -5.00 USD", "SUS 5.00 USD"]]),
        (order((line("100.00", "8.00"),), "108.00", "8.00"), [["REV -100.00 USD", "TAX -8.00 USD", "AR 108.00 USD"]]),
        (order((line("50.00", currency="EUR"),), "50.00", "0.00", currency="EUR"),
         [["REV -50.00 EUR = -55.00 USD", "AR 50.00 EUR = 55.00 USD"]]),
        (order((line("100.00", "8.00"), line("5.00", kind=LineKind.SHIPPING)), "113.00", "8.00"),
         [["REV -100.00 USD", "SHP -5.00 USD", "TAX -8.00 USD", "AR 113.00 USD"]]),
        (order((line("25.00", kind=LineKind.GIFT_CARD),), "25.00", "0.00"), [["GCL -25.00 USD", "AR 25.00 USD"]]),
        (refund((line("20.00", "1.60"),), "21.60", "1.60"), [["RET 20.00 USD", "TAX 1.60 USD", "AR -21.60 USD"]]),
    ],
    ids=str,
)  # fmt: skip
def test_each_event_has_its_effects(event: Event, expected: list[list[str]]) -> None:
    assert [lines_of(built.document) for built in documents_of(event)] == expected


@pytest.mark.parametrize(
    ("words", "label"),
    [
        ({"remittance": "Contribution 2026"}, "Contribution 2026"),
        ({"remittance": "Contribution 2026", "notes": "returned AM04"}, "Contribution 2026 (returned AM04)"),
        ({}, "Stripe"),
        ({"counterparty_name": ""}, "F43-1"),  # the bank's reference, never a fingerprint
    ],
)
def test_a_bank_lines_label_is_what_a_person_would_write(words: dict[str, str], label: str) -> None:
    event = bank_line("5.00")
    assert isinstance(event.body, BankLine)
    given = {"remittance": "", "notes": "", "counterparty_name": "Stripe"} | words
    body = replace(
        event.body,
        remittance=given["remittance"],
        notes=given["notes"],
        counterparty_name=given["counterparty_name"],
    )
    event = replace(event, body=body, references=(Reference(ReferenceKind.SERVICER, "F43-1"),))
    (built,) = documents_of(event)
    assert {line.label for line in built.document.entry.lines} == {label}


def test_every_kind_of_provider_money_has_a_rule() -> None:
    outside = {
        EventKind.DOCUMENT,
        EventKind.DOCUMENT,
        EventKind.BANK_LINE,
        EventKind.EVIDENCE,
        EventKind.DISPUTE_LOST,
    }
    assert set(RULES) == set(EventKind) - outside


def test_a_capture_takes_the_carrying_balance_of_its_invoice_and_the_gap_goes_to_exchange() -> None:
    (invoice,) = documents_of(order((line("50.00", currency="EUR"),), "50.00", "0.00", currency="EUR"))
    capture = money(EventKind.CAPTURE, "54.45", presentment=EUR50)
    (built,) = documents_of(capture, Context(documents=(invoice.document,)))
    assert lines_of(built.document) == ["CLR 54.45 USD", "AR -50.00 EUR = -55.00 USD", "FXD 0.55 USD"]
    assert built.document.entry.converts


def test_partial_captures_share_the_carrying_balance_and_the_last_takes_the_last_cent() -> None:
    (invoice,) = documents_of(order((line("33.33", currency="EUR"),), "33.33", "0.00", currency="EUR"))
    story = [invoice.document]
    for part in ("11.11", "11.11", "11.11"):
        capture = money(EventKind.CAPTURE, "12.00", presentment=Money.parse("EUR", part), txn=f"txn_{len(story)}")
        (built,) = documents_of(capture, Context(documents=tuple(story)))
        story.append(built.document)
    receivable = [one for document in story for one in document.entry.lines if one.role == "AR"]
    assert sum(one.amount.minor_units for one in receivable) == 0
    assert sum(one.balance.minor_units for one in receivable) == 0


@pytest.mark.parametrize(
    ("kinds", "doubts"),
    [
        ("invoice capture", ["", ""]),
        ("invoice part part", ["", "", ""]),
        ("invoice capture capture", ["", "", "SECOND_PAYMENT"]),
        ("capture capture invoice", ["", "", "SECOND_PAYMENT"]),
        ("invoice capture refund capture", ["", "", "", ""]),  # the first was given back
        ("invoice capture refund failed", ["", "", "", ""]),
        ("capture capture", ["", ""]),  # nobody knows yet what was bought
    ],
)
def test_a_payment_beyond_what_was_invoiced_posts_and_leaves_a_doubt(kinds: str, doubts: list[str]) -> None:
    makers = {
        "invoice": lambda txn: order((line("100.00"),), "100.00", "0.00"),
        "capture": lambda txn: money(EventKind.CAPTURE, "100.00", txn=txn),
        "part": lambda txn: money(EventKind.CAPTURE, "50.00", txn=txn),
        "refund": lambda txn: money(EventKind.REFUND, "-100.00", txn=txn),
        "failed": lambda txn: money(EventKind.REFUND_FAILED, "100.00", txn=txn),
    }
    story: list[Document] = []
    found = []
    for number, kind in enumerate(kinds.split()):
        (built,) = documents_of(makers[kind](f"txn_{number}"), Context(documents=tuple(story)))
        story.append(built.document)
        found.append(built.doubt)
    assert found == doubts


def test_what_exceeds_the_open_receivable_is_carried_at_its_own_rate() -> None:
    (invoice,) = documents_of(order((line("50.00", currency="EUR"),), "50.00", "0.00", currency="EUR"))
    capture = money(EventKind.CAPTURE, "120.00", presentment=Money("EUR", 10000))
    (built,) = documents_of(capture, Context(documents=(invoice.document,)))
    assert lines_of(built.document) == ["CLR 120.00 USD", "AR -100.00 EUR = -115.00 USD", "FXD -5.00 USD"]


@pytest.mark.parametrize(
    ("own", "named", "expected"),
    [("cus_ada", None, ADA), ("cus_x", "77", ADA), ("", "77", ADA), ("", "guest-9", GUEST), ("cus_x", None, NOBODY)],
)
def test_the_receivable_bears_the_orders_customer_or_the_sources_own_or_the_unidentified(
    own: str, named: str | None, expected: object
) -> None:
    context = Context(customer=PartyWord("shopify/shop-1", named) if named else None)
    (built,) = documents_of(money(EventKind.CAPTURE, "10.00", customer=own), context)
    assert built.document.party == expected


def test_a_receivable_moves_to_the_customer_once_known() -> None:
    (built,) = documents_of(money(EventKind.CAPTURE, "10.00"))
    moved = receivable_moved(built.document, ADA)
    assert moved is not None
    assert [(one.party, str(one.amount)) for one in moved.entry.lines] == [(NOBODY, "10.00 USD"), (ADA, "-10.00 USD")]
    assert moved.effect.endswith("_party")
    (known,) = documents_of(money(EventKind.CAPTURE, "10.00", customer="cus_ada"))
    assert receivable_moved(known.document, ADA) is None


def test_a_credit_note_waits_for_its_invoice() -> None:
    (built,) = documents_of(refund((line("20.00", "1.60"),), "21.60", "1.60"))
    assert built.document.type is DocumentType.CUSTOMER_CREDIT_NOTE
    assert built.predecessors == ("acme_shopify_shop-2d1_5_invoice",) == (built.document.reverses,)


def test_a_lost_dispute_writes_off_what_the_withdrawal_carries_and_waits_for_it() -> None:
    with pytest.raises(PredecessorMissing):
        documents_of(dispute_lost())
    withdrawn = documents_of(money(EventKind.DISPUTE_WITHDRAWN, "-43.20", "15.00"))[0]
    (built,) = documents_of(dispute_lost(), Context(documents=(withdrawn.document,)))
    assert lines_of(built.document) == ["CBL 43.20 USD", "DSP -43.20 USD"]
    assert built.predecessors == (withdrawn.document.effect,)


def test_of_two_disputes_about_one_order_the_lost_one_alone_is_written_off() -> None:
    first, second = (Reference(ReferenceKind.DISPUTE, f"dp_{number}") for number in (1, 2))
    story = [
        documents_of(money(EventKind.DISPUTE_WITHDRAWN, gross, txn=f"txn{gross}", references=(about,)))[0].document
        for gross, about in (("-43.20", first), ("-20.00", second))
    ]
    (built,) = documents_of(replace(dispute_lost(), references=(first,)), Context(documents=tuple(story)))
    assert lines_of(built.document) == ["CBL 43.20 USD", "DSP -43.20 USD"]
    assert built.predecessors == (story[0].effect,)
    story.append(built.document)
    other = replace(dispute_lost(), object_id="dp_2", references=(second,))
    (built,) = documents_of(other, Context(documents=tuple(story)))
    assert lines_of(built.document) == ["CBL 20.00 USD", "DSP -20.00 USD"]


def test_a_dispute_that_was_won_cannot_be_lost() -> None:
    story = [
        documents_of(money(kind, gross, txn=f"txn_{gross}"))[0].document
        for kind, gross in ((EventKind.DISPUTE_WITHDRAWN, "-43.20"), (EventKind.DISPUTE_REINSTATED, "43.20"))
    ]
    with pytest.raises(Unbuildable) as refused:
        documents_of(dispute_lost(), Context(documents=tuple(story)))
    assert refused.value.case == "DISPUTE_NOT_OPEN"


@pytest.mark.parametrize(
    ("event", "case"),
    [
        (order((line("100.00", "8.00"),), "108.50", "8.50"), "TAX_DIFFERS"),
        (order((line("100.00", "8.00"),), "109.00", "8.00"), "DOCUMENT_TOTAL_DIFFERS"),
        (order((), "5.00", "0.00"), "DOCUMENT_EMPTY"),
        (bank_line("5.00", account="XX00"), "MAPPING_MISSING"),
        (bank_line("5.00", currency="EUR"), "CURRENCY_DIFFERS"),
        (money(EventKind.FEE, "-2.00", "0.10"), "FEE_ON_FEE"),
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_booked_is_an_exception_with_its_reason(event: Event, case: str) -> None:
    with pytest.raises(Unbuildable) as refused:
        documents_of(event)
    assert refused.value.case == case


def test_a_cent_of_difference_in_tax_is_a_line_in_the_document() -> None:
    (built,) = documents_of(order((line("100.00", "8.01"),), "108.01", "8.01"))
    assert lines_of(built.document) == ["REV -100.00 USD", "RND -0.01 USD", "TAX -8.00 USD", "AR 108.01 USD"]


def test_an_unexplained_adjustment_posts_and_leaves_a_doubt() -> None:
    (built,) = documents_of(money(EventKind.ADJUSTMENT, "-1.00"))
    assert built.doubt == "PROVIDER_ITEM_UNEXPLAINED"


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        (datetime(2026, 3, 15, 3, 59, tzinfo=UTC), date(2026, 3, 14)),  # 23:59 in New York, daylight saving
        (datetime(2026, 3, 15, 4, 0, tzinfo=UTC), date(2026, 3, 15)),
        (datetime(2026, 1, 1, 4, 59, tzinfo=UTC), date(2025, 12, 31)),
    ],
)
def test_the_accounting_day_is_the_effective_instant_in_the_companys_time_zone(instant: datetime, day: date) -> None:
    (built,) = documents_of(money(EventKind.CAPTURE, "1.00", at=instant))
    assert built.document.day == day == built.document.original_day


def test_a_document_survives_the_store_and_its_digest_tells_changes() -> None:
    (built,) = documents_of(order((line("100.00", "8.00"),), "108.00", "8.00"))
    document = document_from_json(document_to_json(built.document))
    assert document == built.document
    assert content_digest(document) == content_digest(built.document)
    (other,) = documents_of(order((line("100.00", "8.00"),), "108.00", "8.00", customer="stranger"))
    assert content_digest(other.document) != content_digest(document)


def test_a_tampered_document_cannot_be_read_back() -> None:
    (built,) = documents_of(money(EventKind.CAPTURE, "108.00"))
    with pytest.raises(ConcordError, match="balance"):
        document_from_json(document_to_json(built.document).replace("10800", "10801", 2))


@pytest.mark.parametrize("quantity", ["00", "0", "", "-2", "1.5", "9" * 40, "x"])
def test_a_quantity_that_is_no_plain_count_is_one_of_the_whole_amount(quantity: str) -> None:
    (built,) = documents_of(order((line("10.00", quantity=quantity),), "10.00", "0.00"))
    assert [(one.quantity, str(one.unit_price)) for one in built.document.invoice_lines] == [(1, "10.00 USD")]


def test_quantities_stay_only_where_the_unit_price_is_exact() -> None:
    (even,) = documents_of(order((line("10.00", quantity="4"),), "10.00", "0.00"))
    (odd,) = documents_of(order((line("10.00", quantity="3"),), "10.00", "0.00"))
    assert [(one.quantity, str(one.unit_price)) for one in even.document.invoice_lines] == [(4, "2.50 USD")]
    assert [(one.quantity, str(one.unit_price)) for one in odd.document.invoice_lines] == [(1, "10.00 USD")]
