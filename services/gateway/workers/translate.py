"""Turns received deliveries into events: one claim, one pure translation each, one commit for the batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from libs.errors import ConcordError
from libs.events import Channel, Digest
from libs.handover import EventState, OutboundEvent
from libs.service.work import WorkContext
from providers.base import Problem, Source, Translation

from ..domain.delivery import DeliveryOutcome, DeliveryState, StoredDelivery
from ..domain.errors import SourceUnknown
from ..domain.payout import PayoutState, StoredPayout
from ..handlers.ports import Accounts
from ..storage.uow import GatewayUow, NewUow

BATCH = 100
LEASE_SECONDS = 60.0
MAX_ATTEMPTS = 5
KNOWN = "EVENTS_KNOWN"
CONFLICT = "EVENT_CONFLICT"
# What a faulty translator raises. Its delivery is set aside, so that it holds up no other.
FAULTS = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class _Read:
    """A claimed delivery and what it tells."""

    stored: StoredDelivery
    translation: Translation
    fingerprint: str = ""

    @property
    def transaction_id(self) -> str:
        return self.stored.delivery.transaction_id

    @property
    def source(self) -> Source:
        return self.stored.delivery.source


class TranslateWorker:
    """Reads deliveries. Those that cannot be read are quarantined with their reason; none stops another."""

    def __init__(self, new_uow: NewUow, accounts: Accounts, work: WorkContext) -> None:
        self._new_uow = new_uow
        self._accounts = accounts
        self._work = work

    def run_once(self) -> int:
        """How many deliveries were taken."""
        with self._new_uow() as uow:
            claimed = uow.deliveries.claim(
                files=False,
                limit=BATCH,
                owner=self._work.owner,
                now=self._work.clock(),
                lease_seconds=LEASE_SECONDS,
            )
            if not claimed:
                return 0
            uow.commit()
        read = [self._read(stored) for stored in claimed]
        with self._new_uow() as uow:
            outcomes, born = self._store(uow, read)
            uow.commit()
        for outcome in outcomes:
            if outcome.state.is_set_aside:
                source = outcome.stored.delivery.source
                self._work.observer.set_aside(source.company, source.interface, outcome.reason)
        if self._work.tracing.records:
            self._trace(outcomes, born)
        return len(claimed)

    def _read(self, stored: StoredDelivery) -> _Read:
        if stored.attempts > MAX_ATTEMPTS:
            # Whoever took it before did not live to say why.
            return _Read(stored, Translation(problems=(Problem("TRANSLATION_ABORTED", "the process ended"),)))
        try:
            found = self._accounts.find(stored.delivery.source.provider, stored.delivery.source.account)
            if found.provider is None:
                raise SourceUnknown
            delivery = replace(stored.delivery, source=found.source)
            stored = replace(stored, delivery=delivery)
            translation = found.provider.translate(delivery)
            return _Read(stored, translation, found.provider.fingerprint(delivery.body))
        except ConcordError as error:
            return _Read(stored, Translation(problems=(Problem(error.reason, str(error)),)))
        except FAULTS as error:
            return _Read(stored, Translation(problems=(Problem("TRANSLATOR_FAULTY", type(error).__name__),)))

    def _store(self, uow: GatewayUow, read: Sequence[_Read]) -> tuple[list[DeliveryOutcome], list[OutboundEvent]]:
        """What became of each delivery, and the new events that are transactions of their own."""
        now = self._work.clock()
        translated = {item.transaction_id: self._identified(item) for item in read}
        events = [event for found in translated.values() for event in found]
        stored = uow.events.take(events, now) if events else {}
        outcomes = [_outcome(item, translated[item.transaction_id], stored) for item in read]
        aliases = [pair for item in read for pair in _aliases(item, translated[item.transaction_id], stored)]
        if aliases:
            uow.events.alias(aliases, now)
        uow.cursors.wake((item.source.interface for item in read if item.translation.wakes_poll), now)
        uow.payouts.add(_payouts(read, stored), now)
        uow.deliveries.finish(outcomes, now)
        fresh = [event for event in events if event.event.transaction_id not in translated]
        return outcomes, [event for event in fresh if _transaction(event, stored) == event.event.transaction_id]

    def _identified(self, item: _Read) -> list[OutboundEvent]:
        """The events, each with a transaction id to have if it proves new.

        A webhook's first one takes the id that its 202 named; a page is a transaction of its own.
        """
        delivery = item.stored.delivery
        free = [] if delivery.channel is Channel.POLL else [delivery.transaction_id]
        events: list[OutboundEvent] = []
        for event in item.translation.events:
            identified = replace(event, transaction_id=free.pop() if free else self._work.ids())
            events.append(OutboundEvent(identified, Digest.of(event), delivery.transaction_id))
        return events

    def _trace(self, outcomes: Sequence[DeliveryOutcome], born: Sequence[OutboundEvent]) -> None:
        """A step in each delivery's trace; an event that is a transaction of its own begins one, linked to it."""
        came_from: dict[str, str] = {}
        for outcome in outcomes:
            delivery = outcome.stored.delivery
            attributes = {"concord.delivery": delivery.name, "concord.state": outcome.state.value}
            with self._work.tracing.step("translated", delivery.transaction_id, None, attributes) as step:
                came_from[delivery.transaction_id] = step.traceparent
        for outbound in born:
            event = outbound.event
            attributes = {"concord.event": event.name, "concord.interface": event.interface}
            links = [came_from[outbound.origin]]
            with self._work.tracing.transaction("translated", event.transaction_id, attributes, links=links):
                pass


