"""What recon keeps of a posting that stands in Odoo: its side of a match."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum

from libs.events import (
    BalanceTransaction,
    BankLine,
    CommercialDocument,
    EffectKey,
    Event,
    EventKind,
    Reference,
    ReferenceKind,
    is_rival_key,
)
from libs.money import Money

POSTED = "posted"
CUSTOMER_INVOICE, SUPPLIER_BILL = "customer_invoice", "supplier_bill"
# References that say who paid, not what for.
_JOINS_NOTHING = (ReferenceKind.CUSTOMER,)
SHORTEST_TRACE = 8  # characters of a servicer's reference that may be a payout's trace
_PAYOUTS = (EventKind.PAYOUT, EventKind.PAYOUT_RETURNED)


@dataclass(frozen=True, slots=True)
class RoleAmount:
    """A line of a posting's document: debit above zero, in transaction currency."""

    role: str
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerPosting:
    """A posting as the ledger tells it, after one of its changes."""

    key: str
    company: str
    transaction_id: str
    state: str  # lower case: `posted`, `ready` …
    version: int
    open_roles: frozenset[str]
    reconciliation: str  # `none`, `partial`, `full`
    document_type: str  # `entry`, `customer_invoice` …; empty until built
    day: date | None
    lines: tuple[RoleAmount, ...]
    odoo_number: str
    event: Event


class ItemKind(Enum):
    BANK_LINE = "bank_line"
    PAYOUT = "payout"
    INVOICE = "invoice"
    BILL = "bill"
    TRANSACTION = "transaction"  # any other movement of a provider's balance


# The role that a match with the bank closes.
BANK_ROLE = {ItemKind.BANK_LINE: "SUS", ItemKind.PAYOUT: "TRN", ItemKind.INVOICE: "AR", ItemKind.BILL: "AP"}
_INVOICES = (ItemKind.INVOICE, ItemKind.BILL)
CLEARING_ROLE = "CLR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One posted thing. `amount` is what the bank books for it: credit above zero.

    `side_open` says that its bank side waits for a counterpart, `clearing_open` that its clearing line does, and
    `receipt_open` that it is a customer's money that no invoice has taken.
    """

    posting: str
    company: str
    kind: ItemKind
    interface: str
    event: str
    event_kind: str
    effect: str
    object_id: str
    source_id: str
    transaction_id: str
    amount: Money
    clearing_units: int  # on the clearing account, in the amount's currency; debit above zero
    day: date
    words: tuple[str, ...]
    side_open: bool
    clearing_open: bool
    receipt_open: bool
    version: int
    learned_at: datetime
    verdict: str = ""
    nearest: str = ""
    nearest_lacks: str = ""


def item_of(posting: LedgerPosting, now: datetime) -> Item | None:
    """The item that a posting is; None if it plays no part in matching or does not stand in Odoo."""
    event = posting.event
    effect = EffectKey.parse(posting.key).effect
    kind = _kind_of(posting, event, effect)
    if kind is None or posting.state != POSTED or is_rival_key(posting.key) or not posting.lines:
        return None
    role = BANK_ROLE.get(kind, "")
    body = event.body
    amount = _sum(posting.lines, role) if kind in (ItemKind.PAYOUT, *_INVOICES) else event.amount
    clearing = _sum(posting.lines, CLEARING_ROLE)
    return Item(
        posting=posting.key,
        company=posting.company,
        kind=kind,
        interface=event.interface,
        event=event.name,
        event_kind=event.kind.value,
        effect=effect,
        object_id=event.object_id,
        source_id=body.source_id if isinstance(body, BalanceTransaction) else "",
        transaction_id=posting.transaction_id,
        amount=amount or event.amount,
        clearing_units=clearing.minor_units if clearing else 0,
        day=_day(posting, event),
        words=_words(posting, event),
        # A part of an invoice that is paid already cannot be told from its roles: a person matches the rest.
        side_open=role in posting.open_roles and not (kind in _INVOICES and posting.reconciliation == "partial"),
        clearing_open=CLEARING_ROLE in posting.open_roles,
        receipt_open=event.kind is EventKind.CAPTURE and "AR" in posting.open_roles,
        version=posting.version,
        learned_at=now,
    )


def _kind_of(posting: LedgerPosting, event: Event, effect: str) -> ItemKind | None:
    if isinstance(event.body, BankLine):
        return ItemKind.BANK_LINE
    if event.kind is EventKind.DOCUMENT and posting.document_type == CUSTOMER_INVOICE:
        return ItemKind.INVOICE
    if event.kind is EventKind.DOCUMENT and posting.document_type == SUPPLIER_BILL:
        return ItemKind.BILL
    if not isinstance(event.body, BalanceTransaction):
        return None
    return ItemKind.PAYOUT if event.kind in _PAYOUTS and effect == "gross" else ItemKind.TRANSACTION


def _day(posting: LedgerPosting, event: Event) -> date:
    body = event.body
    if isinstance(body, BankLine):
        return body.booking_date
    if isinstance(body, BalanceTransaction) and event.kind in _PAYOUTS and body.available_on:
        return body.available_on
    return posting.day or event.effective_at.astimezone(UTC).date()


def _words(posting: LedgerPosting, event: Event) -> tuple[str, ...]:
    if posting.document_type == SUPPLIER_BILL and isinstance(event.body, CommercialDocument):
        return _words_of_bill(posting, event.body)
    texts = [reference.value for reference in event.references if _joins(reference)]
    body = event.body
    if isinstance(body, BankLine):
        texts += [body.remittance, _name(body.counterparty_name)]
    else:
        texts += [event.object_id, posting.odoo_number]
    return tuple(dict.fromkeys(text for text in texts if text))


def _words_of_bill(posting: LedgerPosting, bill: CommercialDocument) -> tuple[str, ...]:
    """Its own numbers, whole, and its supplier's name: nothing else says which bill is paid."""
    name = _name(bill.seller.display_name) if bill.seller else ""
    return tuple(filter(None, ("".join(bill.number.split()), posting.odoo_number, name)))


def _name(text: str) -> str:
    """Without digits: what stands in a name is no number of a document."""
    return "".join(letter for letter in text if not letter.isdigit()).strip()


def _joins(reference: Reference) -> bool:
    # A bank numbers its own lines: what is short there may well be the number of an order too.
    counted = reference.kind is ReferenceKind.SERVICER and len(reference.value) < SHORTEST_TRACE
    return reference.kind not in _JOINS_NOTHING and not counted


def _sum(lines: Iterable[RoleAmount], role: str) -> Money | None:
    totals = Money.totals(line.amount for line in lines if line.role == role)
    return totals[0] if len(totals) == 1 else None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a bank line matched nothing; an empty reason takes an old verdict back."""

    posting: str
    reason: str
    nearest: str = ""
    nearest_lacks: str = ""
