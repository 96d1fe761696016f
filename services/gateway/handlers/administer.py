"""What operators ask of the gateway."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from libs.events import Clock

from ..domain.delivery import State
from ..domain.fact import StoredDelivery
from .ports import Accounts, NewUnitOfWork


@dataclass(frozen=True, slots=True)
class KnownSource:
    """A configured source and when it was last heard of."""

    name: str
    company: str
    last_received: datetime | None
    last_polled: datetime | None
    polled: bool


def get_delivery(name: str, *, new_uow: NewUnitOfWork) -> StoredDelivery:
    """Raises `DeliveryUnknown`."""
    with new_uow() as uow:
        return uow.deliveries.get(name)


def list_deliveries(
    provider: str, account: str, state: State | None, before: str, limit: int, *, new_uow: NewUnitOfWork
) -> list[StoredDelivery]:
    """Newest first; empty `provider` and `account` mean any."""
    with new_uow() as uow:
        return uow.deliveries.newest(provider=provider, account=account, state=state, before=before, limit=limit)


def replay_delivery(name: str, request_id: str, actor: str, *, new_uow: NewUnitOfWork, clock: Clock) -> StoredDelivery:
    """Have a delivery translated and forwarded again; the same request id again changes nothing.

    Raises `DeliveryUnknown`, `DeliveryStateInvalid` or `ReplayConflict`.
    """
    with new_uow() as uow:
        stored = uow.deliveries.requeue(name, request_id=request_id, actor=actor, now=clock())
        uow.commit()
    return stored


def list_sources(accounts: Accounts, *, new_uow: NewUnitOfWork) -> list[KnownSource]:
    """In order of name."""
    with new_uow() as uow:
        polled_at = uow.cursors.last_polled()
        return [
            KnownSource(
                name=one.source.name,
                company=one.source.company,
                last_received=uow.deliveries.last_received(one.source.provider, one.source.account),
                last_polled=polled_at.get(one.source.interface),
                polled=one.poll is not None,
            )
            for one in sorted(accounts.all(), key=lambda one: one.source.name)
        ]
