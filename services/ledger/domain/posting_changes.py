"""What becomes of a posting on its way to Odoo, and of one that must move a receivable there.

Changes of a claimed posting. Those that keep the claim are notes on the way: the worker goes on with it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from .case import Category, Doubt
from .document import Document, content_digest, document_to_json
from .posting import LEDGER, Change, Posting, creation
from .role import STORY_ROLES
from .rules.money import PARTY
from .states import PostingState
from .view import DocumentView

NEVER = datetime(9999, 1, 1, tzinfo=UTC)  # a parked posting waits for a person


def loaded(posting: Posting, odoo_id: int) -> Change:
    """Odoo confirmed that it holds the document; absence from now on is an exception."""
    after = replace(posting, odoo_id=odoo_id, odoo_model=posting.document.type.traits.odoo_model)
    return Change(posting, after, LEDGER, keep_claim=True)


def unloaded(posting: Posting) -> Change:
    """We are about to remove the draft ourselves."""
    return Change(posting, replace(posting, odoo_id=0), LEDGER, keep_claim=True)


def redated(posting: Posting, document: Document) -> Change:
    """The document's day moved to an open one, by policy. Odoo has nothing of it.

    What a second person signed is not ours any more: the new day needs an approval of its own.
    """
    after = replace(posting, document_json=document_to_json(document), content_digest=content_digest(document))
    if not posting.approved_by:
        return Change(posting, after, LEDGER, keep_claim=True)
    anew = replace(
        after,
        state=PostingState.AWAITING_APPROVAL,
        approved_by="",
        reason="PERIOD_LOCKED",
        reason_text="its day was locked after it was approved; the open day needs an approval of its own",
    )
    return Change(posting, anew, LEDGER, (PostingState.READY, PostingState.HELD, PostingState.VALIDATED))


def posted(posting: Posting, view: DocumentView, now: datetime) -> Change:
    """It stands in the books; its story is to be reconciled if it bears a line that only its story closes."""
    document = posting.document
    roles = document.closable_roles()
    after = replace(
        posting,
        state=PostingState.POSTED,
        odoo_id=view.odoo_id,
        odoo_model=document.type.traits.odoo_model,
        odoo_number=view.number,
        posted_date=view.day.isoformat(),
        posted_at=now,
        reason="",
        reason_text="",
        open_roles=" ".join(roles),
        reconcile_at=now if posting.ar_group and set(STORY_ROLES) & set(roles) else None,
    )
    return Change(posting, after, LEDGER, resolution="posted")


def refused(posting: Posting, reason: str, text: str, *, technical: bool = False, held: int = 0) -> Change:
    """A person must look. `held` is the record that stands in the books all the same."""
    after = replace(posting, state=PostingState.EXCEPTION, reason=reason, reason_text=text)
    actions: tuple[str, ...] = ("retry", "reject")
    if held:  # it can't be rejected while it stands in the books: mended or cancelled there, then looked at again
        after = replace(after, odoo_id=held, odoo_model=posting.document.type.traits.odoo_model)
        actions = ("retry",)
    message = "Odoo did not take this document as it was meant; its words are on the posting"
    doubt = Doubt(reason, message, Category.TECHNICAL if technical else Category.BUSINESS, actions)
    return Change(posting, after, LEDGER, doubt=doubt)


def tampered(posting: Posting) -> Change:
    doubt = Doubt("CONTENT_CHANGED", "the stored document is not the one that was built; find out who changed it")
    return kept_back(posting, doubt)


def kept_back(posting: Posting, doubt: Doubt) -> Change:
    """What must not go to Odoo; finance finds out why."""
    after = replace(posting, state=PostingState.EXCEPTION, reason=doubt.reason, reason_text=doubt.message)
    return Change(posting, after, LEDGER, doubt=doubt)


def put_back(posting: Posting, reason: str, at: datetime | None, *, unknown: bool) -> Change:
    """To be tried again `at` then, or parked without it. `unknown`: Odoo may have acted."""
    state = PostingState.UNKNOWN if unknown else PostingState.READY
    after = replace(posting, state=state, available_at=at or NEVER, parked=at is None, reason=reason)
    return Change(posting, after, LEDGER, doubt=parked(reason) if at is None else None)


def parked(reason: str) -> Doubt:
    return Doubt(reason, "Odoo could not be reached for as long as the budget allows", Category.TECHNICAL, ("retry",))


def moving(source: Posting, document: Document, now: datetime) -> Change:
    """The posting that moves the source's receivable to another customer: one more effect of the same event."""
    posting = Posting(
        key=document.effect,
        company=source.company,
        event=source.event,
        transaction_id=source.transaction_id,
        effect=PARTY,
        state=PostingState.READY,
        lane=source.lane,
        amount=source.amount,
        made_by=LEDGER,
        created_at=now,
        updated_at=now,
        available_at=now,
        document_json=document_to_json(document),
        document_type=document.type.value,
        content_digest=content_digest(document),
        ar_group=source.ar_group,
        mapping_revision=source.mapping_revision,
        mapping_by=source.mapping_by,
    )
    return creation(posting, through=(PostingState.RECORDED, PostingState.VALIDATED))
