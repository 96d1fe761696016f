"""Walks roles × RPCs: what `tests/flow` and each service's tests use to prove who may call what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from google.protobuf.descriptor import ServiceDescriptor

from libs.rpc.permissions import ROLES, permissions_by_method, permissions_of


def role_matrix(services: Iterable[ServiceDescriptor]) -> Iterator[tuple[str, str, bool]]:
    """(role, full method name, allowed) for every role and every RPC of the services."""
    methods = permissions_by_method(services)
    for role in sorted(ROLES):
        held = permissions_of([role])
        for method, permission in sorted(methods.items()):
            yield role, method, permission in held
