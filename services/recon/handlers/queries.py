"""What recon tells of its resources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from ..domain.difference import Difference, DifferenceState
from ..domain.match import Match
from ..domain.pages import After
from ..domain.settlement import StoredSettlement
from ..domain.statement import BankStatement
from ..storage.uow import NewUow

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Part(Generic[T]):
    """Part of a list; `after` is the place of its last item, None at the end."""

    items: list[T]
    after: After | None


def get_statement(name: str, new_uow: NewUow) -> BankStatement:
    """Raises `StatementUnknown`."""
    with new_uow(read_only=True) as uow:
        return uow.statements.get(name)


def list_statements(company: str, size: int, after: After | None, new_uow: NewUow) -> Part[BankStatement]:
    with new_uow(read_only=True) as uow:
        found = uow.statements.page(company, size + 1, after)
    return _part([((one.imported_at.isoformat(), one.name), one) for one in found], size)


def get_settlement(name: str, new_uow: NewUow) -> StoredSettlement:
    """Raises `SettlementUnknown`."""
    with new_uow(read_only=True) as uow:
        return uow.settlements.get(name)


def list_settlements(company: str, size: int, after: After | None, new_uow: NewUow) -> Part[StoredSettlement]:
    with new_uow(read_only=True) as uow:
        return _part(uow.settlements.page(company, size + 1, after), size)


def get_match(name: str, new_uow: NewUow) -> Match:
    """Raises `MatchUnknown`."""
    with new_uow(read_only=True) as uow:
        return uow.matches.get(name).match


def list_matches(company: str, transaction_id: str, size: int, after: After | None, new_uow: NewUow) -> Part[Match]:
    """An empty transaction id lets every match through."""
    with new_uow(read_only=True) as uow:
        found = uow.matches.page(company, transaction_id, size + 1, after)
    return _part([((one.created_at.isoformat(), one.name), one) for one in found], size)


def list_differences(
    company: str, state: DifferenceState | None, size: int, after: After | None, new_uow: NewUow
) -> Part[Difference]:
    with new_uow(read_only=True) as uow:
        found = uow.differences.page(company, state, size + 1, after)
    return _part([((one.created_at.isoformat(), one.name), one) for one in found], size)


def _part(found: Sequence[tuple[After, T]], size: int) -> Part[T]:
    shown = found[:size]
    return Part([one for _, one in shown], shown[-1][0] if len(found) > size else None)
