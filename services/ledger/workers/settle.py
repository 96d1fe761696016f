"""Closes receivables and disputed money within a story: invoice against capture, credit note against refund.

Money never waits for paper: each document posts on its own, and whatever comes last finds the others here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from libs.errors import ConcordError
from libs.events import Clock
from libs.odoo.errors import OdooConflict, OdooDenied, OdooError, OdooOutcomeUnknown, OdooUnavailable

from ..domain.document import Document, DocumentType
from ..domain.master import Party
from ..domain.money_rules import receivable_moved
from ..domain.view import DocumentView, LineView
from ..handlers.posting_ports import Booked, Journal, Story, StoryQueue
from .reconciling import lines_with, outcomes_of, reconcile_by_partner, views_of


@dataclass(frozen=True, slots=True)
class SettleWorker:
    """Settles stories in which something was posted."""

    queue: StoryQueue
    journal_of: Callable[[str], Journal]
    clock: Clock
    batch: int = 20

    def run_once(self) -> int:
        """The number of stories taken up."""
        stories = self.queue.claim(self.clock(), self.batch)
        away: ConcordError | None = None
        for story in stories:
            try:
                if away is None:
                    self._settle(story)
                else:
                    self.queue.later(story, away.reason, self.clock())
            except (OdooConflict, OdooOutcomeUnknown) as error:
                self.queue.later(story, error.reason, self.clock())
            except (OdooUnavailable, OdooDenied) as error:
                away = error  # nor will the others be answered
                self.queue.later(story, error.reason, self.clock())
            except OdooError as error:
                self.queue.refused(story, error.reason, self.clock())
            except ConcordError as error:  # masterdata does not say where the books are
                self.queue.later(story, error.reason, self.clock())
        return len(stories)

    def _settle(self, story: Story) -> None:
        journal = self.journal_of(story.company)
        views = views_of(journal, story.booked)
        touched = []
        for role in ("AR", "DSP"):
            lines = [
                line for one in story.booked if one.key in views for line in lines_with(one, views[one.key], (role,))
            ]
            touched += reconcile_by_partner(journal, lines)
        # Asked again of what is closed already: the reply to an earlier reconciliation may have been lost.
        closed = {line.odoo_id for line in _closed_in_foreign_currency(story, views)}
        exchanges = journal.exchange_moves(sorted(closed.union(touched))) if closed or touched else []
        if touched:
            views = views_of(journal, story.booked)
        moved = _receivables_to_move(story)
        self.queue.settled(story, outcomes_of(story.booked, views), moved, exchanges, self.clock())


def _closed_in_foreign_currency(story: Story, views: Mapping[str, DocumentView]) -> list[LineView]:
    """Lines whose reconciliation may have made an exchange entry: Odoo makes none in the company's own currency."""
    return [
        line
        for one in story.booked
        if one.key in views
        for line in lines_with(one, views[one.key], ("AR", "DSP"))
        if line.amount.currency != line.balance.currency and line.residual != line.balance
    ]


def _receivables_to_move(story: Story) -> list[tuple[Booked, Document]]:
    """Receipts that stand on another customer than their order's invoice (ACCOUNTING rule 10)."""
    customer = _customer(story)
    if customer is None:
        return []
    present = {one.key for one in story.booked}
    moved = []
    for one in story.booked:
        if one.document.type is not DocumentType.ENTRY or one.key.endswith("_party"):
            continue
        document = receivable_moved(one.document, customer)
        if document is not None and document.effect not in present:
            moved.append((one, document))
    return moved


def _customer(story: Story) -> Party | None:
    for one in story.booked:
        if one.document.type is DocumentType.CUSTOMER_INVOICE:
            return one.document.party
    return None
