"""Record canonical events: stored, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from libs.access import NOTHING, AccessScope
from libs.events import Clock, Digest, EffectKey, Event, EventInvalid, EventKind, IdSource

from ..domain.errors import EventRefused
from ..domain.event import BuildState, RecordedEvent, Recording
from ..domain.rules.purchase import own_references
from ..domain.rules.table import STORY, effects_of, has_effect
from ..storage.uow import NewUow

INTERFACE_CHARACTERS = 128
COMPANY_CHARACTERS = 64
VALUE_CHARACTERS = 255
REFERENCES_AT_MOST = 100
KEY_CHARACTERS = 1000  # the columns hold a little more: the mark of an effect that another event has (`rival_key`)


@dataclass(frozen=True, slots=True)
class IncomingEvent:
    """An event as a caller brought it, with the trace context it came with."""

    event: Event
    recorded_by: str
    traceparent: str = ""
    scope: AccessScope = NOTHING  # whose transactions it may join beside those of its own source


def record_events(
    incoming: Sequence[IncomingEvent], new_uow: NewUow, clock: Clock, ids: IdSource
) -> list[RecordedEvent | EventRefused]:
    """Store each event once, however often it arrives, in one commit; an answer an event, in order.

    The same event again gets the first answer with `duplicate` set, and what it adds (references, details) is merged.
    Another content under a known name is an `EventConflict`, a transaction id of somebody else's `TransactionIdTaken`,
    given back in their places. Events must have passed `check`.
    """
    recordings = [_recording(event, ids) for event in incoming]
    with new_uow() as uow:
        answers = uow.events.record(recordings, clock())
        uow.commit()
    return answers


def check(event: Event) -> None:
    """Raise `EventInvalid` for what the ledger can't keep: texts too long for its keys, or not printable."""
    _bounded(event.interface, INTERFACE_CHARACTERS, "name")
    _bounded(event.company, COMPANY_CHARACTERS, "company")
    _bounded(event.object_id, VALUE_CHARACTERS, "object_id")
    if len(event.references) > REFERENCES_AT_MOST:
        raise EventInvalid(f"more than {REFERENCES_AT_MOST} references", field="references")
    for reference in event.references:
        _bounded(reference.value, VALUE_CHARACTERS, "references.value")
        _bounded(reference.issuer, VALUE_CHARACTERS, "references.issuer", empty=True)
    if any(len(str(EffectKey.of(event, effect))) > KEY_CHARACTERS for effect in effects_of(event)):
        raise EventInvalid("the effect's key would be too long", field="object_id")


def _bounded(text: str, characters: int, field: str, *, empty: bool = False) -> None:
    if not text and not empty:
        raise EventInvalid(f"{field} is empty", field=field)
    if len(text) > characters:
        raise EventInvalid(f"{field} is longer than {characters} characters", field=field)
    if not text.isprintable():
        raise EventInvalid(f"{field} holds control characters", field=field)


def _recording(incoming: IncomingEvent, ids: IdSource) -> Recording:
    event, requested = incoming.event, incoming.event.transaction_id
    if not requested:
        event = replace(event, transaction_id=ids())
    event = replace(event, references=tuple(dict.fromkeys((*event.references, *own_references(event)))))
    effective = has_effect(event)
    joins = sum(reference.kind in STORY for reference in event.references)
    return Recording(
        event=event,
        requested_transaction_id=requested,
        scope=incoming.scope,
        digest=Digest.of(event),
        recorded_by=incoming.recorded_by,
        traceparent=incoming.traceparent,
        state=BuildState.RECORDED if effective else BuildState.NO_EFFECT,
        # Evidence that bears several references may join stories: the builder looks at it too.
        build_due=effective or (event.kind is EventKind.EVIDENCE and joins > 1),
    )
