"""Which records of Odoo a mapping's codes and names meant: a code that is given to another account means it no more."""

from __future__ import annotations

from .company_masters import CompanyMasters
from .findings import taxes_of
from .mapping import CompanyMapping, MappedTax
from .roles import PURCHASE


def account_word(code: str) -> str:
    return f"account {code}"


def journal_word(code: str) -> str:
    return f"journal {code}"


def tax_word(row: MappedTax) -> str:
    return f"purchase tax {row.tax}" if row.use == PURCHASE else f"tax {row.tax}"


def meanings_of(mapping: CompanyMapping, masters: CompanyMasters) -> tuple[tuple[str, int], ...]:
    """Each word of the mapping with the id that it stands for now; parties are kept by their ids anyway."""
    found: dict[str, int] = {}
    for code in {row.code for row in mapping.roles} & masters.accounts.keys():
        found[account_word(code)] = masters.accounts[code].odoo_id
    journals = {row.code for row in mapping.journals} | {row.journal for row in mapping.bank_accounts}
    for code in journals & masters.journals.keys():
        found[journal_word(code)] = masters.journals[code].odoo_id
    for row in mapping.taxes:
        taxes = taxes_of(row, masters)
        if row.tax and len(taxes) == 1:
            found[tax_word(row)] = taxes[0].odoo_id
    return tuple(sorted(found.items()))
