"""`CompanyBooks` over masterdata: where a company's books are and what it wants of late documents."""

from __future__ import annotations

from datetime import date, timedelta

from ..domain.errors import Unbuildable
from ..domain.master import AccountRole, Company, CompanyWord
from ..domain.role import Role
from ..handlers.ports import Masterdata


class MasterdataBooks:
    """Asks masterdata each time: the answers are cached behind that port."""

    def __init__(self, masterdata: Masterdata) -> None:
        self._masterdata = masterdata

    def odoo_company(self, company: str) -> int:
        """Raises `Unbuildable` where masterdata does not know the company; so do the others."""
        return self._company(company).odoo_id

    def currency(self, company: str) -> str:
        return self._company(company).currency

    def exchange_account(self, company: str) -> int:
        """0, which no account has, where the company has no exchange account: every exchange entry is a doubt then."""
        ref = AccountRole(Role.EXCHANGE, currency=self.currency(company))
        try:
            return self._masterdata.resolve(company, [ref]).account(ref).odoo_id
        except Unbuildable:
            return 0

    def open_day(self, company: str, closed_until: date) -> date | None:
        """The first open day, or None where the company's policy wants a person to decide."""
        policy = self._company(company).late_event_policy
        return closed_until + timedelta(days=1) if policy == "next_open_day" else None

    def _company(self, company: str) -> Company:
        return self._masterdata.resolve(company, [CompanyWord()]).company()
