"""The demo shop's Shopify messages: real shapes, signed as Shopify signs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from providers.shopify.signature import sign

Json = dict[str, Any]


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
    line = _line_item(sale)
    body: Json = {
        "id": sale.order_id,
        "admin_graphql_api_id": f"gid://shopify/Order/{sale.order_id}",
        "cancelled_at": None,
        "confirmed": True,
        "created_at": sale.at.isoformat(),
        "currency": sale.currency,
        "current_total_price": str(sale.total),
        "customer": {
            "id": sale.buyer.customer_id,
            "first_name": sale.buyer.first_name,
            "last_name": sale.buyer.last_name,
            "currency": sale.currency,
        },
        "billing_address": {"name": sale.buyer.name, "country_code": sale.buyer.country},
        "discount_codes": [],
        "financial_status": status,
        "gateway": sale.gateway,
        "line_items": [line],
        "name": f"#{sale.number}",
        "order_number": sale.number,
        "payment_gateway_names": [sale.gateway],
        "presentment_currency": sale.currency,
        "processed_at": sale.at.isoformat(),
        "refunds": [],
        "shipping_lines": [],
        "source_name": "web",
        "subtotal_price": str(sale.net),
        "tax_lines": line["tax_lines"],
        "taxes_included": False,
        "test": False,
        "total_discounts": "0.00",
        "total_line_items_price": str(sale.net),
        "total_price": str(sale.total),
        "total_tax": str(sale.tax),
        "total_tip_received": "0.00",
        "updated_at": sale.at.isoformat(),
    }
    return json.dumps(body, indent=1).encode()


def refund_body(refund_id: int, sale: Sale, net: Decimal, tax: Decimal, at: datetime) -> bytes:
    """A `refunds/create` message's body: a part of the order's article, its money given back."""
    money = _money_set(sale.currency)
    body: Json = {
        "id": refund_id,
        "admin_graphql_api_id": f"gid://shopify/Refund/{refund_id}",
        "created_at": at.isoformat(),
        "processed_at": at.isoformat(),
        "duties": [],
        "note": "a scratch",
        "order_adjustments": [],
        "order_id": sale.order_id,
        "refund_line_items": [
            {
                "id": refund_id * 10,
                "line_item": _line_item(sale),
                "line_item_id": sale.order_id * 10,
                "quantity": 1,
                "restock_type": "no_restock",
                "subtotal": float(net),
                "subtotal_set": money(net),
                "total_tax": float(tax),
                "total_tax_set": money(tax),
            }
        ],
        "refund_shipping_lines": [],
        "transactions": [
            {
                "id": refund_id * 100,
                "amount": str(net + tax),
                "currency": sale.currency,
                "gateway": sale.gateway,
                "kind": "refund",
                "order_id": sale.order_id,
                "processed_at": at.isoformat(),
                "status": "success",
                "test": False,
            }
        ],
        "user_id": 1,
    }
    return json.dumps(body, indent=1).encode()


def headers(topic: str, body: bytes, secret: bytes, webhook_id: str) -> dict[str, str]:
    """What Shopify sends beside the body."""
    return {
        "content-type": "application/json",
        "x-shopify-topic": topic,
        "x-shopify-webhook-id": webhook_id,
        "x-shopify-hmac-sha256": sign(body, secret),
    }


def _line_item(sale: Sale) -> Json:
    taxes = [{"price": str(sale.tax), "rate": 0.08, "title": "State Tax", "channel_liable": False}] if sale.tax else []
    return {
        "id": sale.order_id * 10,
        "current_quantity": 1,
        "discount_allocations": [],
        "duties": [],
        "gift_card": False,
        "name": sale.article,
        "price": str(sale.net),
        "quantity": 1,
        "requires_shipping": True,
        "sku": sale.article.upper(),
        "tax_lines": taxes,
        "taxable": bool(taxes),
        "title": sale.article,
        "total_discount": "0.00",
    }


def _money_set(currency: str) -> Any:
    def made(amount: Decimal) -> Json:
        money = {"amount": str(amount), "currency_code": currency}
        return {"shop_money": money, "presentment_money": money}

    return made
