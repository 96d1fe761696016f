"""The ledger's part of a transaction's walk, and of the completeness equation."""

from __future__ import annotations

from dataclasses import dataclass

from ..domain.walk import ControlTotal, Step
from .ports import NewUow


@dataclass(frozen=True, slots=True)
class Told:
    """Part of a transaction's steps; `next_start` is the number of the next one, None at the end."""

    transaction_id: str
    steps: list[Step]
    next_start: int | None


def list_transaction_steps(transaction_id: str, size: int, start: int, new_uow: NewUow) -> Told:
    """Oldest first; no steps for an id that the ledger does not know."""
    with new_uow(read_only=True) as uow:
        meant, steps = uow.walk.steps(transaction_id)
    end = start + size
    return Told(meant, steps[start:end], end if end < len(steps) else None)


def list_control_totals(company: str, size: int, start: int, new_uow: NewUow) -> tuple[list[ControlTotal], int | None]:
    """What became of each event, by day, interface, currency and bucket; and where the next part starts."""
    with new_uow(read_only=True) as uow:
        totals = uow.walk.totals(company)
    end = start + size
    return totals[start:end], end if end < len(totals) else None
