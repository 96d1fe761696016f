"""Answer a batch of questions from one consistent moment, in a handful of queries."""

from __future__ import annotations

from collections.abc import Sequence

from ..domain.mapping import CompanyMapping
from ..domain.mapping_set import MappingSet
from ..domain.records import Product
from ..domain.references import Answers, Failure, PartyAnswer, PartyQuestion, ProductQuestion, Question
from ..domain.resolution import Snapshot
from ..storage.uow import MasterdataUow, NewUow
from .ports import ReadMapping

UNKNOWN = Failure("COMPANY_UNKNOWN", "nothing was ever synced for this company")


class Resolver:
    """Keeps a snapshot of each company's books in the process, for as long as its revision holds.

    A batch costs the revision, and a query each for the parties and products that it asks for. Safe to share between
    threads: a snapshot never changes, and a late one is only made twice.
    """

    def __init__(self, new_uow: NewUow, read_mapping: ReadMapping) -> None:
        self._new_uow = new_uow
        self._read_mapping = read_mapping
        self._snapshots: dict[str, tuple[int, Snapshot]] = {}
        self._mappings: dict[str, tuple[str, CompanyMapping]] = {}  # by company: the active set's name, and its rows

    def resolve(self, company: str, questions: Sequence[Question]) -> Answers:
        """One answer a question, in order; a question without an answer gets a `Failure`."""
        with self._new_uow(read_only=True) as uow:
            revision = uow.masters.revision(company)
            if not revision:
                return Answers(company, (UNKNOWN,) * len(questions), 0, "")
            snapshot = self._snapshot(uow, company, revision)
            parties = _parties(uow, company, snapshot, questions)
            products = _products(uow, company, snapshot, questions)
        answers = tuple(snapshot.answer(question, parties, products) for question in questions)
        return Answers(company, answers, revision, snapshot.mapping_set)

    def revision(self, company: str) -> int:
        """The company's revision; 0 where nothing was ever synced."""
        with self._new_uow(read_only=True) as uow:
            return uow.masters.revision(company)

    def _snapshot(self, uow: MasterdataUow, company: str, revision: int) -> Snapshot:
        kept = self._snapshots.get(company)
        if kept is not None and kept[0] == revision:
            return kept[1]
        active = uow.mapping_sets.active(company)
        snapshot = Snapshot(
            uow.masters.of_company(uow.masters.get(company).entity),
            self._mapping(active) if active else None,
            active.name if active else "",
            active.meant if active else (),
        )
        self._snapshots[company] = (revision, snapshot)
        return snapshot

    def _mapping(self, active: MappingSet) -> CompanyMapping:
        """A set's file never changes, while every sync makes a new snapshot: a long one is read once."""
        kept = self._mappings.get(active.company)
        if kept is None or kept[0] != active.name:
            kept = self._mappings[active.company] = (active.name, self._read_mapping(active.yaml))
        return kept[1]


def _parties(
    uow: MasterdataUow, company: str, snapshot: Snapshot, questions: Sequence[Question]
) -> dict[tuple[str, str], PartyAnswer]:
    keys = {snapshot.party_key(question) for question in questions if isinstance(question, PartyQuestion)}
    found = uow.masters.known_as(company, sorted(keys)) if keys else {}
    # One that is archived or merged away must not get new lines.
    return {key: PartyAnswer(party) for key, party in found.items() if party.active}


def _products(
    uow: MasterdataUow, company: str, snapshot: Snapshot, questions: Sequence[Question]
) -> dict[tuple[str, int], tuple[Product, ...]]:
    keys = {snapshot.product_key(question) for question in questions if isinstance(question, ProductQuestion)}
    return uow.masters.products(company, sorted(keys)) if keys else {}
