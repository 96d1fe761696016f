"""What the gateway did for a transaction, and what it handed on."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, Table, select

from libs.storage.audit import AuditLog
from libs.storage.leases import in_state
from libs.storage.queues import count_waiting, interface_of
from libs.storage.totals import Totals

from ..domain.delivery import State
from ..domain.fact import EventState, PayoutState
from ..handlers.ports import ControlTotal, QueueDepth, Step
from .events import Events
from .rows import ALIAS, DELIVERY, EVENT, PAYOUT, TABLES


class Walk:
    """Reads across the gateway's tables, within a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def steps(self, transaction_id: str) -> list[Step]:
        resolved = Events(self._connection).resolve(transaction_id)
        names = select(ALIAS.c.alias).where(ALIAS.c.transaction_id == resolved)
        aliases = [*self._connection.scalars(names), resolved]
        told_by = self._connection.scalars(select(EVENT.c.delivery).where(EVENT.c.transaction_id.in_(aliases)))
        deliveries = sorted({*told_by, *aliases})
        rows = self._connection.execute(
            select(DELIVERY).where(DELIVERY.c.transaction_id.in_(deliveries)).order_by(DELIVERY.c.transaction_id)
        ).all()
        steps = [
            Step(row.received_at, "received", row.name, "RECEIVED", f"{row.channel} {row.type}".strip()) for row in rows
        ]
        log = AuditLog(self._connection, TABLES)
        own = [stored.entry for one in aliases for stored in log.of_transaction(one)]
        # A page's own transaction tells of the page; of the events in it only this one is asked for.
        pages = [
            stored.entry for row in rows if row.transaction_id not in aliases for stored in log.of_subject(row.name)
        ]
        steps += [Step(one.at, one.action.lower(), one.subject, one.action, reason=one.reason) for one in own + pages]
        return sorted(steps, key=lambda step: step.at)

    def totals(self, company: str) -> list[ControlTotal]:
        found = Totals(self._connection, TABLES).read(company=company)
        return [
            ControlTotal(
                interface=key.interface,
                company=key.company,
                currency=key.currency,
                day=key.day,
                bucket=key.bucket,
                event_count=total.count,
                minor_units=total.minor_units,
                name_set_hash=f"{total.names:064x}",
            )
            for key, total in sorted(found.items(), key=lambda item: (item[0].interface, item[0].currency, item[0].day))
        ]

    def queues(self) -> list[QueueDepth]:
        event_s = interface_of(self._connection, EVENT.c.name)
        waiting: dict[str, tuple[Table, ColumnElement[bool], ColumnElement[str]]] = {
            "translate": (DELIVERY, in_state(DELIVERY, State.RECEIVED.value), _interface(DELIVERY)),
            "forward": (EVENT, in_state(EVENT, EventState.WAITING.value), event_s),
            "settlements": (
                PAYOUT,
                in_state(PAYOUT, PayoutState.WAITING.value, PayoutState.COMPOSED.value),
                _interface(PAYOUT),
            ),
        }
        depths: list[QueueDepth] = []
        for queue, (table, condition, interface) in waiting.items():
            found = count_waiting(self._connection, table, condition, table.c.transaction_id, [interface])
            depths += [QueueDepth(queue, one.depth, one.oldest, *one.whose) for one in found] or [
                QueueDepth(queue, 0, None)
            ]
        return depths


def _interface(table: Table) -> ColumnElement[str]:
    named: ColumnElement[str] = table.c.provider + "/" + table.c.account
    return named
