"""`concord exceptions`: what waits for a person at the ledger and why, and its retry once that is mended."""

from __future__ import annotations

import json
import uuid
from functools import partial
from itertools import islice
from typing import Annotated, Any

import typer
from concord.ledger.v1 import exception_pb2, ledger_pb2, ledger_pb2_grpc, match_pb2, posting_pb2

from cli.connection import As, listed, service, word
from cli.one_by_one import one_by_one

app = typer.Typer(
    help="What the ledger could not build, post or match, and its retry.",
    no_args_is_help=True,
    add_completion=False,
)

PAGE = 1000

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]

_ledger = partial(service, "ledger", ledger_pb2_grpc.LedgerServiceStub)


@app.command(name="list")
def list_(
    company: Annotated[str, typer.Argument(help="The company's name, as in `companies/NAME`.")],
    everything: Annotated[bool, typer.Option("--all", help="Those that are resolved, too.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="So many at most.")] = 100,
    subject: As = "",
    as_json: Json = False,
) -> None:
    """List what stands still: its reason, what it is about, what to do and who owns it."""
    state = exception_pb2.ExceptionCase.State.Value("STATE_UNSPECIFIED" if everything else "STATE_OPEN")
    request = ledger_pb2.ListExceptionsRequest(parent=f"companies/{company}", state=state, page_size=min(limit, PAGE))
    with _ledger("viewer", subject) as stub:
        for case in islice(listed(stub.ListExceptions, request, "exceptions"), limit):
            typer.echo(json.dumps(_record(case)) if as_json else _line(case))


@app.command()
def retry(
    names: Annotated[
        list[str],
        typer.Argument(metavar="NAME…", help="Postings or matches, as `list` names them.", show_default=False),
    ],
    subject: As = "",
    as_json: Json = False,
) -> None:
    """Build and post again what stands still, so that a mended mapping counts.

    One that is refused holds up no other; exit status 1 if one was.
    """
    with _ledger("operator", subject) as stub:

        def ask(name: str) -> str:
            state = _retried(stub, name)
            return json.dumps({"name": name, "state": state}) if as_json else f"{name} {state}"

        one_by_one(names, ask, as_json)


def _retried(stub: Any, name: str) -> str:
    """The state after it, in small letters."""
    if "/matches/" in name:
        match: match_pb2.AppliedMatch = stub.RetryMatch(ledger_pb2.RetryMatchRequest(name=name))
        return word(match_pb2.AppliedMatch.State, match.state)
    request = ledger_pb2.RetryPostingRequest(name=name, request_id=str(uuid.uuid4()))
    posting: posting_pb2.Posting = stub.RetryPosting(request)
    return word(posting_pb2.Posting.State, posting.state)


def _line(case: exception_pb2.ExceptionCase) -> str:
    at = case.create_time.ToDatetime().strftime("%Y-%m-%d %H:%M:%S")
    owner = "resolved" if case.HasField("resolve_time") else case.owner
    return f"{at}  {owner:10} {case.subject} {case.message} ({case.reason})"


def _record(case: exception_pb2.ExceptionCase) -> dict[str, object]:
    at_risk = case.amount_at_risk
    return {
        "name": case.name,
        "state": word(exception_pb2.ExceptionCase.State, case.state),
        "category": word(exception_pb2.ExceptionCase.Category, case.category),
        "reason": case.reason,
        "message": case.message,
        "subject": case.subject,
        "transaction_id": case.transaction_id,
        "amount_at_risk": {"currency": at_risk.currency_code, "minor_units": at_risk.minor_units},
        "owner": case.owner,
        "created": case.create_time.ToJsonString(),
        "allowed_actions": list(case.allowed_actions),
    }
