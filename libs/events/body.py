"""What each kind of event tells. Field meanings and standard terms: `protos/concord/events/v1`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from libs.money import Money

from .commercial import CommercialDocument


@dataclass(frozen=True, slots=True)
class FeeDetail:
    """`kind` is `processing`, `application`, `tax`, `dispute`, `fx` or `other`."""

    kind: str
    amount: Money


@dataclass(frozen=True, slots=True)
class BalanceTransaction:
    """One movement of a provider's balance, signed as the provider signs it: into the balance is positive.

    `fee` is what the provider kept (positive takes from the balance). `presentment` is the customer's
    own currency and amount, signed like `gross`, where it differs from the balance's currency.
    """

    gross: Money
    fee: Money
    presentment: Money | None
    available_on: date | None  # for matching only
    provider_type: str
    source_id: str
    customer_id: str = ""
    fee_details: tuple[FeeDetail, ...] = ()


@dataclass(frozen=True, slots=True)
class BankLine:
    """A booked line of a bank statement (ISO 20022 camt.053 Ntry)."""

    bank_account: str
    statement_id: str
    fingerprint: str
    occurrence: int  # 1 for the first line of this fingerprint
    booking_date: date
    value_date: date | None
    counterparty_name: str = ""
    counterparty_account: str = ""
    remittance: str = ""
    bank_code: str = ""
    notes: str = ""  # of the bank, for people: why it came back, mandate, ultimate parties, charges, original amounts


@dataclass(frozen=True, slots=True)
class Evidence:
    """A message that proves a fact without owning its effect; `type` is the source's own word."""

    type: str


Body = CommercialDocument | BalanceTransaction | BankLine | Evidence
