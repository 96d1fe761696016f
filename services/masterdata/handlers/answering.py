"""One request, one answer: a repeated request id gets the first answer, another request under it is refused."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import TypeVar

from libs.events import from_plain, to_plain

from ..domain.errors import RequestReused
from ..storage.uow import MasterdataUow
from .ports import Answered

T = TypeVar("T")


class Request:
    """A caller's intention: its id, and a fingerprint of all that it asks for."""

    def __init__(self, request_id: str, *parts: str) -> None:
        self.id = request_id
        self.fingerprint = hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def first_answer(self, uow: MasterdataUow, kind: type[T]) -> T | None:
        """What was answered before. Raises `RequestReused`."""
        known = uow.requests.find(self.id)
        if known is None:
            return None
        if known.fingerprint != self.fingerprint:
            raise RequestReused("the request id stands for another request", field="request_id")
        return from_plain(kind, json.loads(known.answer))

    def answer(self, uow: MasterdataUow, answer: object, now: datetime) -> None:
        """Remember the answer, in the commit that makes it true."""
        text = json.dumps(to_plain(answer), separators=(",", ":"), ensure_ascii=False)
        uow.requests.add(self.id, Answered(self.fingerprint, text), now)
