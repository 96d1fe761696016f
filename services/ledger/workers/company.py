"""What workers ask masterdata about a company; the answers are cached behind that port."""

from __future__ import annotations

from ..domain.errors import Unbuildable
from ..domain.master import AccountRole, Company, CompanyWord
from ..domain.role import Role
from ..handlers.ports import MasterdataPort


def company_of(masterdata: MasterdataPort, company: str) -> Company:
    """Raises `Unbuildable` where masterdata does not know the company."""
    return masterdata.resolve(company, [CompanyWord()]).company()


def exchange_account(masterdata: MasterdataPort, company: str) -> int:
    """Odoo's id of the account that exchange differences go to.

    0, which no account has, where the company has none: every exchange entry is a doubt then.
    """
    role = AccountRole(Role.EXCHANGE, currency=company_of(masterdata, company).currency)
    try:
        return masterdata.resolve(company, [role]).account(role).odoo_id
    except Unbuildable:
        return 0
