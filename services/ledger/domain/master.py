"""Questions to masterdata and their answers: what the rules need to know of a company's books."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar

from .errors import Unbuildable
from .role import Role


@dataclass(frozen=True, slots=True)
class AccountRole:
    """The account of a role; provider, account and currency narrow it where the role has one for each."""

    role: Role
    provider: str = ""
    account: str = ""
    currency: str = ""


@dataclass(frozen=True, slots=True)
class JournalRole:
    role: str  # `PSP`, `SAL`
    provider: str = ""
    account: str = ""
    currency: str = ""


@dataclass(frozen=True, slots=True)
class TaxWord:
    """A tax as the source calls it; `rate` is a decimal string, `use` is `sale` or `purchase`."""

    provider: str
    account: str
    title: str
    rate: str
    use: str = "sale"


@dataclass(frozen=True, slots=True)
class PartyWord:
    """A customer as the source calls it; an empty `external_id` asks for the issuer's unidentified customer."""

    issuer: str
    external_id: str


@dataclass(frozen=True, slots=True)
class ProductWord:
    sku: str


@dataclass(frozen=True, slots=True)
class BankNumber:
    """The journal of a bank account, by IBAN or the servicer's own number."""

    number: str


@dataclass(frozen=True, slots=True)
class RateOn:
    """The last exchange rate on or before a date."""

    currency: str
    day: date


@dataclass(frozen=True, slots=True)
class FeeWord:
    provider: str
    account: str
    kind: str


@dataclass(frozen=True, slots=True)
class CompanyWord:
    """The company itself with its posting policies."""


Ref = AccountRole | JournalRole | TaxWord | PartyWord | ProductWord | BankNumber | RateOn | FeeWord | CompanyWord


@dataclass(frozen=True, slots=True)
class PostingAccount:
    odoo_id: int
    code: str
    currency: str = ""  # set where the account takes one currency only
    reconcilable: bool = False


@dataclass(frozen=True, slots=True)
class PostingJournal:
    odoo_id: int
    code: str
    type: str
    default_account: PostingAccount | None = None
    suspense_account: PostingAccount | None = None
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Tax:
    odoo_id: int
    rate: str


@dataclass(frozen=True, slots=True)
class PostingParty:
    name: str  # masterdata's resource name
    odoo_id: int
    commercial_odoo_id: int  # bears receivables and payables


@dataclass(frozen=True, slots=True)
class PostingProduct:
    odoo_id: int


@dataclass(frozen=True, slots=True)
class Rate:
    """Units of the currency for one unit of the company's, as decimal string (Odoo's way)."""

    rate: str


@dataclass(frozen=True, slots=True)
class Fee:
    role: Role


@dataclass(frozen=True, slots=True)
class Company:
    odoo_id: int
    currency: str
    time_zone: str  # IANA
    approval_above: int  # minor units of the company currency; 0: straight through
    late_event_policy: str  # `next_open_day` or `exception`
    predecessor_deadline_seconds: int

    def open_day(self, closed_until: date) -> date | None:
        """The day to post on where the document's own is locked, or None: a person must decide."""
        return closed_until + timedelta(days=1) if self.late_event_policy == "next_open_day" else None


@dataclass(frozen=True, slots=True)
class Unresolved:
    reason: str
    message: str


T = TypeVar("T")
Target = PostingAccount | PostingJournal | Tax | PostingParty | PostingProduct | Rate | Fee | Company | Unresolved


@dataclass(frozen=True, slots=True)
class Masters:
    """The answers to a batch of questions, all of one revision."""

    targets: Mapping[Ref, Target]
    revision: int
    mapping_set: str
    proposed_by: str = ""  # who made the mapping

    def account(self, ref: AccountRole) -> PostingAccount:
        """Raises `Unbuildable` with masterdata's own reason; so do all look-ups here."""
        return self._of(ref, PostingAccount)

    def journal(self, ref: JournalRole | BankNumber) -> PostingJournal:
        return self._of(ref, PostingJournal)

    def tax(self, ref: TaxWord) -> Tax:
        return self._of(ref, Tax)

    def party(self, ref: PartyWord) -> PostingParty:
        return self._of(ref, PostingParty)

    def rate(self, ref: RateOn) -> Rate:
        return self._of(ref, Rate)

    def fee(self, ref: FeeWord) -> Fee:
        return self._of(ref, Fee)

    def company(self) -> Company:
        return self._of(CompanyWord(), Company)

    def known_party(self, ref: PartyWord) -> PostingParty | None:
        """The party, or None where masterdata does not know this one."""
        target = self.targets.get(ref)
        return target if isinstance(target, PostingParty) else None

    def known_product(self, ref: ProductWord) -> PostingProduct | None:
        target = self.targets.get(ref)
        return target if isinstance(target, PostingProduct) else None

    def _of(self, ref: Ref, kind: type[T]) -> T:
        target = self.targets.get(ref)
        if isinstance(target, kind):
            return target
        if isinstance(target, Unresolved):
            raise Unbuildable(target.reason, target.message)
        raise Unbuildable("MAPPING_MISSING", f"masterdata was not asked for or does not know {type(ref).__name__}")
