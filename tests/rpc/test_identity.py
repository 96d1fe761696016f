from __future__ import annotations

import base64
import hashlib
import hmac
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from grpc_health.v1 import health_pb2, health_pb2_grpc

from libs.access import EVERYTHING, AccessScope
from libs.rpc.errors import RemoteError
from libs.rpc.identity import (
    Identity,
    IssuedToken,
    KeyInvalid,
    TokenExpired,
    TokenKey,
    TokenKeys,
    TokenMissing,
    TokenVerifier,
    Unauthenticated,
    current_identity,
    issue_token,
)
from tests.rpc.echo import KEYS, SECRET, SHAPES, Echo, EchoStub, Text, calling, serving

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
OTHER_SECRET = "another-secret-of-the-tests-that-is-long"


def pem_of(private: Any) -> tuple[bytes, bytes]:
    """(private, public) PEM."""
    return (
        private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    )


def verifier(keys: TokenKeys = KEYS, now: datetime = NOW) -> TokenVerifier:
    return TokenVerifier(keys, clock=lambda: now)


def claims(**changes: Any) -> dict[str, Any]:
    base = {
        "iss": "concord",
        "aud": "concord",
        "sub": "ann",
        "roles": ["viewer"],
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 60,
    }
    return {key: value for key, value in (base | changes).items() if value is not None}


def signed(payload: dict[str, Any], secret: str = SECRET, kid: str | None = "k1", algorithm: str = "HS256") -> str:
    return jwt.encode(payload, secret, algorithm=algorithm, headers={"kid": kid} if kid else None)


@pytest.mark.parametrize("private", [ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate()])
def test_a_public_key_proves_what_the_private_one_issued(private: Any) -> None:
    private_pem, public_pem = pem_of(private)
    token = issue_token(TokenKeys([TokenKey.pem("p", private_pem)]), "ann", ["viewer"], clock=lambda: NOW)
    public = TokenKeys([TokenKey.pem("p", public_pem)])
    assert verifier(public).verify(token) == Identity("ann", frozenset({"viewer"}))
    with pytest.raises(KeyInvalid):
        issue_token(public, "ann", ["viewer"])


def test_a_token_names_companies_and_sources_and_one_of_roles_alone_names_none() -> None:
    scope = AccessScope.of(["acme"], ["stripe/acct_1", "shopify/*"])
    identity = verifier().verify(issue_token(KEYS, "ann", ["viewer"], scope, clock=lambda: NOW))
    assert identity == Identity("ann", frozenset({"viewer"}), scope)
    of_roles_alone = verifier().verify(signed(claims()))
    assert of_roles_alone == Identity("ann", frozenset({"viewer"}), AccessScope())


def test_two_keys_live_at_once_while_they_are_rotated() -> None:
    old, new = TokenKey.secret("k1", SECRET), TokenKey.secret("k2", OTHER_SECRET)
    by_old = issue_token(TokenKeys([old]), "ann", [], clock=lambda: NOW)
    by_new = issue_token(TokenKeys([new, old]), "ann", [], clock=lambda: NOW)
    checker = verifier(TokenKeys([old, new]))
    assert checker.verify(by_old) == checker.verify(by_new)
    checker.replace_keys(TokenKeys([new]))
    checker.verify(by_new)
    with pytest.raises(Unauthenticated):
        checker.verify(by_old)


def test_a_token_lives_as_long_as_it_says_and_a_cached_one_no_longer() -> None:
    now = NOW
    checker = TokenVerifier(KEYS, clock=lambda: now)
    token = issue_token(KEYS, "ann", [], lifetime_seconds=60, clock=lambda: NOW)
    checker.verify(token)
    now = NOW + timedelta(seconds=89)
    checker.verify(token)
    now = NOW + timedelta(seconds=91)
    with pytest.raises(TokenExpired):
        checker.verify(token)
    with pytest.raises(TokenExpired):
        TokenVerifier(KEYS, clock=lambda: now).verify(token)


REFUSED = {
    "another audience": signed(claims(aud="shop")),
    "another issuer": signed(claims(iss="stranger")),
    "no audience": signed(claims(aud=None)),
    "no expiry": signed(claims(exp=None)),
    "no subject": signed(claims(sub=None)),
    "an empty subject": signed(claims(sub="")),
    "roles as a text": signed(claims(roles="administrator")),
    "roles that are no texts": signed(claims(roles=[["administrator"]])),
    "no roles": signed(claims(roles=None)),
    "an expiry that is a text": signed(claims(exp="2099")),
    "issued in the future": signed(claims(iat=int(NOW.timestamp()) + 3600)),
    "not valid yet": signed(claims(nbf=int(NOW.timestamp()) + 3600)),
    "another secret": signed(claims(), OTHER_SECRET),
    "an unknown key": signed(claims(), kid="k9"),
    "no signature": jwt.encode(claims(), "", algorithm="none", headers={"kid": "k1"}),
    "another algorithm": signed(claims(), SECRET * 2, algorithm="HS512"),
    "companies as a text": signed(claims(companies="acme")),
    "companies that are no texts": signed(claims(companies=[["acme"]])),
    "a company that is a path": signed(claims(companies=["acme/../other"])),
    "an empty company": signed(claims(companies=[""])),
    "a source that is a name": signed(claims(sources=["sources/stripe/accounts/acct_1"])),
    "any provider's account": signed(claims(sources=["*/acct_1"])),
    "a part of an account": signed(claims(sources=["stripe/acct_*"])),
    "garbage": "garbage",
    "empty parts": "..",
    "huge": "a" * 100_000,
}


