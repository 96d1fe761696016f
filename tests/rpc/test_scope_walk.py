"""Walks role × RPC × scope over every service's contract: what the interceptors let through to a handler."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from libs.access import NOTHING, AccessScope
from libs.events.effects import EffectKey
from libs.rpc.config import ServerConfig
from libs.rpc.errors import error_of
from libs.rpc.identity import TokenVerifier, issue_token
from libs.rpc.permissions import ROLES, permission_of, permissions_of
from libs.rpc.resources import rule_of
from libs.rpc.server import Registration, RunningServer, serve
from tests.rpc.echo import KEYS
from tests.rpc.roles import SERVICES

METHODS = [method for service in SERVICES for method in service.methods]
OURS = AccessScope.of(["acme"], ["stripe/acct_1"])
EVERY_COMPANY, EVERY_SOURCE = AccessScope.of(["*"], ["shopify/*"]), AccessScope.of(["other"], ["*"])
# What the last word of a method's name says of the resource in its field `name`.
KIND_OF_NAME = {
    "Delivery": "deliveries", "Source": "sources", "Event": "events", "Posting": "postings", "Match": "matches",
    "Statement": "statements", "Settlement": "settlements", "Difference": "differences", "Off": "differences",
    "Explain": "postings", "Set": "mappingSets", "Revision": "companies", "Entity": "companies",
}  # fmt: skip
KIND_OF_PATH = {
    "header.company": "companies",
    "match.name": "matches",
    "match.anchor": "postings",
    "match.members": "postings",
    "settlement.name": "settlements",
}
OF_SOURCES = {"sources", "deliveries", "events"}


def kind_of(method: MethodDescriptor, path: str) -> str:
    if path == "parent":
        return "sources" if method.name == "ListDeliveries" else "companies"
    return KIND_OF_PATH.get(path) or next(kind for end, kind in KIND_OF_NAME.items() if method.name.endswith(end))


def named(kind: str) -> str:
    """The name of something that is of acme and of stripe/acct_1, as far as it is of either."""
    if kind in OF_SOURCES:
        source = "sources/stripe/accounts/acct_1"
        return source if kind == "sources" else f"{source}/{kind}/x1"
    if kind == "postings":
        return f"companies/acme/postings/{EffectKey('acme', 'stripe', 'acct_1', 'txn_1', 'gross')}"
    return "companies/acme" if kind == "companies" else f"companies/acme/{kind}/7"


def request_of(method: MethodDescriptor) -> Message:
    """A request that names ours in every field that the contract holds to a scope."""
    request: Message = GetMessageClass(method.input_type)()
    rule = rule_of(method)
    values = {path: named(kind_of(method, path)) for path in rule.fields}
    values |= dict.fromkeys(rule.interfaces, "stripe/acct_1")
    for path, value in values.items():
        *parents, last = path.split(".")
        message: Any = request
        for parent in parents:
            message = getattr(message, parent)
        if message.DESCRIPTOR.fields_by_name[last].is_repeated:
            getattr(message, last).append(value)
        else:
            setattr(message, last, value)
    return request


@dataclass
class AnyService:
    """Stands in for all four services: it notes what was called, and answers nothing."""

    server: RunningServer
    called: list[str] = field(default_factory=list)

    def reason(self, method: MethodDescriptor, role: str, scope: AccessScope) -> str:
        """Why the call was refused; empty if it came through."""
        token = issue_token(KEYS, "walk", [role], scope)
        before = len(self.called)
        shape = ("stream" if method.client_streaming else "unary", "stream" if method.server_streaming else "unary")
        with grpc.insecure_channel(self.server.address) as channel:
            call = getattr(channel, "_".join(shape))(
                f"/{method.containing_service.full_name}/{method.name}",
                request_serializer=type(request_of(method)).SerializeToString,
                response_deserializer=GetMessageClass(method.output_type).FromString,
            )
            request: Any = iter([request_of(method)]) if method.client_streaming else request_of(method)
            try:
                answer = call(request, metadata=[("authorization", f"Bearer {token}")], timeout=10)
                if method.server_streaming:
                    list(answer)
            except grpc.RpcError as error:
                refused = error_of(error)
                assert len(self.called) == before, "refused before anybody acts"
                kind = {"PERMISSION_DENIED": grpc.StatusCode.PERMISSION_DENIED}
                assert refused.code is kind.get(refused.reason, grpc.StatusCode.NOT_FOUND)
                return refused.reason
        assert len(self.called) == before + 1
        return ""


@pytest.fixture(scope="module")
def any_service() -> Iterator[AnyService]:
    called: list[str] = []

    def handler(method: MethodDescriptor) -> grpc.RpcMethodHandler[Any, Any]:
        answer = GetMessageClass(method.output_type)

        def taken(request: Any) -> None:
            if method.client_streaming:
                list(request)
            called.append(method.full_name)

        def unary(request: Any, context: grpc.ServicerContext) -> Message:
            taken(request)
            return answer()

        def streaming(request: Any, context: grpc.ServicerContext) -> Iterator[Message]:
            taken(request)
            yield answer()

        shape = ("stream" if method.client_streaming else "unary", "stream" if method.server_streaming else "unary")
        made: grpc.RpcMethodHandler[Any, Any] = getattr(grpc, f"{'_'.join(shape)}_rpc_method_handler")(
            streaming if method.server_streaming else unary,
            request_deserializer=GetMessageClass(method.input_type).FromString,
            response_serializer=answer.SerializeToString,
        )
        return made

    def add(servicer: object, server: grpc.Server) -> None:
        for service in SERVICES:
            handlers = {method.name: handler(method) for method in service.methods}
            server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service.full_name, handlers),))

    registrations = [Registration(None, add if not at else lambda *_: None, each) for at, each in enumerate(SERVICES)]
    found = AnyService(serve(ServerConfig(), registrations, TokenVerifier(KEYS)), called)
    yield found
    found.server.stop(0)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.full_name.removeprefix("concord."))
def test_every_role_reaches_its_own_and_nothing_else(method: MethodDescriptor, any_service: AnyService) -> None:
    rule = rule_of(method)
    kinds = [kind_of(method, path) for path in rule.fields]
    of_company = any(kind not in OF_SOURCES for kind in kinds)
    of_source = bool(rule.interfaces) or any(kind in OF_SOURCES | {"postings"} for kind in kinds)
    assert kinds or rule.items or rule.filtered
    for role in sorted(ROLES):
        if permission_of(method) not in permissions_of([role]):
            assert any_service.reason(method, role, OURS) == "PERMISSION_DENIED"
            continue
        assert any_service.reason(method, role, OURS) == ""
        refused = {
            "another company": any_service.reason(method, role, EVERY_SOURCE),
            "another source": any_service.reason(method, role, EVERY_COMPANY),
            "nothing": any_service.reason(method, role, NOTHING),
        }
        assert {case for case, reason in refused.items() if reason} == {
            case
            for case, holds in (
                ("another company", of_company),
                ("another source", of_source),
                ("nothing", of_company or of_source),
            )
            if holds
        }, role
        assert all(reason.endswith("_UNKNOWN") for reason in refused.values() if reason)


def test_each_service_may_call_what_it_calls() -> None:
    calls = {
        "gateway": ["BatchRecordEvents", "ImportStatement", "ImportSettlementFile", "ImportSettlement"],
        "ledger": ["GetRevision", "GetMappingSet", "BatchResolve"],
        "recon": ["BatchRecordEvents", "WatchPostings", "ApplyMatch"],
    }
    by_name = {method.name: permission_of(method) for method in METHODS}
    for role, methods in calls.items():
        assert permissions_of([role]) == {by_name[method] for method in methods}
