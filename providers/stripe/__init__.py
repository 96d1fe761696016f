"""Stripe: webhooks, balance transactions by poll, and what each payout pays out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from libs.events import Channel, Settlement
from libs.formats.strict_json import parse_json
from providers.base import (
    ApiDialect,
    ApiQuery,
    Delivery,
    Headers,
    Identified,
    ListPlace,
    ProviderRegistration,
    Secrets,
    Source,
    Translation,
)
from providers.reading import Shape, fingerprint

from . import pages, signature, webhooks
from .report import ITEMISED

__all__ = ["API", "REGISTRATION", "Stripe"]

# Pinned, so that an account's own default cannot change the shape of what is read.
API_VERSION = "2024-06-20"
_TEST_KEYS = ("sk_test_", "rk_test_")
_LIVE_KEYS = ("sk_live_", "rk_live_")


class Stripe:
    """Verifies and translates for one account; asks of the API, and reads what it answers."""

    name = "stripe"
    translator = webhooks.TRANSLATOR
    page_type = pages.PAGE_TYPE
    payout_type = pages.PAYOUT_TYPE
    composition_type = pages.COMPOSITION_TYPE

    def __init__(self, secrets: Secrets, tolerance_seconds: int = signature.TOLERANCE_SECONDS) -> None:
        self._secrets = secrets
        self._tolerance_seconds = tolerance_seconds

    def verify(self, headers: Headers, body: bytes, now: datetime) -> None:
        signature.verify(headers.get("stripe-signature", ""), body, self._secrets, now, self._tolerance_seconds)

    def identify(self, headers: Headers, body: bytes) -> Identified:
        event_id, event_type = webhooks.envelope(Shape(parse_json(body)))
        return Identified(event_id, event_type)

    def translate(self, delivery: Delivery) -> Translation:
        if delivery.channel is Channel.POLL:
            if delivery.type == self.payout_type:
                return Translation(ignored=webhooks.NO_MONEY)  # its movement is in a page
            return pages.translate_page(delivery)
        return webhooks.translate_event(delivery, Shape(parse_json(delivery.body)))

    def fingerprint(self, body: bytes) -> str:
        return fingerprint(parse_json(body, max_bytes=pages.MAX_PAGE_BYTES))

    def movements(self, since: datetime, after: str) -> ApiQuery:
        return pages.movements(since, after)

    def page(self, body: bytes) -> ListPlace:
        return pages.page(body)

    def payout(self, payout_id: str) -> ApiQuery:
        return pages.payout(payout_id)

    def composition(self, payout_id: str, after: str) -> ApiQuery:
        return pages.composition(payout_id, after)

    def is_composed(self, payout_body: bytes) -> bool:
        return pages.is_composed(payout_body)

    def lists_composition(self, payout_body: bytes) -> bool:
        return pages.is_automatic(payout_body)

    def settlement(self, source: Source, payout_body: bytes, pages_: Sequence[bytes]) -> Settlement:
        return pages.settlement(source, payout_body, pages_)


def _headers(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}", "stripe-version": API_VERSION}


def _key_livemode(key: str) -> bool | None:
    return key.startswith(_LIVE_KEYS) if key.startswith((*_LIVE_KEYS, *_TEST_KEYS)) else None


API = ApiDialect("https://api.stripe.com", _headers, _key_livemode)
REGISTRATION = ProviderRegistration(
    name=Stripe.name,
    new=Stripe,
    signature_header="Stripe-Signature",
    api=API,
    reports=(ITEMISED,),
)
