"""Canonical events and settlements to protobuf and back: shared by every service that sends or takes them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from concord.events.v1 import banking_pb2, commerce_pb2, event_pb2, payments_pb2, provenance_pb2
from concord.recon.v1 import statement_pb2
from google.protobuf.message import Message

from libs.events import (
    BalanceTransaction,
    BankLine,
    Body,
    Channel,
    CommercialDocument,
    Event,
    EventInvalid,
    EventKind,
    Evidence,
    Provenance,
    Reference,
    ReferenceKind,
    Settlement,
    SettlementLine,
)
from libs.rpc.filling import filled
from libs.rpc.reading import read
from libs.rpc.scalars import from_money, from_time, to_date, to_money, to_time

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)  # a receive time that nobody told

# The wire's numbers of each word, found once: asking the descriptors costs every reference of every event.
_KINDS = {event_pb2.EventKind.Value(f"EVENT_KIND_{kind.name}"): kind for kind in EventKind}
_REFERENCE_KINDS = {provenance_pb2.Reference.Kind.Value(f"KIND_{kind.name}"): kind for kind in ReferenceKind}
_CHANNELS = {provenance_pb2.Provenance.Channel.Value(f"CHANNEL_{channel.name}"): channel for channel in Channel}
_KIND_NUMBERS = {item.value: number for number, item in _KINDS.items()}  # by text: an enum's hash is slow
_REFERENCE_NUMBERS = {item.value: number for number, item in _REFERENCE_KINDS.items()}
_CHANNEL_NUMBERS = {item.value: number for number, item in _CHANNELS.items()}


# Field of the oneof, what it holds, and its message.
_BODIES: dict[str, tuple[type[Body], type[Message]]] = {
    "document": (CommercialDocument, commerce_pb2.CommercialDocument),
    "balance_transaction": (BalanceTransaction, payments_pb2.BalanceTransaction),
    "bank_line": (BankLine, banking_pb2.BankLine),
    "evidence": (Evidence, event_pb2.Evidence),
}
_BODY_FIELDS = {body: field for field, (body, _) in _BODIES.items()}


def company_id(name: str) -> str:
    """The id in `companies/{company}`; raises `EventInvalid`."""
    prefix, _, company = name.partition("/")
    if prefix != "companies" or not company or "/" in company:
        raise EventInvalid("not a company's name", field="company")
    return company


def to_event(message: event_pb2.Event) -> Event:
    """The event, checked whole; raises `EventInvalid`, `UnknownCurrency` or `BadAmount`."""
    kind = _KINDS.get(message.kind)
    if kind is None:
        raise EventInvalid("unknown kind of event", field="kind")
    return Event(
        name=message.name,
        kind=kind,
        company=company_id(message.company),
        object_id=message.object_id,
        effective_at=to_time(message.effective_time).replace(microsecond=0),
        amount=to_money(message.amount),
        body=_to_body(message),
        provenance=_to_provenance(message.provenance),
        transaction_id=message.transaction_id,
        references=tuple(_to_reference(reference) for reference in message.references),
    )


def from_event(event: Event) -> event_pb2.Event:
    field = _BODY_FIELDS[type(event.body)]
    body: dict[str, Any] = {field: filled(_BODIES[field][1], event.body)}
    return event_pb2.Event(
        name=event.name,
        kind=_KIND_NUMBERS[event.kind.value],
        company=f"companies/{event.company}",
        object_id=event.object_id,
        effective_time=from_time(event.effective_at),
        amount=from_money(event.amount),
        transaction_id=event.transaction_id,
        references=[
            provenance_pb2.Reference(
                kind=_REFERENCE_NUMBERS[reference.kind.value], value=reference.value, issuer=reference.issuer
            )
            for reference in event.references
        ],
        provenance=_from_provenance(event.provenance),
        **body,
    )


def to_settlement(message: statement_pb2.Settlement) -> Settlement:
    parts = message.name.split("/")
    if len(parts) != 4 or parts[0] != "companies" or parts[2] != "settlements":
        raise EventInvalid("not a settlement's name", field="settlement.name")
    return Settlement(
        company=parts[1],
        interface=message.interface,
        payout_id=message.payout_id,
        payout_transaction=message.payout_transaction,
        amount=to_money(message.amount),
        arrival_date=to_date(message.arrival_date, "settlement.arrival_date") if message.arrival_date else None,
        lines=tuple(read(line, SettlementLine) for line in message.lines),
        bank_references=tuple(message.bank_references),
    )


def from_settlement(settlement: Settlement) -> statement_pb2.Settlement:
    return statement_pb2.Settlement(
        name=f"companies/{settlement.company}/settlements/{settlement.payout_id}",
        interface=settlement.interface,
        payout_id=settlement.payout_id,
        payout_transaction=settlement.payout_transaction,
        amount=from_money(settlement.amount),
        arrival_date=settlement.arrival_date.isoformat() if settlement.arrival_date else "",
        lines=[filled(statement_pb2.SettlementLine, line) for line in settlement.lines],
        bank_references=settlement.bank_references,
        ties=settlement.ties,
    )


def _to_body(message: event_pb2.Event) -> Body:
    which = message.WhichOneof("body")
    if which is None:
        raise EventInvalid("an event needs a body", field="body")
    return read(getattr(message, which), _BODIES[which][0])


def _to_reference(message: provenance_pb2.Reference) -> Reference:
    kind = _REFERENCE_KINDS.get(message.kind)
    if kind is None or not message.value:
        raise EventInvalid("a reference needs a known kind and a value", field="references")
    return Reference(kind, message.value, message.issuer)


def _to_provenance(message: provenance_pb2.Provenance) -> Provenance:
    return Provenance(
        source_system=message.source_system,
        source_account=message.source_account,
        source_object_type=message.source_object_type,
        source_id=message.source_id,
        received_at=to_time(message.receive_time) if message.HasField("receive_time") else _EPOCH,
        channel=_CHANNELS.get(message.channel, Channel.API),
        source_version=message.source_version,
        source_event_id=message.source_event_id,
        delivery=message.delivery,
        raw_sha256=message.raw_sha256,
        translator=message.translator,
    )


def _from_provenance(provenance: Provenance) -> provenance_pb2.Provenance:
    return provenance_pb2.Provenance(
        source_system=provenance.source_system,
        source_account=provenance.source_account,
        source_object_type=provenance.source_object_type,
        source_id=provenance.source_id,
        source_version=provenance.source_version,
        source_event_id=provenance.source_event_id,
        receive_time=from_time(provenance.received_at) if provenance.received_at != _EPOCH else None,
        delivery=provenance.delivery,
        raw_sha256=provenance.raw_sha256,
        channel=_CHANNEL_NUMBERS[provenance.channel.value],
        translator=provenance.translator,
    )
