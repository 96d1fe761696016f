"""Shopify: orders and refunds by webhook.

| the signed body is | gives |
| --- | --- |
| an order, paid (and perhaps refunded since) | the invoice, and a credit note for each refund that went through |
| an order in any other status | evidence |
| a refund whose money went back | the credit note |
| a refund whose money did not (yet) | evidence |
| a refund without money, of an order never paid | nothing |
| a payment transaction | nothing: the payment provider owns the money |
| a test order, or a refund of one, in a live company | nothing |
| anything else under a topic of `SILENT` | nothing |
| anything else | a problem: a person must look |

The topic is a header, so a claim: it never makes money of a body.
"""

from __future__ import annotations

from datetime import datetime

from libs.formats.strict_json import parse_json
from providers.base import Delivery, Headers, Identified, Problem, ProviderRegistration, Secrets, Translation
from providers.reading import Shape, fingerprint

from . import signature
from .orders import LIVEMODE_MISMATCH, is_order, translate_order
from .refunds import TRANSLATOR, is_refund, is_test, refund_event

__all__ = ["REGISTRATION", "Shopify"]

NO_MONEY = "CONCERNS_NO_MONEY"
# The first words of topics that concern no money, or money that another message owns.
SILENT = frozenset(
    {
        "app",
        "app_subscriptions",
        "bulk_operations",
        "carts",
        "checkouts",
        "collections",
        "companies",
        "customer",
        "customer_payment_methods",
        "customers",
        "disputes",
        "domains",
        "draft_orders",
        "fulfillment_events",
        "fulfillment_orders",
        "fulfillments",
        "inventory_items",
        "inventory_levels",
        "locales",
        "locations",
        "order_transactions",
        "product_listings",
        "products",
        "shop",
        "tender_transactions",
        "themes",
    }
)
_SILENT_TOPICS = frozenset({"orders/delete", "orders/edited", "orders/risk_assessment_changed"})
TOPIC_HEADER = "x-shopify-topic"
_MAX_TOPIC = 64


class Shopify:
    """Verifies and translates for one shop."""

    name = "shopify"
    translator = TRANSLATOR

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def verify(self, headers: Headers, body: bytes, now: datetime) -> None:
        signature.verify(headers.get("x-shopify-hmac-sha256", ""), body, self._secrets)

    def identify(self, headers: Headers, body: bytes) -> Identified:
        # Its webhook and event ids are headers, unsigned: taken for keys, one message could block another.
        found = parse_json(body)
        if not found:
            raise Shape(found).invalid("id", "there")
        return Identified("", headers.get(TOPIC_HEADER, "")[:_MAX_TOPIC])

    def translate(self, delivery: Delivery) -> Translation:
        body = _unwrapped(Shape(parse_json(delivery.body)))
        if is_order(body):
            return translate_order(delivery, body)
        if is_refund(body):
            if delivery.source.livemode and is_test(body):
                return Translation(ignored=LIVEMODE_MISMATCH)
            refund = refund_event(delivery, body)
            return Translation(events=(refund,)) if refund else Translation(ignored=NO_MONEY)
        if delivery.type.partition("/")[0] in SILENT or delivery.type in _SILENT_TOPICS:
            return Translation(ignored=NO_MONEY)
        return Translation(problems=(Problem("DELIVERY_SHAPE_INVALID", "neither an order nor a refund"),))

    def fingerprint(self, body: bytes) -> str:
        return fingerprint(parse_json(body))


def _unwrapped(body: Shape) -> Shape:
    """A webhook's body is the bare object; the API's answers, which exports hold, wrap it."""
    for key in ("order", "refund"):
        inner = body.maybe_shape(key)
        if inner and not body.has("id"):
            return inner
    return body


REGISTRATION = ProviderRegistration(
    name=Shopify.name, new=Shopify, signature_header="X-Shopify-Hmac-Sha256", topic_header=TOPIC_HEADER
)
