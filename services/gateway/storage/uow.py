"""The gateway's unit of work."""

from __future__ import annotations

from libs.storage.uow import UnitOfWork

from .deliveries import Deliveries
from .events import Events
from .payouts import Cursors, Payouts
from .uploads import Refusals, Uploads
from .walk import Walk


class GatewayUnitOfWork(UnitOfWork):
    """One transaction over all of the gateway's tables."""

    deliveries: Deliveries
    events: Events
    payouts: Payouts
    cursors: Cursors
    uploads: Uploads
    refusals: Refusals
    walk: Walk

    def opened(self) -> None:
        self.deliveries = Deliveries(self.connection)
        self.events = Events(self.connection)
        self.payouts = Payouts(self.connection)
        self.cursors = Cursors(self.connection)
        self.uploads = Uploads(self.connection)
        self.refusals = Refusals(self.connection)
        self.walk = Walk(self.connection)
