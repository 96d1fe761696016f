"""Postings in the making: what a build creates and changes, collected until it is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from libs.events import Channel, EffectKey, rival_key

from ..domain.case import Category, Doubt
from ..domain.document import Document, content_digest, document_to_json
from ..domain.event import RecordedEvent
from ..domain.master import Company, Masters
from ..domain.posting import LEDGER, UNSTORED, Change, Lane, Posting, waiting
from ..domain.rules.books import Built
from ..domain.states import PostingState


class Drafts:
    """New postings, and changes of known ones."""

    def __init__(self, now: datetime) -> None:
        self.changes: list[Change] = []
        self._now = now

    def keys(self) -> list[str]:
        """Of the new postings."""
        return [change.after.key for change in self.changes if change.is_new]

    def accept(
        self,
        event: RecordedEvent,
        built: Built,
        before: Posting,
        label: str,
        masters: Masters,
        deadline: datetime,
    ) -> None:
        """A document for an effect that has none: on its way, or before a second person."""
        if before.state is not PostingState.RECORDED:
            return  # built earlier: what was built is not built anew
        document = built.document
        after = replace(
            before,
            document_json=document_to_json(document),
            document_type=document.type.value,
            content_digest=content_digest(document),
            ar_group=label,
            mapping_revision=masters.revision,
            mapping_by=masters.proposed_by,
            lane=lane_of(event),
            approved_by="",  # whatever was approved was another content
            reason="",
            reason_text="",
            parked=False,
        )
        if needs_approval(document, masters.company()):
            after = replace(after, state=PostingState.AWAITING_APPROVAL, available_at=self._now, hold_until=deadline)
        else:
            after = waiting(after, deadline)
        doubt = None
        if built.doubt:
            doubt = Doubt(built.doubt, "it posts, and its counterpart must be explained", Category.BUSINESS, ())
        self._add(Change(before, after, LEDGER, (PostingState.VALIDATED,), doubt, predecessors=built.predecessors))

    def refuse(self, before: Posting, state: PostingState, doubt: Doubt) -> None:
        """No document: an exception, or parked in RECORDED."""
        after = replace(
            before,
            state=state,
            parked=doubt.category is Category.TECHNICAL,
            reason=doubt.reason,
            reason_text=doubt.message,
        )
        self._add(Change(before, after, LEDGER, doubt=doubt))

    def _add(self, change: Change) -> None:
        if change.is_new:
            change = replace(change, actor=change.after.made_by or LEDGER)
        elif change.after.is_built:
            change = replace(change, resolution="built")
        self.changes.append(change)

    def decide_rivals(self, known: Mapping[str, Posting]) -> None:
        """Effects that another event has already: the same content is a duplicate, another one an exception.

        Such a posting stands under a key of its own, which nothing ever sends to Odoo. Of two events of one batch that
        claim one effect the first has it.
        """
        first: dict[str, Posting] = {}
        for place, change in enumerate(self.changes):
            key, posting = change.after.key, change.after
            if change.is_new and (rival := known.get(key) if first.setdefault(key, posting) is posting else first[key]):
                self.changes[place] = self._beside(change, rival)

    def _beside(self, change: Change, rival: Posting) -> Change:
        posting = change.after
        own = replace(posting, key=rival_key(posting.key, posting.event), available_at=self._now, hold_until=None)
        if rival.content_digest and rival.content_digest == posting.content_digest:
            same = replace(own, state=PostingState.DUPLICATE, reason="EFFECT_KNOWN", reason_text=rival.name)
            return Change(change.before, same, change.actor)
        doubt = Doubt("EFFECT_CONFLICT", "another event has this effect with another content", actions=("reject",))
        conflict = replace(own, state=PostingState.EXCEPTION, reason=doubt.reason, reason_text=doubt.message)
        return Change(change.before, conflict, change.actor, doubt=doubt)


def draft(event: RecordedEvent, key: str, now: datetime) -> Posting:
    """A posting that is not stored yet, without document."""
    return Posting(
        key=key,
        company=event.event.company,
        event=event.event.name,
        transaction_id=event.event.transaction_id,
        effect=EffectKey.parse(key).effect,
        state=PostingState.RECORDED,
        lane=lane_of(event),
        amount=event.event.amount,
        made_by=event.recorded_by,
        created_at=now,
        updated_at=now,
        available_at=now,
        version=UNSTORED,
    )


def lane_of(event: RecordedEvent) -> Lane:
    """Files bring bulk; whatever else somebody waits for."""
    return Lane.BULK if event.event.provenance.channel is Channel.FILE else Lane.INTERACTIVE


def needs_approval(document: Document, company: Company) -> bool:
    """True above the company's limit, in its own currency; a limit of 0 lets everything through."""
    if not company.approval_above:
        return False
    worth = sum(max(line.balance.minor_units, 0) for line in document.entry.lines)
    return worth > company.approval_above
