"""Transaction ids: UUIDv7 (RFC 9562, section 5.7) as 32 hex digits, also OpenTelemetry trace ids."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from random import Random
from typing import Protocol

Clock = Callable[[], datetime]  # gives an aware UTC instant


class IdSource(Protocol):
    """Makes ids that sort by time."""

    def __call__(self) -> str: ...


class TransactionIds:
    """UUIDv7s from a clock and a source of randomness, both arguments so that a run can be repeated.

    Give `random.SystemRandom()` outside the simulation.
    """

    def __init__(self, clock: Clock, rng: Random) -> None:
        self._clock = clock
        self._rng = rng

    def __call__(self) -> str:
        milliseconds = int(self._clock().timestamp() * 1000) & (2**48 - 1)
        random_a, random_b = self._rng.getrandbits(12), self._rng.getrandbits(62)
        return f"{milliseconds << 80 | 0x7 << 76 | random_a << 64 | 0b10 << 62 | random_b:032x}"
