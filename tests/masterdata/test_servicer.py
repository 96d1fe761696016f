from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from concord.masterdata.v1 import mapping_pb2, masterdata_pb2, masterdata_pb2_grpc, records_pb2, resolve_pb2

from libs.access import EVERYTHING, AccessScope
from libs.errors import Kind
from libs.events import TransactionIds
from libs.rpc.channel import open_channel
from libs.rpc.config import ChannelConfig, ServerConfig
from libs.rpc.errors import RemoteError
from libs.rpc.identity import IssuedToken, TokenKey, TokenKeys, TokenVerifier
from libs.rpc.server import serve
from sandbox.transport import InProcess
from services.masterdata.assembly import Masterdata
from services.masterdata.servicer import MasterdataServicer, registration
from services.masterdata.storage import MasterdataUowFactory
from tests.masterdata.company import Clock, demo_mapping, seeded
from tests.rpc.roles import role_matrix
from tests.storage.fixtures import EngineFor

KEYS = TokenKeys([TokenKey.secret("k1", b"x" * 32)])
ACME = "companies/acme"
Reference = resolve_pb2.MasterReference


class Served:
    """Masterdata behind a real server on loopback; a stub for each caller."""

    def __init__(self, address: str) -> None:
        self._address = address
        self.failures: list[tuple[str, str, int]] = []
        self.channels: list[grpc.Channel] = []

    def stub(
        self, subject: str, *roles: str, scope: AccessScope = EVERYTHING
    ) -> masterdata_pb2_grpc.MasterdataServiceStub:
        channel = open_channel(self._address, ChannelConfig(retry=None), IssuedToken(KEYS, subject, roles, scope))
        self.channels.append(channel)
        return masterdata_pb2_grpc.MasterdataServiceStub(channel)

    def sync(self) -> records_pb2.SyncRun:
        request = masterdata_pb2.SyncMasterDataRequest(parent=ACME, request_id=str(uuid.uuid4()))
        run: records_pb2.SyncRun = self.stub("olga", "operator").SyncMasterData(request)
        return run

    def propose(self, yaml: str = "") -> mapping_pb2.MappingSet:
        request = masterdata_pb2.ProposeMappingSetRequest(
            parent=ACME, yaml=yaml or demo_mapping(), request_id=str(uuid.uuid4())
        )
        offered: mapping_pb2.MappingSet = self.stub("ann", "accountant").ProposeMappingSet(request)
        return offered

    def approve(self, offered: mapping_pb2.MappingSet, subject: str = "bob", digest: str = "") -> Any:
        request = masterdata_pb2.ApproveMappingSetRequest(
            name=offered.name, content_digest=digest or offered.content_digest, request_id=str(uuid.uuid4())
        )
        return self.stub(subject, "approver").ApproveMappingSet(request)


@pytest.fixture
def served(engine_for: EngineFor) -> Iterator[Served]:
    clock = Clock()
    new_uow = MasterdataUowFactory(engine_for("services.masterdata"))
    masterdata = Masterdata(
        new_uow,
        InProcess(seeded(19).copy(), "masterdata"),
        clock,
        TransactionIds(clock, random.Random(1)),
        companies={"acme": 1},
    )
    failures: list[tuple[str, str, int]] = []
    servicer = MasterdataServicer(
        masterdata.sync, masterdata.review, masterdata.resolver, new_uow, lambda *failure: failures.append(failure)
    )
    server = serve(ServerConfig(), [registration(servicer)], TokenVerifier(KEYS))
    made = Served(server.address)
    made.failures = failures
    yield made
    for channel in made.channels:
        channel.close()
    server.stop(0.1)


