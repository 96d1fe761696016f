"""`concord deliveries`: what came in and waits for a person at the gateway, and its replay once that is mended."""

from __future__ import annotations

import json
import uuid
from enum import StrEnum
from functools import partial
from itertools import islice
from typing import Annotated

import typer
from concord.gateway.v1 import delivery_pb2, gateway_pb2, gateway_pb2_grpc

from cli.connection import As, listed, service, word
from cli.one_by_one import one_by_one

app = typer.Typer(
    help="What came in at the gateway, and its replay.",
    no_args_is_help=True,
    add_completion=False,
)

PAGE = 1000

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object a delivery.")]


_gateway = partial(service, "gateway", gateway_pb2_grpc.GatewayServiceStub)


class ShownState(StrEnum):
    """A delivery's state, as the command line writes it."""

    RECEIVED = "received"
    TRANSLATED = "translated"
    FORWARDED = "forwarded"
    IGNORED = "ignored"
    QUARANTINED = "quarantined"
    PARKED = "parked"


@app.command(name="list")
def list_(
    states: Annotated[
        list[ShownState] | None,
        typer.Option("--state", help="May be repeated; by default what waits for a person: quarantined and parked."),
    ] = None,
    source: Annotated[str, typer.Option(help="Of this PROVIDER/ACCOUNT alone.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="The newest so many.")] = 100,
    subject: As = "",
    as_json: Json = False,
) -> None:
    """List deliveries, newest first, with the reason why each went no further."""
    provider, _, account = source.partition("/")
    parent = f"sources/{provider or '-'}/accounts/{account or '-'}"
    found: list[delivery_pb2.Delivery] = []
    with _gateway("auditor", subject) as stub:
        for state in dict.fromkeys(states or (ShownState.QUARANTINED, ShownState.PARKED)):
            asked = delivery_pb2.Delivery.State.Value(f"STATE_{state.name}")
            request = gateway_pb2.ListDeliveriesRequest(parent=parent, state=asked, page_size=min(limit, PAGE))
            found += islice(listed(stub.ListDeliveries, request, "deliveries"), limit)
    found.sort(key=lambda delivery: delivery.transaction_id, reverse=True)  # UUIDv7s: by time of receipt
    for delivery in found[:limit]:
        typer.echo(json.dumps(_record(delivery)) if as_json else _line(delivery))


@app.command()
def replay(
    names: Annotated[list[str], typer.Argument(metavar="NAME…", help="As `list` prints them.", show_default=False)],
    subject: As = "",
    as_json: Json = False,
) -> None:
    """Translate and forward stored deliveries again. What is known already stays as it is.

    One that is refused holds up no other; exit status 1 if one was.
    """
    with _gateway("operator", subject) as stub:

        def ask(name: str) -> str:
            request = gateway_pb2.ReplayDeliveryRequest(name=name, request_id=str(uuid.uuid4()))
            delivery: delivery_pb2.Delivery = stub.ReplayDelivery(request)
            return json.dumps(_record(delivery)) if as_json else _line(delivery)

        one_by_one(names, ask, as_json)


def _line(delivery: delivery_pb2.Delivery) -> str:
    at = delivery.receive_time.ToDatetime().strftime("%Y-%m-%d %H:%M:%S")
    words = [delivery.name, delivery.type, delivery.reason and f"({delivery.reason})"]
    return f"{at}  {word(delivery_pb2.Delivery.State, delivery.state):11} {' '.join(filter(None, words))}"


def _record(delivery: delivery_pb2.Delivery) -> dict[str, object]:
    return {
        "name": delivery.name,
        "state": word(delivery_pb2.Delivery.State, delivery.state),
        "channel": word(delivery_pb2.Delivery.Channel, delivery.channel),
        "type": delivery.type,
        "reason": delivery.reason or None,
        "received": delivery.receive_time.ToJsonString(),
        "transaction_id": delivery.transaction_id,
        "events": list(delivery.events),
        "attempts": delivery.attempts,
    }
