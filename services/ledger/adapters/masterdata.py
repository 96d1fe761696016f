"""Masterdata over gRPC, with a cache that is valid for one revision."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any, Protocol

from concord.masterdata.v1 import masterdata_pb2, records_pb2, resolve_pb2

from libs.errors import ConcordError, Kind
from libs.events import Clock

from ..domain import master
from ..domain.master import Masters, Ref, Target
from ..domain.role import Role

REFERENCES_AT_MOST = 1000  # of one call
ATTEMPTS = 4  # to get all answers of one revision
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
        for _ in range(ATTEMPTS):
            whole = self._completed(company, known, wanted)
            if whole is not None:
                targets = {ref: whole.targets[ref] for ref in wanted}
                return Masters(targets, whole.revision, whole.mapping_set, whole.proposed_by)
            known = None  # the revision changed under our hands: ask for everything
        raise RevisionUnsteady(f"masterdata's revision changed {ATTEMPTS} times while it was asked")

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

    def _completed(self, company: str, known: _Company | None, refs: Sequence[Ref]) -> _Company | None:
        """What is known, with the answers to these questions; None if some are of another revision."""
        now = self._clock()
        for part in _parts([ref for ref in refs if known is None or ref not in known.targets], empty=known is None):
            answer = self._call(company, part)
            if known is None:
                known = _Company(answer.revision, answer.mapping_set, self._proposer(answer.mapping_set), now)
            elif answer.revision != known.revision:
                return None
            known.targets.update(zip(part, map(_target, answer.resolutions), strict=True))
        with self._guard:
            if known is not None:
                self._companies[company] = known
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


def _parts(refs: Sequence[Ref], *, empty: bool) -> list[Sequence[Ref]]:
    """A call each; one of no question at all where `empty` wants the revision alone."""
    starts = range(0, len(refs), REFERENCES_AT_MOST)
    return [refs[start : start + REFERENCES_AT_MOST] for start in starts] or [()] * empty


def _question(ref: Ref) -> resolve_pb2.MasterReference:
    kind, message = _QUESTIONS[type(ref)]
    words = {_NAMES.get(field.name, field.name): str(getattr(ref, field.name)) for field in fields(ref)}
    return resolve_pb2.MasterReference(**{kind: message(**words)})


def _target(answer: resolve_pb2.Resolution) -> Target:
    which = answer.WhichOneof("target")
    if which is None:
        return master.Unresolved("MAPPING_MISSING", "masterdata knows no target")
    found = getattr(answer, which)
    if which in _SAME:
        kind = _SAME[which]
        return kind(**{field.name: getattr(found, _NAMES.get(field.name, field.name)) for field in fields(kind)})
    return _DECODERS[which](found)


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


_DECODERS: Mapping[str, Callable[[Any], Target]] = {"journal": _journal, "company": _company, "fee": _fee}
# Answers whose fields are the message's, and questions likewise; but for some names.
_SAME: Mapping[str, type[Target]] = {
    "account": master.PostingAccount,
    "tax_code": master.Tax,
    "party": master.PostingParty,
    "product": master.PostingProduct,
    "rate": master.Rate,
    "failure": master.Unresolved,
}
_QUESTIONS: Mapping[type[Ref], tuple[str, Callable[..., Any]]] = {
    master.AccountRole: ("account", resolve_pb2.RoleReference),
    master.JournalRole: ("journal", resolve_pb2.RoleReference),
    master.TaxWord: ("tax", resolve_pb2.TaxReference),
    master.PartyWord: ("party", resolve_pb2.PartyReference),
    master.ProductWord: ("product", resolve_pb2.ProductReference),
    master.BankNumber: ("bank_account", resolve_pb2.BankAccountReference),
    master.RateOn: ("rate", resolve_pb2.RateReference),
    master.FeeWord: ("fee", resolve_pb2.FeeReference),
    master.CompanyWord: ("company", resolve_pb2.CompanyReference),
}
_NAMES = {"currency": "currency_code", "day": "date"}
