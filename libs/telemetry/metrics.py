"""The figures that operators and finance watch, by company, provider and interface. Counts and times, never amounts."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from opentelemetry.metrics import CallbackOptions, Counter, Histogram, Meter, NoOpMeter, Observation

from libs.telemetry import names
from libs.telemetry.catalogue import FIGURES

# The default boundaries (0, 5, 10 …) are useless for seconds.
CALL_BOUNDARIES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
LATENCY_BOUNDARIES = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 14400.0, 86400.0)


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose figure it is; what does not apply is left empty and not shown."""

    company: str = ""
    provider: str = ""
    interface: str = ""  # `{provider}/{account}`

    @classmethod
    def on(cls, company: str, interface: str) -> Scope:
        """An interface's, whose provider its name begins with."""
        return cls(company, interface.partition("/")[0], interface)

    def attributes(self, **more: str) -> dict[str, str]:
        """As metric attributes; names with dots are written as given in `names`."""
        all_of = {names.COMPANY: self.company, names.PROVIDER: self.provider, names.INTERFACE: self.interface}
        return {key: value for key, value in (all_of | more).items() if value}


NOBODY = Scope()


@dataclass(frozen=True, slots=True)
class QueueReading:
    """What waits in one queue: its length and, if it is not empty, the age of its oldest item."""

    queue: str
    depth: int
    oldest_age_seconds: float = 0.0
    scope: Scope = field(default=NOBODY)


@dataclass(frozen=True, slots=True)
class UnmatchedReading:
    """The number of lines that nothing explains."""

    lines: int
    scope: Scope = field(default=NOBODY)


class Metrics:
    """The instruments of one service. Without a meter provider they cost next to nothing."""

    def __init__(self, meter: Meter | None = None) -> None:
        self._meter = meter or NoOpMeter("concord")
        self._received = self._counter(names.METRIC_RECEIVED)
        self._posted = self._counter(names.METRIC_POSTED)
        self._duplicates = self._counter(names.METRIC_DUPLICATES)
        self._no_effect = self._counter(names.METRIC_NO_EFFECT)
        self._retries = self._counter(names.METRIC_RETRIES)
        self._exceptions = self._counter(names.METRIC_EXCEPTIONS)
        self._signatures = self._counter(names.METRIC_SIGNATURE_FAILURES)
        self._authentications = self._counter(names.METRIC_AUTHENTICATION_FAILURES)
        self._mappings = self._counter(names.METRIC_MAPPING_FAILURES)
        self._unresolved = self._counter(names.METRIC_UNRESOLVED)
        self._spans_lost = self._counter(names.METRIC_SPANS_LOST)
        self._worker_failures = self._counter(names.METRIC_WORKER_FAILURES)
        self._latency = self._histogram(names.METRIC_LATENCY, LATENCY_BOUNDARIES)
        self._odoo = self._histogram(names.METRIC_ODOO_LATENCY, CALL_BOUNDARIES)
        self._rpc = self._histogram(names.METRIC_RPC_LATENCY, CALL_BOUNDARIES)

    def received(self, scope: Scope, count: int = 1) -> None:
        self._received.add(count, scope.attributes())

    def posted(self, scope: Scope, latency_seconds: float | None = None) -> None:
        """One posting stands in Odoo, so long after its event was received."""
        attributes = scope.attributes()
        self._posted.add(1, attributes)
        if latency_seconds is not None:
            self._latency.record(max(0.0, latency_seconds), attributes)

    def duplicate(self, scope: Scope, count: int = 1) -> None:
        self._duplicates.add(count, scope.attributes())

    def no_effect(self, scope: Scope, count: int = 1) -> None:
        self._no_effect.add(count, scope.attributes())

    def retry(self, scope: Scope, reason: str, count: int = 1) -> None:
        self._retries.add(count, scope.attributes(**{names.REASON: reason}))

    def exception(self, scope: Scope, reason: str, count: int = 1) -> None:
        self._exceptions.add(count, scope.attributes(**{names.REASON: reason}))

    def signature_failure(self, scope: Scope, reason: str) -> None:
        self._signatures.add(1, scope.attributes(**{names.REASON: reason}))

    def authentication_failure(self, interface: str, reason: str) -> None:
        """A call without a valid identity: `interface` is the gRPC method or HTTP route."""
        self._authentications.add(1, {names.INTERFACE: interface, names.REASON: reason})

    def mapping_failure(self, scope: Scope, reason: str, count: int = 1) -> None:
        self._mappings.add(count, scope.attributes(**{names.REASON: reason}))

    def unresolved(self, company: str, reason: str, count: int = 1) -> None:
        """References asked in vain; whether one was needed (a guest's party is not) the asker alone knows."""
        self._unresolved.add(count, Scope(company).attributes(**{names.REASON: reason}))

    def worker_failure(self, worker: str, reason: str) -> None:
        self._worker_failures.add(1, {names.WORKER: worker, names.REASON: reason})

    def spans_lost(self, count: int) -> None:
        self._spans_lost.add(count)

    def odoo_call(self, seconds: float, model: str, method: str, outcome: str, company: str = "") -> None:
        """`company`: whose books the call is for, where it is for one company's."""
        call = {names.ODOO_MODEL: model, names.ODOO_METHOD: method, names.ODOO_OUTCOME: outcome}
        self._odoo.record(seconds, Scope(company).attributes(**call))

    def rpc_served(self, seconds: float, service: str, method: str, status: str) -> None:
        self._rpc.record(seconds, {names.RPC_SERVICE: service, names.RPC_METHOD: method, names.RPC_STATUS: status})

    def watch_queues(self, read: Callable[[], Iterable[QueueReading]]) -> None:
        """Show depth and age of queues; `read` is called once for each scrape or export, so it must be cheap."""
        taken: deque[list[QueueReading]] = deque(maxlen=1)  # for the depths, and not yet for the ages

        def depths(options: CallbackOptions) -> Iterable[Observation]:
            taken.clear()
            taken.append(readings := list(read()))
            return [
                Observation(reading.depth, reading.scope.attributes(**{names.QUEUE: reading.queue}))
                for reading in readings
            ]

        def ages(options: CallbackOptions) -> Iterable[Observation]:
            try:
                readings = taken.pop()
            except IndexError:  # the depths could not be read, or another export was faster
                readings = list(read())
            return [
                Observation(reading.oldest_age_seconds, reading.scope.attributes(**{names.QUEUE: reading.queue}))
                for reading in readings
            ]

        self._gauge(names.METRIC_QUEUE_DEPTH, depths)
        self._gauge(names.METRIC_QUEUE_AGE, ages)

    def watch_unmatched(self, read: Callable[[], Iterable[UnmatchedReading]]) -> None:
        """Show the number of lines that nothing explains; `read` as in `watch_queues`."""

        def lines(options: CallbackOptions) -> Iterable[Observation]:
            return [Observation(reading.lines, reading.scope.attributes()) for reading in read()]

        self._gauge(names.METRIC_UNMATCHED, lines)

    def _counter(self, name: str) -> Counter:
        figure = FIGURES[name]
        return self._meter.create_counter(name, figure.unit, figure.description)

    def _histogram(self, name: str, boundaries: Sequence[float]) -> Histogram:
        figure = FIGURES[name]
        return self._meter.create_histogram(
            name, figure.unit, figure.description, explicit_bucket_boundaries_advisory=boundaries
        )

    def _gauge(self, name: str, read: Callable[[CallbackOptions], Iterable[Observation]]) -> None:
        figure = FIGURES[name]
        self._meter.create_observable_gauge(name, [read], figure.unit, figure.description)
