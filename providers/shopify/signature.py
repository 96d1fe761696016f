"""Shopify's webhook signature: `X-Shopify-Hmac-Sha256`, base64 of HMAC-SHA256 over the body. It signs no time."""

from __future__ import annotations

import base64
import hmac

from providers.base import Secrets
from providers.errors import SignatureMissing, SignatureRefused
from providers.proof import is_proved

_MAX_HEADER = 256


def verify(header: str, body: bytes, secrets: Secrets) -> None:
    """Raise `SignatureMissing` or `SignatureRefused`."""
    if not header:
        raise SignatureMissing("no X-Shopify-Hmac-Sha256 header")
    if not is_proved(secrets, lambda secret: sign(body, secret), [header[:_MAX_HEADER].encode("utf-8", "replace")]):
        raise SignatureRefused("the signature does not prove this body")


def sign(body: bytes, secret: bytes) -> str:
    """The header that Shopify would send."""
    return base64.b64encode(hmac.digest(secret, body, "sha256")).decode()
