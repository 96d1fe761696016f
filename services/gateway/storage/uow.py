"""The gateway's unit of work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Engine

from libs.handover import EventOutcome, EventState
from libs.storage.leases import end_leases, in_state
from libs.storage.uow import UnitOfWork, unobserved

from ..domain.delivery import DeliveryState
from .deliveries import Deliveries
from .events import GatewayEvents
from .payouts import Cursors, Payouts
from .proofs import PROOFS
from .tables import DELIVERY, EVENT
from .trail import GatewayTrail
from .uploads import Refusals, Uploads

# What becomes of a delivery one of whose events is set aside.
_SET_ASIDE = {EventState.REFUSED: DeliveryState.QUARANTINED, EventState.PARKED: DeliveryState.PARKED}


class GatewayUow(UnitOfWork):
    """One transaction over all of the gateway's tables."""

    proofs = PROOFS

    deliveries: Deliveries
    events: GatewayEvents
    payouts: Payouts
    cursors: Cursors
    uploads: Uploads
    refusals: Refusals
    trail: GatewayTrail

    def opened(self) -> None:
        self.deliveries = Deliveries(self.connection)
        self.events = GatewayEvents(self.connection)
        self.payouts = Payouts(self.connection)
        self.cursors = Cursors(self.connection)
        self.uploads = Uploads(self.connection)
        self.refusals = Refusals(self.connection)
        self.trail = GatewayTrail(self.connection)

    def handed_over(self, outcomes: Sequence[EventOutcome], now: datetime) -> None:
        """Count what was handed on off its delivery; a delivery with an event set aside is set aside too."""
        recorded = Counter(outcome.stored.origin for outcome in outcomes if outcome.state is EventState.RECORDED)
        self.deliveries.event_forwarded(recorded, now)
        for outcome in outcomes:
            if outcome.state in _SET_ASIDE:
                self.deliveries.set_aside([outcome.stored.origin], _SET_ASIDE[outcome.state], outcome.reason, now)


class GatewayUowFactory:
    """Makes units of work on one engine."""

    def __init__(self, engine: Engine, observe: Callable[[str], None] = unobserved) -> None:
        self._engine = engine
        self._observe = observe

    def __call__(self, *, read_only: bool = False) -> GatewayUow:
        return GatewayUow(self._engine, self._observe, read_only=read_only)


NewUow = GatewayUowFactory


def end_leases_of_the_dead(engine: Engine) -> int:
    """What the process before this one was translating or handing on is taken up at once, where that is certain.

    A file's lease lasts half an hour, as long as recon may take over it. Recon knows a file, and the ledger an event,
    that is handed on twice.
    """
    received = in_state(DELIVERY, DeliveryState.RECEIVED.value)
    return end_leases(engine, [(DELIVERY, received), (EVENT, in_state(EVENT, EventState.WAITING.value))])
