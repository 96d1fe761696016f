"""Deliveries into the inbox: proved, kept, and only then answered."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence

from libs.errors import ConcordError
from libs.events import Channel, Clock, IdSource
from libs.service.work import Tracing
from providers.base import Delivery, Source

from ..domain.delivery import NewDelivery, Receipt, Refusal
from ..domain.errors import SourceUnknown
from ..domain.source import SourceAccount
from ..storage.uow import NewUow

StoreDelivery = Callable[[NewDelivery], Receipt]
HEAD_BYTES = 1024
SAMPLES_KEPT = 50
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)


class ReceiveDeliveries:
    """Stores a batch in one commit: the function of the group-commit writer.

    The same name again, in this batch or years later, gets the first transaction id and changes nothing.
    """

    def __init__(self, new_uow: NewUow, clock: Clock, tracing: Tracing) -> None:
        self._new_uow = new_uow
        self._clock = clock
        self._tracing = tracing

    def __call__(self, new: Sequence[NewDelivery]) -> list[Receipt]:
        with self._new_uow() as uow:
            receipts = uow.deliveries.add(new, self._clock())
            uow.commit()
        for received, receipt in zip(new, receipts, strict=True) if self._tracing.records else ():
            if not receipt.duplicate:
                source = received.delivery.source
                attributes = {
                    "concord.delivery": receipt.delivery,
                    "concord.provider": source.provider,
                    "concord.interface": source.interface,
                    "concord.company": source.company,
                }
                links = [received.link] if received.link else []
                with self._tracing.transaction("received", receipt.transaction_id, attributes, links=links):
                    pass  # its time is the commit's, which the flush before it took
        return receipts


def prove(
    account: SourceAccount, headers: Mapping[str, str], body: bytes, *, clock: Clock, ids: IdSource, link: str = ""
) -> NewDelivery:
    """A webhook's delivery, proved and identified. A `link` that is no W3C traceparent is dropped: nobody signed it.

    Raises `SignatureRefused` before a byte is interpreted; `FormatError` or `ShapeInvalid` for a proved body that is
    not what the provider sends.
    """
    provider = account.provider
    if provider is None:
        raise SourceUnknown
    now = clock()
    provider.verify(headers, body, now)
    identified = provider.identify(headers, body)
    digest = hashlib.sha256(body).hexdigest()
    return NewDelivery(
        Delivery(
            source=account.source,
            channel=Channel.WEBHOOK,
            id=identified.id or digest,
            type=identified.type,
            body=body,
            sha256=digest,
            received_at=now,
            transaction_id=ids(),
        ),
        link=link if _TRACEPARENT.fullmatch(link) else "",
    )


def fetched(source: Source, delivery_type: str, body: bytes, *, clock: Clock, ids: IdSource) -> NewDelivery:
    """What a poll fetched, as a delivery: the same page fetched again is the same delivery."""
    digest = hashlib.sha256(body).hexdigest()
    return NewDelivery(Delivery(source, Channel.POLL, digest, delivery_type, body, digest, clock(), ids()))


def keep_refused(
    source: Source, error: ConcordError, body: bytes, *, new_uow: NewUow, clock: Clock, ids: IdSource
) -> None:
    """Keep a sample of what was refused: of each source the newest few, of each the beginning."""
    refusal = Refusal(
        provider=source.provider,
        account=source.account,
        reason=error.reason,
        sha256=hashlib.sha256(body).hexdigest(),
        body_bytes=len(body),
        head=body[:HEAD_BYTES],
    )
    with new_uow() as uow:
        uow.refusals.add(refusal, id=ids(), now=clock(), keep=SAMPLES_KEPT)
        uow.commit()
