"""Posts to Odoo exactly once (DESIGN, the Odoo port).

The claim commits the attempt before the first byte leaves. A posting with an earlier attempt is looked up by
its external id first; one that is not there is loaded, read back, posted and read back again. Whatever reply
is lost, the next attempt begins at the look-up. What Odoo refuses is narrowed down to the one culprit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from libs.errors import ConcordError
from libs.errors.retry import RetryPolicy
from libs.odoo.errors import (
    OdooConflict,
    OdooDenied,
    OdooError,
    OdooMalformed,
    OdooMissing,
    OdooRefused,
    OdooUnavailable,
)
from libs.service.work import WorkContext

from ..domain import posting_changes as changes
from ..domain.document_type import DocumentType
from ..domain.posting import ODOO_HOLDS_ANOTHER, Change, Posting
from ..domain.view import DocumentView, differences
from ..handlers.ports import JournalPort, MasterdataPort
from ..storage.uow import NewUow
from .company import company_of

# Odoo may be down for a night without anybody having to touch each document afterwards: about twelve hours.
PATIENT = RetryPolicy(max_attempts=300)
LOOK_UP_AT_ONCE = 20  # each may take a call of its own, and all of them must end within the lease
_Views = dict[str, DocumentView]


@dataclass(frozen=True, slots=True)
class PostWorker:
    """Carries postings from READY to POSTED, a batch of one company and document type at a time."""

    new_uow: NewUow
    journal_of: Callable[[str], JournalPort]
    masterdata: MasterdataPort
    work: WorkContext
    batch: int = 100
    retry: RetryPolicy = PATIENT
    lease_seconds: float = 180.0  # outlives the longest call plus Odoo's own limit

    def run_once(self) -> int:
        """Carry one batch as far as it goes; the number of postings taken up.

        Raises what kept Odoo from answering at all, once the batch is put back: so that its caller pauses, and Odoo is
        asked with one batch now and then instead of with everything that waits. Each attempt is recorded, and a long
        night must not fill the store with them.
        """
        batch = PostBatch(self, self.claim())
        taken = batch.set_aside()
        if taken:
            silence = batch.run()
            if silence is not None:
                raise silence
        return taken

    def claim(self) -> list[Posting]:
        """Postings that are due, all of one company and document type, oldest first; each attempt is counted."""
        now = self.work.clock()
        with self.new_uow() as uow:
            companies = uow.postings.companies_to_post()
            self.work.rng.shuffle(companies)  # no company waits behind another's long queue
            for company in companies:
                kind = uow.postings.next_to_post(company, now)
                if kind is not None:
                    claimed = uow.postings.claim_to_post(
                        company,
                        limit=self.batch,
                        owner=self.work.owner,
                        now=now,
                        lease_seconds=self.lease_seconds,
                        document_type=kind,
                    )
                    uow.commit()
                    return claimed
        return []


class PostBatch:
    """One batch on its way. `mine` shrinks as postings are finished or their leases are lost."""

    def __init__(self, worker: PostWorker, claimed: Sequence[Posting]) -> None:
        self._worker = worker
        self._clock = worker.work.clock
        self._mine = {posting.key: posting for posting in claimed}
        self._unseen = {posting.key for posting in claimed if posting.tries > 1}  # an earlier attempt, not looked up
        self._wrote = False  # whether Odoo may have changed something in this run

    def set_aside(self) -> int:
        """Take out what must not go to Odoo: documents that somebody changed, and what kills its workers; how many
        are left."""
        claimed = list(self._mine.values())
        self._write([changes.tampered(posting) for posting in claimed if not posting.is_intact])
        budget = self._worker.retry.max_attempts
        # Only a worker's death spends more than the budget: parked before it takes others along.
        deadly = [posting for posting in self._mine.values() if posting.attempts > budget]
        self._write([changes.put_back(posting, "WORKER_FAILED", None, unknown=True) for posting in deadly])
        return len(self._mine)

    def run(self) -> OdooError | None:
        """Why Odoo gave no answer at all, if it did not.

        Every failure that is not about one document ends the batch: what is still ours goes back to wait.
        """
        first = next(iter(self._mine.values()))
        self._company: str = first.company
        self._kind: DocumentType = first.document.type
        try:
            self._journal = self._worker.journal_of(self._company)
            known = self._look_up()
            known = self._open_days(known)
            known |= self._load([key for key in self._mine if key not in known])
            self._finish(self._post(known))
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
        earlier = [posting for posting in self._mine.values() if posting.tries > 1]
        found: dict[str, int] = {}
        for start in range(0, len(earlier), LOOK_UP_AT_ONCE):
            found |= self._found([posting.key for posting in earlier[start : start + LOOK_UP_AT_ONCE]])
        for posting in earlier:
            if posting.odoo_id and posting.key not in found:
                # A confirmed load that is gone was removed by somebody: never a second document.
                self._refuse(posting.key, "ODOO_DOCUMENT_GONE", "Odoo confirmed this document and no longer has it")
        self._unseen.clear()
        return self._checked({key: record for key, record in found.items() if key in self._mine})

    def _found(self, keys: Sequence[str]) -> dict[str, int]:
        self._renew()
        postings = [self._mine[key] for key in keys if key in self._mine]
        known_ids = [posting.odoo_id for posting in postings if posting.odoo_id]
        return self._journal.find([posting.document for posting in postings], known_ids) if postings else {}

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
            posting, view = self._mine.get(key), held.get(record)
            if posting is None:
                continue
            if view is None:
                self._refuse(key, "ODOO_DOCUMENT_GONE", "its external id names a document that is gone")
                continue
            wrong = differences(posting.document, view)
            if not wrong and (view.is_draft or view.is_posted):
                good[key] = view
            elif view.is_draft:
                self._discard(key, view.odoo_id)
                if loaded:
                    self._refuse(key, "ODOO_MADE_ANOTHER", ", ".join(wrong))
            elif view.is_posted:
                self._refuse(key, ODOO_HOLDS_ANOTHER, ", ".join(wrong), held=view.odoo_id)
            else:
                self._refuse(key, "ODOO_DOCUMENT_CANCELLED", f"it is {view.state} in Odoo")
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
        company = company_of(self._worker.masterdata, self._company)
        locks = self._journal.locks(company.odoo_id)
        for key in keys:
            closed = locks.closed_until(self._mine[key].document) if key in self._mine else None
            if closed is None or self._mine[key].document.day > closed:
                continue
            if key in drafts:
                self._discard(key, drafts[key])
            day = company.open_day(closed)
            if day is None:
                self._refuse(key, "PERIOD_LOCKED", "its day is locked and the company wants a person to decide")
            elif posting := self._mine.get(key):
                self._write([changes.redated(posting, replace(posting.document, day=day))])
        mine = self._mine
        return {key: view for key, view in known.items() if key in mine and mine[key].document.day == view.day}

    def _load(self, keys: list[str]) -> _Views:
        """Load what Odoo does not have; a culprit is taken out and the rest tried again."""
        self._renew()
        postings = [self._mine[key] for key in keys if key in self._mine]
        if not postings:
            return {}
        try:
            reversed_ids = self._reversed_ids(postings)
            self._wrote = True
            ids = self._journal.load([posting.document for posting in postings], reversed_ids)
        except (OdooRefused, OdooMalformed, OdooMissing) as error:
            culprit = _culprit(postings, error)
            if culprit is None:
                half = len(postings) // 2
                first = self._load([posting.key for posting in postings[:half]])
                return first | self._load([posting.key for posting in postings[half:]])
            known = self._rival_or_refused(culprit.key, error)
            return known | self._load([posting.key for posting in postings if posting is not culprit])
        records = {posting.key: record for posting, record in zip(postings, ids, strict=True)}
        self._write([changes.loaded(posting, records[posting.key]) for posting in postings])
        return self._checked({key: record for key, record in records.items() if key in self._mine}, loaded=True)

    def _reversed_ids(self, postings: Sequence[Posting]) -> dict[str, int]:
        """Records of the documents that credit notes reverse, by their effects."""
        effects = [posting.document.reverses for posting in postings if posting.document.reverses]
        if not effects:
            return {}
        with self._worker.new_uow(read_only=True) as uow:
            found = uow.postings.find(effects)
        return {
            key: posting.odoo_id
            for key, posting in found.items()
            if posting.odoo_id and posting.company == self._company
        }

    def _rival_or_refused(self, key: str, error: OdooError) -> _Views:
        """A refusal may mean that a worker whose lease had ended was faster: look before judging."""
        found = self._found([key])
        if found:
            return self._checked(found)
        self._refuse(key, error.reason, error.message, technical=isinstance(error, OdooMalformed))
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
        self._refuse(key, error.reason, error.message)

    def _finish(self, views: _Views) -> None:
        """POSTED if Odoo kept every word; a day that it moved silently becomes an exception."""
        now = self._clock()
        good = []
        for key, view in views.items():
            posting = self._mine.get(key)
            if posting is None or not view.is_posted:
                continue  # a draft here is one whose post was refused for a rival's sake: the next attempt looks it up
            wrong = differences(posting.document, view)
            if wrong:
                self._refuse(key, ODOO_HOLDS_ANOTHER, ", ".join(wrong), held=view.odoo_id)
            else:
                good.append(changes.posted(posting, view, now))
        self._write(good)
        self._put_back("ODOO_STILL_DRAFT", unknown=True)

    def _discard(self, key: str, record: int) -> None:
        """Forget our draft, then remove it: in this order, so that a crash between leaves it to the look-up."""
        self._renew()
        if key in self._mine:
            self._write([changes.unloaded(self._mine[key])])
        if key not in self._mine:
            return
        self._wrote = True
        try:
            self._journal.discard(self._kind, [record])
        except OdooMissing:
            return  # somebody was faster
        except (OdooRefused, OdooMalformed) as error:
            self._refuse(key, "ODOO_KEEPS_DRAFT", error.message)

    def _renew(self) -> None:
        """Before each call: what is still ours, for long enough."""
        with self._worker.new_uow() as uow:
            kept = uow.postings.renew(
                list(self._mine.values()), now=self._clock(), lease_seconds=self._worker.lease_seconds
            )
            uow.commit()
        self._mine = {posting.key: posting for posting in kept}

    def _refuse(self, key: str, reason: str, text: str, *, technical: bool = False, held: int = 0) -> None:
        """Nothing happens to what is not ours any more."""
        if key in self._mine:
            self._write([changes.refused(self._mine[key], reason, text, technical=technical, held=held)])

    def _put_back(self, reason: str, *, unknown: bool) -> None:
        """What an earlier attempt may have done stays unknown until it was looked up."""
        work, retry, now = self._worker.work, self._worker.retry, self._clock()
        made = []
        for key, posting in self._mine.items():
            at = retry.next_try(posting.attempts, now, work.rng)
            made.append(changes.put_back(posting, reason, at, unknown=unknown or key in self._unseen))
        self._write(made)

    def _write(self, made: Sequence[Change]) -> None:
        """One commit. What ends its claim, or was another worker's by now, is not ours any more."""
        if not made:
            return
        with self._worker.new_uow() as uow:
            written = uow.postings.apply(made, self._clock())
            uow.commit()
        for change in made:
            key = change.before.key
            if change.keep_claim and key in written:
                self._mine[key] = replace(change.after, version=change.before.version + 1)
            else:
                del self._mine[key]


def _culprit(postings: list[Posting], error: OdooError) -> Posting | None:
    """The posting that a refusal is about, or None if it does not say."""
    if len(postings) == 1:
        return postings[0]
    record = getattr(error, "record", None)
    return postings[record] if isinstance(record, int) and 0 <= record < len(postings) else None
