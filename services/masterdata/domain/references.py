"""The questions that masterdata answers, and its answers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from .company_masters import JournalAnswer
from .mapping import MappingScope
from .records import Account, ExchangeRate, ExternalReference, LegalEntity, Party, Product, TaxCode
from .roles import SALE


@dataclass(frozen=True, slots=True)
class AccountQuestion:
    role: str
    scope: MappingScope


@dataclass(frozen=True, slots=True)
class JournalQuestion:
    role: str
    scope: MappingScope


@dataclass(frozen=True, slots=True)
class TaxQuestion:
    provider: str
    account: str
    title: str
    rate: str
    use: str = SALE


@dataclass(frozen=True, slots=True)
class PartyQuestion:
    """An empty `external_id` asks for the issuer's unidentified customer."""

    issuer: str
    external_id: str


@dataclass(frozen=True, slots=True)
class ProductQuestion:
    sku: str


@dataclass(frozen=True, slots=True)
class CompanyQuestion:
    pass


@dataclass(frozen=True, slots=True)
class BankQuestion:
    number: str


@dataclass(frozen=True, slots=True)
class RateQuestion:
    currency: str
    day: str  # ISO 8601


@dataclass(frozen=True, slots=True)
class FeeQuestion:
    provider: str
    account: str
    kind: str


@dataclass(frozen=True, slots=True)
class NoQuestion:
    """A reference of no known kind."""


Question = (
    AccountQuestion
    | JournalQuestion
    | TaxQuestion
    | PartyQuestion
    | ProductQuestion
    | CompanyQuestion
    | BankQuestion
    | RateQuestion
    | FeeQuestion
    | NoQuestion
)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no answer; `reason` is stable."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class PartyAnswer:
    party: Party
    references: tuple[ExternalReference, ...] = ()


@dataclass(frozen=True, slots=True)
class CompanyAnswer:
    entity: LegalEntity
    approval_above_minor_units: int
    late_event_policy: str
    predecessor_deadline_seconds: int


@dataclass(frozen=True, slots=True)
class FeeAnswer:
    role: str


Answer = Account | JournalAnswer | TaxCode | PartyAnswer | Product | CompanyAnswer | ExchangeRate | FeeAnswer | Failure


@dataclass(frozen=True, slots=True)
class Answers:
    """One answer a question, in order, all of one revision."""

    company: str
    answers: tuple[Answer, ...]
    revision: int
    mapping_set: str  # its name; empty where none is active

    def failures(self) -> Counter[str]:
        """How many questions got no answer, by reason."""
        return Counter(answer.reason for answer in self.answers if isinstance(answer, Failure))
