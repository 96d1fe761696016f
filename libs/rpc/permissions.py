"""Who may call what: a table of roles, and the permission that each RPC's proto option names.

Sync, replay, approval, audit reading and administration are permissions of their own, so that no role gets one
by way of another. That whoever made a change cannot approve it is checked by the handler, which knows who made it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import grpc
from concord.access.v1 import access_pb2
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor

from libs.errors import ConcordError, Kind
from libs.rpc.identity import Identity, current_identity
from libs.rpc.interception import GateInterceptor

# Every permission there is. An RPC that names another one stops the start: a typing error would lock all out.
READ_BOOKS = frozenset({"ledger.postings.read", "ledger.exceptions.read", "recon.matches.read"})
READ_WALK = frozenset({"trace.read", "totals.read"})
READ_MASTERS = frozenset({"masterdata.resolve", "masterdata.records.read"})
READ_ALL = READ_BOOKS | READ_WALK | READ_MASTERS | {"gateway.deliveries.read"}

ROLES: Mapping[str, frozenset[str]] = {
    # The services themselves, each with just what it asks of the others. None approves, replays or administers.
    "gateway": frozenset({"ledger.events.record", "recon.files.import"}),
    "ledger": frozenset({"masterdata.resolve", "masterdata.records.read"}),
    "recon": frozenset({"ledger.events.record", "ledger.postings.read", "ledger.matches.apply"}),
    # A partner's own system: brings events, and sees what became of them.
    "partner": frozenset({"ledger.events.record", "ledger.postings.read", "trace.read"}),
    # The company's own purchasing system: brings what suppliers ask for.
    "purchasing": frozenset({"ledger.events.record", "ledger.postings.read", "trace.read"}),
    # Looks after partners' connections.
    "partner-admin": READ_WALK | {"gateway.deliveries.read", "gateway.sources.poll", "gateway.partners.administer"},
    # Looks after technical failures.
    "operator": READ_ALL
    | {
        "gateway.deliveries.replay",
        "gateway.sources.poll",
        "ledger.postings.retry",
        "masterdata.sync",
        "recon.files.import",
    },
    # Looks after business failures: proposes, assigns, imports; does not approve.
    "accountant": READ_ALL
    | {
        "recon.files.import",
        "recon.differences.assign",
        "recon.differences.resolve",
        "recon.writeoffs.propose",
        "ledger.postings.retry",
        "masterdata.mappings.propose",
    },
    # The second person.
    "approver": READ_ALL | {"ledger.postings.approve", "masterdata.mappings.approve", "recon.writeoffs.approve"},
    "auditor": READ_ALL | {"audit.read"},
    "viewer": READ_BOOKS | READ_WALK | {"masterdata.records.read"},
    # Runs the installation; has no say in the books.
    "administrator": READ_WALK | {"administration", "gateway.partners.administer", "masterdata.records.read"},
}

PERMISSIONS: frozenset[str] = frozenset().union(*ROLES.values())


class PermissionDenied(ConcordError):
    """The caller's roles do not hold the permission that the RPC names."""

    kind = Kind.FORBIDDEN
    reason = "PERMISSION_DENIED"

    def __init__(self, permission: str) -> None:
        super().__init__(f"this needs the permission {permission}", metadata={"permission": permission})


class PermissionUndeclared(ConcordError):
    """An RPC names no permission, or one that nobody can hold; the server must not start."""

    reason = "PERMISSION_UNDECLARED"


def permissions_of(roles: Iterable[str]) -> frozenset[str]:
    """All that the roles allow together; an unknown role allows nothing."""
    return frozenset().union(*(ROLES.get(role, frozenset()) for role in roles))


def permission_of(method: MethodDescriptor) -> str:
    """The permission that the RPC's option names. Raises `PermissionUndeclared` if none or an unknown one."""
    permission: str = method.GetOptions().Extensions[access_pb2.permission]
    if permission not in PERMISSIONS:
        named = f"an unknown permission {permission}" if permission else "no permission"
        raise PermissionUndeclared(f"{method.full_name} names {named}")
    return permission


def permissions_by_method(services: Iterable[ServiceDescriptor]) -> dict[str, str]:
    """Full method name (`/package.Service/Method`) to permission, for every RPC of the services."""
    return {
        f"/{service.full_name}/{method.name}": permission_of(method)
        for service in services
        for method in service.methods
    }


def require(permission: str, identity: Identity | None = None) -> None:
    """Raise `PermissionDenied` unless the caller (by default the current one) holds the permission."""
    held = permissions_of((identity or current_identity()).roles)
    if permission not in held:
        raise PermissionDenied(permission)


class PermissionInterceptor(GateInterceptor):
    """Refuses calls for which the caller's roles do not hold the RPC's permission."""

    def __init__(self, services: Iterable[ServiceDescriptor]) -> None:
        self._permissions = permissions_by_method(services)

    def check(self, method: str, context: grpc.ServicerContext) -> None:
        """Raises `PermissionDenied`."""
        # A method that no descriptor names is one that `serve` did not register: refuse, don't guess.
        require(self._permissions.get(method, "administration"))
