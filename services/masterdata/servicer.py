"""Masterdata over gRPC: decode, call, encode."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import grpc
from concord.masterdata.v1 import mapping_pb2, masterdata_pb2, masterdata_pb2_grpc, records_pb2, resolve_pb2
from google.protobuf.message import Message

from libs.listing import Item
from libs.rpc.identity import current_identity
from libs.rpc.pages import Answer, Page
from libs.rpc.requests import request_id
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
        self._new_uow = new_uow
        self._count_failures = count_failures

    def BatchResolve(
        self, request: resolve_pb2.BatchResolveRequest, context: grpc.ServicerContext
    ) -> resolve_pb2.BatchResolveResponse:
        company = wire.to_company(request.parent)
        answers = self._resolver.resolve(company, wire.to_questions(request))
        for reason, count in answers.failures().items():
            # Whatever name a caller made up must not become a metric's attribute.
            self._count_failures(company if answers.revision else "", reason, count)
        return wire.from_answers(answers)

    def GetRevision(
        self, request: masterdata_pb2.GetRevisionRequest, context: grpc.ServicerContext
    ) -> masterdata_pb2.GetRevisionResponse:
        company = wire.to_company(request.name, "name")
        return masterdata_pb2.GetRevisionResponse(revision=self._resolver.revision(company))

    def SyncMasterData(
        self, request: masterdata_pb2.SyncMasterDataRequest, context: grpc.ServicerContext
    ) -> records_pb2.SyncRun:
        company, identity = wire.to_company(request.parent), request_id(request.request_id)
        return wire.from_sync_run(once_more(lambda: self._sync(company, _caller(), identity)))

    def ProposeMappingSet(
        self, request: masterdata_pb2.ProposeMappingSetRequest, context: grpc.ServicerContext
    ) -> mapping_pb2.MappingSet:
        company, text, identity = wire.to_company(request.parent), wire.to_yaml(request), request_id(request.request_id)
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
        with self._new_uow(read_only=True) as uow:
            return wire.from_mapping_set(uow.mapping_sets.get(*wire.to_mapping_set(request.name)))

    def ListMappingSets(
        self, request: masterdata_pb2.ListMappingSetsRequest, context: grpc.ServicerContext
    ) -> masterdata_pb2.ListMappingSetsResponse:
        page, answer = Page.of(request, default=20, maximum=100), masterdata_pb2.ListMappingSetsResponse()
        return self._list(request, answer, list_records.mapping_sets, lambda _, kept: wire.from_mapping_set(kept), page)

    def GetLegalEntity(
        self, request: masterdata_pb2.GetLegalEntityRequest, context: grpc.ServicerContext
    ) -> records_pb2.LegalEntity:
        company = wire.to_company(request.name, "name")
        with self._new_uow(read_only=True) as uow:
            return wire.from_legal_entity(uow.masters.get(company).entity)

    def ListLegalEntities(
        self, request: masterdata_pb2.ListLegalEntitiesRequest, context: grpc.ServicerContext
    ) -> masterdata_pb2.ListLegalEntitiesResponse:
        page = Page.of(request)
        with self._new_uow(read_only=True) as uow:
            part = uow.masters.companies(page.size, page.after)
        return page.answer(masterdata_pb2.ListLegalEntitiesResponse(), part, wire.from_legal_entity)

    def ListAccounts(
        self, request: masterdata_pb2.ListAccountsRequest, context: grpc.ServicerContext
    ) -> masterdata_pb2.ListAccountsResponse:
        return self._list(request, masterdata_pb2.ListAccountsResponse(), records(Account), wire.from_account)

    def ListJournals(
        self, request: masterdata_pb2.ListJournalsRequest, context: grpc.ServicerContext
    ) -> masterdata_pb2.ListJournalsResponse:
        return self._list(request, masterdata_pb2.ListJournalsResponse(), list_records.journals, wire.from_journal)

    def ListTaxCodes(
        self, request: masterdata_pb2.ListTaxCodesRequest, context: grpc.ServicerContext
    ) -> masterdata_pb2.ListTaxCodesResponse:
        return self._list(request, masterdata_pb2.ListTaxCodesResponse(), records(TaxCode), wire.from_tax_code)

    def ListExchangeRates(
        self, request: masterdata_pb2.ListExchangeRatesRequest, context: grpc.ServicerContext
    ) -> masterdata_pb2.ListExchangeRatesResponse:
        answer = masterdata_pb2.ListExchangeRatesResponse()
        return self._list(request, answer, records(ExchangeRate), lambda _, rate: wire.from_exchange_rate(rate))

    def ListParties(
        self, request: masterdata_pb2.ListPartiesRequest, context: grpc.ServicerContext
    ) -> masterdata_pb2.ListPartiesResponse:
        return self._list(request, masterdata_pb2.ListPartiesResponse(), list_records.parties, wire.from_party)

    def ListProducts(
        self, request: masterdata_pb2.ListProductsRequest, context: grpc.ServicerContext
    ) -> masterdata_pb2.ListProductsResponse:
        return self._list(request, masterdata_pb2.ListProductsResponse(), records(Product), wire.from_product)

    def _list(
        self,
        request: Any,
        answer: Answer,
        listed: Listed[Item],
        encode: Callable[[str, Item], Message],
        asked: Page | None = None,
    ) -> Answer:
        """The answer to a list of a company's records. Raises `CompanyUnknown`."""
        page, company = asked or Page.of(request), wire.to_company(request.parent)
        with self._new_uow(read_only=True) as uow:
            uow.masters.get(company)
            part = listed(uow, company, page.size, page.after)
        return page.answer(answer, part, functools.partial(encode, company))


def registration(servicer: MasterdataServicer) -> Registration:
    """What a server is given."""
    service = masterdata_pb2.DESCRIPTOR.services_by_name["MasterdataService"]
    return Registration(servicer, masterdata_pb2_grpc.add_MasterdataServiceServicer_to_server, service)


def _caller() -> str:
    """The caller's subject, as the audit log can hold it."""
    subject = current_identity().subject
    return subject if subject.isprintable() else "".join(name if name.isprintable() else "?" for name in subject)
