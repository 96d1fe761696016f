"""Masterdata's messages to its values and back. What contradicts the contract is refused here, by field."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from concord.masterdata.v1 import mapping_pb2, masterdata_pb2, records_pb2, resolve_pb2

from libs.rpc.errors import InvalidRequest
from libs.rpc.filling import filled
from libs.rpc.requests import at_most, resource_name

from .domain.company_masters import JournalAnswer
from .domain.mapping import MappingScope
from .domain.mapping_set import MappingSet
from .domain.records import Account, ExchangeRate, LegalEntity, Product, TaxCode
from .domain.references import (
    AccountQuestion,
    Answer,
    Answers,
    BankQuestion,
    CompanyAnswer,
    CompanyQuestion,
    Failure,
    FeeAnswer,
    FeeQuestion,
    JournalQuestion,
    NoQuestion,
    PartyAnswer,
    PartyQuestion,
    ProductQuestion,
    Question,
    RateQuestion,
    TaxQuestion,
)
from .domain.roles import SALE
from .domain.sync import SyncRun

REFERENCES_AT_MOST = 1000
YAML_CHARACTERS = 1024 * 1024
_DIGEST = re.compile(r"[0-9a-f]{64}")


def to_mapping_set(name: str) -> tuple[str, int]:
    """Company and number of `companies/{company}/mappingSets/{revision}`."""
    parts = resource_name(name, "name", "companies/{company}/mappingSets/{revision}")
    if re.fullmatch(r"[1-9]\d{0,17}", parts["revision"], re.ASCII) is None:
        raise InvalidRequest("a mapping set's revision is a number", field="name")
    return parts["company"], int(parts["revision"])


def to_yaml(request: masterdata_pb2.ProposeMappingSetRequest) -> str:
    if not request.yaml.strip():
        raise InvalidRequest("yaml is required", field="yaml")
    if len(request.yaml) > YAML_CHARACTERS:
        raise InvalidRequest(f"yaml is longer than {YAML_CHARACTERS} characters", field="yaml")
    return request.yaml


def to_digest(request: masterdata_pb2.ApproveMappingSetRequest) -> str:
    if _DIGEST.fullmatch(request.content_digest) is None:
        raise InvalidRequest("content_digest must be 64 lower-case hexadecimal digits", field="content_digest")
    return request.content_digest


def to_questions(request: resolve_pb2.BatchResolveRequest) -> list[Question]:
    return [_question(reference) for reference in at_most(request.references, REFERENCES_AT_MOST, "references")]


def _question(message: resolve_pb2.MasterReference) -> Question:
    kind = message.WhichOneof("kind")
    return _QUESTIONS[kind](getattr(message, kind)) if kind else NoQuestion()


def _scope(message: resolve_pb2.RoleReference) -> MappingScope:
    return MappingScope(message.provider, message.account, message.currency_code)


_QUESTIONS: dict[str, Callable[[Any], Question]] = {
    "account": lambda asked: AccountQuestion(asked.role, _scope(asked)),
    "journal": lambda asked: JournalQuestion(asked.role, _scope(asked)),
    "tax": lambda asked: TaxQuestion(asked.provider, asked.account, asked.title, asked.rate, asked.use or SALE),
    "party": lambda asked: PartyQuestion(asked.issuer, asked.external_id),
    "product": lambda asked: ProductQuestion(asked.sku),
    "company": lambda asked: CompanyQuestion(),
    "bank_account": lambda asked: BankQuestion(asked.number),
    "rate": lambda asked: RateQuestion(asked.currency_code, asked.date),
    "fee": lambda asked: FeeQuestion(asked.provider, asked.account, asked.kind),
}


def from_answers(answers: Answers) -> resolve_pb2.BatchResolveResponse:
    resolutions = [_resolution(answers.company, answer) for answer in answers.answers]
    return filled(resolve_pb2.BatchResolveResponse, answers, resolutions=resolutions)


def _resolution(company: str, answer: Answer) -> resolve_pb2.Resolution:
    return resolve_pb2.Resolution(**_TARGETS[type(answer)](company, answer))


def from_legal_entity(entity: LegalEntity) -> records_pb2.LegalEntity:
    return filled(records_pb2.LegalEntity, entity, name=f"companies/{entity.company}")


def from_account(company: str, account: Account) -> records_pb2.Account:
    name = f"companies/{company}/accounts/{account.code}"
    return filled(records_pb2.Account, account, name=name, display_name=account.name)


def from_journal(company: str, answer: JournalAnswer) -> records_pb2.Journal:
    journal = answer.journal
    return filled(
        records_pb2.Journal,
        journal,
        name=f"companies/{company}/journals/{journal.code}",
        display_name=journal.name,
        default_account=answer.default_account,
        suspense_account=answer.suspense_account,
        default_account_odoo_id=journal.default_account if answer.default_account else 0,
        suspense_account_odoo_id=journal.suspense_account if answer.suspense_account else 0,
    )


def from_tax_code(company: str, tax: TaxCode) -> records_pb2.TaxCode:
    name = f"companies/{company}/taxCodes/{tax.odoo_id}"
    return filled(records_pb2.TaxCode, tax, name=name, display_name=tax.name)


def from_exchange_rate(rate: ExchangeRate) -> records_pb2.ExchangeRate:
    return filled(records_pb2.ExchangeRate, rate, date=rate.day)


def from_party(company: str, answer: PartyAnswer) -> records_pb2.Party:
    party = answer.party
    name = f"companies/{company}/parties/{party.odoo_id}"
    return filled(records_pb2.Party, party, name=name, display_name=party.name, external_references=answer.references)


def from_product(company: str, product: Product) -> records_pb2.Product:
    name = f"companies/{company}/products/{product.odoo_id}"
    return filled(records_pb2.Product, product, name=name, display_name=product.name)


def _profile(answer: CompanyAnswer) -> resolve_pb2.CompanyProfile:
    return filled(resolve_pb2.CompanyProfile, answer, legal_entity=from_legal_entity(answer.entity))


_TARGETS: dict[type[Answer], Callable[[str, Any], dict[str, Any]]] = {
    Failure: lambda company, failure: {"failure": filled(resolve_pb2.ResolveFailure, failure)},
    Account: lambda company, account: {"account": from_account(company, account)},
    JournalAnswer: lambda company, journal: {"journal": from_journal(company, journal)},
    TaxCode: lambda company, tax: {"tax_code": from_tax_code(company, tax)},
    PartyAnswer: lambda company, party: {"party": from_party(company, party)},
    Product: lambda company, product: {"product": from_product(company, product)},
    ExchangeRate: lambda company, rate: {"rate": from_exchange_rate(rate)},
    CompanyAnswer: lambda company, profile: {"company": _profile(profile)},
    FeeAnswer: lambda company, fee: {"fee": filled(resolve_pb2.FeeTarget, fee)},
}


def from_sync_run(run: SyncRun) -> records_pb2.SyncRun:
    return filled(records_pb2.SyncRun, run, start_time=run.started_at, end_time=run.ended_at)


def from_mapping_set(mapping_set: MappingSet) -> mapping_pb2.MappingSet:
    times = {"propose_time": mapping_set.proposed_at, "approve_time": mapping_set.approved_at}
    return filled(mapping_pb2.MappingSet, mapping_set, **times)
