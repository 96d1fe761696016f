"""What operators ask of the gateway."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from libs.access import AccessScope
from libs.access.names import allows_name
from libs.events import Clock

from ..domain.delivery import DeliveryState, StoredDelivery
from ..domain.errors import DeliveryUnknown
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


def get_delivery(name: str, scope: AccessScope, *, new_uow: NewUow) -> StoredDelivery:
    """Raises `DeliveryUnknown`."""
    _ensure_seen(name, scope)
    with new_uow() as uow:
        return uow.deliveries.get(name)


def list_deliveries(
    provider: str,
    account: str,
    state: DeliveryState | None,
    before: str,
    limit: int,
    scope: AccessScope,
    *,
    new_uow: NewUow,
) -> list[StoredDelivery]:
    """Newest first, of the scope's sources; empty `provider` and `account` mean any."""
    with new_uow() as uow:
        return uow.deliveries.newest(
            provider=provider, account=account, state=state, before=before, limit=limit, scope=scope
        )


def replay_delivery(
    name: str, request_id: str, actor: str, scope: AccessScope, *, new_uow: NewUow, clock: Clock
) -> StoredDelivery:
    """Have a delivery translated and forwarded again; the same request id again changes nothing.

    Raises `DeliveryUnknown`, `DeliveryStateInvalid` or `ReplayConflict`.
    """
    _ensure_seen(name, scope)
    with new_uow() as uow:
        stored = uow.deliveries.requeue(name, request_id=request_id, actor=actor, now=clock())
        uow.commit()
    return stored


def list_sources(accounts: Accounts, scope: AccessScope, *, new_uow: NewUow) -> list[KnownSource]:
    """Those of the scope, in order of name."""
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
            if scope.allows_interface(account.source.interface)
        ]


def _ensure_seen(name: str, scope: AccessScope) -> None:
    """Raise `DeliveryUnknown` for a delivery that the caller may not see, as for one that is not there."""
    if not allows_name(scope, name):
        raise DeliveryUnknown("no such delivery", field="name")
