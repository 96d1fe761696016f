"""GatewayService: the edge's administration over gRPC."""

from __future__ import annotations

import grpc
from concord.gateway.v1 import delivery_pb2, gateway_pb2, gateway_pb2_grpc
from concord.trace.v1 import trace_pb2

from libs.access import AccessScope
from libs.events import Clock
from libs.listing import part_of
from libs.rpc import requests
from libs.rpc.identity import current_identity, current_scope
from libs.rpc.pages import Page
from libs.rpc.server import Registration
from libs.trail import wire as trail

from . import wire
from .handlers import administer
from .handlers.poll_source import PollSource
from .handlers.ports import Accounts, configured
from .storage.uow import NewUow


class GatewayServicer(gateway_pb2_grpc.GatewayServiceServicer):
    """Decodes, calls a handler, encodes."""

    def __init__(self, new_uow: NewUow, accounts: Accounts, poll_source: PollSource, clock: Clock) -> None:
        self._new_uow = new_uow
        self._accounts = accounts
        self._poll_source = poll_source
        self._clock = clock

    def GetDelivery(
        self, request: gateway_pb2.GetDeliveryRequest, context: grpc.ServicerContext
    ) -> delivery_pb2.Delivery:
        name = wire.to_delivery_name(request.name)
        return wire.from_delivery(administer.get_delivery(name, self._scope(), new_uow=self._new_uow))

    def ListDeliveries(
        self, request: gateway_pb2.ListDeliveriesRequest, context: grpc.ServicerContext
    ) -> gateway_pb2.ListDeliveriesResponse:
        page = Page.of(request)
        provider, account = wire.to_parent(request.parent)
        before = str(page.after[0]) if page.after else ""
        found = administer.list_deliveries(
            provider, account, wire.to_state(request.state), before, page.size + 1, self._scope(), new_uow=self._new_uow
        )
        part = part_of(found, page.size, lambda stored: (stored.delivery.transaction_id,))
        return page.answer(gateway_pb2.ListDeliveriesResponse(), part, wire.from_delivery)

    def ReplayDelivery(
        self, request: gateway_pb2.ReplayDeliveryRequest, context: grpc.ServicerContext
    ) -> delivery_pb2.Delivery:
        name, request_id = wire.to_delivery_name(request.name), requests.request_id(request.request_id)
        actor = current_identity().subject
        return wire.from_delivery(
            administer.replay_delivery(name, request_id, actor, self._scope(), new_uow=self._new_uow, clock=self._clock)
        )

    def PollSource(
        self, request: gateway_pb2.PollSourceRequest, context: grpc.ServicerContext
    ) -> gateway_pb2.PollSourceResponse:
        return wire.from_polled(self._poll_source(*wire.to_source(request.name), self._scope()))

    def ListSources(
        self, request: gateway_pb2.ListSourcesRequest, context: grpc.ServicerContext
    ) -> gateway_pb2.ListSourcesResponse:
        page = Page.of(request)
        after = str(page.after[0]) if page.after else ""
        known = administer.list_sources(self._accounts, self._scope(), new_uow=self._new_uow)
        later = [source for source in known if source.name > after]
        part = part_of(later, page.size, lambda source: (source.name,))
        return page.answer(gateway_pb2.ListSourcesResponse(), part, wire.from_source)

    def ListTransactionSteps(
        self, request: trace_pb2.ListTransactionStepsRequest, context: grpc.ServicerContext
    ) -> trace_pb2.ListTransactionStepsResponse:
        with self._new_uow() as uow:
            return trail.list_transaction_steps(request, uow.trail, "gateway", self._scope())

    def ListControlTotals(
        self, request: trace_pb2.ListControlTotalsRequest, context: grpc.ServicerContext
    ) -> trace_pb2.ListControlTotalsResponse:
        with self._new_uow() as uow:
            return trail.list_control_totals(request, uow.trail, self._scope())

    def _scope(self) -> AccessScope:
        """What the caller may see of the configured sources."""
        return configured(self._accounts, current_scope())


def registration(servicer: GatewayServicer) -> Registration:
    """What a server is given."""
    service = gateway_pb2.DESCRIPTOR.services_by_name["GatewayService"]
    return Registration(servicer, gateway_pb2_grpc.add_GatewayServiceServicer_to_server, service)
