"""Masterdata over gRPC: decode, call, encode."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import grpc
from concord.masterdata.v1 import mapping_pb2, masterdata_pb2, masterdata_pb2_grpc, records_pb2, resolve_pb2
from google.protobuf.message import Message

from libs.listing import Item
from libs.rpc.identity import current_identity, current_scope
from libs.rpc.pages import Answer, Page
from libs.rpc.requests import company_of, request_id
from libs.rpc.server import Registration
from libs.storage.uow import once_more

from . import wire
from .domain.records import Account, ExchangeRate, Product, TaxCode
from .handlers import list_records
from .handlers.list_records import Listed, records
from .handlers.mapping_sets import MappingReview
from .handlers.resolve_references import Resolver
from .handlers.sync_masterdata import MasterdataSync
from .storage.uow import NewUow


def uncounted(company: str, reason: str, count: int) -> None:
    """The counter that does nothing."""


def _list(
    answer: type[Answer],
    listed: Listed[Item],
    encode: Callable[[str, Item], Message],
    **sizes: int,
) -> Callable[..., Answer]:
    """The method that lists a company's records, each encoded as one of that company. Raises `CompanyUnknown`."""

    def method(servicer: MasterdataServicer, request: Any, context: grpc.ServicerContext) -> Answer:
        page, company = Page.of(request, **sizes), company_of(request.parent)
        with servicer.new_uow(read_only=True) as uow:
            uow.masters.get(company)
            part = listed(uow, company, page.size, page.after)
        return page.answer(answer(), part, functools.partial(encode, company))

    return method


class MasterdataServicer(masterdata_pb2_grpc.MasterdataServiceServicer):
    """A call that loses a race runs once more and finds the winner's answer.

    `count_failures` is told of references without an answer: company, reason, how many.
    """

    def __init__(
        self,
        sync: MasterdataSync,
        review: MappingReview,
        resolver: Resolver,
        new_uow: NewUow,
        count_failures: Callable[[str, str, int], None] = uncounted,
    ) -> None:
        self._sync = sync
        self._review = review
        self._resolver = resolver
        self.new_uow = new_uow
        self._count_failures = count_failures

    def BatchResolve(
        self, request: resolve_pb2.BatchResolveRequest, context: grpc.ServicerContext
    ) -> resolve_pb2.BatchResolveResponse:
        company = company_of(request.parent)
        answers = self._resolver.resolve(company, wire.to_questions(request))
        for reason, count in answers.failures().items():
            # Whatever name a caller made up must not become a metric's attribute.
            self._count_failures(company if answers.revision else "", reason, count)
        return wire.from_answers(answers)

    def GetRevision(
        self, request: masterdata_pb2.GetRevisionRequest, context: grpc.ServicerContext
    ) -> masterdata_pb2.GetRevisionResponse:
        company = company_of(request.name, "name")
        return masterdata_pb2.GetRevisionResponse(revision=self._resolver.revision(company))

    def SyncMasterData(
        self, request: masterdata_pb2.SyncMasterDataRequest, context: grpc.ServicerContext
    ) -> records_pb2.SyncRun:
        company, identity = company_of(request.parent), request_id(request.request_id)
        return wire.from_sync_run(once_more(lambda: self._sync(company, _caller(), identity)))

    def ProposeMappingSet(
        self, request: masterdata_pb2.ProposeMappingSetRequest, context: grpc.ServicerContext
    ) -> mapping_pb2.MappingSet:
        company, text, identity = company_of(request.parent), wire.to_yaml(request), request_id(request.request_id)
        return wire.from_mapping_set(once_more(lambda: self._review.propose(company, text, _caller(), identity)))

    def ApproveMappingSet(
        self, request: masterdata_pb2.ApproveMappingSetRequest, context: grpc.ServicerContext
    ) -> mapping_pb2.MappingSet:
        (company, number), digest = wire.to_mapping_set(request.name), wire.to_digest(request)
        identity = request_id(request.request_id)
        return wire.from_mapping_set(
            once_more(lambda: self._review.approve(company, number, digest, _caller(), identity))
        )

    def GetMappingSet(
        self, request: masterdata_pb2.GetMappingSetRequest, context: grpc.ServicerContext
    ) -> mapping_pb2.MappingSet:
        with self.new_uow(read_only=True) as uow:
            return wire.from_mapping_set(uow.mapping_sets.get(*wire.to_mapping_set(request.name)))

    def GetLegalEntity(
        self, request: masterdata_pb2.GetLegalEntityRequest, context: grpc.ServicerContext
    ) -> records_pb2.LegalEntity:
        company = company_of(request.name, "name")
        with self.new_uow(read_only=True) as uow:
            return wire.from_legal_entity(uow.masters.get(company).entity)

    def ListLegalEntities(
        self, request: masterdata_pb2.ListLegalEntitiesRequest, context: grpc.ServicerContext
    ) -> masterdata_pb2.ListLegalEntitiesResponse:
        page = Page.of(request)
        with self.new_uow(read_only=True) as uow:
            part = uow.masters.companies(page.size, page.after, current_scope())
        return page.answer(masterdata_pb2.ListLegalEntitiesResponse(), part, wire.from_legal_entity)

    ListAccounts = _list(masterdata_pb2.ListAccountsResponse, records(Account), wire.from_account)
    ListJournals = _list(masterdata_pb2.ListJournalsResponse, list_records.journals, wire.from_journal)
    ListTaxCodes = _list(masterdata_pb2.ListTaxCodesResponse, records(TaxCode), wire.from_tax_code)
    ListExchangeRates = _list(
        masterdata_pb2.ListExchangeRatesResponse, records(ExchangeRate), lambda _, rate: wire.from_exchange_rate(rate)
    )
    ListParties = _list(masterdata_pb2.ListPartiesResponse, list_records.parties, wire.from_party)
    ListProducts = _list(masterdata_pb2.ListProductsResponse, records(Product), wire.from_product)
    ListMappingSets = _list(
        masterdata_pb2.ListMappingSetsResponse,
        list_records.mapping_sets,
        lambda _, kept: wire.from_mapping_set(kept),
        default=20,  # each bears its whole file
        maximum=100,
    )


def registration(servicer: MasterdataServicer) -> Registration:
    """What a server is given."""
    service = masterdata_pb2.DESCRIPTOR.services_by_name["MasterdataService"]
    return Registration(servicer, masterdata_pb2_grpc.add_MasterdataServiceServicer_to_server, service)


def _caller() -> str:
    """The caller's subject, as the audit log can hold it."""
    subject = current_identity().subject
    return subject if subject.isprintable() else "".join(name if name.isprintable() else "?" for name in subject)
