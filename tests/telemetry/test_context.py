from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest
from opentelemetry import context as context_api

from libs.events.ids import TransactionIds
from libs.telemetry.context import (
    context_from,
    current_transaction_id,
    incoming_context,
    outgoing_headers,
    parse_traceparent,
    technical_decision,
    traceparent_of,
)

TRACE, SPAN = "0190a3c07b1e70008000000000000001", "00f067aa0ba902b7"
TRANSACTION = "0190a3c07b1e70008000000000000002"


@pytest.mark.parametrize("flags", ["00", "01"])
def test_a_stored_traceparent_comes_back_with_its_decision(flags: str) -> None:
    stored = f"00-{TRACE}-{SPAN}-{flags}"
    context = context_from(stored, TRANSACTION)
    assert context is not None
    assert traceparent_of(context) == stored
    assert current_transaction_id(context) == TRANSACTION


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "garbage",
        f"00-{TRACE}-{SPAN}",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-01\n",
    ],
)
def test_a_malformed_traceparent_is_no_context(header: str | None) -> None:
    assert parse_traceparent(header) is None
    assert context_from(header) is None


def test_a_later_version_with_more_fields_is_read() -> None:
    assert parse_traceparent(f"01-{TRACE}-{SPAN}-01-more") is not None


def test_a_tenth_of_uuid7s_are_in_the_tenth() -> None:
    ids = TransactionIds(lambda: datetime(2026, 1, 5, tzinfo=UTC), random.Random(7))
    taken = sum(technical_decision(int(ids(), 16), 0.1) for _ in range(20_000))
    assert 0.09 < taken / 20_000 < 0.11


@pytest.mark.parametrize(("share", "decision"), [(0.0, False), (1.0, True)])
def test_a_share_of_nothing_and_of_all(share: float, decision: bool) -> None:
    assert {technical_decision(low, share) for low in (0, 1, (1 << 56) - 1, 1 << 60)} == {decision}


def test_headers_carry_the_context_to_the_next_service() -> None:
    assert outgoing_headers() == ()
    token = context_api.attach(context_from(f"00-{TRACE}-{SPAN}-00", TRANSACTION) or context_api.Context())
    try:
        headers = outgoing_headers()
    finally:
        context_api.detach(token)
    assert headers == (("traceparent", f"00-{TRACE}-{SPAN}-00"), ("baggage", f"concord.transaction_id={TRANSACTION}"))
    received = incoming_context(headers)
    assert received is not None
    assert (traceparent_of(received), current_transaction_id(received)) == (headers[0][1], TRANSACTION)


@pytest.mark.parametrize(
    ("baggage", "transaction_id"),
    [
        (f"a=b, concord.transaction_id={TRANSACTION};p=1, c=d", TRANSACTION),
        ("concord.transaction_id=not-an-id", None),
        ("concord.transaction_id=" + "A" * 32, None),
        ("other=1", None),
        ("x" * 100_000 + f",concord.transaction_id={TRANSACTION}", None),
    ],
)
def test_of_baggage_only_a_valid_transaction_id_is_taken(baggage: str, transaction_id: str | None) -> None:
    received = incoming_context([("traceparent", f"00-{TRACE}-{SPAN}-01"), ("baggage", baggage)])
    assert current_transaction_id(received) == transaction_id
