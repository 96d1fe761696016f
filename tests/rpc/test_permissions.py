from __future__ import annotations

import re
from pathlib import Path

import grpc
import pytest

from libs.errors import Kind
from libs.rpc.config import ServerConfig
from libs.rpc.errors import RemoteError
from libs.rpc.identity import Identity, TokenMissing, TokenVerifier, acting_as
from libs.rpc.permissions import (
    PERMISSIONS,
    ROLES,
    PermissionDenied,
    PermissionUndeclared,
    permissions_by_method,
    permissions_of,
    require,
)
from libs.rpc.server import Registration, serve
from tests.rpc.echo import ECHO, KEYS, SHAPES, Echo, add_echo, calling, echo_service, serving
from tests.rpc.roles import SERVICES, role_matrix


def test_every_rpc_of_every_service_names_a_permission_that_some_role_holds() -> None:
    by_method = permissions_by_method(SERVICES)
    assert len(by_method) == sum(len(service.methods) for service in SERVICES)
    assert set(by_method.values()) <= PERMISSIONS


@pytest.mark.parametrize(
    ("permission", "roles"),
    [
        ("masterdata.sync", {"operator"}),
        ("gateway.deliveries.replay", {"operator"}),
        ("audit.read", {"auditor"}),
        ("administration", {"administrator"}),
        ("ledger.postings.approve", {"approver"}),
        ("masterdata.mappings.approve", {"approver"}),
        ("masterdata.mappings.propose", {"accountant"}),
        ("ledger.events.record", {"gateway", "recon", "partner", "purchasing"}),
        ("ledger.matches.apply", {"recon"}),
    ],
)
def test_what_must_be_kept_apart_is(permission: str, roles: set[str]) -> None:
    assert {role for role, held in ROLES.items() if permission in held} == roles


@pytest.mark.parametrize("role", ["viewer", "auditor"])
def test_who_only_reads_changes_nothing(role: str) -> None:
    assert {permission.rpartition(".")[2] for permission in ROLES[role]} <= {"read", "resolve"}


@pytest.mark.parametrize("service", ["gateway", "ledger", "recon"])
def test_a_service_holds_the_permission_of_all_that_its_adapters_ask_of_the_others(service: str) -> None:
    adapters = (Path(__file__).parents[2] / "services" / service / "adapters").glob("*.py")
    asked = {name for file in adapters for name in re.findall(r"\b_?stub\.([A-Z]\w+)", file.read_text())}
    needed = {path.rpartition("/")[2]: permission for path, permission in permissions_by_method(SERVICES).items()}
    assert asked
    assert {name for name in asked if needed[name] not in ROLES[service]} == set()


def test_roles_add_up_and_an_unknown_role_allows_nothing() -> None:
    assert permissions_of(["viewer", "approver"]) == ROLES["viewer"] | ROLES["approver"]
    assert permissions_of(["root", ""]) == frozenset()


# An echo service with the permissions of LedgerService's four most telling RPCs, one on each shape of call.
LADDER = echo_service(
    "LadderService",
    dict(zip(SHAPES, ("ledger.events.record", "ledger.postings.approve", "audit.read", "administration"), strict=True)),
)


def test_the_whole_table_of_roles_and_rpcs_holds_on_a_running_server() -> None:
    with serving(service=LADDER) as server:
        for role, method, allowed in role_matrix([LADDER]):
            shape = method.rpartition("/")[2]
            with calling(server, roles=(role,), service=LADDER) as stub:
                if allowed:
                    assert stub.call(shape, "a") == "a", (role, method)
                else:
                    with pytest.raises(RemoteError) as caught:
                        stub.call(shape, "a")
                    error = caught.value
                    assert (error.code, error.reason) == (grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_DENIED")
                    assert error.metadata["permission"] == permissions_by_method([LADDER])[method]


@pytest.mark.parametrize("permissions", [{"Say": "ledger.postings.read"}, dict.fromkeys(SHAPES, "ledger.everything")])
def test_a_server_with_an_rpc_that_names_no_known_permission_does_not_start(permissions: dict[str, str]) -> None:
    service = echo_service(f"Undeclared{len(permissions)}Service", permissions)
    with pytest.raises(PermissionUndeclared, match="names"):
        serve(ServerConfig(), [Registration(Echo(), add_echo(service), service)], TokenVerifier(KEYS))


def test_a_method_that_was_not_declared_is_refused_rather_than_guessed() -> None:
    def add_another(echo: Echo, server: grpc.Server) -> None:
        add_echo(ECHO)(echo, server)
        add_echo(LADDER)(echo, server)

    server = serve(ServerConfig(), [Registration(Echo(), add_another, ECHO)], TokenVerifier(KEYS))
    with calling(server, roles=("gateway",), service=LADDER) as stub, pytest.raises(RemoteError) as caught:
        stub.call("Say", "a")
    server.stop(0)
    assert caught.value.kind is Kind.FORBIDDEN


def test_a_handler_can_ask_for_one_permission_more() -> None:
    with acting_as(Identity("ann", frozenset({"approver"}))):
        require("ledger.postings.approve")
        with pytest.raises(PermissionDenied):
            require("administration")
    with pytest.raises(TokenMissing):
        require("ledger.postings.approve")
