"""Masterdata over gRPC, with a cache that is valid for one revision."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from concord.masterdata.v1 import masterdata_pb2, records_pb2, resolve_pb2

from libs.errors import ConcordError, Kind
from libs.events import Clock

from ..domain import master
from ..domain.master import Masters, Ref, Target
from ..domain.role import Role

REFERENCES_AT_MOST = 1000  # of one call
_ROLES = frozenset(role.value for role in Role)
CACHED_AT_MOST = 50_000  # answers of one company


class RevisionUnsteady(ConcordError):
    """Masterdata changes while it answers; ask again later."""

    kind = Kind.RETRY
    reason = "MASTERDATA_UNSTEADY"


class Stub(Protocol):
    """What is used of `MasterdataServiceStub`; the simulation gives an object in its own process.

    The generated stub's methods are attributes that take more arguments than anybody gives here, hence `Any`.
    """

    @property
    def BatchResolve(self) -> Any: ...
    @property
    def GetRevision(self) -> Any: ...
    @property
    def GetMappingSet(self) -> Any: ...


@dataclass(slots=True)
class _Company:
    """What is known of one company."""

    revision: int
    mapping_set: str
    proposed_by: str
    checked_at: datetime
    targets: dict[Ref, Target] = field(default_factory=dict)


class MasterdataClient:
    """`ports.Masterdata`. Answers of one call are always of one revision.

    The revision is asked again once the last look is older than `fresh_seconds`; another one empties the cache.
    """

    def __init__(self, stub: Stub, clock: Clock, *, fresh_seconds: float = 2.0, timeout_seconds: float = 10.0) -> None:
        self._stub = stub
        self._clock = clock
        self._fresh = timedelta(seconds=fresh_seconds)
        self._timeout_seconds = timeout_seconds
        self._companies: dict[str, _Company] = {}
        self._proposers: dict[str, str] = {}
        self._guard = threading.Lock()

    def resolve(self, company: str, refs: Sequence[Ref]) -> Masters:
        """See `ports.Masterdata`."""
        wanted = list(dict.fromkeys(refs))
        known = self._current(company, wanted)
        if known is not None:
            missing = [ref for ref in wanted if ref not in known.targets]
            if missing and self._ask(company, known, missing) is None:
                known = None  # the revision changed under our hands: ask for everything
        if known is None:
            known = self._afresh(company, wanted)
        targets = {ref: known.targets[ref] for ref in wanted}
        return Masters(targets, known.revision, known.mapping_set, known.proposed_by)

    def _current(self, company: str, refs: Sequence[Ref]) -> _Company | None:
        """The cache, if its revision is still the company's. A "not known" is never taken from it unasked: it would
        make an exception of what a person has just mended."""
        with self._guard:
            known = self._companies.get(company)
        if known is None or len(known.targets) > CACHED_AT_MOST:
            return None
        now = self._clock()
        doubtful = any(isinstance(known.targets.get(ref), master.Unresolved) for ref in refs)
        if now - known.checked_at < self._fresh and not doubtful:
            return known
        request = masterdata_pb2.GetRevisionRequest(name=f"companies/{company}")
        revision = self._stub.GetRevision(request, timeout=self._timeout_seconds).revision
        if revision != known.revision:
            return None
        known.checked_at = now
        return known

    def _afresh(self, company: str, refs: Sequence[Ref]) -> _Company:
        """Everything anew; once more if the revision changes between two calls."""
        now = self._clock()
        for _ in range(3):
            parts = _parts(refs)
            answer = self._call(company, parts[0])
            known = _Company(answer.revision, answer.mapping_set, self._proposer(answer.mapping_set), now)
            _keep(known, parts[0], answer)
            if all(self._ask(company, known, part) is not None for part in parts[1:]):
                with self._guard:
                    self._companies[company] = known
                return known
        raise RevisionUnsteady("masterdata's revision changed three times while it was asked")

    def _ask(self, company: str, known: _Company, refs: Sequence[Ref]) -> _Company | None:
        """Add the answers; None if they are of another revision."""
        for part in _parts(refs):
            answer = self._call(company, part)
            if answer.revision != known.revision:
                return None
            _keep(known, part, answer)
        return known

    def _proposer(self, mapping_set: str) -> str:
        """Who made a mapping set, which never changes; empty while there is none."""
        if mapping_set and mapping_set not in self._proposers:
            request = masterdata_pb2.GetMappingSetRequest(name=mapping_set)
            answer = self._stub.GetMappingSet(request, timeout=self._timeout_seconds)
            self._proposers[mapping_set] = answer.proposed_by
        return self._proposers.get(mapping_set, "")

    def _call(self, company: str, refs: Sequence[Ref]) -> resolve_pb2.BatchResolveResponse:
        request = resolve_pb2.BatchResolveRequest(
            parent=f"companies/{company}", references=[_question(ref) for ref in refs]
        )
        answer: resolve_pb2.BatchResolveResponse = self._stub.BatchResolve(request, timeout=self._timeout_seconds)
        if len(answer.resolutions) != len(refs):
            raise RevisionUnsteady("masterdata did not answer every question")
        return answer


def _keep(known: _Company, refs: Sequence[Ref], answer: resolve_pb2.BatchResolveResponse) -> None:
    known.targets.update(zip(refs, map(_target, answer.resolutions), strict=True))


def _parts(refs: Sequence[Ref]) -> list[Sequence[Ref]]:
    starts = range(0, len(refs), REFERENCES_AT_MOST)
    return [refs[start : start + REFERENCES_AT_MOST] for start in starts] or [()]


def _question(ref: Ref) -> resolve_pb2.MasterReference:
    ask = resolve_pb2.MasterReference
    match ref:
        case master.AccountRole():
            return ask(account=_role(ref))
        case master.JournalRole():
            return ask(journal=_role(ref))
        case master.TaxWord():
            tax = resolve_pb2.TaxReference(provider=ref.provider, account=ref.account, title=ref.title, rate=ref.rate)
            return ask(tax=tax)
        case master.PartyWord():
            return ask(party=resolve_pb2.PartyReference(issuer=ref.issuer, external_id=ref.external_id))
        case master.ProductWord():
            return ask(product=resolve_pb2.ProductReference(sku=ref.sku))
        case master.BankNumber():
            return ask(bank_account=resolve_pb2.BankAccountReference(number=ref.number))
        case master.RateOn():
            return ask(rate=resolve_pb2.RateReference(currency_code=ref.currency, date=ref.day.isoformat()))
        case master.FeeWord():
            return ask(fee=resolve_pb2.FeeReference(provider=ref.provider, account=ref.account, kind=ref.kind))
        case master.CompanyWord():
            return ask(company=resolve_pb2.CompanyReference())


def _role(ref: master.AccountRole | master.JournalRole) -> resolve_pb2.RoleReference:
    return resolve_pb2.RoleReference(
        role=ref.role, provider=ref.provider, account=ref.account, currency_code=ref.currency
    )


def _target(answer: resolve_pb2.Resolution) -> Target:
    which = answer.WhichOneof("target")
    if which is None:
        return master.Unresolved("MAPPING_MISSING", "masterdata knows no target")
    return _DECODERS[which](getattr(answer, which))


def _journal(journal: records_pb2.Journal) -> Target:
    return master.PostingJournal(
        journal.odoo_id,
        journal.code,
        journal.type,
        _account(journal.default_account_odoo_id, journal.default_account),
        _account(journal.suspense_account_odoo_id, journal.suspense_account),
        journal.currency_code,
    )


def _account(odoo_id: int, code: str) -> master.PostingAccount | None:
    return master.PostingAccount(odoo_id, code) if odoo_id else None


def _company(profile: resolve_pb2.CompanyProfile) -> Target:
    return master.Company(
        odoo_id=profile.legal_entity.odoo_id,
        currency=profile.legal_entity.currency_code,
        time_zone=profile.legal_entity.time_zone,
        approval_above=profile.approval_above_minor_units,
        late_event_policy=profile.late_event_policy,
        predecessor_deadline_seconds=profile.predecessor_deadline_seconds,
    )


def _fee(target: resolve_pb2.FeeTarget) -> Target:
    if target.role not in _ROLES:
        return master.Unresolved("MAPPING_MISSING", f"{target.role} is no role of the posting rules")
    return master.Fee(Role(target.role))


_DECODERS: Mapping[str, Callable[[Any], Target]] = {
    "account": lambda found: master.PostingAccount(found.odoo_id, found.code, found.currency_code, found.reconcilable),
    "journal": _journal,
    "tax_code": lambda found: master.Tax(found.odoo_id, found.rate),
    "party": lambda found: master.PostingParty(found.name, found.odoo_id, found.commercial_odoo_id),
    "product": lambda found: master.PostingProduct(found.odoo_id),
    "company": _company,
    "rate": lambda found: master.Rate(found.rate),
    "fee": _fee,
    "failure": lambda found: master.Unresolved(found.reason, found.message),
}
