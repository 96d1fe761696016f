"""What recon tells of its resources."""

from __future__ import annotations

from libs.listing import After, ListPart, part_of

from ..domain.difference import Difference, DifferenceState
from ..domain.match import Match
from ..domain.settlement import StoredSettlement
from ..domain.statement import BankStatement
from ..storage.uow import NewUow


def get_statement(name: str, new_uow: NewUow) -> BankStatement:
    """Raises `StatementUnknown`."""
    with new_uow(read_only=True) as uow:
        return uow.statements.get(name)


def list_statements(company: str, size: int, after: After | None, new_uow: NewUow) -> ListPart[BankStatement]:
    with new_uow(read_only=True) as uow:
        found = uow.statements.page(company, size + 1, after)
    return part_of(found, size, lambda statement: (statement.imported_at.isoformat(), statement.name))


def get_settlement(name: str, new_uow: NewUow) -> StoredSettlement:
    """Raises `SettlementUnknown`."""
    with new_uow(read_only=True) as uow:
        return uow.settlements.get(name)


def list_settlements(company: str, size: int, after: After | None, new_uow: NewUow) -> ListPart[StoredSettlement]:
    with new_uow(read_only=True) as uow:
        part = part_of(uow.settlements.page(company, size + 1, after), size, lambda placed: placed[0])
    return ListPart([settlement for _, settlement in part.items], part.after)


def get_match(name: str, new_uow: NewUow) -> Match:
    """Raises `MatchUnknown`."""
    with new_uow(read_only=True) as uow:
        return uow.matches.get(name)


def list_matches(company: str, transaction_id: str, size: int, after: After | None, new_uow: NewUow) -> ListPart[Match]:
    """An empty transaction id lets every match through."""
    with new_uow(read_only=True) as uow:
        found = uow.matches.page(company, transaction_id, size + 1, after)
    return part_of(found, size, _oldest_first)


def list_differences(
    company: str, state: DifferenceState | None, size: int, after: After | None, new_uow: NewUow
) -> ListPart[Difference]:
    with new_uow(read_only=True) as uow:
        found = uow.differences.page(company, state, size + 1, after)
    return part_of(found, size, _oldest_first)


def _oldest_first(item: Match | Difference) -> After:
    return (item.created_at.isoformat(), item.name)
