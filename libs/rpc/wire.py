"""Canonical events and settlements to protobuf and back: shared by every service that sends or takes them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime

from concord.events.v1 import banking_pb2, commerce_pb2, event_pb2, payments_pb2, provenance_pb2
from concord.money.v1 import money_pb2
from concord.recon.v1 import statement_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from libs.events import (
    BalanceTransaction,
    BankLine,
    Channel,
    Event,
    EventInvalid,
    EventKind,
    Evidence,
    FeeDetail,
    LineKind,
    Order,
    OrderLine,
    OrderRefund,
    Party,
    Provenance,
    Reference,
    ReferenceKind,
    Settlement,
    SettlementLine,
    TaxLine,
)
from libs.money import Money

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)  # a receive time that nobody told

# The wire's numbers of each word, found once: asking the descriptors costs every reference of every event.
_KINDS = {event_pb2.EventKind.Value(f"EVENT_KIND_{kind.name}"): kind for kind in EventKind}
_REFERENCE_KINDS = {provenance_pb2.Reference.Kind.Value(f"KIND_{kind.name}"): kind for kind in ReferenceKind}
_CHANNELS = {provenance_pb2.Provenance.Channel.Value(f"CHANNEL_{channel.name}"): channel for channel in Channel}
_KIND_NUMBERS = {item.value: number for number, item in _KINDS.items()}  # by text: an enum's hash is slow
_REFERENCE_NUMBERS = {item.value: number for number, item in _REFERENCE_KINDS.items()}
_CHANNEL_NUMBERS = {item.value: number for number, item in _CHANNELS.items()}


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
    message = event_pb2.Event(
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
    )
    _set_body(message, event)
    return message


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
        arrival_date=_to_date(message.arrival_date, "settlement.arrival_date"),
        lines=tuple(
            SettlementLine(line.balance_transaction, to_money(line.gross), to_money(line.fee), to_money(line.net))
            for line in message.lines
        ),
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
        lines=[
            statement_pb2.SettlementLine(
                balance_transaction=line.balance_transaction,
                gross=from_money(line.gross),
                fee=from_money(line.fee),
                net=from_money(line.net),
            )
            for line in settlement.lines
        ],
        bank_references=settlement.bank_references,
        ties=settlement.ties,
    )


def _to_body(message: event_pb2.Event) -> Order | OrderRefund | BalanceTransaction | BankLine | Evidence:
    which = message.WhichOneof("body")
    if which == "order":
        order = message.order
        return Order(
            order.number,
            _to_party(order.customer),
            _to_lines(order.lines),
            to_money(order.total),
            to_money(order.tax_total),
        )
    if which == "order_refund":
        two = message.order_refund
        return OrderRefund(
            two.order_id,
            two.order_number,
            _to_party(two.customer),
            _to_lines(two.lines),
            to_money(two.total),
            to_money(two.tax_total),
        )
    if which == "balance_transaction":
        return _to_balance_transaction(message.balance_transaction)
    if which == "bank_line":
        return _to_bank_line(message.bank_line)
    if which == "evidence":
        return Evidence(message.evidence.type)
    raise EventInvalid("an event needs a body", field="body")


def _set_body(message: event_pb2.Event, event: Event) -> None:
    body = event.body
    if isinstance(body, Order):
        message.order.CopyFrom(
            commerce_pb2.Order(
                number=body.number,
                customer=_from_party(body.customer),
                lines=_from_lines(body.lines),
                total=from_money(body.total),
                tax_total=from_money(body.tax_total),
            )
        )
    elif isinstance(body, OrderRefund):
        message.order_refund.CopyFrom(
            commerce_pb2.OrderRefund(
                order_id=body.order_id,
                order_number=body.order_number,
                customer=_from_party(body.customer),
                lines=_from_lines(body.lines),
                total=from_money(body.total),
                tax_total=from_money(body.tax_total),
            )
        )
    elif isinstance(body, BalanceTransaction):
        message.balance_transaction.CopyFrom(_from_balance_transaction(body))
    elif isinstance(body, BankLine):
        message.bank_line.CopyFrom(_from_bank_line(body))
    else:
        message.evidence.CopyFrom(event_pb2.Evidence(type=body.type))


def _to_balance_transaction(message: payments_pb2.BalanceTransaction) -> BalanceTransaction:
    return BalanceTransaction(
        gross=to_money(message.gross),
        fee=to_money(message.fee),
        presentment=to_money(message.presentment) if message.HasField("presentment") else None,
        available_on=_to_date(message.available_on, "balance_transaction.available_on"),
        provider_type=message.provider_type,
        source_id=message.source_id,
        customer_id=message.customer_id,
        fee_details=tuple(FeeDetail(detail.kind, to_money(detail.amount)) for detail in message.fee_details),
    )


def _from_balance_transaction(body: BalanceTransaction) -> payments_pb2.BalanceTransaction:
    return payments_pb2.BalanceTransaction(
        gross=from_money(body.gross),
        fee=from_money(body.fee),
        presentment=from_money(body.presentment) if body.presentment else None,
        available_on=body.available_on.isoformat() if body.available_on else "",
        provider_type=body.provider_type,
        source_id=body.source_id,
        customer_id=body.customer_id,
        fee_details=[
            payments_pb2.FeeDetail(kind=detail.kind, amount=from_money(detail.amount)) for detail in body.fee_details
        ],
    )


def _to_bank_line(message: banking_pb2.BankLine) -> BankLine:
    booking = _to_date(message.booking_date, "bank_line.booking_date")
    if booking is None:
        raise EventInvalid("a bank line needs its booking date", field="bank_line.booking_date")
    return BankLine(
        bank_account=message.bank_account,
        statement_id=message.statement_id,
        fingerprint=message.fingerprint,
        occurrence=message.occurrence,
        booking_date=booking,
        value_date=_to_date(message.value_date, "bank_line.value_date"),
        counterparty_name=message.counterparty_name,
        counterparty_account=message.counterparty_account,
        remittance=message.remittance,
        bank_code=message.bank_code,
    )


def _from_bank_line(body: BankLine) -> banking_pb2.BankLine:
    return banking_pb2.BankLine(
        bank_account=body.bank_account,
        statement_id=body.statement_id,
        fingerprint=body.fingerprint,
        occurrence=body.occurrence,
        booking_date=body.booking_date.isoformat(),
        value_date=body.value_date.isoformat() if body.value_date else "",
        counterparty_name=body.counterparty_name,
        counterparty_account=body.counterparty_account,
        remittance=body.remittance,
        bank_code=body.bank_code,
    )


def _to_date(text: str, field: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise EventInvalid("not an ISO 8601 date", field=field) from None


def _to_party(message: commerce_pb2.Party) -> Party:
    return Party(message.external_id, message.issuer, message.display_name, message.country_code)


def _from_party(party: Party) -> commerce_pb2.Party:
    return commerce_pb2.Party(
        external_id=party.external_id,
        issuer=party.issuer,
        display_name=party.display_name,
        country_code=party.country,
    )


def _to_lines(messages: Iterable[commerce_pb2.OrderLine]) -> tuple[OrderLine, ...]:
    return tuple(
        OrderLine(
            kind=LineKind(commerce_pb2.OrderLine.Kind.Name(message.kind).removeprefix("KIND_").lower())
            if message.kind
            else LineKind.PRODUCT,
            description=message.description,
            sku=message.sku,
            quantity=message.quantity or "1",
            net=to_money(message.net),
            taxes=tuple(TaxLine(tax.title, tax.rate, to_money(tax.amount)) for tax in message.taxes),
        )
        for message in messages
    )


def _from_lines(lines: tuple[OrderLine, ...]) -> list[commerce_pb2.OrderLine]:
    return [
        commerce_pb2.OrderLine(
            kind=commerce_pb2.OrderLine.Kind.Value(f"KIND_{line.kind.name}"),
            description=line.description,
            sku=line.sku,
            quantity=line.quantity,
            net=from_money(line.net),
            taxes=[
                commerce_pb2.TaxLine(title=tax.title, rate=tax.rate, amount=from_money(tax.amount))
                for tax in line.taxes
            ],
        )
        for line in lines
    ]


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
