"""Webhooks as Stripe sends them: distinct, signed, seeded, and some of them repeats."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from providers.stripe.signature import sign

ACCOUNT = "acct_demo"  # the demonstration company's books know it
SECRET = "whsec_bench"  # signs for nobody but a gateway on this machine
PATH = f"/webhooks/stripe/{ACCOUNT}"
CUSTOMERS = ("cus_ada", "cus_bertil", "cus_carla")


@dataclass(frozen=True, slots=True)
class Workload:
    """`repeats` is the share of deliveries that came before, under the same id.

    Every `money_every`th webhook brings money with it; the others tell of the same kind of facts, which have no effect
    of their own, as most that Stripe sends.
    """

    count: int
    first: int = 0  # the number of the first distinct webhook: another workload goes on where this one ends
    repeats: float = 0.05
    money_every: int = 1
    seed: int = 7

    def numbers(self) -> list[int]:
        """Which webhook each delivery is, in order."""
        rng = random.Random(f"{self.seed}/{self.first}")
        numbers: list[int] = []
        fresh = self.first
        for _ in range(self.count):
            if numbers and rng.random() < self.repeats:
                numbers.append(rng.choice(numbers))
            else:
                numbers.append(fresh)
                fresh += 1
        return numbers


def body(number: int, workload: Workload) -> bytes:
    """The webhook of that number, the same for the same seed: about 1.4 kB if it brings money, else a third of it."""
    if number % workload.money_every:
        return _told(number, "payment_intent.succeeded", _payment(number))
    return _told(number, "charge.succeeded", _charge(number, workload.seed))


def _charge(number: int, seed: int) -> dict[str, Any]:
    """A charge with its balance transaction inside."""
    rng = random.Random(seed << 40 | number)
    amount = rng.choice((1999, 4900, 10800, 25000)) + rng.randrange(100)
    fee = amount * 29 // 1000 + 30
    created = 1_795_305_600 + number % 80_000
    transaction = {
        "id": f"txn_b{number}",
        "object": "balance_transaction",
        "amount": amount,
        "available_on": 1_795_478_400,
        "created": created,
        "currency": "usd",
        "description": None,
        "exchange_rate": None,
        "fee": fee,
        "fee_details": [{"amount": fee, "application": None, "currency": "usd", "type": "stripe_fee"}],
        "net": amount - fee,
        "reporting_category": "charge",
        "source": f"ch_b{number}",
        "status": "pending",
        "type": "charge",
    }
    return {
        "id": f"ch_b{number}",
        "object": "charge",
        "amount": amount,
        "amount_captured": amount,
        "amount_refunded": 0,
        "application": None,
        "balance_transaction": transaction,
        "billing_details": {"address": ADDRESS, "email": "buyer@example.test", "name": "Ada Buyer", "phone": None},
        "calculated_statement_descriptor": "CONCORD BENCH",
        "captured": True,
        "created": created,
        "currency": "usd",
        "customer": CUSTOMERS[number % len(CUSTOMERS)],
        "description": None,
        "disputed": False,
        "livemode": True,
        "metadata": {"order_id": str(7_000_000 + number), "order_number": str(number)},
        "outcome": {"network_status": "approved_by_network", "risk_level": "normal", "type": "authorized"},
        "paid": True,
        "payment_intent": f"pi_b{number}",
        "payment_method_details": {"card": {"brand": "visa", "country": "US", "last4": "4242"}, "type": "card"},
        "receipt_email": "buyer@example.test",
        "refunded": False,
        "status": "succeeded",
    }


def _payment(number: int) -> dict[str, Any]:
    """A payment intent: it proves a charge and owns no effect."""
    return {
        "id": f"pi_b{number}",
        "object": "payment_intent",
        "amount": 4900,
        "amount_received": 4900,
        "created": 1_795_305_600 + number % 80_000,
        "currency": "usd",
        "customer": CUSTOMERS[number % len(CUSTOMERS)],
        "latest_charge": f"ch_b{number}",
        "livemode": True,
        "metadata": {"order_id": str(7_000_000 + number), "order_number": str(number)},
        "status": "succeeded",
    }


def _told(number: int, kind: str, of: dict[str, Any]) -> bytes:
    event = {
        "id": f"evt_b{number}",
        "object": "event",
        "api_version": "2024-06-20",
        "created": 1_795_305_600 + number % 80_000,
        "data": {"object": of},
        "livemode": True,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
    }
    return json.dumps(event, separators=(",", ":")).encode()


def requests(workload: Workload) -> list[bytes]:
    """Whole HTTP requests, signed now, ready to be written to a socket."""
    at = datetime.now(UTC)
    made: dict[int, bytes] = {}
    for number in workload.numbers():
        if number not in made:
            content = body(number, workload)
            head = (
                f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json; charset=utf-8\r\n"
                f"Stripe-Signature: {sign(content, SECRET.encode(), at)}\r\nUser-Agent: Stripe/1.0\r\n"
                f"Content-Length: {len(content)}\r\n\r\n"
            )
            made[number] = head.encode() + content
    return [made[number] for number in workload.numbers()]


ADDRESS = {
    "city": "Springfield",
    "country": "US",
    "line1": "1 Elm Street",
    "line2": None,
    "postal_code": "01101",
    "state": "MA",
}