def test_the_whole_way_from_odoo_to_an_answer(served: Served) -> None:
    run = served.sync()
    assert run.state == records_pb2.SyncRun.STATE_DONE
    assert run.records["journals"] == 7
    offered = served.propose()
    assert offered.state == mapping_pb2.MappingSet.STATE_PROPOSED
    active = served.approve(offered)
    assert active.state == mapping_pb2.MappingSet.STATE_ACTIVE
    assert (active.proposed_by, active.approved_by) == ("ann", "bob")
    ledger = served.stub("ledger", "ledger", "viewer")
    answer = ledger.BatchResolve(
        resolve_pb2.BatchResolveRequest(
            parent=ACME,
            references=[
                Reference(company=resolve_pb2.CompanyReference()),
                Reference(account=resolve_pb2.RoleReference(role="CLR", provider="stripe", account="acct_demo", currency_code="EUR")),
                Reference(journal=resolve_pb2.RoleReference(role="PSP", provider="stripe", account="acct_demo", currency_code="USD")),
                Reference(tax=resolve_pb2.TaxReference(provider="shopify", account="shop-1", title="Tax", rate="0.08")),
                Reference(party=resolve_pb2.PartyReference(issuer="stripe/acct_demo", external_id="cus_carla")),
                Reference(party=resolve_pb2.PartyReference(issuer="stripe/acct_demo", external_id="cus_nobody")),
                Reference(bank_account=resolve_pb2.BankAccountReference(number="US64SVBKUS6S3300958879")),
                Reference(rate=resolve_pb2.RateReference(currency_code="EUR", date="2026-03-14")),
                Reference(fee=resolve_pb2.FeeReference(provider="stripe", account="acct_demo", kind="dispute")),
                Reference(product=resolve_pb2.ProductReference(sku="NONE")),
                Reference(),
            ],
        )
    )  # fmt: skip
    assert answer.revision == active.active_revision > 0
    company, account, journal, tax, party, nobody, bank, rate, fee, product, nothing = answer.resolutions
    assert company.company.legal_entity.time_zone == "America/New_York"
    assert company.company.predecessor_deadline_seconds == 259_200
    assert (account.account.code, account.account.currency_code, account.account.reconcilable) == (
        "124101",
        "EUR",
        True,
    )
    assert (journal.journal.code, journal.journal.type) == ("STRP", "general")
    assert (tax.tax_code.rate, tax.tax_code.use, tax.tax_code.repartition_complete) == ("0.08", "sale", True)
    assert party.party.display_name == "Carla Costa"
    assert party.party.name == f"companies/acme/parties/{party.party.odoo_id}"
    assert party.party.commercial_odoo_id == party.party.odoo_id
    assert nobody.failure.reason == "PARTY_UNKNOWN"
    assert (bank.journal.default_account, bank.journal.suspense_account) == ("101401", "101402")
    assert bank.journal.default_account_odoo_id > 0 < bank.journal.suspense_account_odoo_id
    assert (rate.rate.date, rate.rate.rate) == ("2026-01-01", "0.9090909090909091")
    assert fee.fee.role == "DFE"
    assert product.failure.reason == "PRODUCT_UNKNOWN"
    assert nothing.failure.reason == "REFERENCE_INVALID"
    assert answer.mapping_set == active.name
    assert answer.revision == ledger.GetRevision(masterdata_pb2.GetRevisionRequest(name=ACME)).revision == 2


def test_references_without_an_answer_are_counted_by_reason(served: Served) -> None:
    served.sync()
    stub = served.stub("ledger", "ledger", "viewer")
    asked = [Reference(), Reference(), Reference(company=resolve_pb2.CompanyReference())]
    stub.BatchResolve(resolve_pb2.BatchResolveRequest(parent=ACME, references=asked))
    stub.BatchResolve(resolve_pb2.BatchResolveRequest(parent="companies/made-up", references=asked))
    assert served.failures == [
        ("acme", "REFERENCE_INVALID", 2),
        ("acme", "MAPPING_NOT_ACTIVE", 1),
        ("", "COMPANY_UNKNOWN", 3),
    ]


def test_proposals_that_come_at_once_get_numbers_of_their_own(served: Served) -> None:
    served.sync()
    with ThreadPoolExecutor(6) as pool:
        names = list(pool.map(lambda number: served.propose(f"{demo_mapping()}# {number}\n").name, range(6)))
    assert sorted(names) == [f"{ACME}/mappingSets/{number}" for number in range(1, 7)]


def test_one_request_that_comes_twice_at_once_has_one_effect(served: Served) -> None:
    served.sync()
    request = masterdata_pb2.ProposeMappingSetRequest(parent=ACME, yaml=demo_mapping(), request_id=str(uuid.uuid4()))
    stub = served.stub("ann", "accountant")
    with ThreadPoolExecutor(4) as pool:
        names = {answer.name for answer in pool.map(lambda _: stub.ProposeMappingSet(request), range(4))}
    assert names == {f"{ACME}/mappingSets/1"}


