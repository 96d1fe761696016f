"""Dummy: a made-up payment provider with every power, small enough to read at one sitting. Copy it for a real one.

| a movement is | gives |
| --- | --- |
| `succeeded`, of a kind in `movements.KINDS` | its money event |
| `succeeded`, of another kind | an adjustment: posted apart, with an exception |
| in any other status, unknown ones too | evidence: it is pending until the provider says that it succeeded |
| of another mode, in a webhook | nothing: it is not of these books |

Webhook, page and report give a movement as the same event with the same digest, so whichever comes first counts.
"""

from __future__ import annotations

from datetime import datetime

from libs.events import Channel
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
    Translation,
)
from providers.reading import Shape, fingerprint

from . import pages, signature
from .movements import TRANSLATOR, from_message, movement_event
from .report import MOVEMENTS

LIVEMODE_MISMATCH = "LIVEMODE_MISMATCH"


class Dummy:
    """Verifies and translates for one account, and asks of the API."""

    name = "dummy"
    translator = TRANSLATOR
    page_type = pages.PAGE_TYPE

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def verify(self, headers: Headers, body: bytes, now: datetime) -> None:
        signature.verify(headers.get(signature.HEADER.lower(), ""), body, self._secrets, now)

    def identify(self, headers: Headers, body: bytes) -> Identified:
        message = Shape(parse_json(body))
        from_message(message.shape("movement"))  # what makes no sense is refused before it is stored
        return Identified(message.segment("id"), message.text("type"))

    def translate(self, delivery: Delivery) -> Translation:
        if delivery.channel is Channel.POLL:
            return pages.translate(delivery)
        message = Shape(parse_json(delivery.body))
        if delivery.source.livemode not in (None, message.flag("live")):
            return Translation(ignored=LIVEMODE_MISMATCH)
        movement = from_message(message.shape("movement"))
        return Translation(events=(movement_event(movement, delivery, message.text("id")),))

    def fingerprint(self, body: bytes) -> str:
        return fingerprint(parse_json(body, max_bytes=pages.MAX_PAGE_BYTES))

    def movements(self, since: datetime, after: str) -> ApiQuery:
        return pages.query(since, after)

    def page(self, body: bytes) -> ListPlace:
        return pages.place(body)


def _headers(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def _key_livemode(key: str) -> bool | None:
    """A key says its mode by its first letters; one that does not is taken."""
    return {"live": True, "test": False}.get(key.partition("_")[0])


API = ApiDialect("https://api.dummy.invalid", _headers, _key_livemode)
REGISTRATION = ProviderRegistration(
    name=Dummy.name,
    new=Dummy,
    signature_header=signature.HEADER,
    api=API,
    reports=(MOVEMENTS,),
)
