"""Stripe's webhook signature: `Stripe-Signature: t=UNIX,v1=HEX[,v1=HEX…]`, HMAC-SHA256 over `t.body`.

Stripe's library checks the same but reads the wall clock and wants the body as text; here both are arguments.
The tests compare the two.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime

from providers.base import Secrets
from providers.errors import SignatureMissing, SignatureRefused, SignatureStale
from providers.proof import is_proved

TOLERANCE_SECONDS = 300
_MAX_HEADER = 4096
_MAX_SIGNATURES = 8


def verify(header: str, body: bytes, secrets: Secrets, now: datetime, tolerance_seconds: int) -> None:
    """Raise `SignatureMissing`, `SignatureRefused` or, for a true but old (or future) one, `SignatureStale`."""
    if not header:
        raise SignatureMissing("no Stripe-Signature header")
    stamp, signatures = _parsed(header)
    if not is_proved(secrets, lambda secret: _digest(secret, stamp, body), signatures):
        raise SignatureRefused("the signature does not prove this body")
    if abs(now.timestamp() - int(stamp)) > tolerance_seconds:
        raise SignatureStale("the signature's time is outside the tolerance")


def sign(body: bytes, secret: bytes, at: datetime) -> str:
    """The header that Stripe would send: for the fake API and for tests."""
    stamp = str(int(at.timestamp()))
    return f"t={stamp},v1={_digest(secret, stamp, body)}"


def _parsed(header: str) -> tuple[str, list[bytes]]:
    stamp, signatures = "", []
    for item in header[:_MAX_HEADER].split(","):
        key, _, value = item.strip().partition("=")
        if key == "t":
            stamp = value
        elif key == "v1":
            signatures.append(value.encode("utf-8", "replace"))
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        return "0", []
    return stamp, signatures[:_MAX_SIGNATURES]


def _digest(secret: bytes, stamp: str, body: bytes) -> str:
    # Not `hmac.digest`: it lets go of the interpreter for every body, and a loop under load waits to get it back.
    return hmac.new(secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
