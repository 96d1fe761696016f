"""Events as JSON text for a service's own store. Not a public format: other services get protobuf."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping
from datetime import UTC, date, datetime
from functools import cache
from typing import Any, TypeVar, cast, get_type_hints

from libs.money import Money

from .body import (
    BalanceTransaction,
    BankLine,
    Body,
    Evidence,
    FeeDetail,
    LineKind,
    Order,
    OrderLine,
    OrderRefund,
    Party,
    TaxLine,
)
from .event import Channel, Event, EventKind, Provenance, Reference, ReferenceKind
from .settlement import Settlement, SettlementLine

_BODIES: dict[str, type[Body]] = {
    "order": Order,
    "order_refund": OrderRefund,
    "balance_transaction": BalanceTransaction,
    "bank_line": BankLine,
    "evidence": Evidence,
}
_TAG_OF = {body: tag for tag, body in _BODIES.items()}
_T = TypeVar("_T")


def event_to_json(event: Event) -> str:
    """Compact JSON text; `event_from_json` gives back an equal event."""
    record = {name: _plain(getattr(event, name)) for name in _fields(Event) if name != "body"}
    record["body"] = {"is": _TAG_OF[type(event.body)], **_record(event.body)}
    return json.dumps(record, separators=(",", ":"), ensure_ascii=False)


def event_from_json(text: str) -> Event:
    """Raises `EventInvalid` where the stored text contradicts itself."""
    record = json.loads(text)
    body = dict(record["body"])
    record["body"] = _built(_BODIES[body.pop("is")], body)
    references = tuple(_built(Reference, one) for one in record.pop("references", []))
    values = {name: value if name == "body" else _value(Event, name, value) for name, value in record.items()}
    return Event(references=references, **values)


def settlement_to_json(settlement: Settlement) -> str:
    return json.dumps(_record(settlement), separators=(",", ":"), ensure_ascii=False)


def settlement_from_json(text: str) -> Settlement:
    return _built(Settlement, json.loads(text))


def _record(value: Any) -> dict[str, Any]:
    return {name: _plain(getattr(value, name)) for name in _fields(cast("Hashable", type(value)))}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, Money):
        return [value.currency, value.minor_units]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, EventKind | Channel | ReferenceKind | LineKind):
        return value.value
    return _record(value)


_ITEMS: dict[tuple[type, str], type] = {
    (Order, "lines"): OrderLine,
    (OrderRefund, "lines"): OrderLine,
    (OrderLine, "taxes"): TaxLine,
    (BalanceTransaction, "fee_details"): FeeDetail,
    (Settlement, "lines"): SettlementLine,
    (Settlement, "bank_references"): str,
}
_RECORDS = (Party, Provenance)
_WORDS = (EventKind, Channel, ReferenceKind, LineKind)


@cache
def _fields(owner: Any) -> dict[str, Any]:
    return get_type_hints(owner)


def _built(owner: type[_T], record: Mapping[str, Any]) -> _T:
    return owner(**{name: _value(owner, name, value) for name, value in record.items()})


def _value(owner: type, name: str, value: Any) -> Any:
    if value is None:
        return None
    if item := _ITEMS.get((owner, name)):
        return tuple(one if item is str else _built(item, one) for one in value)
    kind = _fields(owner)[name]
    if kind in (str, int):
        return value
    if kind in (Money, Money | None):
        return Money(*value)
    if kind is datetime:
        return datetime.fromisoformat(value)
    if kind in (date, date | None):
        return date.fromisoformat(value)
    if kind in _WORDS:
        return kind(value)
    if kind in _RECORDS:
        return _built(kind, value)
    raise TypeError(f"no decoder for {owner.__name__}.{name}")
