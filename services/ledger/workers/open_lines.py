"""Lines that stand open in Odoo: read, reconciled where they stand against each other, noted on their postings.

Safe to repeat at any point: it always begins by reading.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from libs.odoo.errors import OdooRefused

from ..domain.case import Doubt
from ..domain.posting import LEDGER, Change, Posting
from ..domain.role import Role
from ..domain.states import Reconciliation
from ..domain.view import DocumentView, LineView
from ..handlers.ports import JournalPort, MasterdataPort
from ..storage.uow import LedgerUow
from .company import exchange_account

Views = Mapping[str, DocumentView]  # by the posting's key


@dataclass(frozen=True, slots=True)
class Outcome:
    """What reconciliation has left open of a posting: roles of lines that could be closed and are not."""

    reconciliation: Reconciliation
    open_roles: tuple[Role, ...]


def views_of(journal: JournalPort, postings: Iterable[Posting]) -> dict[str, DocumentView]:
    """What Odoo holds of each posted document; one look for all."""
    record_of = {posting.key: (posting.document.type, posting.odoo_id) for posting in postings}
    held = journal.read_all(record_of.values())
    return {key: held[record] for key, record in record_of.items() if record in held}


def role_of(posting: Posting, line: LineView) -> Role:
    """The role of a line that Odoo holds. Suspense that a match has moved has the role it was moved to."""
    for meant in posting.document.entry.lines:
        if meant.account.odoo_id == line.account_id:
            return meant.role
    return Role.MOVED


def lines_with(posting: Posting, view: DocumentView, *roles: Role) -> list[LineView]:
    return [line for line in view.lines if role_of(posting, line) in roles]


def opposed(lines: Iterable[LineView]) -> list[list[int]]:
    """Ids of open lines that stand against each other, by account and partner.

    A group whose lines stand on one side only waits for its counterpart.
    """
    groups: dict[tuple[int, int | None], list[LineView]] = {}
    for line in lines:
        if not line.reconciled and line.residual:
            groups.setdefault((line.account_id, line.partner_id), []).append(line)
    return [[line.odoo_id for line in group] for group in groups.values() if _has_two_sides(group)]


def reconcile(journal: JournalPort, line_ids: Sequence[int]) -> None:
    """Reconcile; that another did it first is no failure."""
    try:
        journal.reconcile(line_ids)
    except OdooRefused:
        now = journal.lines(line_ids)
        if any(line.residual for line in now) and _has_two_sides(now):
            raise


def exchanges_of(line_ids: Iterable[int], moves_of: Mapping[int, Sequence[DocumentView]]) -> list[DocumentView]:
    """The exchange entries that these items' reconciliations made, each once."""
    return list({move.odoo_id: move for line in line_ids for move in moves_of.get(line, ())}.values())


def outcomes_of(postings: Iterable[Posting], views: Views) -> dict[str, Outcome]:
    """How far each document's closable lines are closed, by the posting's key."""
    return {posting.key: _outcome(posting, views[posting.key]) for posting in postings if posting.key in views}


def note_outcomes(uow: LedgerUow, postings: Iterable[Posting], outcomes: Mapping[str, Outcome], now: datetime) -> bool:
    """Write what was seen in Odoo, unless somebody changed the posting since we began to look: they may have seen what
    came later. False if there is such a one: Odoo must be asked again."""
    versions = {posting.key: posting.version for posting in postings}
    changes = []
    fresh = True
    for key, before in uow.postings.find(list(outcomes)).items():
        outcome = outcomes[key]
        after = replace(
            before, reconciliation=outcome.reconciliation, open_roles=" ".join(outcome.open_roles), claim=None
        )
        if after == before:
            continue
        if before.version == versions[key]:
            changes.append(Change(before, after, LEDGER))
        else:
            fresh = False
    made = uow.postings.apply(changes, now) if changes else set()
    return fresh and len(made) == len(changes)


def note_exchanges(
    uow: LedgerUow,
    masterdata: MasterdataPort,
    cause: str,
    posting: Posting,
    entries: Sequence[DocumentView],
    now: datetime,
) -> None:
    """Odoo's exchange entries are the effect of this reconciliation; on any other account they are a doubt."""
    if not entries:
        return
    uow.exchange_entries.add(posting.company, cause, entries, now)
    expected = exchange_account(masterdata, posting.company)
    if any(expected not in {line.account_id for line in entry.lines} for entry in entries):
        message = "Odoo booked an exchange difference on another account"
        doubt = Doubt("EXCHANGE_ACCOUNT_UNEXPECTED", message, actions=())
        uow.cases.open([(posting.name, posting, doubt)], now)


def _has_two_sides(lines: Iterable[LineView]) -> bool:
    return len({line.residual.minor_units > 0 for line in lines}) == 2


def _outcome(posting: Posting, view: DocumentView) -> Outcome:
    roles = {*posting.document.type.traits.closable, Role.MOVED}
    closable = [line for line in view.lines if role_of(posting, line) in roles]
    still_open = [line for line in closable if not line.reconciled]
    if not closable or len(still_open) == len(closable):
        # Suspense cannot be reconciled, so Odoo gives it no residual.
        begun = any(line.residual != line.balance for line in still_open if role_of(posting, line) is not Role.SUSPENSE)
        state = Reconciliation.PARTIAL if begun else Reconciliation.NONE
    else:
        state = Reconciliation.PARTIAL if still_open else Reconciliation.FULL
    return Outcome(state, tuple(sorted({role_of(posting, line) for line in still_open})))
