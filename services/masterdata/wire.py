"""Masterdata's messages to its values and back. What contradicts the contract is refused here, by field."""

from __future__ import annotations

import re

from concord.masterdata.v1 import mapping_pb2, masterdata_pb2, records_pb2, resolve_pb2

from libs.rpc.errors import InvalidRequest
from libs.rpc.requests import at_most, resource_name
from libs.rpc.wire import from_time

from .domain.mapping import MappingScope
from .domain.mapping_set import MappingFinding, MappingSet
from .domain.records import Account, ExchangeRate, LegalEntity, Product, TaxCode
from .domain.references import (
    AccountQuestion,
    Answer,
    Answers,
    BankQuestion,
    CompanyAnswer,
    CompanyQuestion,
    Failure,
    FeeQuestion,
    JournalAnswer,
    JournalQuestion,
    NoQuestion,
    PartyAnswer,
    PartyQuestion,
    ProductQuestion,
    Question,
    RateQuestion,
    TaxQuestion,
)
from .domain.sync import SyncRun

REFERENCES_AT_MOST = 1000
YAML_CHARACTERS = 1024 * 1024
COMPANY_CHARACTERS = 64
_DIGEST = re.compile(r"[0-9a-f]{64}")


def to_company(name: str, field: str = "parent") -> str:
    """The id in `companies/{company}`."""
    company = resource_name(name, field, "companies/{company}")["company"]
    if len(company) > COMPANY_CHARACTERS:
        raise InvalidRequest(f"{field} names a company of more than {COMPANY_CHARACTERS} characters", field=field)
    return company


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
    if kind == "account":
        return AccountQuestion(message.account.role, _scope(message.account))
    if kind == "journal":
        return JournalQuestion(message.journal.role, _scope(message.journal))
    if kind == "tax":
        tax = message.tax
        return TaxQuestion(tax.provider, tax.account, tax.title, tax.rate)
    if kind == "party":
        return PartyQuestion(message.party.issuer, message.party.external_id)
    if kind == "product":
        return ProductQuestion(message.product.sku)
    if kind == "company":
        return CompanyQuestion()
    if kind == "bank_account":
        return BankQuestion(message.bank_account.number)
    if kind == "rate":
        return RateQuestion(message.rate.currency_code, message.rate.date)
    if kind == "fee":
        return FeeQuestion(message.fee.provider, message.fee.account, message.fee.kind)
    return NoQuestion()


def _scope(message: resolve_pb2.RoleReference) -> MappingScope:
    return MappingScope(message.provider, message.account, message.currency_code)


def from_answers(answers: Answers) -> resolve_pb2.BatchResolveResponse:
    return resolve_pb2.BatchResolveResponse(
        resolutions=[_resolution(answers.company, answer) for answer in answers.answers],
        revision=answers.revision,
        mapping_set=answers.mapping_set,
    )


def _resolution(company: str, answer: Answer) -> resolve_pb2.Resolution:
    if isinstance(answer, Failure):
        return resolve_pb2.Resolution(failure=resolve_pb2.ResolveFailure(reason=answer.reason, message=answer.message))
    if isinstance(answer, Account):
        return resolve_pb2.Resolution(account=from_account(company, answer))
    if isinstance(answer, JournalAnswer):
        return resolve_pb2.Resolution(journal=from_journal(company, answer))
    if isinstance(answer, TaxCode):
        return resolve_pb2.Resolution(tax_code=from_tax_code(company, answer))
    if isinstance(answer, PartyAnswer):
        return resolve_pb2.Resolution(party=from_party(company, answer))
    if isinstance(answer, Product):
        return resolve_pb2.Resolution(product=from_product(company, answer))
    if isinstance(answer, ExchangeRate):
        return resolve_pb2.Resolution(rate=from_exchange_rate(answer))
    if isinstance(answer, CompanyAnswer):
        return resolve_pb2.Resolution(company=_profile(answer))
    return resolve_pb2.Resolution(fee=resolve_pb2.FeeTarget(role=answer.role))


def _profile(answer: CompanyAnswer) -> resolve_pb2.CompanyProfile:
    return resolve_pb2.CompanyProfile(
        legal_entity=from_legal_entity(answer.entity),
        approval_above_minor_units=answer.approval_above_minor_units,
        late_event_policy=answer.late_event_policy,
        predecessor_deadline_seconds=answer.predecessor_deadline_seconds,
    )


