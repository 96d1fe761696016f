"""What can go wrong, and how often. Everything is drawn from one seeded source."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TypeVar

from libs.errors import ConcordError, Kind

T = TypeVar("T")


class Crash(BaseException):
    """The process is gone. No `except Exception` may hear of it."""


class ServiceGone(ConcordError):
    """A call between services whose request or reply was lost, or whose callee died."""

    kind = Kind.RETRY
    reason = "SERVICE_UNAVAILABLE"


@dataclass(frozen=True, slots=True)
class Rates:
    """Probabilities: of a delivery, a call, a commit, as the name says."""

    duplicate: float = 0.0  # a partner sends again what was answered
    delay: float = 0.0  # a delivery waits for up to some hours
    lose_delivery: float = 0.0  # it never arrives; the partner tries again
    lose_answer: float = 0.0  # it arrives, the 2xx does not
    drop: float = 0.0  # a message that others tell too is never sent
    lag: float = 0.0  # the provider's API shows a fact late
    crash: float = 0.0  # at a commit: half before it, half after
    conflict: float = 0.0  # a commit that the database refuses
    lose_request: float = 0.0  # of calls between services
    lose_reply: float = 0.0
    pause: float = 0.0  # in a call, until the leases are gone and another process has gone on
    odoo_lose_request: float = 0.0
    odoo_lose_reply: float = 0.0
    odoo_refuse: float = 0.0
    odoo_conflict: float = 0.0
    outage: float = 0.0  # of Odoo, for a while, at a clock jump
    jump: float = 0.0  # the clock leaps although there is work


NONE = Rates()
STORM = Rates(
    duplicate=0.25, delay=0.25, lose_delivery=0.15, lose_answer=0.1, drop=0.2, lag=0.3, crash=0.02, conflict=0.01,
    lose_request=0.05, lose_reply=0.05, pause=0.02, odoo_lose_request=0.02, odoo_lose_reply=0.04, odoo_refuse=0.02,
    odoo_conflict=0.03, outage=0.03, jump=0.03,
)  # fmt: skip


class Faults:
    """Draws faults and counts those that struck. `calm` ends them all."""

    def __init__(self, rates: Rates, rng: random.Random) -> None:
        self.rates = rates
        self.rng = rng
        self.struck: Counter[str] = Counter()

    def calm(self) -> None:
        self.rates = NONE

    def strikes(self, fault: str) -> bool:
        rate: float = getattr(self.rates, fault)
        if not rate or self.rng.random() >= rate:
            return False
        self.struck[fault] += 1
        return True

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self.rng.random()


def only(*names: str, rates: Rates = STORM) -> Rates:
    """The named faults at their rates, and no other."""
    known = {one.name for one in fields(Rates)}
    if not set(names) <= known:
        raise ValueError(f"no such fault among {names}")
    return Rates(**{name: getattr(rates, name) for name in names})


Answer = Callable[[], T]
