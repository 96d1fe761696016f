"""What the gateway shows of itself."""

from __future__ import annotations

from datetime import datetime

from libs.events import Clock
from libs.telemetry.metrics import Metrics, QueueReading, Scope

from .handlers.ports import Accounts
from .storage.uow import NewUow


def watch_queues(metrics: Metrics, new_uow: NewUow, accounts: Accounts, clock: Clock) -> None:
    """Show what waits, at each scrape."""
    metrics.watch_queues(lambda: queue_readings(new_uow, accounts, clock()))


def queue_readings(new_uow: NewUow, accounts: Accounts, now: datetime) -> list[QueueReading]:
    """What waits, by interface. It only reads: a scrape waits for no writer, and no writer for it."""
    companies = {account.source.interface: account.source.company for account in accounts.all()}
    with new_uow(read_only=True) as uow:
        lengths = uow.trail.queues(now)
    return [
        QueueReading(
            f"gateway.{queue.queue}",
            queue.depth,
            queue.oldest_seconds,
            Scope.on(companies.get(queue.interface, ""), queue.interface),
        )
        for queue in lengths
    ]
