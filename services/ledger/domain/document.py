"""What goes to Odoo for one effect: built, balanced and digested before a byte leaves."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from libs.events import from_plain, to_text
from libs.money import Money

from .document_type import DocumentType
from .entry import Entry
from .master import PostingAccount, PostingJournal, PostingParty
from .role import Role

DIGEST_VERSION = 1


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """A line as Odoo gets it: `quantity` × `unit_price` is exact, the tax is computed by Odoo and read back."""

    label: str
    quantity: int
    unit_price: Money  # before tax
    account: PostingAccount
    taxes: tuple[int, ...] = ()  # Odoo ids
    product: int | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """One Odoo document. `entry` is its whole effect; for invoices Odoo derives it from `invoice_lines`."""

    effect: str  # the business key, also the external id in Odoo
    type: DocumentType
    journal: PostingJournal
    day: date  # accounting date
    original_day: date  # the effective day; differs only where a lock moved `day`
    currency: str
    transaction_id: str  # stands in Odoo's `ref`, of a bill in `invoice_origin`
    entry: Entry
    party: PostingParty | None = None
    invoice_lines: tuple[InvoiceLine, ...] = ()
    reverses: str = ""  # the effect that a credit note corrects
    origin: str = ""  # what people call it: the order's number, the bank's words; a bill's number is its supplier's
    dispute: str = ""  # whose disputed money it moves, as the provider names it
    due: date | None = None  # when it is to be paid; None: at once

    def amounts(self, role: Role) -> list[Money]:
        """Of the lines with this role, in their own currencies."""
        return [line.amount for line in self.entry.lines if line.role is role]

    def closable_roles(self) -> tuple[Role, ...]:
        """Of its lines that reconciliation can close."""
        return tuple(sorted({line.role for line in self.entry.lines} & self.type.traits.closable))


def document_to_json(document: Document) -> str:
    """Compact JSON text for the ledger's own store."""
    return to_text(document)


@lru_cache(maxsize=1024)  # a worker looks at the documents of its batch again and again
def document_from_json(text: str) -> Document:
    """Raises `Unbalanced` where the stored text was tampered with."""
    return from_plain(Document, json.loads(text))


def content_digest(document: Document) -> str:
    """What an approver signs: SHA-256 over `key=value` lines, version 1.

    It covers type, journal, dates, currency, party, reversed effect and every line's account and amounts, of a bill its
    number and due date too; not the transaction id, labels or Odoo's ids.
    """
    fields = [
        ("version", str(DIGEST_VERSION)),
        ("effect", document.effect),
        ("type", document.type.value),
        ("journal", document.journal.code),
        ("day", document.day.isoformat()),
        ("currency", document.currency),
        ("party", document.party.name if document.party else ""),
        ("reverses", document.reverses),
    ]
    if document.type.traits.bears_supplier_number:
        fields += [("number", document.origin), ("due", document.due.isoformat() if document.due else "")]
    for line in document.entry.lines:
        words = [
            line.role,
            line.account.code,
            str(line.amount),
            str(line.balance),
            line.party.name if line.party else "",
        ]
        fields.append(("line", "|".join(words)))
    for item in document.invoice_lines:
        taxes = ",".join(map(str, item.taxes))
        fields.append(("item", f"{item.quantity}|{item.unit_price}|{item.account.code}|{taxes}"))
    return hashlib.sha256("".join(f"{key}={value}\n" for key, value in fields).encode()).hexdigest()
