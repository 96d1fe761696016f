"""Dummy's webhook signature: `Dummy-Signature: UNIX.HEX`, HMAC-SHA256 over `UNIX.body`. Old ones are refused."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime

from providers.base import Secrets
from providers.errors import SignatureMissing, SignatureRefused, SignatureStale
from providers.proof import is_proved

HEADER = "Dummy-Signature"
TOLERANCE_SECONDS = 300
_MAX_HEADER = 256


def verify(header: str, body: bytes, secrets: Secrets, now: datetime) -> None:
    """Raise `SignatureMissing`, `SignatureRefused` or, for a true but old (or future) one, `SignatureStale`."""
    if not header:
        raise SignatureMissing(f"no {HEADER} header")
    stamp, _, given = header[:_MAX_HEADER].partition(".")
    timed = stamp.isascii() and stamp.isdigit() and len(stamp) <= 12
    if not timed or not is_proved(secrets, lambda secret: _digest(secret, stamp, body), [given.encode()]):
        raise SignatureRefused("the signature does not prove this body")
    if abs(now.timestamp() - int(stamp)) > TOLERANCE_SECONDS:
        raise SignatureStale("the signature's time is outside the tolerance")


def sign(body: bytes, secret: bytes, at: datetime) -> str:
    """The header that Dummy would send."""
    stamp = str(int(at.timestamp()))
    return f"{stamp}.{_digest(secret, stamp, body)}"


def _digest(secret: bytes, stamp: str, body: bytes) -> str:
    return hmac.new(secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
