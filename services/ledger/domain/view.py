"""What Odoo really holds of a document, read back, and what it lacks to be what we meant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from libs.money import Money

from .document import Document


@dataclass(frozen=True, slots=True)
class LineView:
    """A journal item as Odoo holds it; `residual` is what reconciliation has left open, in company currency."""

    odoo_id: int
    account_id: int
    partner_id: int | None
    amount: Money
    balance: Money
    reconciled: bool
    residual: Money


@dataclass(frozen=True, slots=True)
class DocumentView:
    """A move or statement line as Odoo holds it. `odoo_id` is the record's own id, `move_id` its move's."""

    odoo_id: int
    move_id: int
    state: str  # `draft`, `posted`, `cancel`
    number: str
    day: date
    journal_id: int
    lines: tuple[LineView, ...]

    @property
    def is_draft(self) -> bool:
        return self.state == "draft"

    @property
    def is_posted(self) -> bool:
        return self.state == "posted"


@dataclass(frozen=True, slots=True)
class Locks:
    """Lock dates of a company; a day up to and including one is closed. Odoo moves such dates silently."""

    fiscal_year: date | None = None
    tax: date | None = None
    sale: date | None = None
    purchase: date | None = None
    hard: date | None = None

    def closed_until(self, document: Document) -> date | None:
        """The last closed day for this document (ODOO_REALITY §2, locks), or None if all days are open."""
        dates: list[date | None] = [getattr(self, lock) for lock in document.type.traits.locks]
        return max((day for day in dates if day is not None), default=None)


def differences(document: Document, view: DocumentView) -> list[str]:
    """Stable words for what Odoo holds otherwise than we meant; empty if it is our document.

    Lines are compared as sums by account: Odoo may split a receivable by payment terms and a tax by its
    repartition. A statement line's suspense may have been matched away, so only its bank side is compared.
    """
    found = []
    if view.day != document.day:
        found.append("DATE_DIFFERS")
    if view.journal_id != document.journal.odoo_id:
        found.append("JOURNAL_DIFFERS")
    meant, held = _sums_meant(document), _sums_held(view)
    if not document.type.traits.is_move:
        bank = document.journal.default_account
        keep = {key for key in meant if bank is not None and key[0] == bank.odoo_id}
        meant = {key: meant[key] for key in keep}
        held = {key: held[key] for key in keep if key in held}
    if meant != held:
        found.append("LINES_DIFFER")
    elif document.type.traits.is_move and not _same_partners(document, view):
        found.append("PARTNER_DIFFERS")
    return found


_Sums = dict[tuple[int, str], tuple[int, int]]


def _sums_meant(document: Document) -> _Sums:
    return _sums((line.account.odoo_id, line.amount, line.balance) for line in document.entry.lines)


def _sums_held(view: DocumentView) -> _Sums:
    return _sums((line.account_id, line.amount, line.balance) for line in view.lines)


def _sums(lines: Iterable[tuple[int, Money, Money]]) -> _Sums:
    amounts: Counter[tuple[int, str]] = Counter()
    balances: Counter[tuple[int, str]] = Counter()
    for account, amount, balance in lines:
        amounts[account, amount.currency] += amount.minor_units
        balances[account, amount.currency] += balance.minor_units
    return {key: (amounts[key], balances[key]) for key in amounts if amounts[key] or balances[key]}


def _same_partners(document: Document, view: DocumentView) -> bool:
    meant = {(line.account.odoo_id, line.party.commercial_odoo_id) for line in document.entry.lines if line.party}
    borne = {account for account, _ in meant}
    return meant == {(line.account_id, line.partner_id or 0) for line in view.lines if line.account_id in borne}
