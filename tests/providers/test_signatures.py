"""Who may bring a delivery in: the providers' own schemes, over the raw bytes."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import stripe

from providers.base import Secrets
from providers.errors import SignatureMissing, SignatureRefused, SignatureStale
from providers.shopify.signature import sign as sign_shopify
from providers.shopify.signature import verify as verify_shopify
from providers.stripe.signature import sign, verify
from tests.gateway.world import NOW

BODY = b'{"id": "evt_1",\r\n "text": "\xc3\xa9"}'
FIRST, SECOND, OTHER = b"whsec_first", b"whsec_second", b"whsec_other"
LIVE = Secrets((FIRST, SECOND))


def stamp(at: datetime = NOW) -> str:
    return str(int(at.timestamp()))


def v1(secret: bytes, body: bytes = BODY, at: datetime = NOW) -> str:
    return sign(body, secret, at).partition("v1=")[2]


@pytest.mark.parametrize(
    "header, refused",
    [
        (sign(BODY, FIRST, NOW), None),
        (sign(BODY, SECOND, NOW), None),
        (f"t={stamp()},v1={v1(OTHER)},v1={v1(FIRST)},v0=abc", None),
        (f"t={stamp()}, v1={v1(FIRST)}", None),
        ("", SignatureMissing),
        (sign(BODY, OTHER, NOW), SignatureRefused),
        (sign(BODY + b" ", FIRST, NOW), SignatureRefused),
        (sign(BODY[:-1], FIRST, NOW), SignatureRefused),
        (f"t={stamp(NOW + timedelta(seconds=1))},v1={v1(FIRST)}", SignatureRefused),
        (f"t={stamp()},v0={v1(FIRST)}", SignatureRefused),
        (f"v1={v1(FIRST)}", SignatureRefused),
        (f"t=,v1={v1(FIRST)}", SignatureRefused),
        (f"t=²,v1={v1(FIRST)}", SignatureRefused),
        (f"t={stamp()},v1=é", SignatureRefused),
        (f"t={stamp()},v1={v1(FIRST).upper()}", SignatureRefused),
        (f"t={stamp()}" + ",v1=00" * 20 + f",v1={v1(FIRST)}", SignatureRefused),
        ("nonsense", SignatureRefused),
        (sign(BODY, FIRST, NOW - timedelta(seconds=300)), None),
        (sign(BODY, FIRST, NOW - timedelta(seconds=301)), SignatureStale),
        (sign(BODY, FIRST, NOW + timedelta(seconds=301)), SignatureStale),
        # A forged old one is forged, not old: the answer tells no more than it must.
        (sign(BODY, OTHER, NOW - timedelta(days=1)), SignatureRefused),
    ],
)
def test_stripe_s_signature_proves_or_is_refused(header: str, refused: type[Exception] | None) -> None:
    if refused is None:
        verify(header, BODY, LIVE, NOW, 300)
    else:
        with pytest.raises(refused) as error:
            verify(header, BODY, LIVE, NOW, 300)
        assert type(error.value) is refused


@pytest.mark.parametrize("secret", [FIRST, OTHER])
@pytest.mark.parametrize("body", [BODY, b"{}", "ü€😀".encode()])
def test_stripe_s_own_library_agrees(secret: bytes, body: bytes) -> None:
    header = sign(body, secret, NOW)
    library_agrees = True
    try:
        stripe.WebhookSignature.verify_header(body.decode(), header, FIRST.decode(), tolerance=None)
    except stripe.SignatureVerificationError:
        library_agrees = False
    try:
        verify(header, body, Secrets((FIRST,)), NOW, 300)
        we_agree = True
    except SignatureRefused:
        we_agree = False
    assert we_agree == library_agrees == (secret == FIRST)


@pytest.mark.parametrize(
    "header, refused",
    [
        (sign_shopify(BODY, FIRST), None),
        (sign_shopify(BODY, SECOND), None),
        ("", SignatureMissing),
        (sign_shopify(BODY, OTHER), SignatureRefused),
        (sign_shopify(BODY + b"\n", FIRST), SignatureRefused),
        (sign_shopify(BODY, FIRST).rstrip("="), SignatureRefused),
        ("é", SignatureRefused),
    ],
)
def test_shopify_s_signature_proves_or_is_refused(header: str, refused: type[Exception] | None) -> None:
    if refused is None:
        verify_shopify(header, BODY, LIVE)
    else:
        with pytest.raises(refused) as error:
            verify_shopify(header, BODY, LIVE)
        assert type(error.value) is refused


def test_secrets_are_never_printed() -> None:
    assert "whsec" not in repr(LIVE)
