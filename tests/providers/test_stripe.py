"""What Stripe's messages and pages tell, beyond the golden ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from libs.events import BalanceTransaction, Digest
from libs.money import Money
from providers.base import Translation
from tests.providers.golden import GOLDEN, scratch, translated


def test_webhook_and_page_tell_a_dispute_with_one_digest() -> None:
    stripe = GOLDEN / "stripe"
    (by_webhook,) = translated(stripe / "charge.dispute.funds_withdrawn.json").events
    by_page = {event.object_id: event for event in translated(stripe / "balance_transactions.page.json").events}
    same = by_page["txn_p12"]
    assert by_webhook.kind is same.kind
    assert (by_webhook.amount, by_webhook.body) == (same.amount, same.body)


def test_an_old_page_without_categories_tells_the_same_as_a_new_one() -> None:
    stripe = GOLDEN / "stripe"
    new = {event.name: Digest.of(event) for event in translated(stripe / "balance_transactions.page.json").events}
    old = {event.name: Digest.of(event) for event in translated(stripe / "balance_transactions.page.old.json").events}
    assert old
    assert old.items() <= new.items()


@pytest.mark.parametrize("account, ignored", [("acct_connected", "ACCOUNT_MISMATCH"), ("acct_1", ""), (None, "")])
def test_a_connected_account_s_money_is_not_the_platform_s(tmp_path: Path, account: str | None, ignored: str) -> None:
    name = "charge.dispute.funds_withdrawn.json"
    event = json.loads((GOLDEN / "stripe" / name).read_text()) | {"account": account}
    folder = scratch(tmp_path, "stripe")
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
    folder = scratch(tmp_path, "stripe")
    (folder / "one.json").write_text(json.dumps(event))
    assert translated(folder / "one.json").wakes_poll is named


@pytest.mark.parametrize("payout, asked", [("po_1", ("po_1",)), ("po_1/../../v1/x", ()), ("po_" + "9" * 4000, ())])
def test_only_what_can_be_a_payout_s_id_is_asked_for(tmp_path: Path, payout: str, asked: tuple[str, ...]) -> None:
    found = page_of(tmp_path, {}, amount=-5, currency="usd", type="payout", reporting_category="payout", source=payout)
    assert found.payouts == asked
    assert len(found.events) == 1


def page_of(tmp_path: Path, charge: dict[str, Any], **row: Any) -> Translation:
    movement = {
        "id": "txn_1", "object": "balance_transaction", "created": 1795305600, "fee": 0, "net": row["amount"],
        "reporting_category": "charge", "type": "charge", "source": {"id": "ch_1", "object": "charge", **charge}, **row,
    }  # fmt: skip
    folder = scratch(tmp_path, "stripe")
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
