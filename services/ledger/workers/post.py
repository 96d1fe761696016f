"""Posts to Odoo exactly once (DESIGN, the Odoo port).

The claim commits the attempt before the first byte leaves. A posting with an earlier attempt is looked up by
its external id first; one that is not there is loaded, read back, posted and read back again. Whatever reply
is lost, the next attempt begins at the look-up. What Odoo refuses is narrowed down to the one culprit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

from libs.errors import ConcordError
from libs.events import Clock
from libs.odoo.errors import (
    OdooConflict,
    OdooDenied,
    OdooError,
    OdooMalformed,
    OdooMissing,
    OdooRefused,
    OdooUnavailable,
)

from ..domain.document_type import DocumentType
from ..domain.posting import ODOO_HOLDS_ANOTHER
from ..domain.view import DocumentView, differences
from ..handlers.ports import CompanyBooks, Journal
from ..handlers.posting_ports import Claim, PostingQueue

LOOK_UP_AT_ONCE = 20  # each may take a call of its own, and all of them must end within the lease
_Views = dict[str, DocumentView]


class PostWorker:
    """Carries postings from READY to POSTED, a batch of one company and document type at a time."""

    def __init__(
        self,
        store: PostingQueue,
        journal_of: Callable[[str], Journal],
        books: CompanyBooks,
        clock: Clock,
        batch: int = 100,
    ) -> None:
        self._store = store
        self._journal_of = journal_of
        self._books = books
        self._clock = clock
        self._batch = batch

    def run_once(self) -> int:
        """Carry one batch as far as it goes; the number of postings taken up.

        Raises what kept Odoo from answering at all, once the batch is put back: so that its caller pauses, and Odoo is
        asked with one batch now and then instead of with everything that waits. Each attempt is recorded, and a long
        night must not fill the store with them.
        """
        claims = self._store.claim(self._clock(), self._batch)
        if claims:
            silence = Batch(self._store, self._journal_of, self._books, self._clock, claims).run()
            if silence is not None:
                raise silence
        return len(claims)


class Batch:
    """One batch on its way. `mine` shrinks as postings are finished or their leases are lost."""

    def __init__(
        self,
        store: PostingQueue,
        journal_of: Callable[[str], Journal],
        books: CompanyBooks,
        clock: Clock,
        claims: Sequence[Claim],
    ) -> None:
        self._store = store
        self._journal_of = journal_of
        self._books = books
        self._clock = clock
        self._mine = {claim.key: claim for claim in claims}
        self._kind: DocumentType = claims[0].document.type
        self._company = claims[0].company
        self._unseen = {claim.key for claim in claims if claim.attempts > 1}  # an earlier attempt, not yet looked up
        self._wrote = False  # whether Odoo may have changed something in this run

    def run(self) -> OdooError | None:
        """Why Odoo gave no answer at all, if it did not.

        Every failure that is not about one document ends the batch: what is still ours goes back to wait.
        """
        try:
            self._journal = self._journal_of(self._company)
            known = self._look_up()
            known = self._open_days(known)
            known |= self._load([key for key in self._mine if key not in known])
            posted = self._post(known)
            self._finish(posted)
        except (OdooUnavailable, OdooDenied) as error:
            self._put_back(error.reason, unknown=self._wrote)
            return error
        except OdooConflict as error:
            self._put_back(error.reason, unknown=self._wrote)
        except OdooError as error:
            self._put_back(error.reason, unknown=True)
        except ConcordError as error:  # masterdata can't say where the books are, or what to do with a locked day
            self._put_back(error.reason, unknown=self._wrote)
        return None

    def _look_up(self) -> _Views:
        """What Odoo already holds of postings with an earlier attempt."""
        earlier = [claim for claim in self._mine.values() if claim.attempts > 1]
        found: dict[str, int] = {}
        for start in range(0, len(earlier), LOOK_UP_AT_ONCE):
            found |= self._found(earlier[start : start + LOOK_UP_AT_ONCE])
        for claim in earlier:
            if claim.odoo_id is not None and claim.key not in found and claim.key in self._mine:
                # A confirmed load that is gone was removed by somebody: never a second document.
                self._refuse(claim, "ODOO_DOCUMENT_GONE", "Odoo confirmed this document and no longer has it")
        self._unseen.clear()
        return self._checked({key: record for key, record in found.items() if key in self._mine})

    def _found(self, claims: Sequence[Claim]) -> dict[str, int]:
        self._renew()
        claims = [claim for claim in claims if claim.key in self._mine]
        known_ids = [claim.odoo_id for claim in claims if claim.odoo_id is not None]
        return self._journal.find([claim.document for claim in claims], known_ids) if claims else {}

    def _checked(self, records: dict[str, int], *, loaded: bool = False) -> _Views:
        """Views of records that are what we meant.

        A draft that is not is removed: one of an earlier attempt to be loaded anew, one just `loaded` for good.
        """
        if not records:
            return {}
        self._renew()
        held = self._journal.read(self._kind, list(records.values()))
        good: _Views = {}
        for key, record in records.items():
            claim, view = self._mine.get(key), held.get(record)
            if claim is None:
                continue
            if view is None:
                self._refuse(claim, "ODOO_DOCUMENT_GONE", "its external id names a document that is gone")
                continue
            wrong = differences(claim.document, view)
            if not wrong and (view.is_draft or view.is_posted):
                good[key] = view
            elif view.is_draft:
                self._discard(key, view.odoo_id)
                if loaded and key in self._mine:
                    self._refuse(claim, "ODOO_MADE_ANOTHER", ", ".join(wrong))
            elif view.is_posted:
                self._refuse(claim, ODOO_HOLDS_ANOTHER, ", ".join(wrong), held=view.odoo_id)
            else:
                self._refuse(claim, "ODOO_DOCUMENT_CANCELLED", f"it is {view.state} in Odoo")
        return good

    def _open_days(self, known: _Views) -> _Views:
        """Move documents out of locked periods before Odoo does it silently; what is `known` and stays as it is.

        A draft of an earlier attempt whose day was locked in the meantime is removed, to be loaded anew.
        """
        drafts = {key: view.odoo_id for key, view in known.items() if view.is_draft}
        keys = [key for key in self._mine if key not in known or key in drafts]
        if not keys:
            return known
        self._renew()
        locks = self._journal.locks(self._books.odoo_company(self._company))
        for key in keys:
            claim = self._mine.get(key)
            closed = locks.closed_until(claim.document) if claim else None
            if claim is None or closed is None or claim.document.day > closed:
                continue
            if key in drafts:
                self._discard(key, drafts[key])
                if key not in self._mine:
                    continue
            day = self._books.open_day(self._company, closed)
            if day is None:
                self._refuse(claim, "PERIOD_LOCKED", "its day is locked and the company wants a person to decide")
                continue
            document = replace(claim.document, day=day)
            self._keep(self._store.redated(claim, document, self._clock()), [key])
            if key in self._mine:
                self._mine[key] = replace(self._mine[key], document=document)
        return {key: view for key, view in known.items() if key in self._mine and self._day(key) == view.day}

    def _day(self, key: str) -> date:
        return self._mine[key].document.day

    def _load(self, keys: list[str]) -> _Views:
        """Load what Odoo does not have; a culprit is taken out and the rest tried again."""
        self._renew()
        claims = [self._mine[key] for key in keys if key in self._mine]
        if not claims:
            return {}
        reverses = [claim.document.reverses for claim in claims if claim.document.reverses]
        reversed_ids = self._store.odoo_ids(self._company, reverses) if reverses else {}
        try:
            self._wrote = True
            ids = self._journal.load([claim.document for claim in claims], reversed_ids)
        except (OdooRefused, OdooMalformed, OdooMissing) as error:
            culprit = _culprit(claims, error)
            if culprit is None:
                half = len(claims) // 2
                first = self._load([claim.key for claim in claims[:half]])
                return first | self._load([claim.key for claim in claims[half:]])
            known = self._rival_or_refused(culprit, error)
            return known | self._load([claim.key for claim in claims if claim is not culprit])
        pairs = list(zip(claims, ids, strict=True))
        self._keep(self._store.loaded(pairs, self._clock()), [claim.key for claim in claims])
        return self._checked({claim.key: record for claim, record in pairs if claim.key in self._mine}, loaded=True)

    def _rival_or_refused(self, claim: Claim, error: OdooError) -> _Views:
        """A refusal may mean that a worker whose lease had ended was faster: look before judging."""
        found = self._found([claim])
        if found:
            return self._checked(found)
        technical = isinstance(error, OdooMalformed)
        self._refuse(claim, error.reason, error.message, technical=technical)
        return {}

    def _post(self, known: _Views) -> _Views:
        """Post the drafts; statement lines are posted from birth."""
        drafts = [key for key, view in known.items() if view.is_draft and key in self._mine]
        done = {key: view for key, view in known.items() if not view.is_draft}
        if drafts:
            self._post_all({key: known[key].odoo_id for key in drafts})
            left = {key: known[key].odoo_id for key in drafts if key in self._mine}
            views = self._journal.read(self._kind, list(left.values()))
            done |= {key: views[record] for key, record in left.items() if record in views}
        return done

    def _post_all(self, records: dict[str, int]) -> None:
        """Halve a refused batch until the culprits stand alone."""
        self._renew()
        records = {key: record for key, record in records.items() if key in self._mine}
        if not records:
            return
        try:
            self._wrote = True
            self._journal.post(list(records.values()))
        except (OdooRefused, OdooMissing, OdooMalformed) as error:
            keys = list(records)
            if len(keys) > 1:
                half = len(keys) // 2
                self._post_all({key: records[key] for key in keys[:half]})
                self._post_all({key: records[key] for key in keys[half:]})
                return
            self._unless_posted(keys[0], records[keys[0]], error)

    def _unless_posted(self, key: str, record: int, error: OdooError) -> None:
        """`must be in draft` means that somebody posted it: fine. Any other refusal takes the draft away again."""
        view = self._journal.read(self._kind, [record]).get(record)
        if view is not None and view.is_posted:
            return
        if view is not None and view.is_draft:
            self._discard(key, record)
        if key in self._mine:
            self._refuse(self._mine[key], error.reason, error.message)

    def _finish(self, views: _Views) -> None:
        """POSTED if Odoo kept every word; a day that it moved silently becomes an exception."""
        good = []
        for key, view in views.items():
            claim = self._mine.get(key)
            if claim is None:
                continue
            wrong = differences(claim.document, view)
            if view.is_posted and not wrong:
                good.append((claim, view))
            elif view.is_posted:
                self._refuse(claim, ODOO_HOLDS_ANOTHER, ", ".join(wrong), held=view.odoo_id)
            # A draft here is one whose post was refused for a rival's sake: the next attempt looks it up.
        self._store.posted(good, self._clock())
        for claim, _ in good:
            del self._mine[claim.key]
        self._put_back("ODOO_STILL_DRAFT", unknown=True)

    def _discard(self, key: str, record: int) -> None:
        """Forget our draft, then remove it: in this order, so that a crash between leaves it to the look-up."""
        self._renew()
        if key not in self._mine:
            return
        self._keep(self._store.unloaded([self._mine[key]], self._clock()), [key])
        if key not in self._mine:
            return
        self._mine[key] = replace(self._mine[key], odoo_id=None)
        self._wrote = True
        try:
            self._journal.discard(self._kind, [record])
        except OdooMissing:
            return  # somebody was faster
        except (OdooRefused, OdooMalformed) as error:
            self._refuse(self._mine[key], "ODOO_KEEPS_DRAFT", error.message)

    def _renew(self) -> None:
        self._keep(self._store.renew(list(self._mine.values()), self._clock()), list(self._mine))

    def _keep(self, still_ours: set[str], asked: Sequence[str]) -> None:
        for key in asked:
            if key not in still_ours:
                self._mine.pop(key, None)

    def _refuse(self, claim: Claim, reason: str, text: str, *, technical: bool = False, held: int = 0) -> None:
        self._store.refused(claim, reason, text, technical=technical, held=held, now=self._clock())
        self._mine.pop(claim.key, None)

    def _put_back(self, reason: str, *, unknown: bool) -> None:
        """What an earlier attempt may have done stays unknown until it was looked up."""
        doubtful = [claim for key, claim in self._mine.items() if unknown or key in self._unseen]
        certain = [claim for key, claim in self._mine.items() if not unknown and key not in self._unseen]
        if doubtful:
            self._store.put_back(doubtful, reason, unknown=True, now=self._clock())
        if certain:
            self._store.put_back(certain, reason, unknown=False, now=self._clock())


def _culprit(claims: list[Claim], error: OdooError) -> Claim | None:
    """The claim that a refusal is about, or None if it does not say."""
    if len(claims) == 1:
        return claims[0]
    record = getattr(error, "record", None)
    return claims[record] if isinstance(record, int) and 0 <= record < len(claims) else None
