"""Recon's messages to its values and back. What contradicts the contract is refused here, by field."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from concord.recon.v1 import match_pb2 as recon_match_pb2
from concord.recon.v1 import recon_pb2, statement_pb2

from libs.access import AccessScope
from libs.access.names import allows, bearing_of
from libs.events import Settlement, is_effect_key
from libs.rpc.errors import InvalidRequest
from libs.rpc.filling import filled
from libs.rpc.identity import Identity
from libs.rpc.requests import company_of, optional, request_id, required, resource_name
from libs.rpc.requests import transaction_id as checked_transaction_id
from libs.rpc.scalars import to_time
from libs.rpc.wire import from_settlement, to_settlement

from .domain.difference import Difference, DifferenceState
from .domain.explain import Trial
from .domain.files import ImportedFile, IncomingFile
from .domain.match import Match
from .domain.settlement import StoredSettlement
from .domain.statement import BankStatement
from .handlers.assign_difference import AssignDifference
from .handlers.decide_difference import DecideDifference, Decision
from .handlers.explain import Explanation

CHUNK_BYTES = 1024 * 1024
WHY_CHARACTERS = 1024
_SHA256 = re.compile(r"[0-9a-f]{64}")
_EXPLAINED = ("matches", "differences", "settlements", "postings")
_POSTING = re.compile(r"companies/([^/\s\x00-\x1f\x7f]{1,64})/postings/([^/\s\x00-\x1f\x7f]{1,1024})")
FilePart = recon_pb2.ImportStatementRequest | recon_pb2.ImportSettlementFileRequest


def to_file(parts: Iterator[FilePart]) -> tuple[IncomingFile, Iterator[bytes]]:
    """The header, and the chunks as they come. Raises `InvalidRequest`, also while the chunks are read."""
    first = next(parts, None)
    if first is None or first.WhichOneof("part") != "header":
        raise InvalidRequest("the first message must bear the header", field="header")
    return _header(first.header), _chunks(parts)


def _header(header: statement_pb2.FileHeader) -> IncomingFile:
    provider, _, account = header.interface.partition("/")
    if not provider or not account:
        raise InvalidRequest("interface must be of the form {provider}/{account}", field="header.interface")
    if _SHA256.fullmatch(header.sha256) is None:
        raise InvalidRequest("sha256 must be 64 lower-case hexadecimal digits", field="header.sha256")
    return IncomingFile(
        company=company_of(header.company, "header.company"),
        interface=required(header.interface, "header.interface", 128),
        delivery=optional(header.delivery, "header.delivery", 800),
        file_name=optional(header.file_name, "header.file_name", 255),
        sha256=header.sha256,
        received_at=to_time(header.receive_time),
        transaction_id=checked_transaction_id(header.transaction_id, "header.transaction_id"),
    )


def _chunks(parts: Iterable[FilePart]) -> Iterator[bytes]:
    for part in parts:
        if part.WhichOneof("part") != "chunk":
            raise InvalidRequest("after the header come chunks only", field="chunk")
        if len(part.chunk) > CHUNK_BYTES:
            raise InvalidRequest(f"a chunk holds more than {CHUNK_BYTES} bytes", field="chunk")
        yield part.chunk


def from_imported(answer: ImportedFile) -> statement_pb2.ImportedFile:
    return filled(statement_pb2.ImportedFile, answer)


def to_settlement_import(request: recon_pb2.ImportSettlementRequest) -> tuple[Settlement, str, str]:
    """(settlement, delivery, transaction id)."""
    message = request.settlement
    company_of(f"companies/{message.name.split('/')[1] if '/' in message.name else ''}", "settlement.name")
    required(message.payout_id, "settlement.payout_id", 255)
    if message.name.rpartition("/")[2] != message.payout_id:
        raise InvalidRequest("the settlement's name must end in the payout's id", field="settlement.name")
    settlement = to_settlement(message)
    currency = settlement.amount.currency
    for line in settlement.lines:
        required(line.balance_transaction, "settlement.lines.balance_transaction", 255)
        if {line.gross.currency, line.fee.currency, line.net.currency} != {currency}:
            raise InvalidRequest("a line is in another currency than its payout", field="settlement.lines")
        if line.gross - line.fee != line.net:
            raise InvalidRequest("a line's net is not its gross less its fee", field="settlement.lines.net")
    if len({line.balance_transaction for line in settlement.lines}) != len(settlement.lines):
        raise InvalidRequest("a balance transaction stands twice", field="settlement.lines")
    delivery = optional(request.delivery, "delivery", 800)
    return settlement, delivery, checked_transaction_id(request.transaction_id)


def to_name(name: str, collection: str) -> str:
    """A name of the form `companies/{company}/{collection}/{id}`."""
    resource_name(name, "name", f"companies/{{company}}/{collection}/{{id}}")
    return name


def to_transaction_filter(value: str) -> str:
    return checked_transaction_id(value) if value else ""


def to_difference_state(value: int) -> DifferenceState | None:
    """None lets every state through."""
    states = recon_match_pb2.Difference.State
    if value not in states.values():
        raise InvalidRequest("unknown state", field="state")
    word = states.Name(value).removeprefix("STATE_")  # type: ignore[arg-type]  # checked above
    return DifferenceState[word] if value else None


def to_assignment(request: recon_pb2.AssignDifferenceRequest, identity: Identity) -> AssignDifference:
    company = resource_name(request.name, "name", "companies/{company}/differences/{difference}")["company"]
    owner, etag = required(request.owner, "owner", 255), required(request.etag, "etag", 32)
    return AssignDifference(company, request.name, owner, etag, identity.subject, identity.scope)


Decided = (
    recon_pb2.ResolveDifferenceRequest
    | recon_pb2.ProposeWriteOffRequest
    | recon_pb2.ApproveWriteOffRequest
    | recon_pb2.RejectWriteOffRequest
)


def to_decision(decision: Decision, request: Decided, identity: Identity) -> DecideDifference:
    company = resource_name(request.name, "name", "companies/{company}/differences/{difference}")["company"]
    why = ""
    if not isinstance(request, recon_pb2.ApproveWriteOffRequest):
        why = required(request.why, "why", WHY_CHARACTERS)
    etag, id_ = required(request.etag, "etag", 32), request_id(request.request_id)
    return DecideDifference(decision, company, request.name, etag, id_, identity.subject, why, identity.scope)


def to_explained(name: str) -> tuple[str, str, str]:
    """(company, collection, id) of a match, difference, settlement or posting."""
    posting = _POSTING.fullmatch(name)
    if posting is not None:
        return posting[1], "postings", posting[2]
    parts = resource_name(name, "name", "companies/{company}/{collection}/{id}")
    if parts["collection"] not in _EXPLAINED:
        raise InvalidRequest(f"name must be of one of {', '.join(_EXPLAINED)}", field="name")
    return parts["company"], parts["collection"], parts["id"]


def from_statement(statement: BankStatement) -> statement_pb2.Statement:
    return filled(
        statement_pb2.Statement,
        statement,
        import_time=statement.imported_at,
        ties_known=statement.ties is not None,
    )


def from_stored_settlement(stored: StoredSettlement) -> statement_pb2.Settlement:
    message = from_settlement(stored.settlement)
    message.ties = stored.ties
    return message


def from_match(match: Match) -> recon_match_pb2.Match:
    return filled(
        recon_match_pb2.Match,
        match,
        anchor=_posting(match.company, match.anchor.posting),
        members=[_posting(match.company, side.posting) for side in match.members],
        create_time=match.created_at,
        write_time=match.written_at,
    )


def from_difference(difference: Difference, scope: AccessScope) -> recon_match_pb2.Difference:
    company = difference.name.split("/")[1]
    return filled(
        recon_match_pb2.Difference,
        difference,
        subject=_named(company, difference.subject),
        nearest=_seen(company, difference.nearest, scope),
        create_time=difference.created_at,
        update_time=difference.updated_at,
        etag=str(difference.version),
    )


def from_explanation(explanation: Explanation, company: str, scope: AccessScope) -> recon_match_pb2.Explanation:
    """Without the trials whose candidate the caller may not see."""
    shown = [trial for trial in explanation.trials if not trial.candidate or _seen(company, trial.candidate, scope)]
    trials = [_from_trial(trial, company) for trial in shown]
    return recon_match_pb2.Explanation(subject=_named(company, explanation.subject), trials=trials)


def _from_trial(trial: Trial, company: str) -> recon_match_pb2.RuleTrial:
    predicates = [
        filled(recon_match_pb2.PredicateTrial, predicate, predicate=predicate.name) for predicate in trial.predicates
    ]
    return filled(recon_match_pb2.RuleTrial, trial, candidate=_named(company, trial.candidate), predicates=predicates)


def _posting(company: str, key: str) -> str:
    return f"companies/{company}/postings/{key}"


def _named(company: str, subject: str) -> str:
    """A posting's key as its name; what has a name already, and a provider's id, as it is."""
    return _posting(company, subject) if is_effect_key(subject) else subject


def _seen(company: str, candidate: str, scope: AccessScope) -> str:
    """The candidate's name; empty where it is of a source that is not the caller's, or can't say whose it is."""
    name = _named(company, candidate)
    bearing = bearing_of(name)
    seen = scope.is_everything or (bearing is not None and bool(bearing.interface) and allows(scope, bearing))
    return name if seen else ""
