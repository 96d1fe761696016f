"""What a reviewer must see before a mapping is signed: where it contradicts the masters or what the books demand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from libs.money import BadAmount, Money

from .company_masters import CompanyMasters, NamedRecords
from .mapping import CompanyMapping, MappedRole, MappedTax
from .mapping_set import MappingFinding, Severity
from .records import Account, ExternalReference, TaxCode
from .roles import BANK, EXPECTED_JOURNALS, EXPECTED_ROLES, JOURNAL_TYPES, RECONCILABLE_ROLES, TAX_ROLES, unmet


def findings_of(mapping: CompanyMapping, masters: CompanyMasters, named: NamedRecords) -> tuple[MappingFinding, ...]:
    """All findings, errors first, each in the order of its line."""
    found = [
        *_company(mapping, masters),
        *_roles(mapping, masters),
        *_missing_roles(mapping),
        *_shared_accounts(mapping),
        *_exchange(mapping, masters),
        *_journals(mapping, masters),
        *_bank_accounts(mapping, masters),
        *_taxes(mapping, masters),
        *_fees(mapping),
        *_parties(mapping, named),
        *_products(mapping, named),
    ]
    return tuple(sorted(found, key=lambda each: (each.severity is not Severity.ERROR, each.line, each.reason)))


def references_of(mapping: CompanyMapping, named: NamedRecords) -> tuple[ExternalReference, ...]:
    """The external references that the mapping gives; call it once there are no errors."""
    found = []
    for row in mapping.parties:
        for party in named.parties_of(row.partner, row.partner_id)[:1]:
            found += [ExternalReference(issuer, value, party.odoo_id) for issuer, value in row.external_ids]
            found += [ExternalReference(issuer, "", party.odoo_id) for issuer in row.unidentified_for]
    return tuple(found)


def approval_above(mapping: CompanyMapping, currency: str) -> Money:
    """The amount above which a second person is asked. Raises `BadAmount`."""
    return Money.parse(currency, mapping.company.approval_above)


def _company(mapping: CompanyMapping, masters: CompanyMasters) -> Iterator[MappingFinding]:
    line = mapping.company.line
    try:
        approval_above(mapping, masters.entity.currency)
    except BadAmount:
        yield _error("AMOUNT_INVALID", line, f"approval_above has more digits than {masters.entity.currency} has")
    if not masters.entity.rounds_by_line:
        yield _warning(
            "TAX_ROUNDED_GLOBALLY", line, "the company rounds taxes by document, Concord by line: cents will differ"
        )


def _roles(mapping: CompanyMapping, masters: CompanyMasters) -> Iterator[MappingFinding]:
    for row in mapping.roles:
        account = masters.accounts.get(row.code)
        if account is None:
            yield _error("ACCOUNT_UNKNOWN", row.line, f"role {row.role}: Odoo has no active account {row.code}")
            continue
        yield from _account_of_role(row, account, masters.entity.currency)


def _account_of_role(row: MappedRole, account: Account, home: str) -> Iterator[MappingFinding]:
    where = f"role {row.role}: account {account.code}"
    for reason, words in unmet(row.role, account.type, account.reconcilable):
        yield _error(reason, row.line, f"{where} {words}")
    # Odoo refuses a line in another currency on such an account.
    if row.scope.currency and account.currency and account.currency != row.scope.currency:
        yield _error(
            "ACCOUNT_CURRENCY_DIFFERS", row.line, f"{where} takes {account.currency} only, not {row.scope.currency}"
        )
    if row.role == "CLR" and not account.currency:
        yield _warning("CLR_WITHOUT_CURRENCY", row.line, f"{where} should be fixed to one currency")
    if row.role == "FXD" and account.currency not in ("", home):
        yield _error("ACCOUNT_CURRENCY_DIFFERS", row.line, f"{where} must take {home}")


def _missing_roles(mapping: CompanyMapping) -> Iterator[MappingFinding]:
    line = mapping.company.line
    for role in sorted(set(EXPECTED_ROLES) - {row.role for row in mapping.roles}):
        yield _warning("ROLE_UNMAPPED", line, f"no account has the role {role}")
    for role in sorted(set(EXPECTED_JOURNALS) - {row.role for row in mapping.journals}):
        yield _warning("ROLE_UNMAPPED", line, f"no journal has the role {role}")


def _shared_accounts(mapping: CompanyMapping) -> Iterator[MappingFinding]:
    """Two clearings, or two roles that are reconciled, on one account: nobody can tell their lines apart."""
    first: dict[str, MappedRole] = {}
    for row in mapping.roles:
        if row.role not in RECONCILABLE_ROLES:
            continue
        other = first.setdefault(row.code, row)
        same_clearing = row.role == "CLR" and (row.scope.provider, row.scope.account) != (
            other.scope.provider,
            other.scope.account,
        )
        if other.role != row.role or same_clearing:
            yield _warning(
                "ACCOUNT_SHARED",
                row.line,
                f"account {row.code} serves {row.role}, and {other.role} in line {other.line}",
            )


def _exchange(mapping: CompanyMapping, masters: CompanyMasters) -> Iterator[MappingFinding]:
    """Odoo's own exchange moves must land on FXD, or the ledger takes them for somebody else's."""
    rows = [row for row in mapping.roles if row.role == "FXD"]
    if not rows:
        return
    codes = {row.code for row in rows}
    for word, odoo_id in (("gain", masters.entity.gain_account), ("loss", masters.entity.loss_account)):
        account = masters.accounts_by_id.get(odoo_id)
        if account is None:
            yield _error("EXCHANGE_ACCOUNT_DIFFERS", rows[0].line, f"the company has no exchange {word} account")
        elif account.code not in codes:
            yield _error(
                "EXCHANGE_ACCOUNT_DIFFERS", rows[0].line, f"the company's exchange {word} account is {account.code}"
            )


def _journals(mapping: CompanyMapping, masters: CompanyMasters) -> Iterator[MappingFinding]:
    for row in mapping.journals:
        journal = masters.journals.get(row.code)
        demanded = JOURNAL_TYPES[row.role]
        if journal is None:
            yield _error("JOURNAL_UNKNOWN", row.line, f"role {row.role}: Odoo has no active journal {row.code}")
        elif journal.type != demanded:
            yield _error(
                "JOURNAL_TYPE_WRONG", row.line, f"role {row.role}: journal {row.code} is {journal.type}, not {demanded}"
            )


def _bank_accounts(mapping: CompanyMapping, masters: CompanyMasters) -> Iterator[MappingFinding]:
    for row in mapping.bank_accounts:
        journal = masters.journals.get(row.journal)
        if journal is None:
            yield _error("JOURNAL_UNKNOWN", row.line, f"Odoo has no active journal {row.journal}")
        elif journal.type != BANK:
            yield _error("JOURNAL_TYPE_WRONG", row.line, f"journal {row.journal} is {journal.type}, not {BANK}")
        elif not {journal.default_account, journal.suspense_account} <= set(masters.accounts_by_id):
            yield _error(
                "JOURNAL_INCOMPLETE", row.line, f"journal {row.journal} needs its own account and a suspense account"
            )


def _taxes(mapping: CompanyMapping, masters: CompanyMasters) -> Iterator[MappingFinding]:
    for row in mapping.taxes:
        found = taxes_of(row, masters)
        if len(found) != 1:
            reason, word = (
                ("TAX_UNKNOWN", "no such active tax") if not found else ("TAX_AMBIGUOUS", "several such taxes")
            )
            yield _error(reason, row.line, f"Odoo has {word} for {row.use}s")
            continue
        accounts = {each.code for each in mapping.roles if each.role == TAX_ROLES[row.use]}
        yield from _tax(row, found[0], masters, accounts)


def _tax(row: MappedTax, tax: TaxCode, masters: CompanyMasters, tax_accounts: set[str]) -> Iterator[MappingFinding]:
    where = f"tax {tax.odoo_id}"
    if not tax.repartition_complete:
        yield _error(
            "TAX_WITHOUT_ACCOUNT",
            row.line,
            f"{where}: a repartition line has no account; the tax would land on revenue",
        )
    if tax.use != row.use:
        yield _error("TAX_USE_WRONG", row.line, f"{where} is for {tax.use}, not for {row.use}s")
    if tax.price_included:
        yield _error("TAX_PRICE_INCLUDED", row.line, f"{where} is included in prices; documents bear net prices")
    if not tax.rate:
        yield _error("TAX_NOT_PERCENTAGE", row.line, f"{where} is no plain percentage")
    elif tax.rate != row.rate:
        yield _error("TAX_RATE_DIFFERS", row.line, f"{where} has the rate {tax.rate}, the source's is {row.rate}")
    accounts = (masters.accounts_by_id.get(odoo_id) for odoo_id in _ids(tax.repartition_accounts))
    codes = {account.code for account in accounts if account}
    if tax_accounts and not codes <= tax_accounts:
        others = ", ".join(sorted(codes - tax_accounts))
        role = TAX_ROLES[row.use]
        yield _warning("TAX_ACCOUNT_DIFFERS", row.line, f"{where} goes to {others}, which no row gives the role {role}")


def taxes_of(row: MappedTax, masters: CompanyMasters) -> list[TaxCode]:
    """The taxes that the row names; one, if all is well."""
    if row.tax_id:
        return [masters.tax_codes[row.tax_id]] if row.tax_id in masters.tax_codes else []
    return masters.taxes_named(row.tax, row.use)


def _fees(mapping: CompanyMapping) -> Iterator[MappingFinding]:
    roles = {row.role for row in mapping.roles}
    for row in mapping.fees:
        if row.role not in roles:
            yield _error("ROLE_UNMAPPED", row.line, f"fee {row.kind}: no account has the role {row.role}")


def _parties(mapping: CompanyMapping, named: NamedRecords) -> Iterator[MappingFinding]:
    lines: dict[int, list[int]] = defaultdict(list)
    for row in mapping.parties:
        found = named.parties_of(row.partner, row.partner_id)
        if len(found) == 1:
            lines[found[0].odoo_id].append(row.line)
        else:
            yield _not_one("PARTY", len(found), row.line, "partner", "name", "partner_id")
    for places in lines.values():
        if len(places) > 1:
            yield _warning("PARTY_TWICE", places[1], f"the same partner stands in line {places[0]} already")
    known = {issuer for row in mapping.parties for issuer in row.unidentified_for}
    for source in mapping.sources:
        if source.issuer not in known:
            # A receipt of an unknown customer must bear somebody (ACCOUNTING rule 10).
            yield _error("UNIDENTIFIED_MISSING", source.line, f"{source.issuer} has no unidentified customer")


def _products(mapping: CompanyMapping, named: NamedRecords) -> Iterator[MappingFinding]:
    for row in mapping.products:
        found = named.products_of(row.product, row.product_id)
        if len(found) != 1:
            yield _not_one("PRODUCT", len(found), row.line, "product", "reference", "product_id")


def _not_one(subject: str, found: int, line: int, noun: str, known_by: str, key: str) -> MappingFinding:
    """PARTY_AMBIGUOUS, PRODUCT_UNKNOWN and so on; `key` is of the mapping's rows, and names exactly one."""
    if found:
        return _error(f"{subject}_AMBIGUOUS", line, f"{found} {noun}s have this {known_by}: give {key}")
    return _error(f"{subject}_UNKNOWN", line, f"Odoo has no active {noun} of this {known_by} or id")


def _ids(text: str) -> list[int]:
    return [int(odoo_id) for odoo_id in text.split()]


def _error(reason: str, line: int, message: str) -> MappingFinding:
    return MappingFinding(Severity.ERROR, reason, line, message)


def _warning(reason: str, line: int, message: str) -> MappingFinding:
    return MappingFinding(Severity.WARNING, reason, line, message)
