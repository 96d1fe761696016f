"""The stand-in for Stripe's API behaves as Stripe's reference says, where the gateway relies on it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

import httpx
import pytest
import stripe

from providers.fake_server import FakeServer
from providers.stripe.fake_account import StripeAccount
from providers.stripe.fake_api import FakeStripe

T0 = datetime(2026, 11, 1, tzinfo=UTC)
AUTHORIZED = "Bearer sk_1"


@pytest.fixture
def account() -> StripeAccount:
    made = StripeAccount("acct_1")
    for number in range(25):
        made.charge(f"ch_{number:02}", 1000, T0 + timedelta(minutes=number), fee=59)
    made.refund("re_1", "ch_00", 400, T0 + timedelta(minutes=30))
    made.payout("po_1", T0 + timedelta(hours=1), T0 + timedelta(days=2), leave=6)
    return made


def listed(fake: FakeStripe, **parameters: str) -> Mapping[str, Any]:
    pairs = [
        (key.replace("__", "[").rstrip("_") + ("]" if "__" in key else ""), value) for key, value in parameters.items()
    ]
    status, content = fake.answer("/v1/balance_transactions", pairs, AUTHORIZED)
    assert status is HTTPStatus.OK, content
    return content


def ids(content: Mapping[str, Any]) -> list[str]:
    rows = content["data"]
    assert isinstance(rows, list)
    return [row["id"] for row in rows]


def test_lists_are_newest_first_in_pages_both_ways(account: StripeAccount) -> None:
    fake = FakeStripe({"sk_1": account})
    first = listed(fake, limit="10")
    assert ids(first)[:3] == ["txn_po_1", "txn_re_1", "txn_ch_24"]
    assert first["has_more"] is True
    second = listed(fake, limit="10", starting_after=ids(first)[-1])
    assert ids(listed(fake, limit="10", ending_before=ids(second)[0])) == ids(first)
    third = listed(fake, limit="10", starting_after=ids(second)[-1])
    assert (len(ids(third)), third["has_more"]) == (7, False)
    assert len(ids(listed(fake))) == 10


def test_lists_are_narrowed_as_asked(account: StripeAccount) -> None:
    fake = FakeStripe({"sk_1": account})
    assert ids(listed(fake, type="payout")) == ["txn_po_1"]
    assert ids(listed(fake, created__gte=str(int((T0 + timedelta(minutes=30)).timestamp())))) == [
        "txn_po_1",
        "txn_re_1",
    ]
    assert len(ids(listed(fake, payout="po_1", limit="100"))) == 21  # its own movement is among them


def test_the_source_is_whole_only_if_asked_for(account: StripeAccount) -> None:
    fake = FakeStripe({"sk_1": account})
    _, plain = fake.answer("/v1/balance_transactions", [("limit", "1")], AUTHORIZED)
    _, whole = fake.answer("/v1/balance_transactions", [("limit", "1"), ("expand[]", "data.source")], AUTHORIZED)
    assert plain["data"][0]["source"] == "po_1"
    assert whole["data"][0]["source"]["object"] == "payout"


@pytest.mark.parametrize(
    "path, parameters, authorization, status",
    [
        ("/v1/balance_transactions", [], "Bearer wrong", 401),
        ("/v1/balance_transactions", [], "sk_1", 401),
        ("/v1/balance_transactions", [("limit", "101")], AUTHORIZED, 400),
        ("/v1/balance_transactions", [("limit", "x")], AUTHORIZED, 400),
        ("/v1/balance_transactions", [("starting_after", "txn_none")], AUTHORIZED, 400),
        ("/v1/payouts/po_none", [], AUTHORIZED, 404),
        ("/v1/payouts/ch_01", [], AUTHORIZED, 404),
        ("/v1/customers", [], AUTHORIZED, 404),
    ],
)
def test_what_stripe_refuses_is_refused(
    account: StripeAccount, path: str, parameters: list[tuple[str, str]], authorization: str, status: int
) -> None:
    found, content = FakeStripe({"sk_1": account}).answer(path, parameters, authorization)
    assert (int(found), set(content)) == (status, {"error"})


def test_the_balance_is_the_sum_of_the_movements(account: StripeAccount) -> None:
    _, content = FakeStripe({"sk_1": account}).answer("/v1/balance", [], AUTHORIZED)
    parts = [content[key][0]["amount"] for key in ("available", "pending")]
    assert parts == [0, account.balance()]
    assert account.balance() == 941 * 5 - 400


def test_it_is_served_on_loopback_and_fails_when_told(account: StripeAccount) -> None:
    fake = FakeStripe({"sk_1": account})
    fake.failures.append(HTTPStatus.BAD_GATEWAY)
    server = FakeServer(fake.answer)
    try:
        headers = {"authorization": AUTHORIZED}
        assert httpx.get(server.url + "/v1/payouts/po_1", headers=headers).status_code == 502
        assert httpx.get(server.url + "/v1/payouts/po_1", headers=headers).json()["object"] == "payout"
    finally:
        server.close()


def test_stripe_s_own_library_takes_its_webhooks(account: StripeAccount) -> None:
    hook = account.webhook("evt_1", "payout.paid", account.objects["po_1"], datetime.now(UTC), b"whsec_1")
    event = stripe.Webhook.construct_event(hook.body, hook.headers["stripe-signature"], "whsec_1")
    assert (event.id, event.data.object.id) == ("evt_1", "po_1")
    assert json.loads(hook.body)["livemode"] is True


def test_a_day_s_disputes_and_failures_move_the_balance() -> None:
    made = StripeAccount("acct_1")
    made.charge("ch_1", 5000, T0, fee=190, currency="eur", converted=5445)
    made.refund("re_1", "ch_1", 500, T0, converted=545)
    made.refund_failed("re_1", T0)
    made.dispute("dp_1", "ch_1", T0, fee=1500, converted=5445)
    made.dispute_closed("dp_1", "won", T0, converted=5445)
    made.movement("rsv_1", "reserved_funds", "risk_reserved_funds", -100, T0)
    assert [one["net"] for one in made.transactions] == [5255, -545, 545, -6945, 5445, -100]
    assert made.transactions[0]["exchange_rate"] == 1.089
    assert len({one["id"] for one in made.transactions}) == 6
    assert made.objects["re_1"]["status"] == "failed"
