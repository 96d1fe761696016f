"""Walks roles × RPCs: what `tests/flow` and each service's tests use to prove who may call what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from concord.gateway.v1 import gateway_pb2
from concord.ledger.v1 import ledger_pb2
from concord.masterdata.v1 import masterdata_pb2
from concord.recon.v1 import recon_pb2
from google.protobuf.descriptor import ServiceDescriptor

from libs.rpc.permissions import ROLES, permissions_by_method, permissions_of

SERVICES = [
    file.services_by_name[name]
    for file, name in (
        (gateway_pb2.DESCRIPTOR, "GatewayService"),
        (ledger_pb2.DESCRIPTOR, "LedgerService"),
        (masterdata_pb2.DESCRIPTOR, "MasterdataService"),
        (recon_pb2.DESCRIPTOR, "ReconService"),
    )
]


def role_matrix(services: Iterable[ServiceDescriptor]) -> Iterator[tuple[str, str, bool]]:
    """(role, full method name, allowed) for every role and every RPC of the services."""
    methods = permissions_by_method(services)
    for role in sorted(ROLES):
        held = permissions_of([role])
        for method, permission in sorted(methods.items()):
            yield role, method, permission in held
