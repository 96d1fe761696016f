"""What the use cases need of the world. `storage` and `adapters` fulfil it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self, TypeVar

from ..domain.books import Books, Named, Wanted
from ..domain.mapping import CompanyMapping
from ..domain.mapping_set import MappingSet
from ..domain.records import ExternalReference, LegalEntity, Party, Product, Reading, Record
from ..domain.sync import SyncRun

ReadMapping = Callable[[str], CompanyMapping]  # raises `MappingInvalid`
After = Sequence[str | int]  # the last row's place
R = TypeVar("R", bound=Record)


class Source(Protocol):
    """Where masters come from: Odoo."""

    def read(self, company: str, odoo_company: int) -> Reading:
        """All masters of the company; 0 stands for the only company that the user sees.

        Raises `CompanyAmbiguous`, `CompanyUnknown` or the port's own errors.
        """
        ...


@dataclass(frozen=True, slots=True)
class Stored:
    """A company as it is stored, and when the reading that it stems from began."""

    entity: LegalEntity
    read_at: datetime


class MasterStore(Protocol):
    def revision(self, company: str) -> int:
        """0 where nothing is known of the company."""
        ...

    def find(self, company: str, *, lock: bool = False) -> Stored | None:
        """`lock`: nobody else changes the company until the transaction ends."""
        ...

    def of_odoo(self, odoo_id: int) -> LegalEntity | None: ...

    def put(self, entity: LegalEntity, read_at: datetime) -> None:
        """Insert or overwrite the company's own row."""
        ...

    def replace(self, company: str, reading: Reading) -> int:
        """Make the stored masters those of the reading; how many records changed. What is gone becomes inactive."""
        ...

    def books(self, entity: LegalEntity) -> Books: ...

    def named(self, company: str, wanted: Wanted) -> Named: ...

    def page(self, kind: type[R], company: str, size: int, after: After | None) -> list[R]:
        """Active records in the order of their list, at most `size`."""
        ...

    def companies(self, size: int, after: After | None) -> list[LegalEntity]: ...

    def bind(self, company: str, references: Sequence[ExternalReference]) -> None:
        """Make these the company's external references."""
        ...

    def known_as(self, company: str, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Party]:
        """Parties by issuer and value."""
        ...

    def references_of(self, company: str, parties: Sequence[int]) -> dict[int, list[ExternalReference]]: ...

    def products(self, company: str, keys: Sequence[tuple[str, int]]) -> dict[tuple[str, int], tuple[Product, ...]]:
        """Active products by (sku, 0) or ("", id)."""
        ...


class MappingSetStore(Protocol):
    def add(self, offered: MappingSet) -> None: ...

    def next_number(self, company: str) -> int: ...

    def get(self, company: str, number: int) -> MappingSet:
        """Raises `MappingSetUnknown`."""
        ...

    def active(self, company: str) -> MappingSet | None: ...

    def proposed_before(self, company: str, number: int) -> list[MappingSet]:
        """Offers older than this one."""
        ...

    def page(self, company: str, size: int, after: After | None) -> list[MappingSet]: ...

    def change(self, before: MappingSet, after: MappingSet, actor: str, now: datetime, transaction_id: str) -> None:
        """Store the new state with its audit entry."""
        ...


class SyncRunStore(Protocol):
    def add(self, run: SyncRun, actor: str, transaction_id: str) -> None:
        """Store the run with its audit entry."""
        ...

    def last(self, company: str) -> SyncRun | None: ...


@dataclass(frozen=True, slots=True)
class Answered:
    """The first answer to a request, as JSON text."""

    fingerprint: str
    answer: str


class RequestStore(Protocol):
    def find(self, request_id: str) -> Answered | None: ...

    def add(self, request_id: str, answered: Answered, now: datetime) -> None:
        """Raises `StorageConflict` if another call with this id was faster."""
        ...


class MasterdataUow(Protocol):
    """One transaction."""

    @property
    def masters(self) -> MasterStore: ...
    @property
    def mapping_sets(self) -> MappingSetStore: ...
    @property
    def sync_runs(self) -> SyncRunStore: ...
    @property
    def requests(self) -> RequestStore: ...

    def commit(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


class NewUow(Protocol):
    """Makes a transaction; `read_only` ones see one moment and block nobody."""

    def __call__(self, *, read_only: bool = False) -> MasterdataUow: ...


__all__ = [
    "After",
    "Answered",
    "MappingSetStore",
    "MasterStore",
    "MasterdataUow",
    "NewUow",
    "ReadMapping",
    "RequestStore",
    "Source",
    "Stored",
    "SyncRunStore",
]
