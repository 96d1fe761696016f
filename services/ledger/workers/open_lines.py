"""Reconciling in Odoo: read what is open, reconcile what stands against each other, accept what is closed already.

Safe to repeat at any point: it always begins by reading.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from libs.odoo.errors import OdooRefused

from ..domain.role import Role
from ..domain.states import Reconciliation
from ..domain.view import DocumentView, LineView
from ..handlers.ports import Journal
from ..handlers.posting_ports import Booked, Outcome


def views_of(journal: Journal, booked: Iterable[Booked]) -> dict[str, DocumentView]:
    """What Odoo holds of each posted document, by key; one look for all."""
    record_of = {one.key: (one.document.type, one.odoo_id) for one in booked}
    held = journal.read_all(record_of.values())
    return {key: held[record] for key, record in record_of.items() if record in held}


def role_of(booked: Booked, line: LineView) -> Role:
    """The role of a line that Odoo holds. Suspense that a match has moved has the role it was moved to."""
    for meant in booked.document.entry.lines:
        if meant.account.odoo_id == line.account_id:
            return meant.role
    return Role.MOVED


def lines_with(booked: Booked, view: DocumentView, roles: Sequence[Role]) -> list[LineView]:
    return [line for line in view.lines if role_of(booked, line) in roles]


def opposed(lines: Iterable[LineView]) -> list[list[int]]:
    """Ids of open lines that stand against each other, by account and partner.

    A group whose lines stand on one side only waits for its counterpart.
    """
    groups: dict[tuple[int, int | None], list[LineView]] = {}
    for line in lines:
        if not line.reconciled and line.residual:
            groups.setdefault((line.account_id, line.partner_id), []).append(line)
    return [
        [line.odoo_id for line in group]
        for group in groups.values()
        if len({line.residual.minor_units > 0 for line in group}) == 2
    ]


def exchanges_of(line_ids: Iterable[int], moves_of: Mapping[int, Sequence[DocumentView]]) -> list[DocumentView]:
    """The exchange entries that these items' reconciliations made, each once."""
    return list({move.odoo_id: move for line in line_ids for move in moves_of.get(line, ())}.values())


def reconcile(journal: Journal, line_ids: Sequence[int]) -> None:
    """Reconcile; that another did it first is no failure."""
    try:
        journal.reconcile(line_ids)
    except OdooRefused:
        now = journal.lines(line_ids)
        if any(line.residual for line in now) and len({line.residual.minor_units > 0 for line in now}) == 2:
            raise


def outcomes_of(booked: Iterable[Booked], views: Mapping[str, DocumentView]) -> dict[str, Outcome]:
    """How far each document's closable lines are closed."""
    outcomes = {}
    for one in booked:
        view = views.get(one.key)
        if view is None:
            continue
        roles = {*one.document.type.traits.closable, Role.MOVED}
        closable = [line for line in view.lines if role_of(one, line) in roles]
        still_open = [line for line in closable if not line.reconciled]
        if not closable or len(still_open) == len(closable):
            # Suspense cannot be reconciled, so Odoo gives it no residual.
            begun = any(line.residual != line.balance for line in still_open if role_of(one, line) is not Role.SUSPENSE)
            state = Reconciliation.PARTIAL if begun else Reconciliation.NONE
        else:
            state = Reconciliation.PARTIAL if still_open else Reconciliation.FULL
        outcomes[one.key] = Outcome(state, tuple(sorted({role_of(one, line) for line in still_open})))
    return outcomes
