"""A Stripe account made up for demo and tests: its objects, its balance, and its webhooks' bodies.

Shapes follow Stripe's published API of 2024-06-20. Amounts are integers in Stripe's minor units, times Unix seconds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .signature import sign

API_VERSION = "2024-06-20"
TWO_DAYS = 2 * 86400

StripeObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Webhook:
    """One delivery: the body's exact bytes and the headers that prove it."""

    body: bytes
    headers: dict[str, str]


@dataclass
class StripeAccount:
    """Grows by what happens to it. Every movement is a balance transaction, in the account's own currency."""

    account: str
    currency: str = "usd"
    livemode: bool = True
    objects: dict[str, StripeObject] = field(default_factory=dict)
    transactions: list[StripeObject] = field(default_factory=list)  # in order of making
    paid_by: dict[str, str] = field(default_factory=dict)  # transaction → payout

    def charge(
        self,
        charge: str,
        amount: int,
        at: datetime,
        *,
        fee: int,
        currency: str = "",
        converted: int = 0,
        customer: str = "",
        payment_intent: str = "",
        metadata: Mapping[str, str] | None = None,
    ) -> StripeObject:
        """A captured payment. In another currency, `converted` is what it became in the account's."""
        made = {
            **self._object(charge, "charge", amount, at, currency or self.currency),
            "amount_captured": amount,
            "amount_refunded": 0,
            "captured": True,
            "customer": customer or None,
            "dispute": None,
            "disputed": False,
            "invoice": None,
            "livemode": self.livemode,
            "metadata": dict(metadata or {}),
            "paid": True,
            "payment_intent": payment_intent or None,
            "refunded": False,
            "status": "succeeded",
        }
        self._move(made, "charge", "charge", converted or amount, fee, at)
        return made

    def refund(
        self, refund: str, charge: str, amount: int, at: datetime, *, converted: int = 0, fee: int = 0
    ) -> StripeObject:
        """Money given back. The charge remembers how much in all."""
        charged = self.objects[charge]
        made = {
            **self._object(refund, "refund", amount, at, charged["currency"]),
            "charge": charge,
            "metadata": {},
            "payment_intent": charged["payment_intent"],
            "reason": "requested_by_customer",
            "status": "succeeded",
        }
        charged["amount_refunded"] += amount
        charged["refunded"] = charged["amount_refunded"] == charged["amount"]
        self._move(made, "refund", "refund", -(converted or amount), fee, at)
        return made

    def refund_failed(self, refund: str, at: datetime) -> StripeObject:
        """The customer's bank sent it back."""
        made = self.objects[refund]
        amount = -self._transaction(made["balance_transaction"])["amount"]
        back = self._move(made, "refund_failure", "refund_failure", amount, 0, at)
        made["failure_balance_transaction"], made["status"] = back["id"], "failed"
        made["failure_reason"] = "lost_or_stolen_card"
        return made

    def dispute(self, dispute: str, charge: str, at: datetime, *, fee: int, converted: int = 0) -> StripeObject:
        """A chargeback of the whole charge: money and fee are taken at once."""
        charged = self.objects[charge]
        made = {
            **self._object(dispute, "dispute", charged["amount"], at, charged["currency"]),
            "balance_transactions": [],
            "charge": charge,
            "livemode": self.livemode,
            "metadata": {},
            "payment_intent": charged["payment_intent"],
            "reason": "fraudulent",
            "status": "needs_response",
        }
        charged["disputed"] = True
        self._move(made, "adjustment", "dispute", -(converted or charged["amount"]), fee, at)
        return made

    def dispute_closed(self, dispute: str, status: str, at: datetime, *, converted: int = 0) -> StripeObject:
        """`won` brings the money back, `lost` moves nothing."""
        made = self.objects[dispute]
        made["status"] = status
        if status == "won":
            self._move(made, "adjustment", "dispute_reversal", converted or made["amount"], 0, at)
        return made

    def movement(self, source: str, provider_type: str, category: str, amount: int, at: datetime) -> StripeObject:
        """Any other movement of the balance: a fee that stands alone, a reserve, a correction."""
        return self._move(
            self._object(source, "reserve_transaction", amount, at, self.currency),
            provider_type,
            category,
            amount,
            0,
            at,
        )

    def payout(
        self, payout: str, at: datetime, arrival: datetime, *, descriptor: str = "", trace: str = "", leave: int = 0
    ) -> StripeObject:
        """Pays out all movements not paid out yet, but for the newest `leave`, which are still pending."""
        waiting = [transaction for transaction in self.transactions if transaction["id"] not in self.paid_by]
        chosen = waiting[: len(waiting) - leave]
        amount = sum(transaction["net"] for transaction in chosen)
        made = {
            **self._object(payout, "payout", amount, at, self.currency),
            "arrival_date": int(arrival.timestamp()),
            "automatic": True,
            "failure_balance_transaction": None,
            "livemode": self.livemode,
            "metadata": {},
            "method": "standard",
            "reconciliation_status": "completed",
            "statement_descriptor": descriptor or None,
            "status": "paid",
            "trace_id": {"status": "supported", "value": trace} if trace else None,
            "type": "bank_account",
        }
        own = self._move(made, "payout", "payout", -amount, 0, at)
        self.paid_by |= {transaction["id"]: payout for transaction in (*chosen, own)}
        return made

    def payout_failed(self, payout: str, at: datetime) -> StripeObject:
        """The bank sent it back: the money is in the balance again, to be paid out with the next payout."""
        made = self.objects[payout]
        made["status"] = "failed"
        moved = self._move(made, "payout_failure", "payout_reversal", made["amount"], 0, at)
        made["failure_balance_transaction"] = moved["id"]
        return made

    def event(self, event: str, event_type: str, payload: StripeObject, at: datetime) -> bytes:
        """A webhook's body. What the API shows whole only if asked is an id here, as at Stripe."""
        return json.dumps(
            {
                "id": event,
                "object": "event",
                "api_version": API_VERSION,
                "created": int(at.timestamp()),
                "data": {"object": payload},
                "livemode": self.livemode,
                "pending_webhooks": 1,
                "request": {"id": None, "idempotency_key": None},
                "type": event_type,
            },
            indent=2,
        ).encode()

    def webhook(self, event: str, event_type: str, payload: StripeObject, at: datetime, secret: bytes) -> Webhook:
        """The same, signed at its time."""
        body = self.event(event, event_type, payload, at)
        headers = {"content-type": "application/json; charset=utf-8", "stripe-signature": sign(body, secret, at)}
        return Webhook(body, headers)

    def balance(self) -> int:
        """Available and pending together, in minor units: what the books' clearing account must show."""
        total: int = sum(transaction["net"] for transaction in self.transactions)
        return total

    def _object(self, key: str, word: str, amount: int, at: datetime, currency: str) -> StripeObject:
        return {"id": key, "object": word, "amount": amount, "created": int(at.timestamp()), "currency": currency}

    def _move(
        self, source: StripeObject, provider_type: str, category: str, amount: int, fee: int, at: datetime
    ) -> StripeObject:
        created = int(at.timestamp())
        presented = source["amount"] if source["currency"] != self.currency else 0
        detail = {
            "amount": fee,
            "application": None,
            "currency": self.currency,
            "description": "Dispute fee" if category == "dispute" else "Stripe processing fees",
            "type": "stripe_fee",
        }
        made: StripeObject = {
            "id": f"txn_{source['id']}"
            if f"txn_{source['id']}" not in self.objects
            else f"txn_{source['id']}_{category}",
            "object": "balance_transaction",
            "amount": amount,
            "available_on": created if category in ("payout", "dispute") else created + TWO_DAYS,
            "created": created,
            "currency": self.currency,
            "description": None,
            "exchange_rate": round(abs(amount / presented), 6) if presented else None,
            "fee": fee,
            "fee_details": [detail] if fee else [],
            "net": amount - fee,
            "reporting_category": category,
            "source": source["id"],
            "status": "pending",
            "type": provider_type,
        }
        self.transactions.append(made)
        self.objects[made["id"]] = made
        self.objects[source["id"]] = source
        if source["object"] == "dispute":
            source["balance_transactions"].append(made)
        else:
            source.setdefault("balance_transaction", made["id"])
        return made

    def _transaction(self, key: str) -> StripeObject:
        return self.objects[key]
