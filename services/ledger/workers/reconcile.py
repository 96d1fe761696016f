"""Closes receivables and disputed money within a story: invoice against capture, credit note against refund.

Money never waits for paper: each document posts on its own, and whatever comes last finds the others here. A call
costs Odoo the same whatever it asks, so the stories of a claim are read together; only reconciling is a call for each,
since Odoo reconciles one set of items at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from libs.errors import ConcordError
from libs.events import Clock
from libs.odoo.errors import OdooConflict, OdooDenied, OdooError, OdooOutcomeUnknown, OdooUnavailable

from ..domain.document import Document
from ..domain.role import Role
from ..domain.rules.money import moved_receivables
from ..domain.view import DocumentView, LineView
from ..handlers.ports import Journal
from ..handlers.posting_ports import Booked, Story, StoryQueue
from .open_lines import exchanges_of, lines_with, opposed, outcomes_of, reconcile, views_of

LOST_AT_MOST = 8  # replies a batch: enough to narrow a hundred stories down to the one that gets none
_ROLES = (Role.RECEIVABLE, Role.DISPUTED)
_Views = Mapping[str, DocumentView]


@dataclass(frozen=True, slots=True)
class ReconcileWorker:
    """Reconciles stories in which something was posted."""

    queue: StoryQueue
    journal_of: Callable[[str], Journal]
    clock: Clock
    batch: int = 100  # postings

    def run_once(self) -> int:
        """The number of stories taken up."""
        stories = self.queue.claim(self.clock(), self.batch)
        by_company: dict[str, list[Story]] = {}
        for story in stories:
            by_company.setdefault(story.company, []).append(story)
        away: OdooError | None = None
        for group in by_company.values():
            if away is None:
                away = Batch(self.queue, self.journal_of, self.clock, group).run()
            else:
                for story in group:
                    self.queue.later(story, away.reason, self.clock())
        return len(stories)


class Batch:
    """Stories of one company on their way. `mine` shrinks as they are finished or put off, or their leases are lost."""

    def __init__(
        self, queue: StoryQueue, journal_of: Callable[[str], Journal], clock: Clock, stories: Sequence[Story]
    ) -> None:
        self._queue = queue
        self._journal_of = journal_of
        self._clock = clock
        self._company = stories[0].company
        self._mine = {story.label: story for story in stories}
        self._lost = 0

    def run(self) -> OdooError | None:
        """Why Odoo gave no answer at all, if it did not: nor will other stories get one."""
        try:
            self._journal = self._journal_of(self._company)
            self._reconcile_all(list(self._mine))
        except (OdooUnavailable, OdooDenied) as error:
            self._put_off(error)
            return error
        except ConcordError as error:  # too much was lost, or masterdata does not say where the books are
            self._put_off(error)
        return None

    def _reconcile_all(self, labels: Sequence[str]) -> None:
        """Read all, reconcile each, read all back. What ends a reading is narrowed down to the one story."""
        try:
            self._carry(labels)
        except (OdooUnavailable, OdooDenied):
            raise
        except OdooError as error:
            self._count(error)
            left = [label for label in labels if label in self._mine]
            half = (len(left) + 1) // 2
            if len(labels) == 1:
                self._give_up(labels[0], error)
            else:
                self._reconcile_all(left[:half])
                self._reconcile_all(left[half:])

    def _carry(self, labels: Sequence[str]) -> None:
        stories = self._renewed(labels)
        if not stories:
            return
        views = views_of(self._journal, _booked(stories))
        asked: dict[str, set[int]] = {}
        touched = set()
        for story in stories:
            # Asked again of what is closed already: the reply to an earlier reconciliation may have been lost.
            asked[story.label] = {line.odoo_id for line in _closed_in_foreign_currency(story, views)}
            if ids := self._reconcile(story, views):
                touched.add(story.label)
                asked[story.label].update(ids)
        stories = self._renewed(asked)
        line_ids = sorted(set().union(*(asked[story.label] for story in stories)))
        exchanges = self._journal.exchange_moves(line_ids) if line_ids else {}
        if again := [story for story in self._renewed(asked) if story.label in touched]:
            views = {**views, **views_of(self._journal, _booked(again))}
        for label in asked:
            if label in self._mine:
                self._reconciled(label, views, exchanges_of(sorted(asked[label]), exchanges))

    def _reconcile(self, story: Story, views: _Views) -> list[int]:
        """The items that took part; none if the story did not get through."""
        touched = []
        for role in _ROLES:
            for group in opposed(_lines(story, views, (role,))):
                if not self._renewed([story.label]):
                    return []
                try:
                    reconcile(self._journal, group)
                except (OdooUnavailable, OdooDenied):
                    raise
                except OdooError as error:
                    self._count(error)
                    self._give_up(story.label, error)
                    return []
                touched += group
        return touched

    def _reconciled(self, label: str, views: _Views, exchanges: Sequence[DocumentView]) -> None:
        story = self._mine.pop(label)
        outcomes = outcomes_of(story.booked, views)
        try:
            self._queue.reconciled(story, outcomes, _moves(story), exchanges, self._clock())
        except ConcordError as error:  # masterdata does not say where exchange differences belong
            self._queue.later(story, error.reason, self._clock())

    def _renewed(self, labels: Iterable[str]) -> list[Story]:
        """Those of the stories that are still ours, once the leases of all are good for another call."""
        kept = self._queue.renew(list(self._mine.values()), self._clock())
        self._mine = {story.label: story for story in kept}
        return [self._mine[label] for label in labels if label in self._mine]

    def _count(self, error: OdooError) -> None:
        """Raises the error if too many calls of this batch came to nothing."""
        self._lost += isinstance(error, OdooConflict | OdooOutcomeUnknown)
        if self._lost > LOST_AT_MOST:
            raise error

    def _give_up(self, label: str, error: OdooError) -> None:
        story = self._mine.pop(label, None)
        if story is None:
            return
        if isinstance(error, OdooConflict | OdooOutcomeUnknown):
            self._queue.later(story, error.reason, self._clock())
        else:
            self._queue.refused(story, error.reason, self._clock())

    def _put_off(self, error: ConcordError) -> None:
        for story in self._mine.values():
            self._queue.later(story, error.reason, self._clock())
        self._mine.clear()


def _booked(stories: Iterable[Story]) -> list[Booked]:
    return [one for story in stories for one in story.booked]


def _lines(story: Story, views: _Views, roles: Sequence[Role]) -> list[LineView]:
    return [line for one in story.booked if one.key in views for line in lines_with(one, views[one.key], roles)]


def _closed_in_foreign_currency(story: Story, views: _Views) -> list[LineView]:
    """Lines whose reconciliation may have made an exchange entry: Odoo makes none in the company's own currency."""
    return [
        line
        for line in _lines(story, views, _ROLES)
        if line.amount.currency != line.balance.currency and line.residual != line.balance
    ]


def _moves(story: Story) -> list[tuple[Booked, Document]]:
    """Receipts that stand on another customer than their order's invoice (ACCOUNTING rule 10)."""
    booked = {one.document.effect: one for one in story.booked}
    return [
        (booked[document.effect], move) for document, move in moved_receivables(one.document for one in story.booked)
    ]
