"""Masters and mapping sets as they are now, by pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from libs.listing import After, ListPart, part_of

from ..domain.company_masters import JournalAnswer
from ..domain.errors import CompanyUnknown
from ..domain.mapping_set import MappingSet
from ..domain.records import Account, ExchangeRate, Journal, LegalEntity, Party, Product, Record, TaxCode
from ..domain.references import PartyAnswer
from ..storage.uow import MasterdataUow, NewUow

R = TypeVar("R", bound=Record)


def get_legal_entity(company: str, new_uow: NewUow) -> LegalEntity:
    """Raises `CompanyUnknown`."""
    with new_uow(read_only=True) as uow:
        return _known(uow, company)


def list_legal_entities(size: int, after: After | None, new_uow: NewUow) -> ListPart[LegalEntity]:
    with new_uow(read_only=True) as uow:
        found = uow.masters.companies(size + 1, after)
    return part_of(found, size, lambda entity: (entity.company,))


def list_accounts(company: str, size: int, after: After | None, new_uow: NewUow) -> ListPart[Account]:
    """By code. Raises `CompanyUnknown`, as all lists of a company do."""
    return _records(Account, company, size, after, new_uow, lambda account: (account.code, account.odoo_id))


def list_journals(company: str, size: int, after: After | None, new_uow: NewUow) -> ListPart[JournalAnswer]:
    """By code, with the codes of their accounts."""
    with new_uow(read_only=True) as uow:
        masters = uow.masters.of_company(_known(uow, company))
        found = uow.masters.page(Journal, company, size + 1, after)
    part = part_of(found, size, lambda journal: (journal.code, journal.odoo_id))
    return ListPart([masters.with_accounts(item) for item in part.items], part.after)


def list_tax_codes(company: str, size: int, after: After | None, new_uow: NewUow) -> ListPart[TaxCode]:
    return _records(TaxCode, company, size, after, new_uow, lambda tax_code: (tax_code.odoo_id,))


def list_exchange_rates(company: str, size: int, after: After | None, new_uow: NewUow) -> ListPart[ExchangeRate]:
    """By currency, oldest first."""
    return _records(ExchangeRate, company, size, after, new_uow, lambda rate: (rate.currency, rate.day))


def list_parties(company: str, size: int, after: After | None, new_uow: NewUow) -> ListPart[PartyAnswer]:
    """With what other systems call them."""
    with new_uow(read_only=True) as uow:
        _known(uow, company)
        part = part_of(uow.masters.page(Party, company, size + 1, after), size, lambda party: (party.odoo_id,))
        references = uow.masters.references_of(company, [item.odoo_id for item in part.items])
    return ListPart([PartyAnswer(item, tuple(references.get(item.odoo_id, ()))) for item in part.items], part.after)


def list_products(company: str, size: int, after: After | None, new_uow: NewUow) -> ListPart[Product]:
    return _records(Product, company, size, after, new_uow, lambda product: (product.odoo_id,))


def get_mapping_set(company: str, number: int, new_uow: NewUow) -> MappingSet:
    """Raises `MappingSetUnknown`."""
    with new_uow(read_only=True) as uow:
        return uow.mapping_sets.get(company, number)


def list_mapping_sets(company: str, size: int, after: After | None, new_uow: NewUow) -> ListPart[MappingSet]:
    """Oldest first."""
    with new_uow(read_only=True) as uow:
        _known(uow, company)
        found = uow.mapping_sets.page(company, size + 1, after)
    return part_of(found, size, lambda mapping_set: (mapping_set.number,))


def _records(
    kind: type[R], company: str, size: int, after: After | None, new_uow: NewUow, place: Callable[[R], After]
) -> ListPart[R]:
    with new_uow(read_only=True) as uow:
        _known(uow, company)
        found = uow.masters.page(kind, company, size + 1, after)
    return part_of(found, size, place)


def _known(uow: MasterdataUow, company: str) -> LegalEntity:
    stored = uow.masters.find(company)
    if stored is None:
        raise CompanyUnknown("nothing was ever synced for this company")
    return stored.entity
