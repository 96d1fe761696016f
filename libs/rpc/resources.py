"""What a call touches: the fields that each RPC's proto option names, held to the scope of the caller's token.

Only what the request's own names say is checked here, so an answer depends on the name and the token alone and tells
nothing of what is there. What names can't say (whose a match is, what a list holds) the services filter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import grpc
from concord.access.v1 import access_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message

from libs.access import AccessScope
from libs.access.names import allows, bearing_of
from libs.errors import ConcordError, Kind
from libs.rpc.errors import InvalidRequest
from libs.rpc.identity import current_scope
from libs.rpc.interception import Behavior, WrappingInterceptor

# What each service says of what is not there: reason, words, and whether it names the field.
_UNKNOWN: Mapping[str, tuple[str, str, bool]] = {
    "companies": ("COMPANY_UNKNOWN", "nothing was ever synced for this company", False),
    "sources": ("SOURCE_UNKNOWN", "no such source is configured", False),
    "deliveries": ("DELIVERY_UNKNOWN", "no such delivery", True),
    "events": ("EVENT_UNKNOWN", "no such event", True),
    "postings": ("POSTING_UNKNOWN", "no such posting", True),
    "matches": ("MATCH_UNKNOWN", "no such match", True),
    "statements": ("STATEMENT_UNKNOWN", "no such statement", True),
    "settlements": ("SETTLEMENT_UNKNOWN", "no such settlement", True),
    "differences": ("DIFFERENCE_UNKNOWN", "no such difference", True),
    "mappingSets": ("MAPPING_SET_UNKNOWN", "there is no such mapping set", True),
}


class ResourceUndeclared(ConcordError):
    """An RPC does not say what it touches, or names a field that can't say it; the server must not start."""

    reason = "RESOURCE_UNDECLARED"


class ResourceUnknown(ConcordError):
    """The caller's token does not name it: answered as if it were not there."""

    kind = Kind.MISSING
    reason = "RESOURCE_UNKNOWN"

    def __init__(self, collection: str, field: str) -> None:
        reason, words, names_field = _UNKNOWN[collection]
        super().__init__(words, field=field if names_field else None)
        self.reason = reason  # type: ignore[misc]  # declared for classes; here each instance speaks for a service's


@dataclass(frozen=True, slots=True)
class FieldCheck:
    """Holds the values of one field to a scope."""

    path: str
    way: tuple[tuple[str, bool], ...]  # the messages on the way to the field: name, and whether there are several
    name: str
    repeated: bool
    is_interface: bool
    may_be_open: bool  # the service filters what an empty value or an open parent stands for

    def check(self, request: Message, scope: AccessScope) -> None:
        """Raises `ResourceUnknown`, or `InvalidRequest` for what is no name."""
        for value in self._values(request):
            if self.may_be_open and not value:
                continue
            if self.is_interface:
                if not scope.allows_interface(value):
                    raise ResourceUnknown("sources", self.path)
                continue
            bearing = bearing_of(value)
            if bearing is None or bearing.collection not in _UNKNOWN:
                raise InvalidRequest(f"{self.path} is no name of what this call is for", field=self.path)
            if self.may_be_open and bearing.is_any:
                continue
            if not allows(scope, bearing):
                raise ResourceUnknown(bearing.collection, self.path)

    def _values(self, request: Message) -> Iterable[str]:
        """A message that is not set has none: what must be there is for the service to say."""
        found: list[Any] = [request]
        for name, repeated in self.way:
            if repeated:
                found = [part for message in found for part in getattr(message, name)]
            else:
                found = [getattr(message, name) for message in found if message.HasField(name)]
        values = [getattr(message, self.name) for message in found]
        return [value for several in values for value in several] if self.repeated else values


def rule_of(method: MethodDescriptor) -> access_pb2.ResourceRule:
    """What the RPC's option says. Raises `ResourceUndeclared` where it says nothing."""
    options = method.GetOptions()
    if not options.HasExtension(access_pb2.resource):
        raise ResourceUndeclared(f"{method.full_name} does not say what it touches")
    rule: access_pb2.ResourceRule = options.Extensions[access_pb2.resource]
    if not (rule.fields or rule.interfaces or rule.items or rule.filtered):
        raise ResourceUndeclared(f"{method.full_name} does not say what it touches")
    return rule


def checks_of(method: MethodDescriptor) -> tuple[FieldCheck, ...]:
    """What is to be checked before the RPC. Raises `ResourceUndeclared`, also for items that are not there."""
    rule = rule_of(method)
    for path in rule.items:
        _check_of(method, path, is_interface=False, may_be_open=False)
    open_fields = bool(rule.filtered)
    names = [_check_of(method, path, is_interface=False, may_be_open=open_fields) for path in rule.fields]
    return (*names, *(_check_of(method, path, is_interface=True, may_be_open=False) for path in rule.interfaces))


def _check_of(method: MethodDescriptor, path: str, *, is_interface: bool, may_be_open: bool) -> FieldCheck:
    message: Descriptor | None = method.input_type
    way: list[tuple[str, bool]] = []
    *parents, last = path.split(".")
    for name in parents:
        field = _field(method, message, name, path)
        way.append((name, field.is_repeated))
        message = field.message_type
    field = _field(method, message, last, path)
    if field.type != FieldDescriptor.TYPE_STRING:
        raise ResourceUndeclared(f"{method.full_name} names {path}, which is no text")
    return FieldCheck(path, tuple(way), last, field.is_repeated, is_interface, may_be_open)


def _field(method: MethodDescriptor, message: Descriptor | None, name: str, path: str) -> FieldDescriptor:
    field: FieldDescriptor | None = message.fields_by_name.get(name) if message is not None else None
    if field is None:
        raise ResourceUndeclared(f"{method.full_name} names {path}, which its request does not have")
    return field


class ScopeInterceptor(WrappingInterceptor):
    """Refuses calls that name what the caller's token does not. To be inside of the identity's."""

    def __init__(self, services: Iterable[ServiceDescriptor]) -> None:
        """Raises `ResourceUndeclared`."""
        self._checks = {
            f"/{service.full_name}/{method.name}": checks_of(method)
            for service in services
            for method in service.methods
        }

    def wrap(self, method: str, behavior: Behavior, response_streaming: bool) -> Behavior:
        checks = self._checks.get(method)
        return _held(behavior, checks) if checks else behavior


def _held(behavior: Behavior, checks: tuple[FieldCheck, ...]) -> Behavior:
    def call(request: Any, context: grpc.ServicerContext) -> Any:
        scope = current_scope()
        if scope.is_everything:
            return behavior(request, context)
        if isinstance(request, Message):
            return behavior(_checked(request, checks, scope), context)
        return behavior((_checked(part, checks, scope) for part in request), context)

    return call


def _checked(request: Message, checks: tuple[FieldCheck, ...], scope: AccessScope) -> Message:
    for check in checks:
        check.check(request, scope)
    return request
