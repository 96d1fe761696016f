"""The ledger, by its stub."""

from __future__ import annotations

from collections.abc import Sequence

import grpc
from concord.ledger.v1 import ledger_pb2, ledger_pb2_grpc

from libs.events import Event
from libs.rpc.wire import from_event

from . import REASON_CHARACTERS, NotRecorded, Recorded

# Reasons of a single event's failure that time heals.
_TECHNICAL = frozenset({"STORAGE_CONFLICT", "STORAGE_UNAVAILABLE", "STORAGE_FULL", "WRITER_FULL", "WRITER_CLOSED"})


class EventLedgerClient:
    """`EventLedger` over gRPC; a call raises `RemoteError`."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._stub = ledger_pb2_grpc.LedgerServiceStub(channel)

    def record(self, events: Sequence[Event]) -> list[Recorded | NotRecorded]:
        request = ledger_pb2.BatchRecordEventsRequest(events=[from_event(event) for event in events])
        return [_answer(result) for result in self._stub.BatchRecordEvents(request).results]


def _answer(result: ledger_pb2.RecordResult) -> Recorded | NotRecorded:
    if result.HasField("recorded"):
        return Recorded(result.recorded.event.transaction_id, result.recorded.duplicate)
    reason = result.failure.reason or "REFUSED"
    return NotRecorded(reason[:REASON_CHARACTERS], reason in _TECHNICAL)
