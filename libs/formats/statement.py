"""A bank statement as values, whatever format it came in: a header, its lines as they come, and an end with the proof.

Amounts are signed: credit to the account above zero, debit below. Dates are the bank's own calendar dates, never
shifted by a time zone. What is odd but not fatal is a `Finding` beside the value, never a repair.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum
from operator import attrgetter

from libs.money import Money


class Side(StrEnum):
    """Which way the account moved, as the bank marked it."""

    CREDIT = "CRDT"
    DEBIT = "DBIT"


class EntryStatus(StrEnum):
    """Only a booked entry is money; whatever is not known to be booked is not."""

    BOOKED = "BOOK"
    PENDING = "PDNG"
    INFORMATION = "INFO"
    FUTURE = "FUTR"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in the file that a person should see. `reason` is stable; the message holds no content."""

    reason: str
    message: str
    position: str | None = None


@dataclass(frozen=True, slots=True)
class StatementAccount:
    """The account stated. `identification` is upper case without spaces; `scheme` is IBAN or OTHER."""

    identification: str
    scheme: str
    currency: str | None = None
    servicer_bic: str | None = None
    owner_name: str | None = None


@dataclass(frozen=True, slots=True)
class Balance:
    """A stated balance: ISO code such as OPBD, PRCD, CLBD, ITBD, OPAV, CLAV; overdrawn is below zero."""

    code: str
    amount: Money
    day: date | None
    subtype: str | None = None


@dataclass(frozen=True, slots=True)
class BankTransactionCode:
    """What kind of movement: ISO domain, family and sub-family, or the bank's own code."""

    domain: str | None = None
    family: str | None = None
    subfamily: str | None = None
    proprietary: str | None = None
    proprietary_issuer: str | None = None

    @property
    def text(self) -> str:
        """`domain/family/subfamily`, else the bank's own code; empty where the bank says nothing."""
        if self.domain:
            return "/".join(part for part in (self.domain, self.family, self.subfamily) if part)
        return self.proprietary or ""


@dataclass(frozen=True, slots=True)
class EntryBatch:
    """What the bank says of an entry that holds several transactions."""

    message_id: str | None = None
    payment_information_id: str | None = None
    count: int | None = None
    total: Money | None = None


@dataclass(frozen=True, slots=True)
class StatementParty:
    """Whoever is on one side of a transaction; `account` is an IBAN or another number, upper case without spaces."""

    name: str | None = None
    account: str | None = None
    bic: str | None = None
    ultimate_name: str | None = None


@dataclass(frozen=True, slots=True)
class Charge:
    """A charge; below zero is taken from us. `included` says whether the entry's amount has it in already."""

    amount: Money
    included: bool | None = None


@dataclass(frozen=True, slots=True)
class ReturnInformation:
    """Why a payment came back."""

    code: str | None = None
    originator: str | None = None
    text: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DocumentReference:
    """A document that the remittance names, for example an invoice."""

    number: str
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class References:
    """Identifiers of a transaction. Placeholders such as NOTPROVIDED are kept as the bank wrote them."""

    end_to_end_id: str | None = None
    instruction_id: str | None = None
    transaction_id: str | None = None
    uetr: str | None = None
    mandate_id: str | None = None
    payment_information_id: str | None = None
    message_id: str | None = None
    account_servicer_reference: str | None = None
    clearing_reference: str | None = None
    cheque_number: str | None = None
    proprietary: tuple[tuple[str, str], ...] = ()

    def given(self) -> list[str]:
        """Every identifier that is one, sorted, each once."""
        texts = {*_SINGLE_REFERENCES(self), *(reference for _, reference in self.proprietary)}
        return sorted(text for text in texts if text and text.upper() not in PLACEHOLDERS)


_SINGLE_REFERENCES = attrgetter(*(field.name for field in fields(References) if field.name != "proprietary"))
PLACEHOLDERS = frozenset({"NOTPROVIDED", "NOT PROVIDED", "NONREF", "NOREF", "UNKNOWN", "N/A", "-"})


@dataclass(frozen=True, slots=True)
class Detail:
    """One transaction of an entry. `amount` is None where the bank gives none in `TxDtls/Amt` or `TxAmt`."""

    references: References
    amount: Money | None
    side: Side
    instructed_amount: Money | None
    counterparty: StatementParty | None
    debtor: StatementParty | None
    creditor: StatementParty | None
    code: BankTransactionCode | None
    remittance: tuple[str, ...]
    creditor_references: tuple[str, ...]
    documents: tuple[DocumentReference, ...]
    charges: tuple[Charge, ...]
    returned: ReturnInformation | None
    purpose: str | None
    additional_information: str | None


