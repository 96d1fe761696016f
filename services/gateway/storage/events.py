"""Events on their way to the ledger, with what deliveries add to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, update

from libs.events import event_to_json
from libs.handover import EventState, NewEvent, OutboundEvent
from libs.handover.store import OutboundEvents, OutboundTables
from libs.storage.leases import in_state
from libs.storage.private import proof_of

from ..domain.delivery import DeliveryState
from .tables import ALIAS, DELIVERY, EVENT, TABLES

OUTBOUND = OutboundTables(EVENT, ALIAS, TABLES, actor="gateway", recorded="FORWARDED")


class GatewayEvents(OutboundEvents):
    """Events, within a transaction. Their origin is the delivery that first brought them."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, OUTBOUND)

    def take(self, found: Sequence[OutboundEvent], now: datetime) -> dict[str, OutboundEvent]:
        """Store those whose name is new; by name as they are stored then, of one name the first.

        A known one with more references than before takes them on and is handed on again.
        """
        first: dict[str, OutboundEvent] = {}
        for event in found:
            first.setdefault(event.name, event)
        new = self.add((NewEvent.of(event.event, event.origin) for event in first.values()), now)
        stored = {name: first[name] for name in new} | self.known(first.keys() - new)
        for event in found:
            stored[event.name] = self._merged(stored[event.name], event, now)
        return stored

    def _merged(self, stored: OutboundEvent, repeat: OutboundEvent, now: datetime) -> OutboundEvent:
        """A repeat that names more references than before: the ledger must hear of them too."""
        event = stored.event
        more = [reference for reference in repeat.event.references if reference not in event.references]
        if not more or not stored.digest.fits(repeat.event) or stored.state.is_set_aside:
            return stored
        merged = replace(event, references=(*event.references, *more))
        payload = event_to_json(merged)
        values = {
            "payload": payload,
            "payload_proof": proof_of(payload),
            "state": EventState.WAITING.value,
            "available_at": now,
            "attempts": 0,
            # Whoever hands it on at this moment does so without the new ones: the claim is taken away.
            "lease_owner": None,
            "lease_until": None,
            "fence": EVENT.c.fence + 1,
        }
        self._connection.execute(update(EVENT).where(EVENT.c.name == event.name).values(values))
        self.note([(event.name, event.transaction_id)], now)
        if stored.state is EventState.RECORDED:
            # It will be counted off its delivery once more; uncounted, another event's place would be.
            unfinished = (DELIVERY.c.transaction_id == stored.origin) & in_state(
                DELIVERY, DeliveryState.TRANSLATED.value
            )
            one_more = {"waiting_events": DELIVERY.c.waiting_events + 1}
            self._connection.execute(update(DELIVERY).where(unfinished).values(one_more))
        return replace(stored, event=merged, state=EventState.WAITING)
