"""What is proved and yet wrong: refused with a stable reason, in bounded time, and nothing is changed."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from libs.errors import ConcordError
from tests.gateway.world import GatewayWorld

SAMPLES = Path(os.environ.get("CONCORD_SAMPLES", Path(__file__).resolve().parents[3] / "shared" / "samples"))
MALFORMED = SAMPLES / "malformed" / "handmade" / "json"
WEBHOOKS = SAMPLES / "psp" / "stripe"

EXPECTED = {
    "array-instead-of-object.json": "JSON_NOT_AN_OBJECT",
    "bom.json": "",
    "concatenated.json": "JSON_MALFORMED",
    "deep.json": "JSON_TOO_DEEP",
    "empty-object.json": "DELIVERY_SHAPE_INVALID",
    "latin1.json": "JSON_ENCODING",
    "lone-surrogate.json": "JSON_ENCODING",
    "paypal-amount-comma.json": "DELIVERY_SHAPE_INVALID",
    "proto-pollution.json": "",
    "stripe-big-exponent.json": "JSON_NUMBER_INVALID",
    "stripe-duplicate-keys.json": "JSON_DUPLICATE_KEY",
    "stripe-float-amount.json": "DELIVERY_AMOUNT_INVALID",
    "stripe-huge-int.json": "DELIVERY_AMOUNT_INVALID",
    "stripe-nan.json": "JSON_NUMBER_INVALID",
    "stripe-negative-zero.json": "DELIVERY_AMOUNT_INVALID",
    "stripe-string-amount.json": "DELIVERY_AMOUNT_INVALID",
    "stripe-three-decimal-kwd.json": "",
    "stripe-unknown-currency.json": "CURRENCY_UNKNOWN",
    "stripe-unknown-type.json": "",
    "stripe-zero-decimal-jpy.json": "",
    "truncated.json": "JSON_MALFORMED",
}

needs_samples = pytest.mark.skipif(not MALFORMED.is_dir(), reason=f"no samples at {MALFORMED}")


def received(world: GatewayWorld, body: bytes) -> str:
    """The reason of the refusal, empty if it was taken."""
    try:
        world.deliver_stripe(body)
    except ConcordError as error:
        return error.reason
    return ""


@needs_samples
@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_signed_body_that_is_wrong_is_refused_and_changes_nothing(name: str) -> None:
    world = GatewayWorld(poll=False)
    began = time.perf_counter()
    reason = received(world, (MALFORMED / name).read_bytes())
    assert time.perf_counter() - began < 1.0
    assert reason == EXPECTED[name]
    if reason:
        assert world.stored("delivery") == []
    world.run()
    assert world.ledger.events == {}  # test events, all of them, to a live company


@needs_samples
def test_every_malformed_sample_has_its_row() -> None:
    assert {path.name for path in MALFORMED.iterdir()} == set(EXPECTED)


@needs_samples
@pytest.mark.parametrize("path", sorted(WEBHOOKS.rglob("*.json")), ids=lambda path: path.stem)
def test_every_sample_webhook_is_understood(path: Path) -> None:
    world = GatewayWorld(poll=False)
    if path.name == "fixtures3.json":
        pytest.skip("a collection of objects, no webhook")
    assert received(world, path.read_bytes()) == ""
    world.run()
    assert set(world.states()) <= {"forwarded", "ignored"}


@pytest.mark.parametrize(
    "body, reason",
    [
        (b"", "FILE_EMPTY"),
        (b" \n", "FILE_EMPTY"),
        (b"null", "JSON_NOT_AN_OBJECT"),
        (b'{"id": "evt_1"}', "DELIVERY_SHAPE_INVALID"),
        (b'{"id": 5, "object": "event", "type": "x", "data": {"object": {}}}', "DELIVERY_SHAPE_INVALID"),
        (b'{"id": "evt_1", "object": "event", "type": "x", "data": []}', "DELIVERY_SHAPE_INVALID"),
        (
            b'{"id": "evt_1", "object": "event", "type": "x", "created": 1e3, "data": {"object": {}}}',
            "DELIVERY_SHAPE_INVALID",
        ),
        (b'{"id": "../../x", "object": "event", "type": "x", "data": {"object": {}}}', "DELIVERY_SHAPE_INVALID"),
        (b'{"id": "evt/1", "object": "event", "type": "x", "data": {"object": {}}}', "DELIVERY_SHAPE_INVALID"),
    ],
)
def test_a_likeness_of_an_event_is_refused(body: bytes, reason: str) -> None:
    world = GatewayWorld(poll=False)
    assert received(world, body) == reason
    assert world.stored("delivery") == []


def test_an_object_of_the_future_may_have_money_of_its_own_kind() -> None:
    world = GatewayWorld(poll=False)
    inner = b'{"object": "stablecoin.transfer", "currency": "usdc", "amount": "1.000000"}'
    body = b'{"id": "evt_1", "object": "event", "type": "x.made", "livemode": true, "data": {"object": ' + inner + b"}}"
    assert received(world, body) == ""
    world.run()
    assert world.stored("delivery", "state", "reason") == [("ignored", "CONCERNS_NO_MONEY")]


def test_a_body_of_a_million_brackets_costs_no_stack_and_little_time() -> None:
    world = GatewayWorld(poll=False)
    began = time.perf_counter()
    assert received(world, b'{"a":' * 150_000) == "JSON_TOO_DEEP"
    assert time.perf_counter() - began < 1.0
