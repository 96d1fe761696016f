"""Each payload beside the events that it must give: `NAME.json` and `NAME.events.json`."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from libs.errors import ConcordError
from libs.events import BalanceTransaction, Channel, Event, digest_of, event_to_json
from libs.money import Money
from providers import PROVIDERS
from providers.base import Delivery, Secrets, Source, Translation
from services.gateway.handlers.inspect_event import inspect_event
from tests.gateway.world import GOLDEN, NOW, SHOPIFY, STRIPE

SOURCES = {"stripe": STRIPE, "shopify": SHOPIFY}
TOPICS = {"shopify": {"order": "orders/updated", "refund": "refunds/create", "customer": "customers/update"}}
PAYLOADS = sorted(
    path for name in SOURCES for path in (GOLDEN / name).glob("*.json") if not path.name.endswith(".events.json")
)


def translated(path: Path, source: Source | None = None) -> Translation:
    provider_name = path.parent.name
    provider = PROVIDERS[provider_name].new(Secrets((b"unused",)))
    body = path.read_bytes()
    digest = hashlib.sha256(body).hexdigest()
    topic = TOPICS.get(provider_name, {}).get(path.name.split(".")[0], "")
    is_page = path.name.startswith("balance_transactions.")
    if is_page:
        channel, delivery_id, word = Channel.POLL, digest, "balance_transactions"
    else:
        identified = provider.identify({"x-shopify-topic": topic}, body)
        channel, delivery_id, word = Channel.WEBHOOK, identified.id or digest, identified.type
    return provider.translate(
        Delivery(source or SOURCES[provider_name], channel, delivery_id, word, body, digest, NOW, "")
    )


def shown(event: Event) -> dict[str, Any]:
    """An event without what depends on the moment; amounts as people write them."""
    record = json.loads(event_to_json(event))
    provenance = record["provenance"]
    for volatile in ("received_at", "raw_sha256", "delivery"):
        provenance.pop(volatile)
    record.pop("transaction_id")
    record["digest"] = digest_of(event)
    return dict(record)


def outcome(path: Path) -> dict[str, Any]:
    try:
        found = translated(path)
    except ConcordError as error:
        return {"refused": error.reason}
    return {
        "events": [shown(event) for event in found.events],
        "ignored": found.ignored,
        "problems": [problem.reason for problem in found.problems],
        "wakes_poll": found.wakes_poll,
        "payouts": list(found.payouts),
    }


@pytest.mark.parametrize("path", PAYLOADS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_payload_gives_its_events(path: Path) -> None:
    expected = json.loads(path.with_suffix(".events.json").read_text())
    assert outcome(path) == expected


@pytest.mark.parametrize("path", PAYLOADS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_translation_is_pure(path: Path) -> None:
    assert outcome(path) == outcome(path)


def test_webhook_and_page_tell_a_dispute_with_one_digest() -> None:
    stripe = GOLDEN / "stripe"
    (by_webhook,) = translated(stripe / "charge.dispute.funds_withdrawn.json").events
    by_page = {event.object_id: event for event in translated(stripe / "balance_transactions.page.json").events}
    same = by_page["txn_p12"]
    assert by_webhook.kind is same.kind
    assert (by_webhook.amount, by_webhook.body) == (same.amount, same.body)


def test_an_old_page_without_categories_tells_the_same_as_a_new_one() -> None:
    stripe = GOLDEN / "stripe"
    new = {event.name: digest_of(event) for event in translated(stripe / "balance_transactions.page.json").events}
    old = {event.name: digest_of(event) for event in translated(stripe / "balance_transactions.page.old.json").events}
    assert old
    assert old.items() <= new.items()


def test_an_order_and_its_later_echo_tell_one_sale_and_the_refund_is_the_same_either_way() -> None:
    shop = GOLDEN / "shopify"
    (paid,) = translated(shop / "order.paid.json").events
    echo, refund_in_order = translated(shop / "order.refunded.json").events
    (refund,) = translated(shop / "refund.json").events
    assert (paid.name, digest_of(paid)) == (echo.name, digest_of(echo))
    assert (refund.name, digest_of(refund)) == (refund_in_order.name, digest_of(refund_in_order))


def test_a_test_order_never_reaches_a_live_company(tmp_path: Path) -> None:
    order = json.loads((GOLDEN / "shopify" / "order.paid.json").read_text()) | {"test": True}
    folder = tmp_path / "shopify"
    folder.mkdir()
    (folder / "order.test.json").write_text(json.dumps(order))
    assert translated(folder / "order.test.json").ignored == "LIVEMODE_MISMATCH"
    trial = Source("shopify", "shop", "demo", False)
    assert len(translated(folder / "order.test.json", trial).events) == 1


def test_a_test_order_s_refund_never_reaches_a_live_company(tmp_path: Path) -> None:
    refund = json.loads((GOLDEN / "shopify" / "refund.json").read_text())
    for one in refund["transactions"]:
        one["test"] = True
    folder = tmp_path / "shopify"
    folder.mkdir()
    (folder / "refund.test.json").write_text(json.dumps(refund))
    assert translated(folder / "refund.test.json").ignored == "LIVEMODE_MISMATCH"
    trial = Source("shopify", "shop", "demo", False)
    assert len(translated(folder / "refund.test.json", trial).events) == 1


@pytest.mark.parametrize("account, ignored", [("acct_connected", "ACCOUNT_MISMATCH"), ("acct_1", ""), (None, "")])
def test_a_connected_account_s_money_is_not_the_platform_s(tmp_path: Path, account: str | None, ignored: str) -> None:
    name = "charge.dispute.funds_withdrawn.json"
    event = json.loads((GOLDEN / "stripe" / name).read_text()) | {"account": account}
    folder = tmp_path / "stripe"
    folder.mkdir()
    (folder / name).write_text(json.dumps(event))
    found = translated(folder / name)
    assert (found.ignored, len(found.events)) == (ignored, 0 if ignored else 1)


@pytest.mark.parametrize("kind", ["issuing_transaction.created", "application_fee.refund.updated", "charge.of_2030"])
@pytest.mark.parametrize("named", [True, False])
def test_whatever_names_a_balance_transaction_wakes_the_poll(tmp_path: Path, kind: str, named: bool) -> None:
    word = "fee_refund" if kind.startswith("application") else kind.partition(".")[0].replace("_", ".")
    inner = {"id": "x_1", "object": word, "amount": 5, "currency": "usd"}
    inner |= {"balance_transaction": "txn_9"} if named else {}
    event = {"id": "evt_1", "object": "event", "type": kind, "created": 1, "livemode": True, "data": {"object": inner}}
    folder = tmp_path / "stripe"
    folder.mkdir()
    (folder / "one.json").write_text(json.dumps(event))
    assert translated(folder / "one.json").wakes_poll is named


@pytest.mark.parametrize("at", ["2026-11-22", "2026-11-22T10:00:00", "9999-12-31T23:59:59-10:00", "yesterday"])
def test_a_time_that_is_none_is_refused(tmp_path: Path, at: str) -> None:
    order = json.loads((GOLDEN / "shopify" / "order.paid.json").read_text()) | {"processed_at": at}
    folder = tmp_path / "shopify"
    folder.mkdir()
    (folder / "order.when.json").write_text(json.dumps(order))
    assert outcome(folder / "order.when.json") == {"refused": "DELIVERY_SHAPE_INVALID"}


def test_a_tax_that_the_sales_channel_owes_is_not_booked_as_the_seller_s(tmp_path: Path) -> None:
    order = json.loads((GOLDEN / "shopify" / "order.paid.json").read_text())
    order["line_items"][0]["tax_lines"][0]["channel_liable"] = True
    folder = tmp_path / "shopify"
    folder.mkdir()
    (folder / "order.market.json").write_text(json.dumps(order))
    assert outcome(folder / "order.market.json") == {"refused": "TAX_CHANNEL_LIABLE"}


@pytest.mark.parametrize("payout, asked", [("po_1", ("po_1",)), ("po_1/../../v1/x", ()), ("po_" + "9" * 4000, ())])
def test_only_what_can_be_a_payout_s_id_is_asked_for(tmp_path: Path, payout: str, asked: tuple[str, ...]) -> None:
    found = page_of(tmp_path, {}, amount=-5, currency="usd", type="payout", reporting_category="payout", source=payout)
    assert found.payouts == asked
    assert len(found.events) == 1


def test_a_look_at_a_message_hides_no_part_that_cannot_be_read() -> None:
    order = json.loads((GOLDEN / "shopify" / "order.refunded.json").read_text())
    order["refunds"][0]["transactions"][0]["amount"] = "30.00"
    found = inspect_event(PROVIDERS["shopify"], json.dumps(order).encode(), NOW)
    assert [event["kind"] for event in found["events"]] == ["order_paid"]
    assert found["problems"] == ["DOCUMENT_TOTAL_UNEXPLAINED"]


def page_of(tmp_path: Path, charge: dict[str, Any], **row: Any) -> Translation:
    movement = {
        "id": "txn_1", "object": "balance_transaction", "created": 1795305600, "fee": 0, "net": row["amount"],
        "reporting_category": "charge", "type": "charge", "source": {"id": "ch_1", "object": "charge", **charge}, **row,
    }  # fmt: skip
    folder = tmp_path / "stripe"
    folder.mkdir()
    path = folder / "balance_transactions.one.json"
    path.write_text(json.dumps({"object": "list", "data": [movement], "has_more": False}))
    return translated(path)


@pytest.mark.parametrize(
    "amount, rate, charge, paid",
    [
        (10890, 1.089, {"amount": 10000, "currency": "eur"}, 10000),
        (10890, 1.089, {"amount": 15000, "amount_captured": 10000, "currency": "eur"}, 10000),
        # The second of two captures: the charge tells of the whole, and of what was captured so far.
        (5445, 1.089, {"amount": 15000, "amount_captured": 10000, "currency": "eur"}, None),
        (910, 0.91, {"amount": 1000, "currency": "jpy"}, 1000),
        (910, 0.0091, {"amount": 1000, "currency": "jpy"}, 1000),
        (1, 1.089, {"amount": 1, "currency": "eur"}, 1),
        (1361, 2.652141, {"amount": 5132, "currency": "kwd"}, 5132),
    ],
)
def test_a_capture_credits_the_customer_with_what_its_rate_confirms(
    tmp_path: Path, amount: int, rate: float, charge: dict[str, Any], paid: int | None
) -> None:
    found = page_of(tmp_path, charge, amount=amount, currency="usd", exchange_rate=rate)
    if paid is None:
        assert [problem.reason for problem in found.problems] == ["PRESENTMENT_UNKNOWN"]
    else:
        (event,) = found.events
        assert isinstance(event.body, BalanceTransaction)
        assert event.body.presentment == Money(charge["currency"].upper(), paid)


def test_a_message_can_be_looked_at_without_keeping_it() -> None:
    stripe = PROVIDERS["stripe"]
    found = inspect_event(stripe, (GOLDEN / "stripe" / "charge.succeeded.expanded.json").read_bytes(), NOW)
    assert found["ignored"] is None
    (event,) = found["events"]
    assert (event["kind"], event["source_event_id"]) == ("capture", "evt_X")
    assert (event["amount"], event["currency"]) == ("54.45", "USD")
    assert {"kind": "order", "value": "1002"} in event["references"]
    silent = inspect_event(stripe, (GOLDEN / "stripe" / "customer.created.json").read_bytes(), NOW)
    assert silent == {"events": [], "ignored": "CONCERNS_NO_MONEY"}
    trial = inspect_event(stripe, (GOLDEN / "stripe" / "charge.succeeded.testmode.json").read_bytes(), NOW)
    assert len(trial["events"]) == 1
