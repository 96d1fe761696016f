"""Protobuf to the gateway's values and back."""

from __future__ import annotations

from concord.gateway.v1 import delivery_pb2, gateway_pb2

from libs.events import Channel
from libs.rpc import requests
from libs.rpc.errors import InvalidRequest
from libs.rpc.scalars import from_time

from .domain.delivery import DeliveryState, StoredDelivery
from .handlers.administer import KnownSource

_CHANNEL = {
    Channel.WEBHOOK: delivery_pb2.Delivery.CHANNEL_WEBHOOK,
    Channel.POLL: delivery_pb2.Delivery.CHANNEL_POLL,
    Channel.FILE: delivery_pb2.Delivery.CHANNEL_FILE,
}
DELIVERY_NAME = "sources/{provider}/accounts/{account}/deliveries/{delivery}"
SOURCE_NAME = "sources/{provider}/accounts/{account}"


def to_delivery_name(name: str) -> str:
    requests.resource_name(name, "name", DELIVERY_NAME)
    return name


def to_source(name: str, field: str = "name") -> tuple[str, str]:
    """(provider, account)."""
    parts = requests.resource_name(name, field, SOURCE_NAME)
    return parts["provider"], parts["account"]


def to_parent(name: str) -> tuple[str, str]:
    """(provider, account); empty where `-` stands for any, or nothing is given."""
    if not name:
        return "", ""
    provider, account = to_source(name, "parent")
    return provider if provider != "-" else "", account if account != "-" else ""


def to_state(value: int) -> DeliveryState | None:
    if not value:
        return None
    if value not in delivery_pb2.Delivery.State.values():
        raise InvalidRequest("an unknown state", field="state")
    word = delivery_pb2.Delivery.State.Name(value)  # type: ignore[arg-type]  # checked above
    return DeliveryState[word.removeprefix("STATE_")]


def from_delivery(stored: StoredDelivery) -> delivery_pb2.Delivery:
    delivery = stored.delivery
    return delivery_pb2.Delivery(
        name=delivery.name,
        state=delivery_pb2.Delivery.State.Value(f"STATE_{stored.state.name}"),
        channel=_CHANNEL[delivery.channel],
        type=delivery.type,
        body_bytes=stored.body_bytes,
        sha256=delivery.sha256,
        schema_fingerprint=stored.schema_fingerprint,
        receive_time=from_time(delivery.received_at),
        transaction_id=delivery.transaction_id,
        events=stored.events,
        reason=stored.reason,
        attempts=stored.attempts,
    )


def from_source(known: KnownSource) -> delivery_pb2.Source:
    return delivery_pb2.Source(
        name=known.name,
        company=f"companies/{known.company}",
        last_receive_time=from_time(known.last_received) if known.last_received else None,
        last_poll_time=from_time(known.last_polled) if known.last_polled else None,
        polled=known.polled,
    )


def from_polled(deliveries: int) -> gateway_pb2.PollSourceResponse:
    return gateway_pb2.PollSourceResponse(deliveries=deliveries)
