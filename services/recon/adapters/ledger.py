"""The ledger, by its stub."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import grpc
from concord.ledger.v1 import ledger_pb2, match_pb2, posting_pb2

from libs.events import Event
from libs.handover.client import EventLedgerClient
from libs.rpc.filling import filled
from libs.rpc.scalars import to_money, to_time
from libs.rpc.wire import to_event

from ..domain.learning import LedgerPosting, RoleAmount
from ..domain.match import Match
from ..handlers.ports import AppliedState, LedgerAnswer, LedgerChange
from .stream import STREAM_SECONDS, ChangeStream

_STATES = {
    match_pb2.AppliedMatch.STATE_WRITTEN: AppliedState.WRITTEN,
    match_pb2.AppliedMatch.STATE_EXCEPTION: AppliedState.EXCEPTION,
}


class LedgerClient(EventLedgerClient):
    """A call raises `RemoteError`. Changes are read from one open stream a company, kept by `ChangeStream`."""

    def __init__(self, channel: grpc.Channel, on_change: Callable[[], object] = lambda: None) -> None:
        super().__init__(channel)
        self._on_change = on_change
        self._streams: dict[str, ChangeStream] = {}

    def read_changes(self, company: str, token: str, limit: int) -> list[LedgerChange]:
        stream = self._streams.get(company)
        if stream is None:
            stream = self._streams[company] = ChangeStream(functools.partial(self.watch, company), self._on_change)
        return [to_change(response) for response in stream.take(token, limit)]

    def watch(self, company: str, token: str) -> Any:
        """The open call: its responses, and `cancel`."""
        request = ledger_pb2.WatchPostingsRequest(parent=f"companies/{company}", resume_token=token)
        return self._stub.WatchPostings(request, timeout=STREAM_SECONDS)

    def apply_match(self, match: Match) -> LedgerAnswer:
        message = filled(
            match_pb2.Match,
            match,
            anchor=_posting_name(match.company, match.anchor.posting),
            members=[_posting_name(match.company, side.posting) for side in match.members],
            rule_revision=match.certificate.rule_revision,
        )
        return _match_answer(self._stub.ApplyMatch(ledger_pb2.ApplyMatchRequest(match=message)))

    def close(self) -> None:
        """End the streams."""
        for stream in self._streams.values():
            stream.close()


def to_posting(message: posting_pb2.Posting, event: Event) -> LedgerPosting:
    """What recon needs of a posting."""
    _, company, _, key = message.name.split("/", 3)
    document = message.document
    return LedgerPosting(
        key=key,
        company=company,
        transaction_id=message.transaction_id,
        state=posting_pb2.Posting.State.Name(message.state).removeprefix("STATE_").lower(),
        version=int(message.etag or "0"),
        open_roles=frozenset(message.open_roles),
        reconciliation=_word(posting_pb2.Posting.Reconciliation.Name(message.reconciliation), "RECONCILIATION_"),
        document_type=_word(posting_pb2.Document.Type.Name(document.type), "TYPE_") if document.lines else "",
        day=date.fromisoformat(document.date) if document.date else None,
        lines=tuple(RoleAmount(line.role, to_money(line.amount)) for line in document.lines),
        odoo_number=message.odoo_number,
        event=event,
    )


def to_change(message: ledger_pb2.WatchPostingsResponse) -> LedgerChange:
    """A change as the stream tells it."""
    return LedgerChange(to_posting(message.posting, to_event(message.event)), message.resume_token)


def _match_answer(message: match_pb2.AppliedMatch) -> LedgerAnswer:
    written: datetime | None = to_time(message.write_time).astimezone(UTC) if message.HasField("write_time") else None
    return LedgerAnswer(_STATES.get(message.state, AppliedState.PENDING), message.reason, written)


def _posting_name(company: str, key: str) -> str:
    return f"companies/{company}/postings/{key}"


def _word(name: str, prefix: str) -> str:
    return name.removeprefix(prefix).lower()
