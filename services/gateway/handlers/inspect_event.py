"""What a provider's message would tell, without keeping anything: for a look at a file."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from libs.events import Channel, CommercialDocument, Event
from providers.base import Delivery, ProviderRegistration, Secrets, Source


def inspect_event(registration: ProviderRegistration, body: bytes, now: datetime, *, topic: str = "") -> dict[str, Any]:
    """`{"events": [{"kind", "source_event_id", "amount", "currency", "references"}], "ignored": null | "why"}`.

    What could not be read beside sound events stands in `problems`, as reasons: it would quarantine the delivery.
    No signature is asked for, and test events are shown like live ones. Raises the same `FormatError` or
    `ShapeInvalid` that would refuse or quarantine the delivery.
    """
    provider = registration.new(Secrets(()))
    identified = provider.identify({registration.topic_header: topic}, body)
    digest = hashlib.sha256(body).hexdigest()
    source = Source(provider.name, "inspected", "inspected", None)
    delivery = Delivery(source, Channel.WEBHOOK, identified.id or digest, identified.type, body, digest, now, "")
    translation = provider.translate(delivery)
    ignored = translation.ignored or next((problem.reason for problem in translation.problems), "")
    found: dict[str, Any] = {
        "events": [_shown(event) for event in translation.events],
        "ignored": None if translation.events else ignored,
    }
    if translation.events and translation.problems:
        found["problems"] = [problem.reason for problem in translation.problems]
    return found


def _shown(event: Event) -> dict[str, Any]:
    body = event.body
    return {
        "kind": (body if isinstance(body, CommercialDocument) else event).kind.value,
        "source_event_id": event.provenance.source_event_id or event.provenance.source_id,
        "amount": event.amount.decimal(),
        "currency": event.amount.currency,
        "references": [{"kind": reference.kind.value, "value": reference.value} for reference in event.references],
    }