def _transaction(event: OutboundEvent, stored: Mapping[str, OutboundEvent]) -> str:
    """The transaction that the event is known by."""
    return stored[event.name].event.transaction_id


def _outcome(item: _Read, translated: Sequence[OutboundEvent], stored: Mapping[str, OutboundEvent]) -> DeliveryOutcome:
    translation = item.translation
    own = [stored[event.name] for event in translated if stored[event.name].origin == item.transaction_id]
    waiting = sum(event.state is EventState.WAITING for event in own)
    conflict = any(not stored[event.name].digest.fits(event.event) for event in translated)
    if translation.problems or conflict:
        reason = translation.problems[0].reason if translation.problems else CONFLICT
        # What was proved once, but is not configured any more, is no fault of the message.
        state = DeliveryState.PARKED if reason == SourceUnknown.reason else DeliveryState.QUARANTINED
    elif not translated:
        state, reason = DeliveryState.IGNORED, translation.ignored
    else:
        state, reason = (DeliveryState.TRANSLATED, "") if waiting else (DeliveryState.FORWARDED, KNOWN)
    return DeliveryOutcome(
        stored=item.stored,
        state=state,
        reason=reason,
        events=tuple(event.name for event in translated),
        waiting_events=waiting,
        schema_fingerprint=item.fingerprint,
    )


def _aliases(
    item: _Read, translated: Sequence[OutboundEvent], stored: Mapping[str, OutboundEvent]
) -> list[tuple[str, str]]:
    """A 202's transaction id whose event had another one already stays good for `trace`."""
    named = (event for event in translated[:1] if event.event.transaction_id == item.transaction_id)
    known = (_transaction(event, stored) for event in named)
    return [(item.transaction_id, transaction_id) for transaction_id in known if transaction_id != item.transaction_id]


def _payouts(read: Sequence[_Read], stored: Mapping[str, OutboundEvent]) -> list[StoredPayout]:
    found: dict[str, StoredPayout] = {}
    for item in read:
        events = [stored[event.name].event for event in item.translation.events]
        by_source = {getattr(event.body, "source_id", ""): event.transaction_id for event in events}
        for payout in item.translation.payouts:
            transaction_id = by_source.get(payout, item.transaction_id)
            source = item.source
            waiting = StoredPayout(source.provider, source.account, payout, transaction_id, PayoutState.WAITING)
            found.setdefault(waiting.key, waiting)
    return list(found.values())
