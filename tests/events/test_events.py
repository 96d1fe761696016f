"""Canonical events: names, digests, effect keys and their two encodings."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from random import Random

import pytest

from libs.errors import ConcordError
from libs.events import (
    BalanceTransaction,
    BankLine,
    Channel,
    CommercialDocument,
    Digest,
    DocumentLine,
    EffectKey,
    Event,
    EventInvalid,
    EventKind,
    Evidence,
    FeeDetail,
    LineKind,
    Party,
    Provenance,
    Reference,
    ReferenceKind,
    Settlement,
    SettlementLine,
    TaxLine,
    TransactionIds,
    event_from_json,
    event_to_json,
    is_effect_key,
    is_rival_key,
    rival_key,
    settlement_from_json,
    settlement_to_json,
)
from libs.money import Money
from libs.rpc.wire import from_event, from_settlement, to_event, to_settlement

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)


def usd(text: str) -> Money:
    return Money.parse("USD", text)


SOURCE = Provenance("stripe", "acct_1", "balance_transaction", "txn_1", NOON, Channel.POLL, raw_sha256="ab")
LINES = (DocumentLine(LineKind.PRODUCT, "Mug", usd("100.00"), "2", "MUG", (TaxLine("State", "0.08", usd("8.00")),)),)
BUYER = Party("77", "shopify/shop-1", "Ada", "US")
MONEY = BalanceTransaction(
    usd("54.45"), usd("1.90"), Money("EUR", 5000), date(2026, 3, 16), "charge", "ch_1", "cus_1",
    (FeeDetail("processing", usd("1.90")),),
)  # fmt: skip
BODIES = [
    (EventKind.DOCUMENT, usd("108.00"), CommercialDocument.sold("1001", BUYER, LINES, usd("108.00"), usd("8.00"))),
    (
        EventKind.DOCUMENT,
        usd("108.00"),
        CommercialDocument.refunded("9", "1001", BUYER, LINES, usd("108.00"), usd("8.00")),
    ),
    (EventKind.CAPTURE, usd("54.45"), MONEY),
    (EventKind.PAYOUT, usd("-54.45"), replace(MONEY, gross=usd("-54.45"), presentment=None, available_on=None)),
    (EventKind.BANK_LINE, usd("1.00"), BankLine("DE89", "S1", "ff", 1, date(2026, 3, 14), None, "Stripe")),
    (EventKind.EVIDENCE, usd("0.00"), Evidence("charge.succeeded")),
    (EventKind.DISPUTE_LOST, usd("43.20"), Evidence("charge.dispute.closed")),
]


def event(kind: EventKind, amount: Money, body: object) -> Event:
    return Event(
        "sources/stripe/accounts/acct_1/events/txn_1", kind, "acme", "txn_1", NOON, amount, body, SOURCE,  # type: ignore[arg-type]
        "0" * 32, (Reference(ReferenceKind.ORDER, "1001", "shopify/shop-1"),),
    )  # fmt: skip


@pytest.mark.parametrize(("kind", "amount", "body"), BODIES, ids=lambda value: getattr(value, "name", ""))
def test_an_event_survives_the_wire_and_the_store(kind: EventKind, amount: Money, body: object) -> None:
    one = event(kind, amount, body)
    assert to_event(from_event(one)) == one
    assert event_from_json(event_to_json(one)) == one


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "sources/stripe/events/1"}, "name"),
        ({"name": "sources/stripe/accounts/a/events/b/c"}, "name"),
        ({"company": "a/b"}, "company"),
        ({"object_id": ""}, "object_id"),
        ({"effective_at": NOON.replace(microsecond=1)}, "effective_time"),
        ({"effective_at": NOON.replace(tzinfo=None)}, "effective_time"),
        ({"transaction_id": "XYZ"}, "transaction_id"),
        ({"kind": EventKind.DOCUMENT}, "body"),
        ({"amount": usd("1.00")}, "amount"),
        ({"body": replace(MONEY, fee=Money("EUR", 1))}, "balance_transaction.fee"),
        ({"body": replace(MONEY, presentment=usd("1.00"))}, "balance_transaction.presentment"),
    ],
)
def test_an_event_that_contradicts_itself_cannot_exist(change: dict[str, object], field: str) -> None:
    good = event(EventKind.CAPTURE, usd("54.45"), MONEY)
    with pytest.raises(EventInvalid) as refused:
        replace(good, **change)  # type: ignore[arg-type]
    assert refused.value.field == field


def test_webhook_poll_and_file_agree_on_the_digest_though_they_enrich_differently() -> None:
    polled = event(EventKind.CAPTURE, usd("54.45"), MONEY)
    filed = replace(
        polled,
        body=replace(MONEY, fee_details=(), customer_id="", provider_type="charge (file)"),
        references=(),
        provenance=replace(SOURCE, channel=Channel.FILE, raw_sha256="cd"),
    )
    assert Digest.of(polled) == Digest.of(filed)


@pytest.mark.parametrize(
    "change",
    [
        {"body": replace(MONEY, fee=usd("1.91"))},
        {"body": replace(MONEY, presentment=Money("EUR", 5001))},
        {"effective_at": NOON.replace(second=1)},
        {"object_id": "txn_2"},
        {"company": "other"},
    ],
)
def test_another_fact_has_another_digest(change: dict[str, object]) -> None:
    good = event(EventKind.CAPTURE, usd("54.45"), MONEY)
    assert Digest.of(replace(good, **change)) != Digest.of(good)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("parts", "key"),
    [
        (("acme", "stripe", "acct_1", "txn_1", "gross"), "acme_stripe_acct-5f1_txn-5f1_gross"),
        (("a_b", "c", "d", "e", "f"), "a-5fb_c_d_e_f"),
        (("a", "b-c", "d", "é", "f"), "a_b-2dc_d_-c3-a9_f"),
    ],
)
def test_effect_keys_keep_letters_and_digits_and_escape_the_rest(parts: tuple[str, ...], key: str) -> None:
    assert str(EffectKey(*parts)) == key
    assert EffectKey.parse(key) == EffectKey(*parts)


def test_parts_of_an_effect_key_cannot_run_into_each_other() -> None:
    assert str(EffectKey("a", "b", "c_d", "e", "f")) != str(EffectKey("a", "b", "c", "d_e", "f"))


def test_another_effect_of_an_object_and_a_rivals_effect_have_keys_of_their_own() -> None:
    gross = EffectKey("acme", "stripe", "acct_1", "txn_1", "gross")
    assert str(gross.sibling("party")) == "acme_stripe_acct-5f1_txn-5f1_party"
    rival = rival_key(str(gross), "sources/stripe/accounts/acct_1/events/2")
    assert (is_rival_key(rival), is_rival_key(str(gross)), EffectKey.parse(rival)) == (True, False, gross)


@pytest.mark.parametrize(
    "text", ["", "acme_stripe_a_b", "acme_stripe_a_b_c_d", "companies/acme/x_y_z_a_b", "a_b_c_d_é"]
)
def test_what_is_no_effect_key_is_not_taken_for_one(text: str) -> None:
    assert not is_effect_key(text)
    with pytest.raises(ValueError, match="no effect's key"):
        EffectKey.parse(text)


def test_transaction_ids_are_uuid7_sort_by_time_and_repeat_with_their_seed() -> None:
    early = TransactionIds(lambda: NOON, Random(1))()
    late = TransactionIds(lambda: NOON.replace(second=1), Random(2))()
    assert early < late
    assert early[12] == "7"
    assert early[16] in "89ab"
    assert early == TransactionIds(lambda: NOON, Random(1))()


def test_a_settlement_survives_the_wire_and_the_store_and_says_whether_it_ties() -> None:
    line = SettlementLine("txn_1", usd("108.00"), usd("3.43"), usd("104.57"))
    one = Settlement("acme", "stripe/acct_1", "po_1", "txn_9", usd("104.57"), date(2026, 3, 16), (line,), ("STRIPE 1",))
    assert to_settlement(from_settlement(one)) == one
    assert settlement_from_json(settlement_to_json(one)) == one
    assert one.ties
    assert not replace(one, amount=usd("104.58")).ties


def test_the_wire_refuses_what_it_does_not_know() -> None:
    message = from_event(event(EventKind.CAPTURE, usd("54.45"), MONEY))
    message.kind = 999  # type: ignore[assignment]
    with pytest.raises(ConcordError, match="kind"):
        to_event(message)
