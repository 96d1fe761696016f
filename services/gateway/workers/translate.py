"""Turns received deliveries into events: one claim, one pure translation each, one commit for the batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from libs.errors import ConcordError
from libs.events import Channel, Clock, IdSource, digest_of
from libs.handover import EventState, OutboundEvent
from libs.service.work import Tracing
from providers.base import Problem, Translation

from ..domain.delivery import State
from ..domain.errors import SourceUnknown
from ..domain.fact import PayoutState, StoredDelivery, StoredPayout
from ..handlers.ports import Accounts, DeliveryOutcome, NewUnitOfWork, SetAside, UnitOfWork, unobserved

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


class TranslateWorker:
    """Reads deliveries. Those that cannot be read are quarantined with their reason; none stops another."""

    def __init__(
        self,
        new_uow: NewUnitOfWork,
        accounts: Accounts,
        *,
        clock: Clock,
        ids: IdSource,
        tracing: Tracing,
        owner: str,
        batch: int = 100,
        lease_seconds: float = 60.0,
        max_attempts: int = 5,
        set_aside: SetAside = unobserved,
    ) -> None:
        self._new_uow = new_uow
        self._accounts = accounts
        self._clock = clock
        self._ids = ids
        self._tracing = tracing
        self._owner = owner
        self._batch = batch
        self._lease_seconds = lease_seconds
        self._max_attempts = max_attempts
        self._set_aside = set_aside

    def run_once(self) -> int:
        """How many deliveries were taken."""
        with self._new_uow() as uow:
            claimed = uow.deliveries.claim(
                files=False,
                limit=self._batch,
                owner=self._owner,
                now=self._clock(),
                lease_seconds=self._lease_seconds,
            )
            if not claimed:
                return 0
            uow.commit()
        read = [self._read(stored) for stored in claimed]
        with self._new_uow() as uow:
            outcomes, born = self._store(uow, read)
            uow.commit()
        for one in outcomes:
            if one.state in (State.QUARANTINED, State.PARKED):
                self._set_aside(one.stored.delivery.source, one.reason)
        if self._tracing.records:
            self._trace(outcomes, born)
        return len(claimed)

    def _read(self, stored: StoredDelivery) -> _Read:
        if stored.attempts > self._max_attempts:
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

    def _store(self, uow: UnitOfWork, read: Sequence[_Read]) -> tuple[list[DeliveryOutcome], list[OutboundEvent]]:
        """What became of each delivery, and the new events that are transactions of their own."""
        now = self._clock()
        told = {one.stored.delivery.transaction_id: self._told(one) for one in read}
        stored = (
            uow.events.take([event for events in told.values() for event in events], now) if any(told.values()) else {}
        )
        outcomes = [self._outcome(one, told[one.stored.delivery.transaction_id], stored) for one in read]
        self._alias(uow, read, told, stored)
        uow.cursors.wake((one.stored.delivery.source.interface for one in read if one.translation.wakes_poll), now)
        uow.payouts.add(_payouts(read, stored), now)
        uow.deliveries.finish(outcomes, now)
        fresh = [event for events in told.values() for event in events if event.event.transaction_id not in told]
        born = [one for one in fresh if stored[one.event.name].event.transaction_id == one.event.transaction_id]
        return outcomes, born

    def _told(self, one: _Read) -> list[OutboundEvent]:
        """The events, each with a transaction id to have if it proves new.

        A webhook's first one takes the id that its 202 named; a page is a transaction of its own.
        """
        delivery = one.stored.delivery
        free = [] if delivery.channel is Channel.POLL else [delivery.transaction_id]
        events: list[OutboundEvent] = []
        for event in one.translation.events:
            identified = replace(event, transaction_id=free.pop() if free else self._ids())
            events.append(OutboundEvent(identified, digest_of(event), delivery.transaction_id))
        return events

    def _outcome(self, one: _Read, told: Sequence[OutboundEvent], stored: dict[str, OutboundEvent]) -> DeliveryOutcome:
        translation = one.translation
        own = [event for event in told if stored[event.event.name].origin == one.stored.delivery.transaction_id]
        waiting = sum(stored[event.event.name].state is EventState.WAITING for event in own)
        conflict = any(stored[event.event.name].digest != event.digest for event in told)
        if translation.problems or conflict:
            state, reason = State.QUARANTINED, translation.problems[0].reason if translation.problems else CONFLICT
            if reason == SourceUnknown.reason:
                state = State.PARKED  # proved once, but not configured any more
        elif not told:
            state, reason = State.IGNORED, translation.ignored
        else:
            state, reason = (State.TRANSLATED, "") if waiting else (State.FORWARDED, KNOWN)
        return DeliveryOutcome(
            stored=one.stored,
            state=state,
            reason=reason,
            events=tuple(event.event.name for event in told),
            waiting_events=waiting,
            schema_fingerprint=one.fingerprint,
        )

    def _alias(
        self,
        uow: UnitOfWork,
        read: Sequence[_Read],
        told: dict[str, list[OutboundEvent]],
        stored: dict[str, OutboundEvent],
    ) -> None:
        """A 202's transaction id whose event had another one already stays good for `trace`."""
        pairs: list[tuple[str, str]] = []
        for one in read:
            mine = one.stored.delivery.transaction_id
            for event in told[mine][:1]:
                known = stored[event.event.name].event.transaction_id
                if event.event.transaction_id == mine and known != mine:
                    pairs.append((mine, known))
        if pairs:
            uow.events.alias(pairs)

    def _trace(self, outcomes: Sequence[DeliveryOutcome], born: Sequence[OutboundEvent]) -> None:
        """A step in each delivery's trace; an event that is a transaction of its own begins one, linked to it."""
        came_from: dict[str, str] = {}
        for one in outcomes:
            delivery = one.stored.delivery
            attributes = {"concord.delivery": delivery.name, "concord.state": one.state.value}
            with self._tracing.step("translated", delivery.transaction_id, None, attributes) as step:
                came_from[delivery.transaction_id] = step.traceparent
        for one_event in born:
            event = one_event.event
            attributes = {"concord.event": event.name, "concord.interface": event.interface}
            links = [came_from[one_event.origin]]
            with self._tracing.transaction("translated", event.transaction_id, attributes, links=links):
                pass


def _payouts(read: Sequence[_Read], stored: dict[str, OutboundEvent]) -> list[StoredPayout]:
    found: dict[str, StoredPayout] = {}
    for one in read:
        source = one.stored.delivery.source
        by_source = {
            getattr(stored[event.name].event.body, "source_id", ""): stored[event.name].event.transaction_id
            for event in one.translation.events
        }
        for payout in one.translation.payouts:
            transaction_id = by_source.get(payout, one.stored.delivery.transaction_id)
            waiting = StoredPayout(source.provider, source.account, payout, transaction_id, PayoutState.WAITING)
            found.setdefault(waiting.key, waiting)
    return list(found.values())
