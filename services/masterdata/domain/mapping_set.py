"""A mapping set: one revision of a company's reviewed mapping file, and the states it passes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from libs.errors.people import is_same_person
from libs.errors.review import ApproverIsMaker, ContentChanged, TransitionForbidden


class MappingState(StrEnum):
    DRAFT = "draft"
    PROPOSED = "proposed"
    APPROVED = "approved"
    ACTIVE = "active"
    RETIRED = "retired"


TRANSITIONS: Mapping[MappingState, frozenset[MappingState]] = MappingProxyType(
    {
        MappingState.DRAFT: frozenset({MappingState.PROPOSED}),
        # An offer that a later revision overtook is retired unused.
        MappingState.PROPOSED: frozenset({MappingState.APPROVED, MappingState.RETIRED}),
        MappingState.APPROVED: frozenset({MappingState.ACTIVE}),
        MappingState.ACTIVE: frozenset({MappingState.RETIRED}),
        MappingState.RETIRED: frozenset(),
    }
)


class Severity(StrEnum):
    ERROR = "error"  # such a set can't be approved
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class MappingFinding:
    """Where a mapping contradicts the masters, or lacks what the books demand. `line` is of its YAML."""

    severity: Severity
    reason: str  # stable, UPPER_SNAKE_CASE
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.severity.value} {self.reason}, line {self.line}: {self.message}"


@dataclass(frozen=True, slots=True)
class MappingSet:
    company: str
    number: int  # from 1, in the order of proposals
    state: MappingState
    yaml: str
    content_digest: str
    proposed_by: str
    proposed_at: datetime
    findings: tuple[MappingFinding, ...] = ()
    approved_by: str = ""
    approved_at: datetime | None = None
    # What its codes and names stood for when it was approved, such as ("account 124100", 17): Odoo's ids.
    meant: tuple[tuple[str, int], ...] = ()
    active_revision: int = 0  # the company's revision from which it was active; 0: it never was

    @property
    def name(self) -> str:
        return mapping_set_name(self.company, self.number)

    def to(self, state: MappingState) -> MappingSet:
        """Raises `TransitionForbidden`."""
        if state not in TRANSITIONS[self.state]:
            raise TransitionForbidden(f"a mapping set that is {self.state.value} can't become {state.value}")
        return replace(self, state=state)

    def approved(self, content_digest: str, actor: str, now: datetime) -> MappingSet:
        """Raises `ContentChanged`, `ApproverIsMaker` or `TransitionForbidden`."""
        if content_digest != self.content_digest or digest_of(self.yaml) != self.content_digest:
            raise ContentChanged("the approval names another content than the mapping set has", field="content_digest")
        if is_same_person(actor, self.proposed_by):
            raise ApproverIsMaker("whoever proposed a mapping set can't approve it")
        return replace(self.to(MappingState.APPROVED), approved_by=actor, approved_at=now)


def digest_of(yaml: str) -> str:
    """What an approver signs: SHA-256 of the text in UTF-8, lower-case hexadecimal."""
    return hashlib.sha256(yaml.encode()).hexdigest()


def mapping_set_name(company: str, number: int) -> str:
    return f"companies/{company}/mappingSets/{number}"