@pytest.mark.parametrize("token", REFUSED.values(), ids=REFUSED.keys())
def test_a_token_that_is_not_ours_is_refused_without_a_hint(token: str) -> None:
    with pytest.raises(Unauthenticated) as caught:
        verifier().verify(token)
    assert (str(caught.value), caught.value.reason) == ("the token is not valid", "TOKEN_INVALID")


def test_a_public_key_is_not_taken_for_a_shared_secret() -> None:
    _, public_pem = pem_of(ec.generate_private_key(ec.SECP256R1()))
    header, payload, _ = signed(claims()).split(".")
    proof = hmac.new(public_pem, f"{header}.{payload}".encode(), hashlib.sha256).digest()
    forged = f"{header}.{payload}.{base64.urlsafe_b64encode(proof).rstrip(b'=').decode()}"
    with pytest.raises(Unauthenticated):
        verifier(TokenKeys([TokenKey.pem("k1", public_pem)])).verify(forged)


def test_keys_are_read_from_text_and_files(tmp_path: Path) -> None:
    _, public_pem = pem_of(ed25519.Ed25519PrivateKey.generate())
    (tmp_path / "key.pem").write_bytes(public_pem)
    keys = TokenKeys.parse(f"# live\nk1:{SECRET}, k2:a=b{OTHER_SECRET}\nk3={tmp_path}/key.pem  # partner's\n")
    found = [keys.find(kid) for kid in ("k1", "k2", "k3")]
    assert [key.algorithm for key in found if key is not None] == ["HS256", "HS256", "EdDSA"]
    assert SECRET not in repr(keys) + repr(found)


RSA_KEY = pem_of(rsa.generate_private_key(65537, 2048))[0]
TWICE = f"k1:{SECRET} k1:{OTHER_SECRET}"  # tokens of one of them would be refused
P384_KEY = pem_of(ec.generate_private_key(ec.SECP384R1()))[0]


@pytest.mark.parametrize(
    "text", ["", "# none", "k1:tiny", "nonsense", "k1=rsa.pem", "k1=p384.pem", "k1=broken.pem", TWICE]
)
def test_keys_that_cannot_be_used_stop_the_start(text: str) -> None:
    files = {"rsa.pem": RSA_KEY, "p384.pem": P384_KEY, "broken.pem": b"-----BEGIN PRIVATE KEY-----\nx\n"}
    with pytest.raises(KeyInvalid) as caught:
        TokenKeys.parse(text, read=files.__getitem__)
    assert "tiny" not in str(caught.value)


def test_a_services_own_token_is_renewed_at_half_its_life() -> None:
    now = NOW
    source = IssuedToken(KEYS, "ledger", ("ledger",), EVERYTHING, lifetime_seconds=100, clock=lambda: now)
    first = source()
    now = NOW + timedelta(seconds=49)
    assert source() == first
    now = NOW + timedelta(seconds=50)
    assert source() != first
    assert verifier(now=now).verify(source()) == Identity("ledger", frozenset({"ledger"}), EVERYTHING)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_handler_knows_its_caller(shape: str) -> None:
    echo = Echo(lambda text, context: current_identity().subject)
    with serving(echo) as server, calling(server) as stub:
        assert stub.call(shape, "a") == "tests"
    with pytest.raises(TokenMissing):
        current_identity()


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (None, "TOKEN_MISSING"),
        ("Basic abc", "TOKEN_MISSING"),
        ("Bearer", "TOKEN_MISSING"),
        ("Bearer not.a.token", "TOKEN_INVALID"),
        ("Bearer " + issue_token(KEYS, "ann", ["viewer"], clock=lambda: NOW - timedelta(days=900)), "TOKEN_EXPIRED"),
    ],
)
def test_a_caller_without_a_valid_token_is_refused_and_its_token_not_logged(
    header: str | None, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    calls: list[str] = []

    def answer(text: str, context: grpc.ServicerContext) -> str:
        calls.append(text)
        return text

    with (
        serving(Echo(answer)) as server,
        grpc.insecure_channel(server.address) as channel,
        pytest.raises(grpc.RpcError) as caught,
    ):
        EchoStub(channel).say(Text(value="a"), metadata=[("authorization", header)] if header else [])
    assert isinstance(caught.value, grpc.Call)
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert reason in str(caught.value.trailing_metadata())
    assert calls == []
    token = (header or "").partition(" ")[2]
    assert not token or token not in caplog.text


def test_health_needs_no_token() -> None:
    with serving() as server, grpc.insecure_channel(server.address) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        answer = stub.Check(health_pb2.HealthCheckRequest())
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_the_callers_name_reaches_no_error() -> None:
    with serving() as server, calling(server, roles=()) as stub, pytest.raises(RemoteError) as caught:
        stub.call("Say", "a")
    assert "tests" not in str(caught.value) + str(caught.value.metadata)
