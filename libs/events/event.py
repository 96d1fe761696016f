"""The canonical event and its name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from libs.money import Money

from .body import BalanceTransaction, BankLine, Body, Evidence
from .commercial import CommercialDocument
from .errors import EventInvalid

_SEGMENT = r"[A-Za-z0-9][A-Za-z0-9._~-]{0,254}"
_NAME = re.compile(rf"sources/({_SEGMENT})/accounts/({_SEGMENT})/events/({_SEGMENT})", re.ASCII)
_COMPANY = re.compile(_SEGMENT, re.ASCII)
_TRANSACTION = re.compile(r"[0-9a-f]{32}", re.ASCII)


class EventKind(Enum):
    """What happened; the kind decides the effects in the books, of a document its own kind and direction do."""

    DOCUMENT = "document"
    CAPTURE = "capture"
    REFUND = "refund"
    REFUND_FAILED = "refund_failed"
    DISPUTE_WITHDRAWN = "dispute_withdrawn"
    DISPUTE_REINSTATED = "dispute_reinstated"
    DISPUTE_LOST = "dispute_lost"
    FEE = "fee"
    FEE_RETURNED = "fee_returned"
    RESERVE_HELD = "reserve_held"
    RESERVE_RELEASED = "reserve_released"
    PAYOUT = "payout"
    PAYOUT_RETURNED = "payout_returned"
    ADJUSTMENT = "adjustment"
    BANK_LINE = "bank_line"
    EVIDENCE = "evidence"


_BODY_OF: dict[EventKind, type[Body]] = {
    EventKind.DOCUMENT: CommercialDocument,
    EventKind.BANK_LINE: BankLine,
    EventKind.EVIDENCE: Evidence,
    EventKind.DISPUTE_LOST: Evidence,
}


class ReferenceKind(Enum):
    ORDER = "order"
    INVOICE = "invoice"
    CUSTOMER = "customer"
    PAYMENT = "payment"
    REFUND = "refund"
    DISPUTE = "dispute"
    PAYOUT = "payout"
    BALANCE_TRANSACTION = "balance_transaction"
    END_TO_END = "end_to_end"
    REMITTANCE = "remittance"
    SERVICER = "servicer"


@dataclass(frozen=True, slots=True)
class Reference:
    """An identifier that joins this fact to others; `issuer` is `{provider}/{account}` or empty."""

    kind: ReferenceKind
    value: str
    issuer: str = ""


class Channel(Enum):
    WEBHOOK = "webhook"
    POLL = "poll"
    FILE = "file"
    API = "api"


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where the event came from, so that any figure can be followed to its bytes. Never part of the digest."""

    source_system: str
    source_account: str
    source_object_type: str
    source_id: str
    received_at: datetime
    channel: Channel
    source_version: str = ""
    source_event_id: str = ""
    delivery: str = ""  # `sources/{provider}/accounts/{account}/deliveries/{delivery}`
    raw_sha256: str = ""
    translator: str = ""  # with its version: `NAME/1`


@dataclass(frozen=True, slots=True)
class Event:
    """A canonical event. One that contradicts itself cannot exist (`EventInvalid`)."""

    name: str
    kind: EventKind
    company: str  # the id, without `companies/`
    object_id: str
    effective_at: datetime  # aware, whole seconds
    amount: Money  # gross, as the source signs it
    body: Body
    provenance: Provenance
    transaction_id: str = ""  # 32 hex digits; empty until the first store gives one
    references: tuple[Reference, ...] = ()

    def __post_init__(self) -> None:
        split_name(self.name)
        if not _COMPANY.fullmatch(self.company):
            raise EventInvalid("company is not a resource id", field="company")
        if not self.object_id or len(self.object_id) > 255:
            raise EventInvalid("object_id must have 1 to 255 characters", field="object_id")
        if self.effective_at.tzinfo is None or self.effective_at.microsecond:
            raise EventInvalid("effective time must be aware and in whole seconds", field="effective_time")
        if self.transaction_id and not _TRANSACTION.fullmatch(self.transaction_id):
            raise EventInvalid("transaction id must be 32 lower-case hex digits", field="transaction_id")
        if not isinstance(self.body, _BODY_OF.get(self.kind, BalanceTransaction)):
            raise EventInvalid(f"{self.kind.value} cannot have this body", field="body")
        if isinstance(self.body, BalanceTransaction):
            self._check_money(self.body)
        elif isinstance(self.body, CommercialDocument) and self.body.totals.gross != self.amount:
            raise EventInvalid("amount and the document's total differ", field="amount")

    def _check_money(self, body: BalanceTransaction) -> None:
        if body.gross != self.amount:
            raise EventInvalid("amount and gross differ", field="amount")
        if body.fee.currency != body.gross.currency:
            raise EventInvalid("fee and gross are in different currencies", field="balance_transaction.fee")
        if body.presentment is not None and body.presentment.currency == body.gross.currency:
            raise EventInvalid("presentment repeats the balance's currency", field="balance_transaction.presentment")

    @property
    def provider(self) -> str:
        return split_name(self.name)[0]

    @property
    def account(self) -> str:
        return split_name(self.name)[1]

    @property
    def interface(self) -> str:
        """`{provider}/{account}`: what completeness is counted by."""
        provider, account, _ = split_name(self.name)
        return f"{provider}/{account}"


def event_name(provider: str, account: str, event: str) -> str:
    """`sources/{provider}/accounts/{account}/events/{event}`; raises `EventInvalid`."""
    name = f"sources/{provider}/accounts/{account}/events/{event}"
    split_name(name)
    return name


def split_name(name: str) -> tuple[str, str, str]:
    """(provider, account, event) of an event's name; raises `EventInvalid`."""
    match = _NAME.fullmatch(name)
    if match is None:
        raise EventInvalid("not an event name", field="name")
    return match[1], match[2], match[3]
