"""What the gateway did for a transaction, and what it handed on."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Table, select

from libs.access import AccessScope
from libs.access.names import allows_name
from libs.handover import EventState
from libs.storage.audit import AuditLog
from libs.storage.leases import in_state
from libs.storage.queues import interface_of
from libs.trail import ControlTotal, QueueLength, Step
from libs.trail.reading import NOBODY, Queue, is_step, read_lengths, read_totals, resolve, step_of

from ..domain.delivery import DeliveryState
from ..domain.payout import PayoutState
from .tables import ALIAS, DELIVERY, EVENT, PAYOUT, TABLES


class GatewayTrail:
    """`libs.trail.Trail` over the gateway's tables. Rows name no company: the configuration says whose they are."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def steps(self, transaction_id: str, scope: AccessScope) -> tuple[str, list[Step]]:
        meant, ids = resolve(self._connection, ALIAS, transaction_id)
        stated_by = self._connection.scalars(select(EVENT.c.origin).where(EVENT.c.transaction_id.in_(ids)))
        deliveries = DELIVERY.c.transaction_id.in_(sorted({*stated_by, *ids}))
        rows = self._connection.execute(select(DELIVERY).where(deliveries).order_by(DELIVERY.c.transaction_id)).all()
        steps = [
            Step(row.received_at, "received", row.name, "RECEIVED", f"{row.channel} {row.type}".strip()) for row in rows
        ]
        log = AuditLog(self._connection, TABLES)
        stored = [entry for one_id in ids for entry in log.of_transaction(one_id)]
        # A page's own transaction tells of the page; of the events in it only this one is asked for.
        stored += [entry for row in rows if row.transaction_id not in ids for entry in log.of_subject(row.name)]
        steps += [step_of(entry.entry, entry.entry.action) for entry in stored if is_step(entry.entry)]
        if not scope.every_source:
            steps = [step for step in steps if allows_name(scope, step.resource)]
            meant = meant if steps else transaction_id
        return meant, sorted(steps, key=lambda step: step.at)

    def totals(self, company: str, scope: AccessScope) -> list[ControlTotal]:
        return read_totals(self._connection, TABLES, company, scope)

    def queues(self, now: datetime) -> list[QueueLength]:
        received, waiting = in_state(DELIVERY, DeliveryState.RECEIVED.value), in_state(EVENT, EventState.WAITING.value)
        due = in_state(PAYOUT, PayoutState.WAITING.value, PayoutState.COMPOSED.value)
        event_s = interface_of(self._connection, EVENT.c.name)
        queues = [
            Queue("translate", DELIVERY, received, DELIVERY.c.transaction_id, (NOBODY, _interface(DELIVERY))),
            Queue("forward", EVENT, waiting, EVENT.c.transaction_id, (NOBODY, event_s)),
            Queue("settlements", PAYOUT, due, PAYOUT.c.transaction_id, (NOBODY, _interface(PAYOUT))),
        ]
        return read_lengths(self._connection, queues, now)


def _interface(table: Table) -> ColumnElement[str]:
    named: ColumnElement[str] = table.c.provider + "/" + table.c.account
    return named
