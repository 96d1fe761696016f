"""What orders and refunds of real shops look like beyond the usual: each gives its document, with what it states."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from libs.events import Collector, CommercialDocument, DocumentReference, DocumentReferenceKind, LineKind, TenderKind
from libs.money import Money
from tests.providers.golden import GOLDEN, outcome, scratch, translated

Tell = Callable[[str, dict[str, Any]], CommercialDocument]


def usd(text: str) -> Money:
    return Money.parse("USD", text)


def amounts(text: str) -> dict[str, dict[str, str]]:
    money = {"amount": text, "currency_code": "USD"}
    return {"shop_money": money, "presentment_money": money}


def article(price: str, **more: object) -> dict[str, object]:
    return {"id": 41, "title": "Chair", "quantity": 1, "price": price, "taxable": True} | more


def tax(price: str, rate: str = "0.08", **more: object) -> dict[str, object]:
    return {"title": "State", "rate": float(rate), "price": price} | more


def sale(total: str, items: list[dict[str, object]], **more: object) -> dict[str, Any]:
    return {
        "id": 9001,
        "name": "#1001",
        "order_number": 1001,
        "financial_status": "paid",
        "currency": "USD",
        "created_at": "2026-11-22T10:00:00-05:00",
        "line_items": items,
        "total_price": total,
        "total_tax": "0.00",
    } | more


@pytest.fixture
def tell(tmp_path: Path) -> Tell:
    folder = scratch(tmp_path, "shopify")

    def told(topic: str, body: dict[str, Any]) -> CommercialDocument:
        path = folder / f"{topic}.case.json"
        path.write_text(json.dumps(body))
        (event,) = translated(path).events
        assert isinstance(event.body, CommercialDocument)
        return event.body

    return told


def test_a_tax_of_the_sales_channel_says_who_owes_it(tell: Tell) -> None:
    items = [article("100.00", tax_lines=[tax("8.00", channel_liable=True)])]
    document = tell("order", sale("108.00", items, total_tax="8.00"))
    assert document.lines[0].taxes[0].collector is Collector.MARKETPLACE


@pytest.mark.parametrize(
    ("gateways", "expected"),
    [
        (["shopify_payments"], [(TenderKind.PROVIDER, usd("50.00"))]),
        (["cash"], [(TenderKind.CASH, usd("50.00"))]),
        (["gift_card", "stripe"], [(TenderKind.GIFT_CARD, None), (TenderKind.PROVIDER, None)]),
        (["shopify_store_credit"], [(TenderKind.STORE_CREDIT, usd("50.00"))]),
        (["Bank Deposit"], [(TenderKind.BANK_TRANSFER, usd("50.00"))]),
        (None, []),
    ],
)
def test_gateways_say_what_paid_and_one_alone_how_much(tell: Tell, gateways: object, expected: object) -> None:
    document = tell("order", sale("50.00", [article("50.00")], payment_gateway_names=gateways))
    assert [(each.kind, each.amount) for each in document.tenders] == expected


def test_gateways_that_are_no_texts_are_refused(tmp_path: Path) -> None:
    path = scratch(tmp_path, "shopify") / "order.gateways.json"
    path.write_text(json.dumps(sale("50.00", [article("50.00")], payment_gateway_names=[1])))
    assert outcome(path) == {"refused": "DELIVERY_SHAPE_INVALID"}


def test_duties_are_lines(tell: Tell) -> None:
    document = tell("order", sale("224.00", [article("200.00", duties=[{"id": "3"} | amounts("24.00")])]))
    assert [(line.kind, line.net) for line in document.lines] == [
        (LineKind.PRODUCT, usd("200.00")),
        (LineKind.DUTY, usd("24.00")),
    ]


def test_a_duty_in_another_currency_is_refused(tmp_path: Path) -> None:
    duty = {"shop_money": {"amount": "24.00", "currency_code": "EUR"}}
    path = scratch(tmp_path, "shopify") / "order.duty.json"
    path.write_text(json.dumps(sale("224.00", [article("200.00", duties=[duty])])))
    assert outcome(path) == {"refused": "DELIVERY_AMOUNT_INVALID"}


def test_a_removed_shipping_line_is_none(tell: Tell) -> None:
    shipping = [{"title": "Post", "price": "15.00", "is_removed": True}]
    document = tell("order", sale("25.00", [article("25.00")], shipping_lines=shipping))
    assert [line.kind for line in document.lines] == [LineKind.PRODUCT]


def test_taxes_of_the_order_alone_are_spread_over_what_their_rate_fits(tell: Tell) -> None:
    order = sale(
        "64.00",
        [article("30.00"), article("20.00")],
        shipping_lines=[{"title": "Post", "price": "10.00"}],
        tax_lines=[tax("4.00")],
        total_tax="4.00",
    )
    document = tell("order", order)
    assert [[each.amount for each in line.taxes] for line in document.lines] == [[usd("2.40")], [usd("1.60")], []]


def test_taxes_of_the_order_that_no_rate_explains_stay_refused(tmp_path: Path) -> None:
    path = scratch(tmp_path, "shopify") / "order.tax.json"
    path.write_text(json.dumps(sale("54.00", [article("50.00")], tax_lines=[tax("4.00", "0.25")], total_tax="4.00")))
    assert outcome(path) == {"refused": "DOCUMENT_TOTAL_UNEXPLAINED"}


def test_a_discount_of_the_order_alone_is_taken_off_its_articles(tell: Tell) -> None:
    document = tell("order", sale("90.00", [article("75.00"), article("25.00")], total_discounts="10.00"))
    assert [line.net for line in document.lines] == [usd("67.50"), usd("22.50")]
    assert [line.adjustments[0].amount for line in document.lines] == [usd("7.50"), usd("2.50")]


def test_a_document_tells_the_price_the_discount_and_who_buys(tell: Tell) -> None:
    item = article("100.00", discount_allocations=[{"amount": "10.00"}])
    order = sale("90.00", [item], email="ada@example.test", company={"id": 5, "location_id": 6}, po_number="PO-7")
    document = tell("order", order)
    (line,) = document.lines
    assert (line.id, line.unit_price, line.net) == ("41", "100.00", usd("90.00"))
    assert [each.amount for each in line.adjustments] == [usd("10.00")]
    assert document.buyer is not None
    assert (document.buyer.email, [each.value for each in document.buyer.other_ids]) == ("ada@example.test", ["5"])
    assert document.references == (DocumentReference(DocumentReferenceKind.ORDER, number="PO-7"),)


def test_shipping_of_a_newer_refund_is_given_back_with_its_tax(tell: Tell) -> None:
    item = {"line_item": article("80.00", tax_lines=[tax("16.00", "0.2")]), "quantity": 1}
    goods = item | {"subtotal": 80.0, "total_tax": 16.0}
    shipping = {"shipping_line": {"title": "Post", "price": "10.00", "tax_lines": [tax("2.00", "0.2")]}}
    refund = {
        "id": 31,
        "order_id": 9001,
        "created_at": "2026-11-23T10:00:00Z",
        "order_adjustments": [],
        "refund_line_items": [goods],
        "refund_shipping_lines": [
            shipping | {"subtotal_amount_set": amounts("10.00"), "tax_amount_set": amounts("2.00")}
        ],
        "transactions": [{"kind": "refund", "status": "success", "amount": "108.00", "currency": "USD"}],
    }
    document = tell("refund", refund)
    assert [(line.kind, line.net, line.taxes[0].amount) for line in document.lines] == [
        (LineKind.PRODUCT, usd("80.00"), usd("16.00")),
        (LineKind.SHIPPING, usd("10.00"), usd("2.00")),
    ]


def test_money_for_goods_taken_back_by_another_refund_says_that_its_tax_is_unknown(tell: Tell) -> None:
    pending = {"kind": "refund_discrepancy", "reason": "Pending refund discrepancy", "amount": "-108.00"}
    refund = {
        "id": 32,
        "order_id": 9001,
        "created_at": "2026-11-23T10:00:00Z",
        "order_adjustments": [pending | {"tax_amount": "0.00"}],
        "refund_line_items": [],
        "transactions": [{"kind": "refund", "status": "success", "amount": "108.00", "currency": "USD"}],
    }
    (line,) = tell("refund", refund).lines
    assert (line.net, [(each.rate, each.amount) for each in line.taxes]) == (usd("108.00"), [("", usd("0.00"))])


def test_the_golden_order_is_paid_by_its_provider() -> None:
    (event,) = translated(GOLDEN / "shopify" / "order.paid.json").events
    assert isinstance(event.body, CommercialDocument)
    assert [each.kind for each in event.body.tenders] == [TenderKind.PROVIDER]
