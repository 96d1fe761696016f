"""Recon over gRPC: decode, call, encode."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import grpc
from concord.recon.v1 import match_pb2, recon_pb2, recon_pb2_grpc, statement_pb2
from concord.trace.v1 import trace_pb2

from libs.access import AccessScope
from libs.events import Clock, Settlement
from libs.rpc.identity import current_identity, current_scope
from libs.rpc.pages import Page
from libs.rpc.requests import company_of
from libs.rpc.server import Registration
from libs.trail import wire as trail

from . import wire
from .domain.files import ImportedFile, IncomingFile
from .domain.settlement import StoredSettlement
from .handlers.assign_difference import assign_difference
from .handlers.decide_difference import Decision, decide_difference
from .handlers.explain import explain
from .storage.uow import NewUow

ImportStatement = Callable[[IncomingFile, Iterable[bytes], AccessScope], ImportedFile]
ImportFile = Callable[[IncomingFile, Iterable[bytes]], ImportedFile]
ImportSettlement = Callable[[Settlement, str, str], StoredSettlement]


def _decide(decision: Decision) -> Callable[..., match_pb2.Difference]:
    """The method by which a person decides so of a difference."""

    def method(servicer: ReconServicer, request: wire.Decided, context: grpc.ServicerContext) -> match_pb2.Difference:
        command = wire.to_decision(decision, request, current_identity())
        return wire.from_difference(decide_difference(command, servicer.new_uow, servicer.clock), current_scope())

    return method


class ReconServicer(recon_pb2_grpc.ReconServiceServicer):
    """`imported` is called after each import: there is work."""

    def __init__(
        self,
        new_uow: NewUow,
        import_statement: ImportStatement,
        import_settlement_file: ImportFile,
        import_settlement: ImportSettlement,
        clock: Clock,
        imported: Callable[[], object] = lambda: None,
    ) -> None:
        self.new_uow = new_uow
        self._import_statement = import_statement
        self._import_settlement_file = import_settlement_file
        self._import_settlement = import_settlement
        self.clock = clock
        self._imported = imported

    def ImportStatement(
        self, request_iterator: Iterator[recon_pb2.ImportStatementRequest], context: grpc.ServicerContext
    ) -> statement_pb2.ImportedFile:
        answer = self._import_statement(*wire.to_file(request_iterator), current_scope())
        self._imported()
        return wire.from_imported(answer)

    def ImportSettlementFile(
        self, request_iterator: Iterator[recon_pb2.ImportSettlementFileRequest], context: grpc.ServicerContext
    ) -> statement_pb2.ImportedFile:
        answer = self._import_settlement_file(*wire.to_file(request_iterator))
        self._imported()
        return wire.from_imported(answer)

    def ImportSettlement(
        self, request: recon_pb2.ImportSettlementRequest, context: grpc.ServicerContext
    ) -> statement_pb2.Settlement:
        stored = self._import_settlement(*wire.to_settlement_import(request))
        self._imported()
        return wire.from_stored_settlement(stored)

    def GetStatement(
        self, request: recon_pb2.GetStatementRequest, context: grpc.ServicerContext
    ) -> statement_pb2.Statement:
        with self.new_uow(read_only=True) as uow:
            return wire.from_statement(uow.statements.get(wire.to_name(request.name, "statements"), current_scope()))

    def ListStatements(
        self, request: recon_pb2.ListStatementsRequest, context: grpc.ServicerContext
    ) -> recon_pb2.ListStatementsResponse:
        page, company = Page.of(request), company_of(request.parent)
        with self.new_uow(read_only=True) as uow:
            part = uow.statements.page(company, page.size, page.after, current_scope())
        return page.answer(recon_pb2.ListStatementsResponse(), part, wire.from_statement)

    def GetSettlement(
        self, request: recon_pb2.GetSettlementRequest, context: grpc.ServicerContext
    ) -> statement_pb2.Settlement:
        with self.new_uow(read_only=True) as uow:
            return wire.from_stored_settlement(
                uow.settlements.get(wire.to_name(request.name, "settlements"), current_scope())
            )

    def ListSettlements(
        self, request: recon_pb2.ListSettlementsRequest, context: grpc.ServicerContext
    ) -> recon_pb2.ListSettlementsResponse:
        page, company = Page.of(request), company_of(request.parent)
        with self.new_uow(read_only=True) as uow:
            part = uow.settlements.page(company, page.size, page.after, current_scope())
        return page.answer(recon_pb2.ListSettlementsResponse(), part, wire.from_stored_settlement)

    def GetMatch(self, request: recon_pb2.GetMatchRequest, context: grpc.ServicerContext) -> match_pb2.Match:
        with self.new_uow(read_only=True) as uow:
            return wire.from_match(uow.matches.get(wire.to_name(request.name, "matches"), current_scope()))

    def ListMatches(
        self, request: recon_pb2.ListMatchesRequest, context: grpc.ServicerContext
    ) -> recon_pb2.ListMatchesResponse:
        page, company = Page.of(request), company_of(request.parent)
        transaction = wire.to_transaction_filter(request.transaction_id)
        with self.new_uow(read_only=True) as uow:
            part = uow.matches.page(company, transaction, page.size, page.after, current_scope())
        return page.answer(recon_pb2.ListMatchesResponse(), part, wire.from_match)

    def ListDifferences(
        self, request: recon_pb2.ListDifferencesRequest, context: grpc.ServicerContext
    ) -> recon_pb2.ListDifferencesResponse:
        page, company = Page.of(request), company_of(request.parent)
        state, scope = wire.to_difference_state(request.state), current_scope()
        with self.new_uow(read_only=True) as uow:
            part = uow.differences.page(company, state, page.size, page.after, scope)
        return page.answer(recon_pb2.ListDifferencesResponse(), part, lambda found: wire.from_difference(found, scope))

    def AssignDifference(
        self, request: recon_pb2.AssignDifferenceRequest, context: grpc.ServicerContext
    ) -> match_pb2.Difference:
        command = wire.to_assignment(request, current_identity())
        return wire.from_difference(assign_difference(command, self.new_uow, self.clock), current_scope())

    ResolveDifference = _decide(Decision.RESOLVE)
    ProposeWriteOff = _decide(Decision.PROPOSE_WRITE_OFF)
    ApproveWriteOff = _decide(Decision.APPROVE_WRITE_OFF)
    RejectWriteOff = _decide(Decision.REJECT_WRITE_OFF)

    def Explain(self, request: recon_pb2.ExplainRequest, context: grpc.ServicerContext) -> match_pb2.Explanation:
        company, collection, key = wire.to_explained(request.name)
        return wire.from_explanation(
            explain(company, collection, key, self.new_uow, current_scope()), company, current_scope()
        )

    def ListTransactionSteps(
        self, request: trace_pb2.ListTransactionStepsRequest, context: grpc.ServicerContext
    ) -> trace_pb2.ListTransactionStepsResponse:
        with self.new_uow(read_only=True) as uow:
            return trail.list_transaction_steps(request, uow.trail, "recon", current_scope())

    def ListControlTotals(
        self, request: trace_pb2.ListControlTotalsRequest, context: grpc.ServicerContext
    ) -> trace_pb2.ListControlTotalsResponse:
        with self.new_uow(read_only=True) as uow:
            return trail.list_control_totals(request, uow.trail, current_scope())


def registration(servicer: ReconServicer) -> Registration:
    """What a server is given."""
    service = recon_pb2.DESCRIPTOR.services_by_name["ReconService"]
    return Registration(servicer, recon_pb2_grpc.add_ReconServiceServicer_to_server, service)