def from_legal_entity(entity: LegalEntity) -> records_pb2.LegalEntity:
    return records_pb2.LegalEntity(
        name=f"companies/{entity.company}",
        display_name=entity.display_name,
        currency_code=entity.currency,
        time_zone=entity.time_zone,
        odoo_id=entity.odoo_id,
    )


def from_account(company: str, account: Account) -> records_pb2.Account:
    return records_pb2.Account(
        name=f"companies/{company}/accounts/{account.code}",
        code=account.code,
        display_name=account.name,
        type=account.type,
        reconcilable=account.reconcilable,
        currency_code=account.currency,
        odoo_id=account.odoo_id,
    )


def from_journal(company: str, answer: JournalAnswer) -> records_pb2.Journal:
    journal = answer.journal
    return records_pb2.Journal(
        name=f"companies/{company}/journals/{journal.code}",
        code=journal.code,
        display_name=journal.name,
        type=journal.type,
        currency_code=journal.currency,
        odoo_id=journal.odoo_id,
        default_account=answer.default_account,
        suspense_account=answer.suspense_account,
        default_account_odoo_id=journal.default_account if answer.default_account else 0,
        suspense_account_odoo_id=journal.suspense_account if answer.suspense_account else 0,
    )


def from_tax_code(company: str, tax: TaxCode) -> records_pb2.TaxCode:
    return records_pb2.TaxCode(
        name=f"companies/{company}/taxCodes/{tax.odoo_id}",
        display_name=tax.name,
        rate=tax.rate,
        use=tax.use,
        repartition_complete=tax.repartition_complete,
        odoo_id=tax.odoo_id,
        price_included=tax.price_included,
    )


def from_exchange_rate(rate: ExchangeRate) -> records_pb2.ExchangeRate:
    return records_pb2.ExchangeRate(currency_code=rate.currency, date=rate.day, rate=rate.rate)


def from_party(company: str, answer: PartyAnswer) -> records_pb2.Party:
    party = answer.party
    return records_pb2.Party(
        name=f"companies/{company}/parties/{party.odoo_id}",
        display_name=party.name,
        odoo_id=party.odoo_id,
        commercial_odoo_id=party.commercial_odoo_id,
        external_references=[
            records_pb2.ExternalReference(issuer=reference.issuer, value=reference.value)
            for reference in answer.references
        ],
    )


def from_product(company: str, product: Product) -> records_pb2.Product:
    return records_pb2.Product(
        name=f"companies/{company}/products/{product.odoo_id}",
        sku=product.sku,
        display_name=product.name,
        odoo_id=product.odoo_id,
    )


def from_sync_run(run: SyncRun) -> records_pb2.SyncRun:
    return records_pb2.SyncRun(
        name=run.name,
        state=records_pb2.SyncRun.State.Value(f"STATE_{run.state.name}"),
        start_time=from_time(run.started_at),
        end_time=from_time(run.ended_at),
        records=dict(run.records),
        changed=run.changed,
        revision=run.revision,
        reason=run.reason,
    )


def from_mapping_set(mapping_set: MappingSet) -> mapping_pb2.MappingSet:
    approved_at = mapping_set.approved_at
    return mapping_pb2.MappingSet(
        name=mapping_set.name,
        state=mapping_pb2.MappingSet.State.Value(f"STATE_{mapping_set.state.name}"),
        yaml=mapping_set.yaml,
        content_digest=mapping_set.content_digest,
        proposed_by=mapping_set.proposed_by,
        approved_by=mapping_set.approved_by,
        propose_time=from_time(mapping_set.proposed_at),
        approve_time=from_time(approved_at) if approved_at else None,
        findings=[_finding(finding) for finding in mapping_set.findings],
        active_revision=mapping_set.active_revision,
    )


def _finding(finding: MappingFinding) -> mapping_pb2.MappingFinding:
    severity = mapping_pb2.MappingFinding.Severity.Value(f"SEVERITY_{finding.severity.name}")
    return mapping_pb2.MappingFinding(
        severity=severity, reason=finding.reason, line=finding.line, message=finding.message
    )
