"""A small company's masters and events, to try the posting rules on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime

from libs.events import (
    BalanceTransaction,
    BankLine,
    Channel,
    CommercialDocument,
    DocumentLine,
    Event,
    EventKind,
    Evidence,
    LineKind,
    Party,
    Provenance,
    Reference,
    ReferenceKind,
    TaxLine,
    event_name,
)
from libs.money import Money
from services.ledger.domain import master
from services.ledger.domain.document import Document
from services.ledger.domain.role import Role
from services.ledger.domain.rules.books import Built
from services.ledger.domain.rules.table import build, needs
from services.ledger.domain.story import Context

NOON = datetime(2026, 3, 14, 17, tzinfo=UTC)
COMPANY = master.Company(1, "USD", "America/New_York", 0, "next_open_day", 3600)
ADA = master.PostingParty("companies/acme/parties/7", 7, 7)
GUEST = master.PostingParty("companies/acme/parties/8", 8, 8)
NOBODY = master.PostingParty("companies/acme/parties/9", 9, 9)
VENDOR = master.PostingParty("companies/acme/parties/10", 10, 10)
_RECONCILABLE = {
    Role.RECEIVABLE,
    Role.PAYABLE,
    Role.CLEARING,
    Role.TRANSIT,
    Role.DISPUTED,
    Role.RESERVE,
    Role.UNEXPLAINED,
}
CODES = {
    role: master.PostingAccount(100 + index, f"{1000 + index}", reconcilable=role in _RECONCILABLE)
    for index, role in enumerate(Role)
}
BANK = master.PostingJournal(5, "BNK1", "bank", master.PostingAccount(200, "2000"), master.PostingAccount(201, "2001"))


def answer(ref: master.Ref) -> master.Target:
    """Masterdata's answer to one question."""
    match ref:
        case master.CompanyWord():
            return COMPANY
        case master.AccountRole(role=role):
            return CODES[role]
        case master.JournalRole(role="SAL"):
            return master.PostingJournal(1, "INV", "sale")
        case master.JournalRole(role="PUR"):
            return master.PostingJournal(3, "BILL", "purchase")
        case master.JournalRole():
            return master.PostingJournal(2, "PSP", "general")
        case master.TaxWord(rate=rate):
            return master.Tax(31, rate)
        case master.PartyWord(issuer=issuer, external_id=external):
            known: Mapping[tuple[str, str], master.PostingParty] = {
                ("shopify/shop-1", "77"): ADA,
                ("stripe/acct_1", "cus_ada"): ADA,
                ("shopify/shop-1", ""): GUEST,
                ("stripe/acct_1", ""): NOBODY,
                ("erp/main", "v-1"): VENDOR,
            }
            return known.get((issuer, external), master.Unresolved("PARTY_UNKNOWN", "no such customer"))
        case master.BankNumber(number="DE89"):
            return BANK
        case master.RateOn():
            return master.Rate("0.9090909090909091")
        case master.FeeWord(kind=kind):
            return master.Fee(Role.DISPUTE_FEE if kind == "dispute" else Role.FEE)
    return master.Unresolved("MAPPING_MISSING", "not in the mapping")


def documents_of(event: Event, context: Context | None = None) -> list[Built]:
    """Ask for what the rules need, then build with just those answers."""
    context = context or Context()
    asked = needs(event, COMPANY, context)
    masters = master.Masters({ref: answer(ref) for ref in asked}, 1, "companies/acme/mappingSets/1")
    return list(build(event, masters, context))


def lines_of(document: Document) -> list[str]:
    """`CLR 54.45 USD`, with the balance where it differs: what a table in a test can say."""
    return [
        f"{line.role} {line.amount}" + (f" = {line.balance}" if line.balance != line.amount else "")
        for line in document.entry.lines
    ]


def money(
    kind: EventKind, gross: str, fee: str = "0.00", *, currency: str = "USD", presentment: Money | None = None,
    customer: str = "", txn: str = "txn_1", at: datetime = NOON, references: tuple[Reference, ...] = (),
) -> Event:  # fmt: skip
    """A balance transaction's event."""
    amount = Money.parse(currency, gross)
    body = BalanceTransaction(amount, Money.parse(currency, fee), presentment, None, "charge", "ch_1", customer)
    return _event("stripe", "acct_1", txn, kind, txn, amount, body, at, references)


def order(
    lines: tuple[DocumentLine, ...],
    total: str,
    tax: str,
    *,
    currency: str = "USD",
    customer: str = "77",
    number: str = "1001",
) -> Event:
    amount = Money.parse(currency, total)
    body = CommercialDocument.sold(number, Party(customer, "shopify/shop-1"), lines, amount, Money.parse(currency, tax))
    references = (Reference(ReferenceKind.ORDER, number),)
    return _event("shopify", "shop-1", "order-5-paid", EventKind.DOCUMENT, "5", amount, body, NOON, references)


def refund(lines: tuple[DocumentLine, ...], total: str, tax: str) -> Event:
    amount = Money.parse("USD", total)
    body = CommercialDocument.refunded(
        "5", "1001", Party("77", "shopify/shop-1"), lines, amount, Money.parse("USD", tax)
    )
    return _event("shopify", "shop-1", "refund-6", EventKind.DOCUMENT, "6", amount, body, NOON, ())


def bank_line(amount: str, currency: str = "USD", account: str = "DE89") -> Event:
    body = BankLine(account, "S1", "f00d", 1, date(2026, 3, 16), None, "Stripe", remittance="STRIPE PAYOUT")
    value = Money.parse(currency, amount)
    return _event("bank", account, "f00d-1", EventKind.BANK_LINE, "f00d", value, body, NOON, ())


def dispute_lost() -> Event:
    amount = Money.parse("USD", "43.20")
    body = Evidence("charge.dispute.closed")
    return _event("stripe", "acct_1", "dp_1-lost", EventKind.DISPUTE_LOST, "dp_1", amount, body, NOON, ())


def line(
    net: str, tax: str = "", *, currency: str = "USD", kind: LineKind = LineKind.PRODUCT, quantity: str = "1"
) -> DocumentLine:
    taxes = (TaxLine("State Tax", "0.08", Money.parse(currency, tax)),) if tax else ()
    return DocumentLine(kind, "Mug", Money.parse(currency, net), quantity, taxes=taxes)


def _event(
    provider: str, account: str, fact: str, kind: EventKind, object_id: str, amount: Money, body: object,
    at: datetime, references: tuple[Reference, ...],
) -> Event:  # fmt: skip
    source = Provenance(provider, account, "test", object_id, NOON, Channel.API)
    name = event_name(provider, account, fact)
    return Event(name, kind, "acme", object_id, at, amount, body, source, "0" * 32, references)  # type: ignore[arg-type]
