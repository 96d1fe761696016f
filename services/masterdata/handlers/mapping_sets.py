"""Propose a mapping set, and approve the exact content that was proposed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from libs.events import Clock, IdSource
from libs.storage.requests import Request

from ..domain.company_masters import CompanyMasters
from ..domain.errors import MappingHasErrors
from ..domain.findings import findings_of, references_of
from ..domain.mapping import CompanyMapping
from ..domain.mapping_set import MappingFinding, MappingSet, MappingState, Severity, digest_of
from ..domain.meanings import meanings_of
from ..storage.uow import MasterdataUow, NewUow
from .ports import ReadMapping


class MappingReview:
    """A mapping set is proposed by one person and takes effect once another approves that very content."""

    def __init__(self, new_uow: NewUow, read_mapping: ReadMapping, clock: Clock, ids: IdSource) -> None:
        self._new_uow = new_uow
        self._read_mapping = read_mapping
        self._clock = clock
        self._ids = ids

    def propose(self, company: str, yaml: str, actor: str, request_id: str) -> MappingSet:
        """Store the file as the company's next revision, with what a reviewer should see. It has no effect yet.

        Raises `MappingInvalid`, `CompanyUnknown` or `RequestIdReused`.
        """
        request = Request(request_id, "propose", company, digest_of(yaml), actor)
        mapping = self._read_mapping(yaml)
        now = self._clock()
        with self._new_uow() as uow:
            if known := uow.requests.begin(request, MappingSet, now):
                return known
            entity = uow.masters.get(company, lock=True).entity
            draft = MappingSet(
                company=company,
                number=uow.mapping_sets.next_number(company),
                state=MappingState.DRAFT,
                yaml=yaml,
                content_digest=digest_of(yaml),
                proposed_by=actor,
                proposed_at=now,
                findings=_findings(uow, uow.masters.of_company(entity), mapping),
            )
            uow.mapping_sets.add(draft)
            offered = draft.to(MappingState.PROPOSED)
            uow.mapping_sets.change(draft, offered, actor, now, self._ids())
            uow.requests.answer(request, offered)
            uow.commit()
        return offered

    def approve(self, company: str, number: int, content_digest: str, actor: str, request_id: str) -> MappingSet:
        """Make the offer the active revision; the one before it and older offers are retired.

        The masters may have changed since the offer, so it is examined again. Raises `MappingSetUnknown`,
        `ContentChanged`, `ApproverIsMaker`, `TransitionForbidden`, `MappingHasErrors` or `RequestIdReused`.
        """
        request = Request(request_id, "approve", company, str(number), content_digest, actor)
        now, transaction_id = self._clock(), self._ids()
        with self._new_uow() as uow:
            if known := uow.requests.begin(request, MappingSet, now):
                return known
            stored = uow.masters.get(company, lock=True)
            offered = uow.mapping_sets.get(company, number)
            approved = offered.approved(content_digest, actor, now)
            mapping = self._read_mapping(offered.yaml)
            masters = uow.masters.of_company(stored.entity)
            findings = _findings(uow, masters, mapping)
            if errors := [str(finding) for finding in findings if finding.severity is Severity.ERROR]:
                raise MappingHasErrors(errors)
            approved = replace(approved, findings=findings, meant=meanings_of(mapping, masters))
            uow.mapping_sets.change(offered, approved, actor, now, transaction_id)
            _retire_others(uow, approved, actor, now, transaction_id)
            revision = stored.entity.revision + 1
            active = replace(approved.to(MappingState.ACTIVE), active_revision=revision)
            uow.mapping_sets.change(approved, active, actor, now, transaction_id)
            uow.masters.bind(company, references_of(mapping, uow.masters.named(company, mapping)))
            entity = replace(stored.entity, time_zone=mapping.company.time_zone, revision=revision)
            uow.masters.put(entity, stored.read_at)
            uow.requests.answer(request, active)
            uow.commit()
        return active


def _retire_others(uow: MasterdataUow, approved: MappingSet, actor: str, now: datetime, transaction_id: str) -> None:
    before = uow.mapping_sets.active(approved.company)
    overtaken = uow.mapping_sets.proposed_before(approved.company, approved.number)
    for retired in [*([before] if before else []), *overtaken]:
        uow.mapping_sets.change(retired, retired.to(MappingState.RETIRED), actor, now, transaction_id)


def _findings(uow: MasterdataUow, masters: CompanyMasters, mapping: CompanyMapping) -> tuple[MappingFinding, ...]:
    named = uow.masters.named(masters.entity.company, mapping)
    return findings_of(mapping, masters, named)
