"""What every worker is handed, whatever it works on."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Protocol, Self

from libs.events import Clock, IdSource

Attributes = Mapping[str, str | bool | int]


class TraceStep(Protocol):
    """A step that is being traced, or not."""

    @property
    def traceparent(self) -> str:
        """What to store with the row, so that later steps go on from here."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


class Tracing(Protocol):
    """Spans of business steps. `libs.telemetry.trace.Tracer` fulfils it, with or without a backend."""

    @property
    def records(self) -> bool:
        """Whether spans are recorded at all."""

    def transaction(
        self, name: str, transaction_id: str, attributes: Attributes | None = None, *, links: Sequence[str] = ()
    ) -> TraceStep:
        """The root of a transaction's trace."""

    def step(
        self,
        name: str,
        transaction_id: str,
        traceparent: str | None = None,
        attributes: Attributes | None = None,
        *,
        links: Sequence[str] = (),
    ) -> TraceStep:
        """A business step in a transaction's own trace."""

    def join(
        self,
        name: str,
        matched: Iterable[tuple[str, str | None]],
        statement_traceparent: str | None,
        attributes: Attributes | None = None,
    ) -> None:
        """A span in each matched transaction's own trace, linked to the statement's."""


class WorkObserver(Protocol):
    """Who counts what workers meet. Interfaces are `{provider}/{account}`; empty where several are concerned."""

    def retried(self, company: str, interface: str, reason: str) -> None:
        """A technical failure that will be tried again."""

    def set_aside(self, company: str, interface: str, reason: str) -> None:
        """Something that a person must look at."""


class Unobserved:
    """A `WorkObserver` where nobody counts."""

    def retried(self, company: str, interface: str, reason: str) -> None: ...

    def set_aside(self, company: str, interface: str, reason: str) -> None: ...


NOBODY = Unobserved()


@dataclass(frozen=True, slots=True)
class WorkContext:
    """The same for all workers of a process, real or simulated."""

    clock: Clock
    ids: IdSource
    rng: random.Random
    tracing: Tracing
    owner: str  # names this process among all that share the database; holds the leases
    observer: WorkObserver = NOBODY


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write to one row until `until`; storage alone looks inside."""

    id: Any  # the row's primary key
    fence: int
    owner: str
    until: datetime
