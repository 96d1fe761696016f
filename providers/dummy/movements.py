"""A movement of Dummy's balance, and the event that it is, whichever channel states it.

Amounts are decimal texts. `gross` is signed, money in above zero; `fee` above zero is taken from us; net = gross - fee.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from libs.events import BalanceTransaction, Event, EventKind, Evidence, Reference, ReferenceKind, event_name
from libs.money import Money, exponent_of
from providers.base import Delivery
from providers.errors import AmountInvalid
from providers.reading import Shape

TRANSLATOR = "dummy/1"
SUCCEEDED = "succeeded"
# What each kind is by the sign of its amount: money out, money in.
KINDS = {
    "payment": (EventKind.ADJUSTMENT, EventKind.CAPTURE),
    "refund": (EventKind.REFUND, EventKind.REFUND_FAILED),
    "dispute": (EventKind.DISPUTE_WITHDRAWN, EventKind.DISPUTE_REINSTATED),
    "fee": (EventKind.FEE, EventKind.FEE_RETURNED),
    "payout": (EventKind.PAYOUT, EventKind.PAYOUT_RETURNED),
}
_UNEXPLAINED = (EventKind.ADJUSTMENT, EventKind.ADJUSTMENT)
_REFERENCE = {
    "payment": ReferenceKind.PAYMENT,
    "refund": ReferenceKind.REFUND,
    "dispute": ReferenceKind.DISPUTE,
    "payout": ReferenceKind.PAYOUT,
}


@dataclass(frozen=True, slots=True)
class Movement:
    """One movement, read. `payout` is the payout that pays it, or that it is; empty while nobody knows."""

    id: str
    kind: str
    status: str
    created: datetime  # aware
    gross: Money
    fee: Money
    order: str = ""  # the shop's own number, as the shop handed it over
    payout: str = ""


def from_message(shape: Shape) -> Movement:
    """Raises `ShapeInvalid` or `UnknownCurrency`."""
    currency = shape.text("currency")
    exponent_of(currency)
    gross, fee, net = (shape.decimal_money(key, currency) for key in ("gross", "fee", "net"))
    if gross - fee != net:
        raise AmountInvalid("net is not gross less fee", field=f"{shape.path}.net")
    return Movement(
        id=shape.segment("id"),
        kind=shape.text("kind"),
        status=shape.text("status"),
        created=shape.iso_instant("created"),
        gross=gross,
        fee=fee,
        order=shape.maybe_text("order"),
        payout=shape.maybe_text("payout"),
    )


def movement_event(movement: Movement, delivery: Delivery, message_id: str = "", transaction_id: str = "") -> Event:
    """Money if it succeeded, else evidence. Raises `EventInvalid` where it contradicts itself."""
    source, moved = delivery.source, movement.status == SUCCEEDED
    out, back = KINDS.get(movement.kind, _UNEXPLAINED)
    # Evidence is named by the status too: each is counted once, in however many messages it stands.
    name = movement.id if moved else f"{movement.id}-{hashlib.sha256(movement.status.encode()).hexdigest()[:16]}"
    money = BalanceTransaction(
        gross=movement.gross,
        fee=movement.fee,
        presentment=None,  # Dummy converts nothing: the customer paid in the balance's currency
        available_on=None,
        provider_type=movement.kind,
        source_id=movement.id,
    )
    return Event(
        name=event_name(source.provider, source.account, name),
        kind=(out if movement.gross.minor_units < 0 else back) if moved else EventKind.EVIDENCE,
        company=source.company,
        object_id=movement.id,
        effective_at=movement.created.replace(microsecond=0),
        amount=movement.gross,
        body=money if moved else Evidence(type=f"{movement.kind}.{movement.status}"[:64]),
        provenance=delivery.provenance(TRANSLATOR, "movement", movement.id, source_event_id=message_id),
        transaction_id=transaction_id,
        references=_references(movement, source.interface),
    )


def _references(movement: Movement, issuer: str) -> tuple[Reference, ...]:
    found = [Reference(ReferenceKind.BALANCE_TRANSACTION, movement.id, issuer)]
    if movement.kind in _REFERENCE:
        found.append(Reference(_REFERENCE[movement.kind], movement.id, issuer))
    if movement.order:
        # Nobody vouches for what the shop wrote: no issuer.
        found.append(Reference(ReferenceKind.ORDER, movement.order))
    return tuple(found)