def test_the_lists_come_by_pages(served: Served) -> None:
    served.sync()
    served.approve(served.propose())
    stub = served.stub("vera", "viewer")
    codes: list[str] = []
    request = masterdata_pb2.ListAccountsRequest(parent=ACME, page_size=4)
    while True:
        part = stub.ListAccounts(request)
        codes += [one.code for one in part.accounts]
        if not part.next_page_token:
            break
        assert len(part.accounts) == 4
        request.page_token = part.next_page_token
    assert codes == sorted(set(codes))
    assert len(codes) >= 25
    journals = stub.ListJournals(masterdata_pb2.ListJournalsRequest(parent=ACME)).journals
    assert {one.code: one.suspense_account for one in journals}["BNK1"] == "101402"
    taxes = stub.ListTaxCodes(masterdata_pb2.ListTaxCodesRequest(parent=ACME)).tax_codes
    assert [(one.display_name, one.price_included) for one in taxes] == [
        ("Sales Tax 8%", False),
        ("Input Tax 8%", False),
    ]
    rates = stub.ListExchangeRates(masterdata_pb2.ListExchangeRatesRequest(parent=ACME)).exchange_rates
    assert [(one.currency_code, one.date) for one in rates] == [("EUR", "2026-01-01")]
    parties = stub.ListParties(masterdata_pb2.ListPartiesRequest(parent=ACME)).parties
    ada = next(one for one in parties if one.display_name == "Ada Archer")
    assert [(one.issuer, one.value) for one in ada.external_references] == [
        ("shopify/shop-1", "7001"),
        ("stripe/acct_demo", "cus_ada"),
    ]
    assert list(stub.ListProducts(masterdata_pb2.ListProductsRequest(parent=ACME)).products) == []
    entities = stub.ListLegalEntities(masterdata_pb2.ListLegalEntitiesRequest()).legal_entities
    entity = stub.GetLegalEntity(masterdata_pb2.GetLegalEntityRequest(name=ACME))
    assert list(entities) == [entity]
    assert (entity.currency_code, entity.odoo_id) == ("USD", 1)
    sets = stub.ListMappingSets(masterdata_pb2.ListMappingSetsRequest(parent=ACME)).mapping_sets
    assert list(sets) == [stub.GetMappingSet(masterdata_pb2.GetMappingSetRequest(name=sets[0].name))]
    assert sets[0].yaml == demo_mapping()


REFUSALS: list[tuple[str, str, Any, Kind, str]] = [
    ("BatchResolve", "ledger", resolve_pb2.BatchResolveRequest(parent="acme"), Kind.INVALID, "REQUEST_INVALID"),
    ("BatchResolve", "ledger", resolve_pb2.BatchResolveRequest(parent=ACME), Kind.INVALID, "REQUEST_INVALID"),
    ("BatchResolve", "ledger", resolve_pb2.BatchResolveRequest(parent=ACME, references=[Reference()] * 1001), Kind.INVALID, "REQUEST_INVALID"),
    ("SyncMasterData", "operator", masterdata_pb2.SyncMasterDataRequest(parent=ACME), Kind.INVALID, "REQUEST_INVALID"),
    ("SyncMasterData", "operator", masterdata_pb2.SyncMasterDataRequest(parent="companies/acne", request_id=str(uuid.uuid4())), Kind.MISSING, "COMPANY_UNKNOWN"),
    ("SyncMasterData", "operator", masterdata_pb2.SyncMasterDataRequest(parent="companies/" + "a" * 65, request_id=str(uuid.uuid4())), Kind.INVALID, "REQUEST_INVALID"),
    ("ProposeMappingSet", "accountant", masterdata_pb2.ProposeMappingSetRequest(parent=ACME, request_id=str(uuid.uuid4())), Kind.INVALID, "REQUEST_INVALID"),
    ("ProposeMappingSet", "accountant", masterdata_pb2.ProposeMappingSetRequest(parent=ACME, yaml="a: [", request_id=str(uuid.uuid4())), Kind.INVALID, "MAPPING_INVALID"),
    ("ApproveMappingSet", "approver", masterdata_pb2.ApproveMappingSetRequest(name=f"{ACME}/mappingSets/1", content_digest="x", request_id=str(uuid.uuid4())), Kind.INVALID, "REQUEST_INVALID"),
    ("ApproveMappingSet", "approver", masterdata_pb2.ApproveMappingSetRequest(name=f"{ACME}/mappingSets/9", content_digest="0" * 64, request_id=str(uuid.uuid4())), Kind.MISSING, "MAPPING_SET_UNKNOWN"),
    ("GetMappingSet", "viewer", masterdata_pb2.GetMappingSetRequest(name=f"{ACME}/mappingSets/one"), Kind.INVALID, "REQUEST_INVALID"),
    ("GetMappingSet", "viewer", masterdata_pb2.GetMappingSetRequest(name=f"{ACME}/mappingSets/7"), Kind.MISSING, "MAPPING_SET_UNKNOWN"),
    ("GetLegalEntity", "viewer", masterdata_pb2.GetLegalEntityRequest(name="companies/beta"), Kind.MISSING, "COMPANY_UNKNOWN"),
    ("ListAccounts", "viewer", masterdata_pb2.ListAccountsRequest(parent="companies/beta"), Kind.MISSING, "COMPANY_UNKNOWN"),
    ("ListAccounts", "viewer", masterdata_pb2.ListAccountsRequest(parent=ACME, page_token="x"), Kind.INVALID, "PAGE_TOKEN_INVALID"),
    ("ListAccounts", "viewer", masterdata_pb2.ListAccountsRequest(parent=ACME, page_size=-1), Kind.INVALID, "PAGE_SIZE_INVALID"),
]  # fmt: skip