@dataclass(frozen=True, slots=True)
class StatementHeader:
    """Whose statement it is. `created` is the bank's own text: it often has no time zone.

    `opening` and `closing` are None where the file does not say, or says two things.
    """

    format: str
    index: int
    message_id: str | None
    statement_id: str
    account: StatementAccount
    currency: str | None
    electronic_sequence: str | None = None
    legal_sequence: str | None = None
    created: str | None = None
    period_from: date | None = None
    period_to: date | None = None
    page: str | None = None
    last_page: bool | None = None
    copy_or_duplicate: str | None = None
    opening: Money | None = None
    closing: Money | None = None


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One entry, in the order of the file; `sequence` counts from 1 within its statement."""

    sequence: int
    amount: Money
    side: Side
    status: EntryStatus
    booking_date: date | None
    value_date: date | None
    reversal: bool
    code: BankTransactionCode
    entry_reference: str | None
    account_servicer_reference: str | None
    batches: tuple[EntryBatch, ...]
    charges: tuple[Charge, ...]
    details: tuple[Detail, ...]
    additional_information: str | None
    findings: tuple[Finding, ...] = ()
    assumed_date: date | None = None  # the statement's day, where a booked entry bears no date of its own

    @property
    def booked(self) -> bool:
        return self.status is EntryStatus.BOOKED

    @property
    def effective_date(self) -> date | None:
        """The booking date, or the value date where the bank gives only that, or the statement's day."""
        return self.booking_date or self.value_date or self.assumed_date


@dataclass(frozen=True, slots=True)
class StatementEnd:
    """What the statement adds up to. Sums and `entries` are of booked entries; `debit_sum` is not negative.

    `ties` is opening + credits - debits = closing: False if the file contradicts itself, None if it does not state
    both balances. `difference` is closing less what was computed. Amounts are None where the file does not say.
    """

    entries: int
    not_booked: int
    credit_sum: Money | None
    debit_sum: Money | None
    opening: Money | None
    closing: Money | None
    ties: bool | None
    difference: Money | None
    balances: tuple[Balance, ...]
    findings: tuple[Finding, ...] = ()


StatementPart = StatementHeader | StatementLine | StatementEnd

FINGERPRINT_VERSION = "concord.statement-line.1"


def line_references(line: StatementLine) -> list[str]:
    """The identifiers that stay the same when a bank sends a line again, sorted.

    The servicer's reference alone where there is one: it is the same in the intraday report, the notification and the
    statement, while details are often in one of them only. The entry reference is left out because many banks
    number entries anew in each file.
    """
    own = line.account_servicer_reference
    if own and own.upper() not in PLACEHOLDERS:
        return [own]
    return sorted({text for detail in line.details for text in detail.references.given()})


def _words(line: StatementLine) -> list[str]:
    """Remittance information, sorted, with single spaces."""
    texts = (text for detail in line.details for text in (*detail.creditor_references, *detail.remittance))
    return sorted({" ".join(text.split()) for text in texts})


def fingerprint(account: str, line: StatementLine) -> str:
    """SHA-256 (hex) of what makes a line itself; equal lines of one statement differ by their occurrence only.

    Encoding: the JSON array [version, account, booking date, value date, signed minor units as text, currency,
    references], ASCII, no spaces, missing values null. The account is upper-cased and freed of spaces. A line without
    references has what the payer wrote instead, as one more element, if there is any: two payments of one amount
    on one day may come in two statements.
    """
    fields: list[object] = [
        FINGERPRINT_VERSION,
        "".join(account.split()).upper(),
        line.booking_date.isoformat() if line.booking_date else None,
        line.value_date.isoformat() if line.value_date else None,
        str(line.amount.minor_units),
        line.amount.currency,
        line_references(line),
    ]
    if not line_references(line) and (words := _words(line)):
        fields.append(words)
    encoded = json.dumps(fields, ensure_ascii=True, separators=(",", ":")).encode("ascii")
    return hashlib.sha256(encoded).hexdigest()


def summary_json(header: StatementHeader, end: StatementEnd) -> dict[str, object]:
    """The control totals that `concord inspect statement --summary` prints of one statement."""

    def text(amount: Money | None) -> str | None:
        return None if amount is None else amount.decimal()

    return {
        "format": header.format,
        "id": header.statement_id,
        "account": header.account.identification,
        "currency": header.currency,
        "entries": end.entries,
        "credit_sum": text(end.credit_sum),
        "debit_sum": text(end.debit_sum),
        "opening": text(end.opening),
        "closing": text(end.closing),
        "ties": end.ties,
    }
