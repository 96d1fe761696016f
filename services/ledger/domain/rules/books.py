"""What every rule works with: an event among its company's accounts and the documents of its story."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeVar
from zoneinfo import ZoneInfo

from libs.errors import ConcordError, Kind
from libs.events import Body, CommercialDocument, EffectKey, Event, ReferenceKind
from libs.money import Money, exponent_of

from ..document import Document
from ..entry import Line
from ..errors import Unbuildable
from ..master import AccountRole, Company, JournalRole, Masters, PartyWord, PostingAccount, PostingParty, RateOn
from ..role import Role
from ..story import Context

BodyType = TypeVar("BodyType", bound=Body)

SECOND_PAYMENT = "SECOND_PAYMENT"


class PredecessorMissing(ConcordError):
    """The fact that this one follows has not arrived: wait for it until the company's deadline."""

    kind = Kind.PRECONDITION
    reason = "PREDECESSOR_MISSING"


@dataclass(frozen=True, slots=True)
class Built:
    """A document, what must be posted before it, and a doubt that a person must look at although it posts."""

    document: Document
    predecessors: tuple[str, ...] = ()
    doubt: str = ""  # an exception case's reason


@dataclass(frozen=True, slots=True)
class Books:
    """One event among its masters and its story.

    `…_ref` are questions to masterdata; `account` and `line` use the answers, and raise `Unbuildable` without one.
    """

    event: Event
    masters: Masters
    context: Context
    company: Company
    day: date = field(init=False)  # the accounting day, and of its exchange rate

    def __post_init__(self) -> None:
        """A document's own issue date, else the effective instant in the company's time zone."""
        zone = ZoneInfo(self.company.time_zone)
        issued = self.event.body.issue_date if isinstance(self.event.body, CommercialDocument) else None
        object.__setattr__(self, "day", issued or self.event.effective_at.astimezone(zone).date())

    def body(self, kind: type[BodyType]) -> BodyType:
        """The event's body. Raises `Unbuildable` where it is of another kind than the event's."""
        if not isinstance(self.event.body, kind):
            raise Unbuildable("EVENT_INVALID", f"{self.event.kind.value} does not say what it should")
        return self.event.body

    def key(self, effect: str) -> str:
        """Of one of the event's effects."""
        return str(EffectKey.of(self.event, effect))

    def role(self, role: Role, currency: str = "") -> AccountRole:
        """The account of a role, in the event's currency unless another one is named."""
        event = self.event
        return AccountRole(role, event.provider, event.account, currency or event.amount.currency)

    def account(self, role: Role, currency: str = "") -> PostingAccount:
        return self.masters.account(self.role(role, currency))

    def journal(self, word: str) -> JournalRole:
        event = self.event
        return JournalRole(word, event.provider, event.account, event.amount.currency)

    def rate_on(self, currency: str) -> RateOn:
        return RateOn(currency, self.day)

    def rate_refs(self, currency: str) -> tuple[RateOn, ...]:
        """The day's rate, which a document in another currency than the company's needs."""
        return () if currency == self.company.currency else (self.rate_on(currency),)

    def line(self, role: Role, amount: Money, balance: Money, label: str, party: PostingParty | None = None) -> Line:
        return Line(role, self.account(role, amount.currency), amount, balance, label, party)

    def balance_of(self, amount: Money) -> Money:
        """The amount in company currency, at Odoo's rate of the day, half away from zero as Odoo rounds."""
        home = self.company.currency
        if amount.currency == home:
            return amount
        rate = Decimal(self.masters.rate(self.rate_on(amount.currency)).rate)
        scale = Decimal(10) ** (exponent_of(home) - exponent_of(amount.currency))
        units = (Decimal(amount.minor_units) * scale / rate).quantize(Decimal(1), rounding=ROUND_HALF_UP)
        return Money(home, int(units))

    def closing_balance(self, role: Role, amount: Money, own: Money, among: Sequence[Document]) -> Money:
        """The balance of a line that closes open lines of its role in these documents of the story (ACCOUNTING rule 7).

        It takes their carrying balance, proportionally; what exceeds them is carried at `own`, the line's own rate.
        """
        if amount.currency == self.company.currency:
            return amount
        open_lines = [
            line
            for document in among
            for line in document.entry.lines
            if line.role is role and line.amount.currency == amount.currency
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
        currencies = {amount.currency for amount in document.amounts(Role.RECEIVABLE)}
        owed = paid = 0
        for other in (*self.context.documents, document):
            amounts = other.amounts(Role.RECEIVABLE)
            received = sum(amount.minor_units for amount in amounts if amount.currency in currencies)
            if other.type.traits.sign > 0:
                owed += received
            elif not other.type.traits.sign:
                paid -= received
        return 0 < owed < paid

    @property
    def dispute(self) -> str:
        """The dispute that the event belongs to, as the provider names it; empty where it names none."""
        references = self.event.references
        return next((reference.value for reference in references if reference.kind is ReferenceKind.DISPUTE), "")

    def of_dispute(self) -> list[Document]:
        """The story's documents without those of another dispute about the same order or payment."""
        mine = self.dispute
        return [document for document in self.context.documents if not mine or document.dispute in ("", mine)]

    def customer(self, own: PartyWord) -> PostingParty:
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
