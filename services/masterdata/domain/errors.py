"""Masterdata's errors.

ConcordError (those of a review stand in `libs.errors.review`)
├── CompanyUnknown        nothing was ever synced for this company
├── CompanyTaken          the Odoo company is kept under another name
├── CompanyAmbiguous      the Odoo user sees several companies, and none is configured
├── MappingInvalid        the mapping file breaks its schema; says where
├── MappingHasErrors      the mapping contradicts the masters; says why
└── MappingSetUnknown
"""

from __future__ import annotations

from collections.abc import Sequence

from libs.errors import ConcordError, Kind

SHOWN = 10


class CompanyUnknown(ConcordError):
    """Nothing was ever synced for this company."""

    kind = Kind.MISSING
    reason = "COMPANY_UNKNOWN"


class CompanyTaken(ConcordError):
    """The Odoo company is kept under another name already, or this name stands for another one."""

    kind = Kind.CONFLICT
    reason = "COMPANY_TAKEN"


class CompanyAmbiguous(ConcordError):
    """Which of Odoo's companies is meant must be configured."""

    kind = Kind.PRECONDITION
    reason = "COMPANY_AMBIGUOUS"


class MappingInvalid(ConcordError):
    """The file breaks its schema. `problems` says where, one line each; they quote keys and codes, never names."""

    kind = Kind.INVALID
    reason = "MAPPING_INVALID"

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(_listed(problems), field="yaml", metadata=_numbered(problems))
        self.problems = tuple(problems)


class MappingHasErrors(ConcordError):
    """The mapping contradicts the masters: it can't be approved."""

    kind = Kind.PRECONDITION
    reason = "MAPPING_HAS_ERRORS"

    def __init__(self, findings: Sequence[str]) -> None:
        super().__init__(_listed(findings), metadata=_numbered(findings))
        self.findings = tuple(findings)


class MappingSetUnknown(ConcordError):
    kind = Kind.MISSING
    reason = "MAPPING_SET_UNKNOWN"


def _listed(texts: Sequence[str]) -> str:
    more = f"; and {len(texts) - SHOWN} more" if len(texts) > SHOWN else ""
    return "; ".join(texts[:SHOWN]) + more


def _numbered(texts: Sequence[str]) -> dict[str, str]:
    return {str(number): text for number, text in enumerate(texts[:SHOWN], start=1)}
