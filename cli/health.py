"""`concord health`: does a service answer, and would it serve? For container health checks and for people."""

from __future__ import annotations

import json
import os
from typing import Annotated, Any

import typer
from grpc_health.v1 import health_pb2, health_pb2_grpc

from cli.connection import SERVICES, Connection
from libs.errors import Kind
from libs.rpc.channel import open_channel
from libs.rpc.config import ChannelConfig
from libs.rpc.errors import RemoteError

app = typer.Typer(add_completion=False)

NOT_SERVING = 1


@app.command()
def health(
    address: Annotated[str, typer.Argument(help="HOST:PORT of a gRPC server; without one, all four services.")] = "",
    service: Annotated[str, typer.Option(help="One service of that server, by its full proto name.")] = "",
    timeout_seconds: Annotated[float, typer.Option(help="How long to wait for the answer.")] = 5.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object a server.")] = False,
) -> None:
    """Ask a gRPC server, or each service, whether it serves; exit status 0 if all that were asked do.

    TLS comes from the environment as for any caller: CONCORD_TLS_ROOT_CA, CONCORD_TLS_CLIENT_CERTIFICATE, and so on.
    """
    failed = False
    for name, where in _asked(address).items():
        status = ask(where, service, timeout_seconds)
        failed = failed or status != "SERVING"
        if as_json:
            named = {} if address else {"name": name}
            typer.echo(json.dumps({**named, "address": where, "service": service, "status": status}))
        else:
            typer.echo(status if address else f"{name:11} {status}")
    if failed:
        raise typer.Exit(NOT_SERVING)


def _asked(address: str) -> dict[str, str]:
    """The one address, or each service's by its name. Raises `NotConnected`."""
    if address:
        return {address: address}
    connection = Connection()
    return {name: connection.address(name) for name in SERVICES}


def ask(address: str, service: str, timeout_seconds: float) -> str:
    """The answer's name (SERVING, NOT_SERVING, SERVICE_UNKNOWN), or UNREACHABLE when there was none in time."""
    with open_channel(address, ChannelConfig.from_env(os.environ, "cli")) as channel:
        # The stub package for grpc_health types no methods.
        check: Any = health_pb2_grpc.HealthStub(channel).Check  # type: ignore[attr-defined]
        try:
            answer = check(health_pb2.HealthCheckRequest(service=service), timeout=timeout_seconds, wait_for_ready=True)
        except RemoteError as error:
            return "SERVICE_UNKNOWN" if error.kind is Kind.MISSING else "UNREACHABLE"
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))
