"""Amounts, instants and dates to protobuf and back."""

from __future__ import annotations

from datetime import UTC, date, datetime

from concord.money.v1 import money_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from libs.events import EventInvalid
from libs.money import Money


def to_money(message: money_pb2.Money) -> Money:
    """Raises `UnknownCurrency` or `BadAmount`."""
    return Money(message.currency_code, message.minor_units)


def from_money(amount: Money) -> money_pb2.Money:
    return money_pb2.Money(currency_code=amount.currency, minor_units=amount.minor_units)


def to_time(message: Timestamp) -> datetime:
    """An aware UTC instant; raises `EventInvalid` outside the years 1 to 9999."""
    try:
        return message.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise EventInvalid("timestamp out of range", field="timestamp") from None


def from_time(instant: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(instant.astimezone(UTC))
    return stamp


def to_date(text: str, field: str) -> date:
    """Raises `EventInvalid` for what is no ISO 8601 date, nothing included."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise EventInvalid("not an ISO 8601 date", field=field) from None
