"""Masterdata's answers over its messages, and the cache that lives for one revision."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from concord.masterdata.v1 import mapping_pb2, masterdata_pb2, records_pb2, resolve_pb2

from libs.errors import ConcordError, Kind
from services.ledger.adapters.masterdata import MasterdataClient, RevisionUnsteady
from services.ledger.domain import master
from services.ledger.domain.role import Role

Answer = resolve_pb2.Resolution
BANK = records_pb2.Journal(
    code="BNK1",
    type="bank",
    odoo_id=5,
    default_account="2000",
    default_account_odoo_id=50,
    suspense_account="2001",
    suspense_account_odoo_id=51,
)
COMPANY = resolve_pb2.CompanyProfile(
    legal_entity=records_pb2.LegalEntity(currency_code="USD", time_zone="America/New_York", odoo_id=1),
    approval_above_minor_units=100000,
    late_event_policy="exception",
    predecessor_deadline_seconds=7200,
)
ANSWERS: dict[str, Answer] = {
    "account": Answer(account=records_pb2.Account(code="1000", odoo_id=9, currency_code="EUR", reconcilable=True)),
    "journal": Answer(journal=records_pb2.Journal(code="PSP", type="general", odoo_id=2)),
    "tax": Answer(tax_code=records_pb2.TaxCode(odoo_id=31, rate="0.08")),
    "party": Answer(party=records_pb2.Party(name="companies/acme/parties/7", odoo_id=7, commercial_odoo_id=6)),
    "product": Answer(product=records_pb2.Product(odoo_id=12)),
    "company": Answer(company=COMPANY),
    "bank_account": Answer(journal=BANK),
    "rate": Answer(rate=records_pb2.ExchangeRate(rate="0.9")),
    "fee": Answer(fee=resolve_pb2.FeeTarget(role="DFE")),
}


class FakeStub:
    """Answers by the kind of question; keeps what it was asked."""

    def __init__(self) -> None:
        self.revision = 1
        self.batches: list[list[resolve_pb2.MasterReference]] = []
        self.looks = 0
        self.sets: list[str] = []
        self.change_after: set[int] = set()  # batches after which the revision changes

    def BatchResolve(
        self, request: resolve_pb2.BatchResolveRequest, timeout: float
    ) -> resolve_pb2.BatchResolveResponse:
        self.batches.append(list(request.references))
        answers = [ANSWERS[one.WhichOneof("kind") or ""] for one in request.references]
        answer = resolve_pb2.BatchResolveResponse(
            resolutions=answers, revision=self.revision, mapping_set=f"companies/acme/mappingSets/{self.revision}"
        )
        self.revision += len(self.batches) in self.change_after
        return answer

    def GetRevision(
        self, request: masterdata_pb2.GetRevisionRequest, timeout: float
    ) -> masterdata_pb2.GetRevisionResponse:
        self.looks += 1
        return masterdata_pb2.GetRevisionResponse(revision=self.revision)

    def GetMappingSet(self, request: masterdata_pb2.GetMappingSetRequest, timeout: float) -> mapping_pb2.MappingSet:
        self.sets.append(request.name)
        return mapping_pb2.MappingSet(name=request.name, proposed_by=f"people/of-{request.name[-1]}")


class Clock:
    now = datetime(2026, 3, 15, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


REFS: Sequence[tuple[master.Ref, master.Target]] = [
    (master.AccountRole(Role.CLEARING, "stripe", "a", "EUR"), master.PostingAccount(9, "1000", "EUR", True)),
    (master.JournalRole("PSP", "stripe", "a", "EUR"), master.PostingJournal(2, "PSP", "general")),
    (master.TaxWord("shopify", "s", "VAT", "0.08"), master.Tax(31, "0.08")),
    (master.PartyWord("shopify/s", "77"), master.PostingParty("companies/acme/parties/7", 7, 6)),
    (master.ProductWord("MUG"), master.PostingProduct(12)),
    (master.BankNumber("DE89"), master.PostingJournal(5, "BNK1", "bank", master.PostingAccount(50, "2000"), master.PostingAccount(51, "2001"))),
    (master.RateOn("EUR", date(2026, 3, 14)), master.Rate("0.9")),
    (master.FeeWord("stripe", "a", "dispute"), master.Fee(Role.DISPUTE_FEE)),
    (master.CompanyWord(), master.Company(1, "USD", "America/New_York", 100000, "exception", 7200)),
]  # fmt: skip


def test_every_question_has_its_answer_of_one_call() -> None:
    stub = FakeStub()
    masters = MasterdataClient(stub, Clock()).resolve("acme", [ref for ref, _ in REFS])
    assert [masters.targets[ref] for ref, _ in REFS] == [target for _, target in REFS]
    assert (masters.revision, masters.mapping_set, len(stub.batches)) == (1, "companies/acme/mappingSets/1", 1)


def test_what_masterdata_does_not_know_says_why() -> None:
    class Unknowing(FakeStub):
        def BatchResolve(
            self, request: resolve_pb2.BatchResolveRequest, timeout: float
        ) -> resolve_pb2.BatchResolveResponse:
            failure = resolve_pb2.ResolveFailure(reason="TAX_WITHOUT_ACCOUNT", message="no account")
            return resolve_pb2.BatchResolveResponse(resolutions=[Answer(failure=failure)], revision=1)

    ref = master.TaxWord("shopify", "s", "VAT", "0.08")
    masters = MasterdataClient(Unknowing(), Clock()).resolve("acme", [ref])
    assert masters.targets[ref] == master.Unresolved("TAX_WITHOUT_ACCOUNT", "no account")


def test_known_answers_are_not_asked_for_again_while_the_revision_stands() -> None:
    stub, clock = FakeStub(), Clock()
    client = MasterdataClient(stub, clock, fresh_seconds=2)
    client.resolve("acme", [REFS[0][0]])
    client.resolve("acme", [REFS[0][0]])
    client.resolve("acme", [REFS[0][0], REFS[1][0]])
    assert ([len(batch) for batch in stub.batches], stub.looks) == ([1, 1], 0)
    clock.now += timedelta(seconds=3)
    client.resolve("acme", [REFS[0][0]])
    assert (len(stub.batches), stub.looks) == (2, 1)


def test_another_revision_empties_the_cache() -> None:
    stub, clock = FakeStub(), Clock()
    client = MasterdataClient(stub, clock, fresh_seconds=2)
    client.resolve("acme", [REFS[0][0]])
    stub.revision = 2
    clock.now += timedelta(seconds=3)
    assert client.resolve("acme", [REFS[0][0]]).revision == 2
    assert len(stub.batches) == 2


def test_answers_of_two_revisions_are_never_mixed() -> None:
    stub = FakeStub()
    client = MasterdataClient(stub, Clock())
    client.resolve("acme", [REFS[0][0]])
    stub.revision = 2  # unnoticed so far
    masters = client.resolve("acme", [REFS[0][0], REFS[1][0]])
    assert masters.revision == 2
    assert len(stub.batches[-1]) == 2


def test_many_questions_are_asked_in_parts_of_one_revision() -> None:
    stub = FakeStub()
    stub.change_after = {1}
    refs = [master.ProductWord(f"sku-{number}") for number in range(1500)]
    masters = MasterdataClient(stub, Clock()).resolve("acme", refs)
    assert (len(masters.targets), masters.revision) == (1500, 2)
    assert [len(batch) for batch in stub.batches] == [1000, 500, 1000, 500]


def test_a_masterdata_that_never_stands_still_is_asked_later() -> None:
    stub = FakeStub()
    stub.change_after = set(range(1, 99))
    with pytest.raises(RevisionUnsteady) as unsteady:
        MasterdataClient(stub, Clock()).resolve("acme", [master.ProductWord(f"sku-{n}") for n in range(1500)])
    assert unsteady.value.kind is Kind.RETRY
    assert isinstance(unsteady.value, ConcordError)


def test_the_maker_of_a_mapping_set_is_asked_for_once() -> None:
    stub, clock = FakeStub(), Clock()
    client = MasterdataClient(stub, clock, fresh_seconds=0)
    for revision in (1, 1, 2, 2):
        stub.revision = revision
        assert client.resolve("acme", [master.CompanyWord()]).proposed_by == f"people/of-{revision}"
    assert stub.sets == ["companies/acme/mappingSets/1", "companies/acme/mappingSets/2"]
