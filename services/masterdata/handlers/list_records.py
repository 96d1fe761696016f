"""Masters and mapping sets as they are now, by pages. Each list takes its company, a size and a place."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from libs.listing import After, Item, ListPart

from ..domain.company_masters import JournalAnswer
from ..domain.mapping_set import MappingSet
from ..domain.records import Journal, Party, Record
from ..domain.references import PartyAnswer
from ..storage.uow import MasterdataUow

R = TypeVar("R", bound=Record)
Listed = Callable[[MasterdataUow, str, int, After | None], ListPart[Item]]


def records(kind: type[R]) -> Listed[R]:
    """In the kind's order: by code, by Odoo's id, or by currency and day."""
    return lambda uow, company, size, after: uow.masters.page(kind, company, size, after)


def journals(uow: MasterdataUow, company: str, size: int, after: After | None) -> ListPart[JournalAnswer]:
    """By code, with the codes of their accounts."""
    masters = uow.masters.of_company(uow.masters.get(company).entity)
    part = uow.masters.page(Journal, company, size, after)
    return ListPart([masters.with_accounts(item) for item in part.items], part.after)


def parties(uow: MasterdataUow, company: str, size: int, after: After | None) -> ListPart[PartyAnswer]:
    """With what other systems call them."""
    part = uow.masters.page(Party, company, size, after)
    references = uow.masters.references_of(company, [item.odoo_id for item in part.items])
    return ListPart([PartyAnswer(item, tuple(references.get(item.odoo_id, ()))) for item in part.items], part.after)


def mapping_sets(uow: MasterdataUow, company: str, size: int, after: After | None) -> ListPart[MappingSet]:
    """Oldest first."""
    return uow.mapping_sets.page(company, size, after)