def test_what_breaks_the_contract_is_refused_with_its_reason(served: Served) -> None:
    served.sync()
    for method, role, request, kind, reason in REFUSALS:
        with pytest.raises(RemoteError) as caught:
            getattr(served.stub("eve", role), method)(request)
        assert (caught.value.kind, caught.value.reason) == (kind, reason), method


def test_the_second_person_must_be_another(served: Served) -> None:
    served.sync()
    offered = served.propose()
    with pytest.raises(RemoteError) as caught:
        served.approve(offered, subject="ann")
    assert (caught.value.kind, caught.value.reason) == (Kind.FORBIDDEN, "APPROVER_IS_MAKER")
    with pytest.raises(RemoteError) as changed:
        served.approve(offered, digest="0" * 64)
    assert (changed.value.kind, changed.value.reason) == (Kind.STALE, "CONTENT_CHANGED")


def test_errors_block_the_approval_with_their_reasons(served: Served) -> None:
    served.sync()
    offered = served.propose(demo_mapping().replace("code: 121000", "code: 999999"))
    found = offered.findings[0]
    assert (found.severity, found.reason) == (mapping_pb2.MappingFinding.SEVERITY_ERROR, "ACCOUNT_UNKNOWN")
    with pytest.raises(RemoteError) as caught:
        served.approve(offered)
    assert (caught.value.kind, caught.value.reason) == (Kind.PRECONDITION, "MAPPING_HAS_ERRORS")
    assert caught.value.metadata["1"] == f"error {found.reason}, line {found.line}: {found.message}"


def test_each_role_may_do_what_its_table_says(served: Served) -> None:
    service = masterdata_pb2.DESCRIPTOR.services_by_name["MasterdataService"]
    requests = {method.name: _message(method.input_type.name) for method in service.methods}
    for role, method, allowed in role_matrix([service]):
        name = method.rpartition("/")[2]
        try:
            getattr(served.stub("eve", role), name)(requests[name]())
            refused = False
        except RemoteError as error:
            refused = error.reason == "PERMISSION_DENIED"
        assert refused is not allowed, (role, name)


def _message(name: str) -> Any:
    return getattr(resolve_pb2 if name.startswith("BatchResolve") else masterdata_pb2, name)


def test_a_company_is_known_to_its_callers_alone(served: Served) -> None:
    served.sync()
    theirs = served.stub("eve", "viewer", scope=AccessScope.of(["other"], ["*"]))
    ours = served.stub("ann", "viewer", scope=AccessScope.of(["acme"]))

    def listed(stub: masterdata_pb2_grpc.MasterdataServiceStub) -> list[str]:
        return [one.name for one in stub.ListLegalEntities(masterdata_pb2.ListLegalEntitiesRequest()).legal_entities]

    assert (listed(ours), listed(theirs)) == ([ACME], [])
    assert ours.GetLegalEntity(masterdata_pb2.GetLegalEntityRequest(name=ACME)).name == ACME
    told = []
    for name in (ACME, "companies/none", "companies/other"):  # the last is in scope, and not there
        with pytest.raises(RemoteError) as caught:
            theirs.GetLegalEntity(masterdata_pb2.GetLegalEntityRequest(name=name))
        told.append((caught.value.kind, caught.value.reason, str(caught.value), caught.value.field))
    assert set(told) == {(Kind.MISSING, "COMPANY_UNKNOWN", "nothing was ever synced for this company", None)}
