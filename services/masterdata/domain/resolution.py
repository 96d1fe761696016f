"""Answers questions from a company's books and its active mapping: the most specific row wins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from .company_masters import CompanyMasters
from .findings import approval_above, taxes_of
from .mapping import CompanyMapping, MappedTax, MappingScope
from .meanings import account_word, journal_word, tax_word
from .numbers import same_spelling
from .records import Product
from .references import (
    AccountQuestion,
    Answer,
    BankQuestion,
    CompanyAnswer,
    CompanyQuestion,
    Failure,
    FeeAnswer,
    FeeQuestion,
    JournalQuestion,
    NoQuestion,
    PartyAnswer,
    PartyQuestion,
    ProductQuestion,
    Question,
    RateQuestion,
    TaxQuestion,
)
from .roles import BANK, JOURNAL_TYPES, unmet

_SINCE = "since the mapping was approved: approve it anew"
NOT_ACTIVE = Failure("MAPPING_NOT_ACTIVE", "the company has no active mapping set")


class Snapshot:
    """Everything of one revision that answers depend on, parties and products aside. Safe to share between threads."""

    def __init__(
        self,
        masters: CompanyMasters,
        mapping: CompanyMapping | None,
        mapping_set: str,
        meant: Iterable[tuple[str, int]] = (),
    ) -> None:
        """`meant`: see `MappingSet.meant`."""
        self.masters = masters
        self._meant = dict(meant)
        self.mapping_set = mapping_set
        self._mapping = mapping
        rows = mapping or None
        self._roles = {(role.role, role.scope): role.code for role in rows.roles} if rows else {}
        self._journals = {(journal.role, journal.scope): journal.code for journal in rows.journals} if rows else {}
        self._banks = {account.number: account.journal for account in rows.bank_accounts} if rows else {}
        self._fees = {(fee.provider, fee.account, fee.kind): fee.role for fee in rows.fees} if rows else {}
        self._taxes: dict[tuple[str, str, str, str, str], MappedTax] = (
            {(tax.provider, tax.account, tax.title, tax.rate, tax.use): tax for tax in rows.taxes} if rows else {}
        )
        self._issuers = {source.interface: source.issuer for source in rows.sources} if rows else {}
        self._products = (
            {product.sku: (product.product, product.product_id) for product in rows.products} if rows else {}
        )

    def party_key(self, question: PartyQuestion) -> tuple[str, str]:
        """Under which issuer and value the party is kept: provider accounts may share their customers' ids."""
        return self._issuers.get(question.issuer, question.issuer), question.external_id

    def product_key(self, question: ProductQuestion) -> tuple[str, int]:
        """By which reference of Odoo's (or which id) the product is known; its sku where the mapping says nothing."""
        return self._products.get(question.sku, (question.sku, 0))

    def answer(
        self,
        question: Question,
        parties: Mapping[tuple[str, str], PartyAnswer],
        products: Mapping[tuple[str, int], tuple[Product, ...]],
    ) -> Answer:
        """The answer, or why there is none. `parties` and `products` hold what was found under the keys above."""
        if isinstance(question, RateQuestion):
            return self._rate(question)
        if isinstance(question, ProductQuestion):
            return self._product(question, products)
        if isinstance(question, NoQuestion):
            return Failure("REFERENCE_INVALID", "the reference is of no known kind")
        if self._mapping is None:
            return NOT_ACTIVE
        if isinstance(question, AccountQuestion):
            return self._account(question)
        if isinstance(question, JournalQuestion):
            return self._journal_of_role(question)
        if isinstance(question, TaxQuestion):
            return self._tax(question)
        if isinstance(question, PartyQuestion):
            return self._party(question, parties)
        if isinstance(question, CompanyQuestion):
            return self._company(self._mapping)
        if isinstance(question, BankQuestion):
            return self._bank(question)
        return self._fee(question)

    def _account(self, question: AccountQuestion) -> Answer:
        code = _most_specific(self._roles, question.role, question.scope)
        if code is None:
            return _missing(f"account of role {question.role}", question.scope)
        account = self.masters.accounts.get(code)
        if account is None:
            return Failure("ACCOUNT_UNKNOWN", f"role {question.role}: Odoo has no active account {code} any more")
        if self._is_another(account_word(code), account.odoo_id):
            return Failure("ACCOUNT_REPLACED", f"role {question.role}: code {code} is another account's {_SINCE}")
        for reason, words in unmet(question.role, account.type, account.reconcilable):
            return Failure(reason, f"role {question.role}: account {code} {words}")
        asked = question.scope.currency
        if asked and account.currency and account.currency != asked:
            return Failure(
                "ACCOUNT_CURRENCY_DIFFERS",
                f"role {question.role}: account {code} takes {account.currency}, not {asked}",
            )
        return account

    def _journal_of_role(self, question: JournalQuestion) -> Answer:
        code = _most_specific(self._journals, question.role, question.scope)
        if code is None:
            return _missing(f"journal of role {question.role}", question.scope)
        return self._journal(code, JOURNAL_TYPES[question.role])

    def _bank(self, question: BankQuestion) -> Answer:
        code = self._banks.get("".join(question.number.split()).upper())
        if code is None:
            return Failure("MAPPING_MISSING", "no journal is mapped to this bank account")
        return self._journal(code, BANK)

    def _journal(self, code: str, demanded: str) -> Answer:
        """Odoo takes any document in any journal, so a type that was changed since the approval is found here."""
        journal = self.masters.journals.get(code)
        if journal is None:
            return Failure("JOURNAL_UNKNOWN", f"Odoo has no active journal {code} any more")
        if self._is_another(journal_word(code), journal.odoo_id):
            return Failure("JOURNAL_REPLACED", f"code {code} is another journal's {_SINCE}")
        if journal.type != demanded:
            return Failure("JOURNAL_TYPE_WRONG", f"journal {code} is {journal.type}, not {demanded}")
        found = self.masters.with_accounts(journal)
        if demanded == BANK and not (found.default_account and found.suspense_account):
            return Failure("JOURNAL_INCOMPLETE", f"journal {code} needs its own account and a suspense account")
        return found

    def _tax(self, question: TaxQuestion) -> Answer:
        try:
            rate = same_spelling(question.rate)
        except ValueError:
            return Failure("REFERENCE_INVALID", "the tax's rate is not a plain decimal number")
        for account in dict.fromkeys((question.account, "")):
            for title in dict.fromkeys((question.title, "")):
                row = self._taxes.get((question.provider, account, title, rate, question.use))
                if row is not None:
                    return self._tax_of(row)
        return Failure("MAPPING_MISSING", f"no {question.use} tax is mapped for rate {rate} of {question.provider}")

    def _tax_of(self, row: MappedTax) -> Answer:
        found = taxes_of(row, self.masters)
        if len(found) != 1:
            return Failure("TAX_UNKNOWN", f"Odoo has no active tax as the mapping's line {row.line} names it any more")
        tax = found[0]
        if row.tax and self._is_another(tax_word(row), tax.odoo_id):
            return Failure("TAX_REPLACED", f"the name in the mapping's line {row.line} is another tax's {_SINCE}")
        if not tax.repartition_complete:
            return Failure("TAX_WITHOUT_ACCOUNT", f"a repartition line of tax {tax.odoo_id} has no account")
        if tax.use != row.use:
            return Failure("TAX_USE_WRONG", f"tax {tax.odoo_id} is for {tax.use}, not for {row.use}s")
        if tax.rate != row.rate or tax.price_included:
            return Failure("TAX_RATE_DIFFERS", f"tax {tax.odoo_id} was changed since the mapping was approved")
        return tax

    def _is_another(self, word: str, odoo_id: int) -> bool:
        """Whether the word stood for another record when the mapping was approved."""
        return self._meant.get(word, odoo_id) != odoo_id

    def _party(self, question: PartyQuestion, parties: Mapping[tuple[str, str], PartyAnswer]) -> Answer:
        found = parties.get(self.party_key(question))
        if found is None:
            word = "external id" if question.external_id else "unidentified customer"
            return Failure("PARTY_UNKNOWN", f"no party has this {word} of {question.issuer}")
        return found

    def _product(self, question: ProductQuestion, products: Mapping[tuple[str, int], tuple[Product, ...]]) -> Answer:
        found = products.get(self.product_key(question), ())
        if len(found) != 1:
            return Failure("PRODUCT_UNKNOWN" if not found else "PRODUCT_AMBIGUOUS", "not one product has this sku")
        return found[0]

    def _company(self, mapping: CompanyMapping) -> Answer:
        entity, policy = self.masters.entity, mapping.company
        return CompanyAnswer(
            entity,
            approval_above(mapping, entity.currency).minor_units,
            policy.late_event_policy,
            policy.predecessor_deadline_seconds,
        )

    def _rate(self, question: RateQuestion) -> Answer:
        try:
            day = date.fromisoformat(question.day).isoformat()
        except ValueError:
            return Failure("REFERENCE_INVALID", "the rate's day is not an ISO 8601 date")
        rate = self.masters.rate_on(question.currency, day)
        if rate is None:
            return Failure("RATE_MISSING", f"Odoo has no rate of {question.currency} on or before {day}")
        return rate

    def _fee(self, question: FeeQuestion) -> Answer:
        for provider, account in ((question.provider, question.account), (question.provider, ""), ("", "")):
            role = self._fees.get((provider, account, question.kind))
            if role is not None:
                return FeeAnswer(role)
        return Failure("MAPPING_MISSING", f"fee {question.kind} of {question.provider} is not mapped")


def _most_specific(rows: Mapping[tuple[str, MappingScope], str], role: str, scope: MappingScope) -> str | None:
    return next((rows[(role, wide)] for wide in scope.widened() if (role, wide) in rows), None)


def _missing(what: str, scope: MappingScope) -> Failure:
    place = " ".join(part for part in (scope.provider, scope.account, scope.currency) if part)
    return Failure("MAPPING_MISSING", f"no {what} is mapped for {place or 'the company'}")
