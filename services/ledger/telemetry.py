"""The ledger's part of the walk as spans and figures. It observes; it never changes a result."""

from __future__ import annotations

from datetime import UTC, datetime

from libs.events import Clock, Event, split_name
from libs.telemetry import names
from libs.telemetry.metrics import Metrics, Scope
from libs.telemetry.trace import Tracer

from .domain.committed import Committed
from .domain.event import BuildState
from .domain.posting import Posting
from .domain.states import PostingState


class LedgerTelemetry:
    """Told what was committed: a business span in the transaction's own trace for each step, and the figures."""

    def __init__(self, tracer: Tracer, metrics: Metrics, clock: Clock) -> None:
        self._tracer = tracer
        self._metrics = metrics
        self._clock = clock

    def committed(self, committed: Committed) -> None:
        """Tell of every step that one transaction committed."""
        for recorded, named in committed.recorded:
            no_effect = recorded.state is BuildState.NO_EFFECT
            self.recorded(recorded.event, recorded.traceparent, no_effect=no_effect, begins=not named)
        for event in committed.repeated:
            self.repeated(event)
        for event, reason in committed.postponed:
            self.put_back(event.company, event.name, reason)
        for posting in {change.after.event: change.after for change in committed.changed if change.is_new}.values():
            self._built(posting)
        for change in committed.changed:
            if change.steps and not change.is_new:
                self._moved(change.before.state, change.after)
        for change in committed.changed:
            if change.doubt is not None:
                self._doubted(change.after, change.doubt.reason)

    def recorded(self, event: Event, traceparent: str, *, no_effect: bool, begins: bool) -> None:
        """`begins`: nobody named a transaction id before, so the trace begins here."""
        scope = scope_of(event.company, event.name)
        self._metrics.received(scope)
        if no_effect:
            self._metrics.no_effect(scope)
        if not self._tracer.records:
            return
        attributes = _attributes(scope, {names.EVENT: event.name})
        if begins:
            self._tracer.transaction("ledger.record", event.transaction_id, attributes, links=[traceparent]).end()
        else:
            self._tracer.record("ledger.record", event.transaction_id, traceparent, attributes, [])

    def repeated(self, event: Event) -> None:
        self._metrics.duplicate(scope_of(event.company, event.name))

    def put_back(self, company: str, event: str, reason: str) -> None:
        """A technical failure; it is tried again."""
        self._metrics.retry(scope_of(company, event), reason)

    def _built(self, posting: Posting) -> None:
        """Or no document could be built: then its reason says why."""
        failed = posting.reason if posting.state is PostingState.EXCEPTION else ""
        if failed:
            self._metrics.mapping_failure(scope_of(posting.company, posting.event), failed)
        self._step("ledger.build", posting, {names.EVENT: posting.event}, failed)

    def _moved(self, before: PostingState, after: Posting) -> None:
        if after.state is PostingState.POSTED:
            seconds = (self._clock() - began_at(after.transaction_id)).total_seconds()
            self._metrics.posted(scope_of(after.company, after.event), seconds)
            self._step("ledger.post", after, {names.POSTING: after.name})
        elif before is PostingState.POSTING and after.state is not PostingState.EXCEPTION:
            self.put_back(after.company, after.event, after.reason)

    def _doubted(self, posting: Posting, reason: str) -> None:
        """An exception case was opened."""
        self._metrics.exception(scope_of(posting.company, posting.event), reason)
        self._step("ledger.exception", posting, {names.POSTING: posting.name}, reason)

    def _step(self, name: str, posting: Posting, attributes: dict[str, str], failed: str = "") -> None:
        if self._tracer.records:
            scope = scope_of(posting.company, posting.event)
            transaction_id, described = posting.transaction_id, _attributes(scope, attributes)
            self._tracer.record(name, transaction_id, None, described, [], failed=failed or None)


def scope_of(company: str, event: str) -> Scope:
    """Whose figure it is, by the event's name."""
    provider, account, _ = split_name(event)
    return Scope(company, provider, f"{provider}/{account}")


def began_at(transaction_id: str) -> datetime:
    """When the transaction's first message was received: the time in its UUIDv7."""
    return datetime.fromtimestamp(int(transaction_id[:12], 16) / 1000, UTC)


def _attributes(scope: Scope, more: dict[str, str]) -> dict[str, str | bool | int]:
    return {names.COMPANY: scope.company, names.INTERFACE: scope.interface, **more}
