"""Hands uploaded files to recon, which reads them, and clears away uploads that nobody finished."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import count

from libs.errors import ConcordError
from libs.errors.retry import OVERNIGHT
from libs.events import Clock
from libs.service.work import WorkContext

from ..domain.delivery import DeliveryOutcome, DeliveryState, StoredDelivery, UploadedFile
from ..handlers.ports import Accounts, ReconImports, source_of
from ..handlers.upload import STATEMENT, drop_abandoned
from ..storage.uow import NewUow

ABANDONED_AFTER = timedelta(hours=2)
LEASE_SECONDS = 1800.0  # as long as recon may take over a file


class ForwardFileWorker:
    """One file at a time, streamed from the store. Recon's refusal quarantines it with recon's reason."""

    def __init__(self, new_uow: NewUow, accounts: Accounts, recon: ReconImports, work: WorkContext) -> None:
        self._new_uow = new_uow
        self._accounts = accounts
        self._recon = recon
        self._work = work

    def run_once(self) -> int:
        """1 if a file was handed on, refused or put back; raises a technical failure after putting it back."""
        work = self._work
        with self._new_uow() as uow:
            claimed = uow.deliveries.claim(
                files=True, limit=1, owner=work.owner, now=work.clock(), lease_seconds=LEASE_SECONDS
            )
            if claimed:
                uow.commit()
        for stored in claimed:
            try:
                self._import(stored)
            except ConcordError as error:
                self._failed(stored, error)
                if error.kind.is_technical:
                    raise
            else:
                self._finish(DeliveryOutcome(stored, DeliveryState.FORWARDED))
        return len(claimed)

    def _import(self, stored: StoredDelivery) -> None:
        delivery = stored.delivery
        source = self._accounts.find(delivery.source.provider, delivery.source.account).source
        delivery = replace(delivery, source=source)
        file = UploadedFile(
            company=source.company,
            interface=source.interface,
            delivery=delivery.name,
            file_name=stored.file_name,
            sha256=delivery.sha256,
            received_at=delivery.received_at,
            transaction_id=delivery.transaction_id,
        )
        hand_over = self._recon.import_statement if delivery.type == STATEMENT else self._recon.import_settlement_file
        with self._work.tracing.step("forwarded", delivery.transaction_id, None, {"concord.delivery": delivery.name}):
            hand_over(file, self._chunks(stored.upload))

    def _chunks(self, upload: str) -> Iterator[bytes]:
        """A transaction for each: on SQLite one is all that can write, and recon may take its time over a file."""
        for number in count():
            with self._new_uow() as uow:
                chunk = uow.uploads.chunk(upload, number)
            if chunk is None:
                return
            yield chunk

    def _failed(self, stored: StoredDelivery, error: ConcordError) -> None:
        technical = error.kind.is_technical
        at = OVERNIGHT.next_try(stored.attempts, self._work.clock(), self._work.rng) if technical else None
        given_up = DeliveryState.PARKED if technical else DeliveryState.QUARANTINED
        if self._finish(DeliveryOutcome(stored, stored.state if at else given_up, error.reason, retry_at=at)):
            source = source_of(self._accounts, stored.delivery.source.provider, stored.delivery.source.account)
            tell = self._work.observer.retried if at else self._work.observer.set_aside
            tell(source.company, source.interface, error.reason)

    def _finish(self, outcome: DeliveryOutcome) -> bool:
        """Whether it was still ours."""
        with self._new_uow() as uow:
            kept = uow.deliveries.finish([outcome], self._work.clock())
            uow.commit()
        return bool(kept)


class UploadJanitor:
    """Removes uploads whose process was killed in between."""

    def __init__(self, new_uow: NewUow, *, clock: Clock) -> None:
        self._new_uow = new_uow
        self._clock = clock

    def run_once(self) -> int:
        """How many were removed."""
        return drop_abandoned(self._new_uow, self._clock() - ABANDONED_AFTER)
