"""The demo shop's Shopify messages: real shapes, signed as Shopify signs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from string import Template

from providers.shopify.signature import sign

MESSAGES = Path(__file__).with_name("shopify")


@dataclass(frozen=True, slots=True)
class Buyer:
    customer_id: int
    first_name: str
    last_name: str
    country: str = "US"

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"


@dataclass(frozen=True, slots=True)
class Sale:
    """One order: a single article, with the shop's 8 % tax where `tax` is not zero."""

    order_id: int
    number: int
    buyer: Buyer
    article: str
    net: Decimal
    tax: Decimal
    at: datetime
    currency: str = "USD"
    gateway: str = "stripe"

    @property
    def total(self) -> Decimal:
        return self.net + self.tax


def order_body(sale: Sale, status: str = "paid") -> bytes:
    """An `orders/paid` (or `orders/create`) message's body."""
    return _message("order", _facts(sale) | {"status": status})


def refund_body(refund_id: int, sale: Sale, net: Decimal, tax: Decimal, at: datetime) -> bytes:
    """A `refunds/create` message's body: a part of the order's article, its money given back."""
    given_back = {"refunded_net": net, "refunded_tax": tax, "refunded_total": net + tax, "refunded_at": at.isoformat()}
    return _message("refund", _facts(sale) | {"refund_id": refund_id} | given_back)


def headers(topic: str, body: bytes, secret: bytes, webhook_id: str) -> dict[str, str]:
    """What Shopify sends beside the body."""
    return {
        "content-type": "application/json",
        "x-shopify-topic": topic,
        "x-shopify-webhook-id": webhook_id,
        "x-shopify-hmac-sha256": sign(body, secret),
    }


def _facts(sale: Sale) -> dict[str, object]:
    """What the messages say of a sale."""
    tax = {"price": str(sale.tax), "rate": 0.08, "title": "State Tax", "channel_liable": False}
    return {
        **asdict(sale),
        **asdict(sale.buyer),
        "buyer_name": sale.buyer.name,
        "at": sale.at.isoformat(),
        "sku": sale.article.upper(),
        "total": sale.total,
        "tax_lines": json.dumps([tax] if sale.tax else []),
        "taxable": json.dumps(bool(sale.tax)),
    }


def _message(name: str, facts: dict[str, object]) -> bytes:
    return _filled(name, facts | {"line_item": _filled("line_item", facts)}).encode()


def _filled(name: str, facts: dict[str, object]) -> str:
    """The message as Shopify sends it, with the facts in their places."""
    return Template((MESSAGES / f"{name}.json.txt").read_text().rstrip()).substitute(facts)
