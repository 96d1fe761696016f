"""`concord trace`: what became of a transaction, asked of the services themselves, so it needs no trace backend."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Annotated, Any

import typer
from concord.gateway.v1 import gateway_pb2_grpc
from concord.ledger.v1 import ledger_pb2_grpc
from concord.recon.v1 import recon_pb2_grpc
from concord.trace.v1 import trace_pb2

from cli.connection import Connection, NotConnected, pages
from libs.errors import ConcordError, Kind

app = typer.Typer(add_completion=False)
STUBS: dict[str, Callable[[Any], Any]] = {
    "gateway": gateway_pb2_grpc.GatewayServiceStub,
    "ledger": ledger_pb2_grpc.LedgerServiceStub,
    "recon": recon_pb2_grpc.ReconServiceStub,
}
PAGE = 1000
_TRANSACTION_ID = re.compile("[0-9a-f]{32}")


class TransactionUnknown(ConcordError):
    kind = Kind.MISSING
    reason = "TRANSACTION_UNKNOWN"


class TransactionIdInvalid(ConcordError):
    reason = "TRANSACTION_ID_INVALID"


class ServicesSilent(ConcordError):
    """No service knows the transaction, and not all were heard."""

    kind = Kind.RETRY
    reason = "SERVICES_SILENT"


@app.command()
def trace(
    transaction_id: Annotated[str, typer.Argument(help="32 hexadecimal digits, as a 202 or Odoo's `ref` names it.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a step.")] = False,
) -> None:
    """Print a transaction's timeline, oldest first, from every service that knows it."""
    if not _TRANSACTION_ID.fullmatch(transaction_id):
        raise TransactionIdInvalid("a transaction id is 32 hexadecimal digits, in lower case")
    steps, silent = steps_of(Connection(), transaction_id)
    if not steps and silent:
        raise ServicesSilent(f"no step found, and not all were heard: {', '.join(silent)}")
    if not steps:
        raise TransactionUnknown("no service knows this transaction")
    for step in steps:
        typer.echo(json.dumps(_record(step)) if as_json else _line(step))
    for name in silent:
        typer.echo(f"steps are missing: {name}", err=True)


def steps_of(connection: Connection, transaction_id: str) -> tuple[list[trace_pb2.TransactionStep], list[str]]:
    """All steps by time, and the services that did not answer, with why. An alias is followed to its transaction.

    Raises `NotConnected` where no suite is known.
    """
    steps: list[trace_pb2.TransactionStep] = []
    silent = []
    for name, stub in STUBS.items():
        try:
            with connection.channel(name, ("viewer",)) as channel:
                found, transaction_id = _steps_in(stub(channel), transaction_id)
                steps += found
        except NotConnected:
            raise
        except ConcordError as error:
            if error.kind is not Kind.MISSING:
                silent.append(f"{name} ({error.reason})")
    return sorted(steps, key=lambda step: (step.occur_time.seconds, step.occur_time.nanos)), silent


def _steps_in(stub: Any, transaction_id: str) -> tuple[list[trace_pb2.TransactionStep], str]:
    request = trace_pb2.ListTransactionStepsRequest(transaction_id=transaction_id, page_size=PAGE)
    answers = list(pages(stub.ListTransactionSteps, request))
    steps = [step for answer in answers for step in answer.steps]
    return steps, answers[-1].transaction_id or transaction_id


def _line(step: trace_pb2.TransactionStep) -> str:
    at = step.occur_time.ToDatetime().strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    words = [
        step.step,
        step.state and f"[{step.state}]",
        step.resource,
        step.detail,
        step.reason and f"({step.reason})",
    ]
    return f"{at}  {step.service:8} {' '.join(word for word in words if word)}"


def _record(step: trace_pb2.TransactionStep) -> dict[str, str]:
    return {
        "time": step.occur_time.ToJsonString(),
        "service": step.service,
        "step": step.step,
        "resource": step.resource,
        "state": step.state,
        "detail": step.detail,
        "reason": step.reason,
    }
