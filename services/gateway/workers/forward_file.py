"""Hands uploaded files to recon, which reads them, and clears away uploads that nobody finished."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from itertools import count

from libs.errors import ConcordError
from libs.errors.retry import OVERNIGHT, RetryPolicy
from libs.events import Clock
from libs.service.work import Tracing

from ..domain.delivery import State
from ..domain.errors import SourceUnknown
from ..domain.fact import StoredDelivery
from ..handlers.ports import (
    Accounts,
    DeliveryOutcome,
    FileToImport,
    NewUnitOfWork,
    PutBack,
    Recon,
    SetAside,
    unobserved,
)
from ..handlers.upload import STATEMENT, drop_abandoned

ABANDONED_AFTER = timedelta(hours=2)


class ForwardFileWorker:
    """One file at a time, streamed from the store. Recon's refusal quarantines it with recon's reason."""

    def __init__(
        self,
        new_uow: NewUnitOfWork,
        accounts: Accounts,
        recon: Recon,
        *,
        clock: Clock,
        rng: random.Random,
        tracing: Tracing,
        owner: str,
        lease_seconds: float = 1800.0,
        budget: RetryPolicy = OVERNIGHT,
        set_aside: SetAside = unobserved,
        put_back: PutBack = unobserved,
    ) -> None:
        self._new_uow = new_uow
        self._accounts = accounts
        self._recon = recon
        self._clock = clock
        self._rng = rng
        self._tracing = tracing
        self._owner = owner
        self._lease_seconds = lease_seconds
        self._budget = budget
        self._set_aside = set_aside
        self._put_back = put_back

    def run_once(self) -> int:
        """1 if a file was handed on, refused or put back; raises a technical failure after putting it back."""
        with self._new_uow() as uow:
            claimed = uow.deliveries.claim(
                files=True, limit=1, owner=self._owner, now=self._clock(), lease_seconds=self._lease_seconds
            )
            if not claimed:
                return 0
            uow.commit()
        stored = claimed[0]
        try:
            self._import(stored)
        except ConcordError as error:
            if error.kind.is_technical:
                self._finish(self._later(stored, error.reason))
                raise
            self._finish(DeliveryOutcome(stored, State.QUARANTINED, error.reason))
            return 1
        self._finish(DeliveryOutcome(stored, State.FORWARDED))
        return 1

    def _import(self, stored: StoredDelivery) -> None:
        delivery = stored.delivery
        source = self._accounts.find(delivery.source.provider, delivery.source.account).source
        delivery = replace(delivery, source=source)
        file = FileToImport(
            company=source.company,
            interface=source.interface,
            delivery=delivery.name,
            file_name=stored.file_name,
            sha256=delivery.sha256,
            received_at=delivery.received_at,
            transaction_id=delivery.transaction_id,
        )
        with self._tracing.step("forwarded", delivery.transaction_id, None, {"concord.delivery": delivery.name}):
            if delivery.type == STATEMENT:
                self._recon.import_statement(file, self._chunks(stored.upload))
            else:
                self._recon.import_settlement_file(file, self._chunks(stored.upload))

    def _chunks(self, upload: str) -> Iterator[bytes]:
        """A transaction for each: on SQLite one is all that can write, and recon may take its time over a file."""
        for number in count():
            with self._new_uow() as uow:
                chunk = uow.uploads.chunk(upload, number)
            if chunk is None:
                return
            yield chunk

    def _later(self, stored: StoredDelivery, reason: str) -> DeliveryOutcome:
        at = self._budget.next_try(stored.attempts, self._clock(), self._rng)
        if at is None:
            return DeliveryOutcome(stored, State.PARKED, reason)
        return DeliveryOutcome(stored, stored.state, reason, retry_at=at)

    def _finish(self, outcome: DeliveryOutcome) -> None:
        with self._new_uow() as uow:
            kept = uow.deliveries.finish([outcome], self._clock())
            uow.commit()
        if not kept or outcome.state is State.FORWARDED:
            return
        source = outcome.stored.delivery.source
        with suppress(SourceUnknown):
            source = self._accounts.find(source.provider, source.account).source
        tell = self._set_aside if outcome.retry_at is None else self._put_back
        tell(source, outcome.reason)


class UploadJanitor:
    """Removes uploads whose process was killed in between."""

    def __init__(self, new_uow: NewUnitOfWork, *, clock: Clock) -> None:
        self._new_uow = new_uow
        self._clock = clock

    def run_once(self) -> int:
        """How many were removed."""
        return drop_abandoned(self._new_uow, self._clock() - ABANDONED_AFTER)
