"""What the ledger already knows when it builds an event's documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from libs.errors import ConcordError, Kind
from libs.events import Event
from libs.money import Money, exponent_of

from .document import Document, DocumentType
from .master import Company, Masters, Party, PartyWord, RateOn

SECOND_PAYMENT = "SECOND_PAYMENT"


class PredecessorMissing(ConcordError):
    """The fact that this one follows has not arrived: wait for it until the company's deadline."""

    kind = Kind.PRECONDITION
    reason = "PREDECESSOR_MISSING"


@dataclass(frozen=True, slots=True)
class Context:
    """Facts of the same story: events joined to this one by references of `STORY` kinds, directly or through others.

    `customer` is the buyer whom the story's order names; `documents` are the story's documents built so
    far, this event's own excluded, oldest first.
    """

    customer: PartyWord | None = None
    documents: tuple[Document, ...] = ()


@dataclass(frozen=True, slots=True)
class Built:
    """A document, what must be posted before it, and a doubt that a person must look at although it posts."""

    document: Document
    predecessors: tuple[str, ...] = ()
    doubt: str = ""  # an exception case's reason


@dataclass(frozen=True, slots=True)
class Books:
    """One event among its masters and its story."""

    event: Event
    masters: Masters
    context: Context
    company: Company
    day: date = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "day", effective_day(self.event, self.company))

    def rate_on(self, currency: str) -> RateOn:
        return RateOn(currency, self.day)

    def balance_of(self, amount: Money) -> Money:
        """The amount in company currency, at Odoo's rate of the day, half away from zero as Odoo rounds."""
        home = self.company.currency
        if amount.currency == home:
            return amount
        rate = Decimal(self.masters.rate(self.rate_on(amount.currency)).rate)
        scale = Decimal(10) ** (exponent_of(home) - exponent_of(amount.currency))
        units = (Decimal(amount.minor_units) * scale / rate).quantize(Decimal(1), rounding=ROUND_HALF_UP)
        return Money(home, int(units))

    def closing_balance(self, role: str, amount: Money, own: Money, among: Sequence[Document]) -> Money:
        """The balance of a line that closes open lines of its role in these documents of the story (ACCOUNTING rule 7).

        It takes their carrying balance, proportionally; what exceeds them is carried at `own`, the line's own rate.
        """
        if amount.currency == self.company.currency:
            return amount
        open_lines = [
            line
            for document in among
            for line in document.entry.lines
            if line.role == role and line.amount.currency == amount.currency
        ]
        open_amount = sum(line.amount.minor_units for line in open_lines)
        open_balance = Money(self.company.currency, sum(line.balance.minor_units for line in open_lines))
        if open_amount * amount.minor_units >= 0:  # nothing open on the other side
            return own
        if abs(amount.minor_units) <= abs(open_amount):
            return -open_balance.share(abs(amount.minor_units), abs(open_amount))
        excess = abs(amount.minor_units) - abs(open_amount)
        return -open_balance + own.share(excess, abs(amount.minor_units))

    def overpays(self, document: Document) -> bool:
        """Whether with this one the story's order is paid with more than it was ever invoiced: a second payment.

        Money given back counts as not paid. Nothing can be said before there is an invoice in the same currency.
        """
        currencies = {line.amount.currency for line in document.entry.lines if line.role == "AR"}
        owed = paid = 0
        for one in (*self.context.documents, document):
            lines = [line.amount for line in one.entry.lines if line.role == "AR"]
            received = sum(amount.minor_units for amount in lines if amount.currency in currencies)
            if one.type is DocumentType.CUSTOMER_INVOICE:
                owed += received
            elif one.type is DocumentType.ENTRY:
                paid -= received
        return 0 < owed < paid

    def customer(self, own: PartyWord) -> Party:
        """Whoever bears the receivable: the order's customer, else the source's own, else the unidentified one."""
        for word in self.customer_words(own):
            if party := self.masters.known_party(word):
                return party
        return self.masters.party(replace(own, external_id=""))

    def customer_words(self, own: PartyWord) -> tuple[PartyWord, ...]:
        """In order of preference; the order's issuer has an unidentified customer too (guests)."""
        words = []
        if named := self.context.customer:
            words += [named, replace(named, external_id="")]
        words += [own, replace(own, external_id="")]
        return tuple(dict.fromkeys(words))


def effective_day(event: Event, company: Company) -> date:
    """The accounting day: the effective instant in the company's time zone (ACCOUNTING rule 6)."""
    return event.effective_at.astimezone(ZoneInfo(company.time_zone)).date()
