"""What operators ask of the gateway."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from libs.events import Clock

from ..domain.delivery import DeliveryState, StoredDelivery
from ..storage.uow import NewUow
from .ports import Accounts


@dataclass(frozen=True, slots=True)
class KnownSource:
    """A configured source and when it was last heard of."""

    name: str
    company: str
    last_received: datetime | None
    last_polled: datetime | None
    polled: bool


def get_delivery(name: str, *, new_uow: NewUow) -> StoredDelivery:
    """Raises `DeliveryUnknown`."""
    with new_uow() as uow:
        return uow.deliveries.get(name)


def list_deliveries(
    provider: str, account: str, state: DeliveryState | None, before: str, limit: int, *, new_uow: NewUow
) -> list[StoredDelivery]:
    """Newest first; empty `provider` and `account` mean any."""
    with new_uow() as uow:
        return uow.deliveries.newest(provider=provider, account=account, state=state, before=before, limit=limit)


def replay_delivery(name: str, request_id: str, actor: str, *, new_uow: NewUow, clock: Clock) -> StoredDelivery:
    """Have a delivery translated and forwarded again; the same request id again changes nothing.

    Raises `DeliveryUnknown`, `DeliveryStateInvalid` or `ReplayConflict`.
    """
    with new_uow() as uow:
        stored = uow.deliveries.requeue(name, request_id=request_id, actor=actor, now=clock())
        uow.commit()
    return stored


def list_sources(accounts: Accounts, *, new_uow: NewUow) -> list[KnownSource]:
    """In order of name."""
    with new_uow() as uow:
        polled_at = uow.cursors.last_polled()
        return [
            KnownSource(
                name=account.source.name,
                company=account.source.company,
                last_received=uow.deliveries.last_received(account.source.provider, account.source.account),
                last_polled=polled_at.get(account.source.interface),
                polled=account.poll is not None,
            )
            for account in sorted(accounts.all(), key=lambda account: account.source.name)
        ]
